"""The door of a lab notebook: every name that a trainee types comes from here.

Light at import: no torch, no pandas, no nbgrader. The working directory is the
released folder (``release.json``, ``scenario.toml``, ``data/``, ``base_model/``); from
``labs/<lab>/`` of a checkout the same names reach into ``datasets/``.
"""

import csv
import io
import json
import math
import os
import shutil
import tempfile
import tomllib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lab_env.checks import Check, Language, Text
from lab_env.errors import LabError
from lab_env.files import write_json, write_whole
from lab_env.marksheet import Row, mark
from lab_env.metrics import fingerprint
from lab_env.release import PUBLIC_FACTS, load_checks
from lab_env.scenario import (
    Scenario,
    base_model_folder,
    read_scenario,
    scenario_folder,
)
from lab_env.submission import Submission, TrustedFiles
from lab_env.widgets.errors import explain_errors, know_words
from lab_env.widgets.row_table import RowTable, SavedFiles

__all__ = [
    "annotate",
    "fingerprint",
    "load_scenario",
    "plot_calibration",
    "plot_costs",
    "plot_recall",
    "save_adapter",
    "save_json",
    "save_model",
    "save_predictions",
    "save_table",
    "show_rows",
    "training_curve",
]
OPEN_ROWS = "rows.py"
LABELLED = ("train", "validation", "test")
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    # Threads that wait by spinning slow down everybody on a shared machine.
    "OMP_WAIT_POLICY": "PASSIVE",
}

# What was saved since show_rows was last called; an exam only confirms these.
_saved: list[Path] = []


@dataclass(frozen=True)
class Case:
    """The scenario as a notebook needs it, in the notebook's language."""

    title: str
    language: Language
    label_codes: list[str]
    files: dict[str, str]
    unseen: str
    base_model: str
    data: str
    label_names: dict[str, str] = field(default_factory=dict)
    # The small class that matters most, and what mistakes cost; if there are such.
    rarest: str = ""
    costs: dict[str, float] = field(default_factory=dict)
    cost_words: dict[str, str] = field(default_factory=dict)

    def file(self, name: str) -> str:
        """Return where a data file of the scenario lies."""
        path = Path(self.data, name)
        if not path.is_file():
            there = ", ".join(sorted(each.name for each in path.parent.glob("*")))
            zh = f"数据里没有 {name}，有的是：{there}。"
            en = f"There is no {name} among the data; there is: {there}."
            raise LabError(Text(zh, en).read(self.language))
        return str(path)


def load_scenario() -> Case:
    """Return the industry case of this notebook and where its files are."""
    _quiet()
    folder = Path.cwd()
    language = notebook_language()
    scenario, data, model = _places(folder, language)
    files = {split: data / f"{split}.csv" for split in LABELLED}
    splits = {split: str(path) for split, path in files.items() if path.is_file()}
    costs = scenario.facts.get("costs", [])
    know_words([*scenario.label_codes, *scenario.columns.values(), *LABELLED])
    return Case(
        scenario.title.read(language),
        language,
        list(scenario.label_codes),
        splits,
        str(data / "heldout.csv"),
        str(model),
        str(data),
        {label.code: label.name.read(language) for label in scenario.labels},
        scenario.facts.get("languages", {}).get(language, {}).get("rarest", ""),
        {each["code"]: each["yuan"] for each in costs},
        {each["code"]: each[language] for each in costs},
    )


def notebook_language() -> Language:
    """Return the language of the release in the working directory, else of the lab."""
    facts = Path(PUBLIC_FACTS)
    if facts.is_file():
        said = json.loads(facts.read_text(encoding="utf-8"))["language"]
    else:
        # Jupyter tells its kernels the notebook's name: lab.en.ipynb, lab.zh.ipynb.
        name = Path(os.environ.get("JPY_SESSION_NAME", ""))
        said = name.suffixes[-2].strip(".") if len(name.suffixes) > 1 else ""
    return "en" if (said or os.environ.get("LAB_LANGUAGE")) == "en" else "zh"


