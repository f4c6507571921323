"""Pretrain the tiny encoder: python pretrain.py [--steps N] [--out FOLDER].

Two losses at once. Masked language modelling teaches the words; a contrastive loss
between the two texts of a document teaches what a text is about.
"""

import argparse
import random
import time
from pathlib import Path

import torch
from corpus import Document, documents
from tokenizer import MAX_LENGTH
from torch.nn.functional import cross_entropy, normalize
from transformers import AutoTokenizer, ModernBertConfig, ModernBertForMaskedLM
from transformers import PreTrainedTokenizerFast as Tokenizer

HERE = Path(__file__).resolve().parent
SEED, STEPS, DOCUMENTS, BATCH = 7, 2000, 50_000, 32
LEARNING_RATE, WARM_UP, TEMPERATURE, MASKED = 2e-3, 0.05, 0.07, 0.2
Ids = list[int]


def make_model(tokenizer: Tokenizer) -> ModernBertForMaskedLM:
    """Return the model with random weights."""
    config = ModernBertConfig(
        vocab_size=len(tokenizer), hidden_size=128, intermediate_size=256,
        num_hidden_layers=2, num_attention_heads=2, local_attention=MAX_LENGTH,
        max_position_embeddings=MAX_LENGTH, global_attn_every_n_layers=1,
        rope_parameters={"full_attention": {"rope_type": "default",
                                            "rope_theta": 10_000.0}},
        # A tiny model learns sooner from a wider start than 0.02.
        initializer_range=0.04, classifier_pooling="mean", classifier_dropout=0.1,
        # Without it the saved file holds just what a classifier loads.
        decoder_bias=False,
        pad_token_id=0, cls_token_id=2, sep_token_id=3, bos_token_id=2, eos_token_id=3,
    )  # fmt: skip
    return ModernBertForMaskedLM(config)


def encode(tokenizer: Tokenizer, docs: list[Document]) -> list[tuple[str, Ids, Ids]]:
    """Return group, first ids and second ids of every document."""

    def ids(texts: list[str]) -> list[Ids]:
        return tokenizer(texts, truncation=True, max_length=MAX_LENGTH)["input_ids"]

    firsts, seconds = ids([d.first for d in docs]), ids([d.second for d in docs])
    return list(zip([d.group for d in docs], firsts, seconds, strict=True))


class Sampler:
    """Draws batches; half of them from one domain and language: harder negatives."""

    def __init__(self, encoded: list[tuple[str, Ids, Ids]]) -> None:
        self.rng = random.Random(SEED)
        self.everything = encoded
        groups: dict[str, list] = {}
        for document in encoded:
            groups.setdefault(document[0], []).append(document)
        self.groups = list(groups.values())
        self.sizes = [len(group) for group in self.groups]

    def batch(self) -> tuple[list[Ids], list[Ids]]:
        """Return the first and the second texts of one batch."""
        alone = self.rng.random() < 0.5
        pool = (
            self.rng.choices(self.groups, self.sizes)[0] if alone else self.everything
        )
        chosen = self.rng.sample(pool, BATCH)
        return [d[1] for d in chosen], [d[2] for d in chosen]


def masked_spans(length: int, rng: random.Random) -> set[int]:
    """Return the places to hide: spans of 1 to 6, never [CLS] or [SEP]."""
    places: set[int] = set()
    while len(places) < MASKED * (length - 2):
        start, size = rng.randrange(1, length - 1), rng.randint(1, 6)
        places.update(range(start, min(start + size, length - 1)))
    return places


def tensors(texts: list[Ids], vocab: int, rng: random.Random) -> list[torch.Tensor]:
    """Return padded ids with holes, the attention mask, and the answers (or -100)."""
    width = max(map(len, texts))
    ids = torch.zeros(len(texts), width, dtype=torch.long)
    mask, answers = torch.zeros_like(ids), torch.full_like(ids, -100)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
        for place in masked_spans(len(text), rng):
            answers[row, place] = text[place]
            odds = rng.random()
            if odds < 0.9:
                ids[row, place] = 4 if odds < 0.8 else rng.randrange(5, vocab)
    return [ids, mask, answers]


def by_length(texts: list[Ids], size: int = 16) -> list[list[int]]:
    """Return the places of the texts in groups of like length: less padding."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    return [order[i : i + size] for i in range(0, len(order), size)]


def losses(
    model: ModernBertForMaskedLM, sampler: Sampler
) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Return both losses of one batch, and how often the right partner came first."""
    firsts, seconds = sampler.batch()
    texts, order, pooled, words = firsts + seconds, [], [], []
    for places in by_length(texts):
        chunk = [texts[place] for place in places]
        ids, mask, answers = tensors(chunk, model.config.vocab_size, sampler.rng)
        states = model.model(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1)
        order += places
        pooled.append((states * weights).sum(1) / weights.sum(1))
        hidden = answers != -100
        guesses = model.decoder(model.head(states[hidden]))
        words.append(cross_entropy(guesses, answers[hidden]))
    back = torch.tensor(order).argsort()
    vectors = normalize(model.head(torch.cat(pooled)[back]), dim=-1)
    scores = vectors[:BATCH] @ vectors[BATCH:].T / TEMPERATURE
    partner = torch.arange(BATCH)
    matter = (cross_entropy(scores, partner) + cross_entropy(scores.T, partner)) / 2
    top = (scores.argmax(1) == partner).float().mean().item()
    return torch.stack(words).mean(), matter, top


def train(model: ModernBertForMaskedLM, sampler: Sampler, steps: int) -> None:
    """Train the model in place and print its progress."""
    optimizer = torch.optim.AdamW(
        model.parameters(), LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda s: min(1, (s + 1) / (WARM_UP * steps), (steps - s) / steps / 0.95),
    )
    totals, started = [0.0, 0.0, 0.0], time.process_time()
    for step in range(1, steps + 1):
        words, matter, top = losses(model, sampler)
        optimizer.zero_grad()
        (words + matter).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        parts = (words.item(), matter.item(), top)
        totals = [a + b for a, b in zip(totals, parts, strict=True)]
        if step % 100 == 0:
            shown = "  ".join(f"{total / 100:.3f}" for total in totals)
            spent = time.process_time() - started
            print(f"step {step}/{steps}  mlm, pairs, top-1: {shown}  {spent:.0f} s")
            totals = [0.0, 0.0, 0.0]


def main() -> None:
    """Write the corpus, build the model, train it, and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--out", type=Path, default=HERE, help="default: in place")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    docs = list(documents(DOCUMENTS))
    tokenizer = AutoTokenizer.from_pretrained(HERE)
    model = make_model(tokenizer)
    print(f"{len(docs)} documents, {len(tokenizer)} tokens in the vocabulary")
    train(model, Sampler(encode(tokenizer, docs)), arguments.steps)
    tokenizer.save_pretrained(arguments.out)
    model.save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
