"""Print the baselines table: python baselines.py [--labels 400] [--language zh].

Majority, TF-IDF with logistic regression, the bundled architecture with random weights,
and the bundled pretrained model; scored on the held-out split, mean ± standard
deviation over the seeds.
"""

import argparse
import csv
import statistics
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, recall_score
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_callback import PrinterCallback
from transformers.utils import logging

HERE = Path(__file__).resolve().parent
SCENARIO = tomllib.loads((HERE / "scenario.toml").read_text("utf-8"))
CODES = [label["code"] for label in SCENARIO["labels"]]


@dataclass(frozen=True)
class Split:
    """Texts and their teams."""

    texts: list[str]
    teams: list[str]


def read_split(language: str, split: str) -> Split:
    """Return a split; the teams of the held-out one come from the key."""

    def column(path: str, name: str) -> list[str]:
        with (HERE / path / language / f"{split}.csv").open(encoding="utf-8") as file:
            return [row[name] for row in csv.DictReader(file)]

    teams = column("key" if split == "heldout" else "data", "team")
    return Split(column("data", "text"), teams)


def first_of(split: Split, count: int | None) -> Split:
    """Return the first rows; the order of the file is random."""
    return Split(split.texts[:count], split.teams[:count])


def majority(train: Split, texts: list[str], seed: int) -> list[str]:
    """Answer with the most frequent team."""
    return [max(CODES, key=train.teams.count)] * len(texts)


def tfidf(train: Split, texts: list[str], seed: int) -> list[str]:
    """Answer with logistic regression over characters (zh) or words (en)."""
    is_chinese = any(character >= "\u4e00" for character in train.texts[0])
    kind, grams = ("char", (1, 3)) if is_chinese else ("word", (1, 2))
    vectorizer = TfidfVectorizer(analyzer=kind, ngram_range=grams, sublinear_tf=True)
    classifier = LogisticRegression(C=10, max_iter=2000)
    classifier.fit(vectorizer.fit_transform(train.texts), train.teams)
    return list(classifier.predict(vectorizer.transform(texts)))


def base_folder() -> str:
    """Return the folder of the bundled model, or the name of a model on the hub."""
    name = SCENARIO["model"]["base"]
    folder = HERE.parent / "base_models" / name
    return str(folder) if folder.is_dir() else name


def pretrained(train: Split, texts: list[str], seed: int) -> list[str]:
    """Fine-tune the base model with the recipe of the scenario."""
    set_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(
        base_folder(), num_labels=len(CODES)
    )
    return fine_tune(model, train, texts, seed)


def random_weights(train: Split, texts: list[str], seed: int) -> list[str]:
    """Train the same architecture from random weights, same recipe."""
    set_seed(seed)
    config = AutoConfig.from_pretrained(base_folder(), num_labels=len(CODES))
    model = AutoModelForSequenceClassification.from_config(config)
    return fine_tune(model, train, texts, seed)


def fine_tune(
    model: torch.nn.Module, train: Split, texts: list[str], seed: int
) -> list[str]:
    """Return the answers of the model after training."""
    tokenizer = AutoTokenizer.from_pretrained(base_folder())
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=training_arguments(folder, seed),
            train_dataset=encode(tokenizer, train.texts, train.teams),
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        # Its lines would stand between those of the table.
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        answers = trainer.predict(encode(tokenizer, texts)).predictions.argmax(-1)
    return [CODES[answer] for answer in answers]


def training_arguments(folder: str, seed: int) -> TrainingArguments:
    """Return the recipe of the scenario as the Trainer wants it."""
    recipe = SCENARIO["recipe"]
    return TrainingArguments(
        output_dir=folder,
        learning_rate=recipe["learning_rate"],
        num_train_epochs=recipe["epochs"],
        per_device_train_batch_size=recipe["batch_size"],
        per_device_eval_batch_size=64,
        warmup_steps=0.1,
        weight_decay=0.01,
        seed=seed,
        use_cpu=True,
        dataloader_pin_memory=False,
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        report_to=[],
    )


def encode(
    tokenizer: PreTrainedTokenizerBase, texts: list[str], teams: Sequence[str] = ()
) -> list[dict]:
    """Return one row per text, with the number of its team where teams are given."""
    limit = SCENARIO["recipe"]["max_length"]
    columns = dict(tokenizer(texts, truncation=True, max_length=limit))
    if teams:
        columns["labels"] = [CODES.index(team) for team in teams]
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, values, strict=True)) for values in rows]


def scores(key: list[str], answers: list[str], rarest: str) -> tuple[float, ...]:
    """Return accuracy, macro-F1 and the recall of the rarest team."""
    recall = recall_score(key, answers, labels=[rarest], average="macro")
    macro = f1_score(key, answers, average="macro", zero_division=0)
    return accuracy_score(key, answers), macro, recall


def report(
    name: str, method: Callable, language: str, labels: int | None, seeds: range
) -> None:
    """Print one line of the table."""
    train = first_of(read_split(language, "train"), labels)
    held_out = read_split(language, "heldout")
    rarest = SCENARIO["languages"][language]["rarest"]
    rows, started = [], time.process_time()
    for seed in seeds:
        shown = f"  {language} {name}: seed {seed}"
        print(shown.ljust(60), end="\r", file=sys.stderr, flush=True)
        rows.append(scores(held_out.teams, method(train, held_out.texts, seed), rarest))
    spent = (time.process_time() - started) / len(seeds)
    cells = [
        f"{statistics.mean(part):.3f} ± {statistics.pstdev(part):.3f}"
        for part in zip(*rows, strict=True)
    ]
    line = [language, name, *cells, f"{spent:.1f}"]
    print("| " + " | ".join(line) + " |", flush=True)


def main() -> None:
    """Print the table for the languages asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, help="train on the first N rows only")
    parser.add_argument("--language", choices=("zh", "en"), help="default: both")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    print("| language | method | accuracy | macro-F1 | rarest recall | CPU-s |")
    print("|---|---|---|---|---|---|")
    methods = {
        "majority": majority,
        "TF-IDF + logistic regression": tfidf,
        "random weights": random_weights,
        "pretrained, correct recipe": pretrained,
    }
    for language in [arguments.language] if arguments.language else ["zh", "en"]:
        for name, method in methods.items():
            # The first two answer the same whatever the seed.
            seeds = range(1 if method in (majority, tfidf) else arguments.seeds)
            report(name, method, language, arguments.labels, seeds)


if __name__ == "__main__":
    main()