def save_json(name: str, value: Mapping[str, Any]) -> None:
    """Write a deliverable of named values."""
    write_json(Path(name), _plain(value))
    _saved.append(Path(name))


def save_predictions(name: str, ids: Iterable[str], labels: Iterable[str]) -> None:
    """Write a deliverable with the columns id and label, one line for each message."""
    ids, labels = list(ids), list(labels)
    if len(ids) != len(labels):
        zh = f"{name}：有 {len(ids)} 个 id，却有 {len(labels)} 个预测，应该一样多。"
        en = f"{name}: {len(ids)} ids but {len(labels)} labels; expected one for each."
        raise LabError(Text(zh, en).read(notebook_language()))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([("id", "label"), *zip(ids, labels, strict=True)])
    write_whole(Path(name), stream.getvalue())
    _saved.append(Path(name))


def save_table(name: str, table: Any) -> None:
    """Write a deliverable of a pandas table, its index left out."""
    text = table.to_csv(index=False, lineterminator="\n")
    write_whole(Path(name), text)
    _saved.append(Path(name))


def save_model(model: Any, folder: str = "model") -> None:
    """Write config.json and model.safetensors of a model, or of a trainer's model."""
    # Trainer.save_model would add its arguments as a pickle, which nobody may open.
    model = model if hasattr(model, "save_pretrained") else model.model
    with tempfile.TemporaryDirectory(dir=".", prefix=".saving-") as draft:
        model.save_pretrained(draft)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(draft, folder)
    _saved.append(Path(folder, "model.safetensors"))


def save_adapter(model: Any, folder: str = "adapter") -> None:
    """Write adapter_config.json and adapter_model.safetensors of a peft model."""
    model = model if hasattr(model, "save_pretrained") else model.model
    if not hasattr(model, "peft_config"):
        kind = type(model).__name__
        zh = f"{kind} 里没有适配器。请用 get_peft_model 得到的、还没有合并的模型。"
        en = f"{kind} holds no adapter; use what get_peft_model gave, before a merge."
        raise LabError(Text(zh, en).read(notebook_language()))
    with tempfile.TemporaryDirectory(dir=".", prefix=".saving-") as draft:
        # Else it would ask the network whether the base model's words have changed.
        model.save_pretrained(draft, save_embedding_layers=False)
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir()
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copyfile(Path(draft, name), Path(folder, name))
    _saved.append(Path(folder, "adapter_model.safetensors"))


def annotate(
    labelling: str | Path,
    tasks: str | Path | Sequence[Mapping[str, Any]],
    out: str | Path,
    *,
    mode: Literal["normal", "fast"] = "normal",
    guideline: str | Path | None = None,
) -> Any:
    """Return the annotation page for these tasks; each submit is written to ``out``.

    ``labelling`` is a Label Studio configuration, or a file with one.
    """
    from lab_env.widgets import annotator  # what it needs is loaded where it is used

    facts = Path(PUBLIC_FACTS)
    release = json.loads(facts.read_text("utf-8"))["release"] if facts.is_file() else ""
    _saved.append(Path(out))
    language = notebook_language()
    return annotator.annotate(
        labelling,
        tasks,
        out,
        mode=mode,
        guideline=guideline or _guideline(language),
        language=language,
        release=release,
    )


def plot_recall(recalls: Mapping[str, Mapping[str, float]]) -> Any:
    """Return bars of the recall of each team, one colour for each candidate."""
    from lab_env.widgets import evaluation_plots

    return evaluation_plots.recall_bars(recalls, load_scenario().label_names)


def plot_calibration(bins: Mapping[str, Any]) -> Any:
    """Return the reliability diagram: how sure the candidates are, and how right."""
    from lab_env.widgets import evaluation_plots

    return evaluation_plots.reliability(bins, notebook_language())


def plot_costs(costs: Mapping[str, Mapping[float, float]]) -> Any:
    """Return the curves of cost against threshold, one for each candidate."""
    from lab_env.widgets import evaluation_plots

    return evaluation_plots.cost_curves(costs, notebook_language())


def training_curve() -> Any:
    """Return a callback for ``Trainer`` that draws loss and macro-F1 while it runs."""
    from lab_env.widgets.training_curve import TrainingCurve

    return TrainingCurve(notebook_language())


def show_rows(*codes: str) -> None:
    """Show these rows of the mark sheet; in an exam only which files were written."""
    import IPython.display

    # IPython's functions carry no types.
    display: Any = IPython.display.display
    written = list(dict.fromkeys(_saved))
    _saved.clear()
    language = notebook_language()
    if not Path(OPEN_ROWS).is_file():
        display(SavedFiles(written, language))
        return
    rows = mark_rows(Path.cwd(), load_checks(Path(OPEN_ROWS)), codes)
    closed = [code for code in codes if code not in {row.code for row in rows}]
    display(RowTable(rows, closed, language))


def mark_rows(folder: Path, checks: Sequence[Check], codes: Sequence[str]) -> list[Row]:
    """Return the rows of ``codes`` for the work in ``folder``."""
    asked = [check for check in checks if check.code in codes]
    for check in asked:
        if check.needs is not None and check.needs not in asked:
            asked.append(check.needs)
    in_order = [check for check in checks if check in asked]
    scenario = read_scenario(folder / "scenario.toml")
    released = TrustedFiles(folder)
    submission = Submission(folder, released, scenario, notebook_language())
    return [row for row in mark(in_order, submission) if row.code in codes]


def _quiet() -> None:
    """Keep libraries off the network, and their caches out of the home folder."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    # peft asks transformers by a name that is going out of use; nobody here can act.
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing")
    # No process leaves its cache to the next: data of the same name may differ.
    if "HF_DATASETS_CACHE" not in os.environ:
        cache = tempfile.TemporaryDirectory(prefix="lab-datasets-")
        _caches.append(cache)
        os.environ["HF_DATASETS_CACHE"] = cache.name


# Removed when the kernel ends, with everything in them.
_caches: list[tempfile.TemporaryDirectory[str]] = []


def _places(folder: Path, language: str) -> tuple[Scenario, Path, Path]:
    """Return scenario, data folder and base model of a release or of a checkout."""
    if (folder / "scenario.toml").is_file():
        scenario = read_scenario(folder / "scenario.toml")
        # Relative, so that nothing a trainee prints shows where the folder lies.
        return scenario, Path("data"), Path("base_model")
    facts = folder / "lab.toml"
    if not facts.is_file():
        zh = f"{folder} 里没有 scenario.toml。请在发放的实验文件夹里打开笔记本。"
        en = f"No scenario.toml in {folder}. Open the notebook in its lab folder."
        raise LabError(Text(zh, en).read(language))
    name = tomllib.loads(facts.read_text(encoding="utf-8"))["scenario"]
    scenario = read_scenario(scenario_folder(name) / "scenario.toml")
    model = Path("base_model")
    if scenario.base_model:
        model = base_model_folder(scenario.base_model)
    data = scenario_folder(name) / "data"
    return scenario, _as_released(data, language, folder.name), model


def _as_released(data: Path, language: str, lab: str) -> Path:
    """Return the data of one language, with what languages share and this lab adds."""
    own = [part / lab for part in (data / "shared", data / language)]
    added = [part for part in (data / "shared", *own) if part.is_dir()]
    if not added:
        return data / language
    all_of_it = tempfile.TemporaryDirectory(prefix="lab-data-")
    _caches.append(all_of_it)
    for part in (data / language, *added):
        shutil.copytree(part, all_of_it.name, dirs_exist_ok=True)
    return Path(all_of_it.name)


def _guideline(language: str) -> Path | None:
    """Return the guideline of a checkout; a release has its own, which is found."""
    facts = Path("lab.toml")
    if Path("guideline.md").is_file() or not facts.is_file():
        return None
    name = tomllib.loads(facts.read_text(encoding="utf-8"))["scenario"]
    path = scenario_folder(name) / f"guideline.{language}.md"
    return path if path.is_file() else None


def _plain(value: Any) -> Any:
    """Return what JSON can hold; a number that is not finite becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


explain_errors(notebook_language)
