"""Facts about the whole tree: layers, measures, names, generated files."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from lab_env import cli
from lab_env.lab import lab_names, load_lab
from lab_env.scenario import read_scenario, scenario_folder

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lab_env"

# A module imports only from rows below its own, or beside it. A package
# (sandbox, cli, widgets) is one entry.
LAYERS = (
    "files errors candidate wrapping durable knock",
    "checks lab scenario readers mistakes open_rows solutions notebook_file executed"
    " signing record_store metrics annotations path evaluation",
    "submission release marksheet graded_notebook classifier training_log hand_annotated"
    " coverage paper adapter scored reported rewritten fine_tuned lab_files",
    "sandbox warm engine record gradebook lab_server widgets parcel",
    "build submit grade report examine room_a work receive desk same_content pages"
    " alike paper_marks paper_report class_report",
    "publish exam batch start_jobs room_b doctor marking scores collect_marks assemble gates"
    " leaks trials grade_paper",
    "notebook cli",
)
# Programs that run inside the jail: nobody imports them.
ALONE = ("inside",)
MODULE_LINES = 400
FUNCTION_LINES = 60
LAB_HEADINGS = 5
BRANCHES = (ast.FunctionDef, ast.AsyncFunctionDef)


def modules() -> list[Path]:
    """Return every module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def all_tests() -> list[Path]:
    """Return every test file."""
    return sorted((ROOT / "tests").rglob("test_*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def entry(path: Path) -> str:
    """Return the name under which a module stands in the table of layers."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports, inside functions too."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            # A module taken out of a package is not the package's own __init__.
            inside = [name for name in names if is_module(name)]
            yield from inside or [node.module]


def is_module(name: str) -> bool:
    """Say whether this dotted name is a module of ours."""
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def own_imports(path: Path) -> set[str]:
    """Return the entries of the package that a module imports."""
    found = {name.split(".")[1] for name in imported(path) if name.count(".") > 0
             and name.startswith("lab_env.")}  # fmt: skip
    known = {entry(module) for module in modules()}
    return (found & known) - {entry(path)}


def rank(name: str) -> int:
    """Return the row of an entry, counted from the ground."""
    for row, names in enumerate(LAYERS):
        if name in names.split():
            return row
    pytest.fail(f"lab_env/{name} stands in no layer; add it to LAYERS")


def tracked() -> list[Path]:
    """Return the text files that git keeps, or would keep."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    found = (ROOT / line for line in done.stdout.splitlines())
    return [path for path in found if path.suffix not in (".safetensors", ".png")]


def test_layers_hold() -> None:
    """A module imports only from its own row and the rows below."""
    wrong = [
        f"{entry(path)} imports {name}"
        for path in modules()
        if entry(path) not in (*ALONE, "__init__")
        for name in own_imports(path)
        if name not in ALONE and rank(name) > rank(entry(path))
    ]
    assert wrong == []


def test_no_import_cycles() -> None:
    """Modules import one another in one direction."""
    names = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in modules()}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    # Typing only, or at the time of the call: still one direction.
    graph = {
        name: {other for other in imported(path) if other in names and other != name}
        for name, path in names.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' → '.join(error.args[1])}")


def test_one_module_imports_nbgrader() -> None:
    """nbgrader can be replaced by changing gradebook.py."""
    users = {
        entry(path)
        for path in modules()
        if any(name.split(".")[0] == "nbgrader" for name in imported(path))
    }
    assert users == {"gradebook"}


def test_the_notebook_door_is_light() -> None:
    """`import lab_env.notebook` loads neither torch nor nbgrader nor pandas."""
    heavy = "{'torch', 'nbgrader', 'pandas', 'transformers', 'datasets'}"
    program = f"import sys, lab_env.notebook; print({heavy} & set(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.name))
def test_measures_hold(path: Path) -> None:
    """Modules and functions are small, documented and annotated."""
    tree = tree_of(path)
    functions = [node for node in ast.walk(tree) if isinstance(node, BRANCHES)]
    long = [f.name for f in functions if length(f) > FUNCTION_LINES]
    bare = [f.name for f in functions if not annotated(f)]
    silent = [name for name, node in public(tree) if not ast.get_docstring(node)]

    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES
    assert ast.get_docstring(tree), "a module says what it is for"
    assert (long, bare, silent) == ([], [], [])


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function's body, without decorators and signature."""
    return (function.end_lineno or 0) - function.body[0].lineno + 1


def annotated(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Say whether every argument and the result has a type."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    arguments += function.args.kwonlyargs
    named = [each for each in arguments if each.arg not in ("self", "cls")]
    return function.returns is not None and all(each.annotation for each in named)


def public(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    """Yield the public functions, classes and methods of a module."""
    for node in tree.body:
        if isinstance(node, (*BRANCHES, ast.ClassDef)) and node.name[0] != "_":
            yield node.name, node
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(inner, BRANCHES) and inner.name[0] != "_":
                    yield f"{node.name}.{inner.name}", inner


@pytest.mark.parametrize("path", all_tests(), ids=lambda path: str(path.name))
def test_every_test_states_a_fact(path: Path) -> None:
    """Each test has a docstring that is one sentence."""
    silent = [
        node.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, BRANCHES) and node.name.startswith("test_")
        and not (ast.get_docstring(node) or "").rstrip().endswith(".")
    ]  # fmt: skip
    assert silent == []


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command of `lab` by its words."""
    for name, command in get_command(cli.app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        else:
            yield from ((f"{name} {word}", each) for word, each in inner.items())


@pytest.mark.parametrize("name", dict(commands()))
def test_every_command_is_in_the_readme_and_has_help(name: str) -> None:
    """A command says what it does in both languages, has an example, and is in README."""
    command = dict(commands())[name]
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert re.search(r"[一-鿿].*[a-zA-Z]", command.help or ""), "help in zh and en"
    assert f"lab {name}" in (command.epilog or "")
    assert all(each.help for each in command.params if not each.hidden)
    assert f"lab {name}" in text


def test_the_readme_tree_names_every_folder() -> None:
    """The tree in the README has every top-level name and module of lab_env."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    top = {path.relative_to(ROOT).parts[0] for path in tracked()} - {".gitignore"}
    missing = [name for name in sorted(top) if name not in text]
    missing += [
        name
        for name in sorted({entry(path) for path in modules()} - {"__init__"})
        if not re.search(rf"\b{name}(\.py|/)", text)
    ]
    assert missing == []


@pytest.mark.parametrize("name", lab_names())
def test_every_lab_builds_to_the_committed_notebooks(name: str) -> None:
    """A forgotten `make labs` is a red build."""
    from lab_env.build import sync

    lab = load_lab(name)
    facts = tomllib.loads((lab.folder / "lab.toml").read_text(encoding="utf-8"))
    folder = scenario_folder(facts["scenario"])
    scenario = read_scenario(folder / "scenario.toml")

    assert sync(lab, scenario, check=True) == ()


@pytest.mark.parametrize("name", lab_names())
def test_a_lab_has_its_name_everywhere(name: str) -> None:
    """Lab, grader, its test and its README go by one name, with the same headings."""
    text = (load_lab(name).folder / "README.md").read_text(encoding="utf-8")

    assert load_lab(name).grader.is_file()
    assert (ROOT / "tests" / "graders" / f"test_{name}.py").is_file()
    assert len(re.findall(r"^## ", text, re.MULTILINE)) == LAB_HEADINGS
    assert load_lab(name).version in text.split("\n## ")[-1]


@pytest.mark.parametrize("name", lab_names())
def test_committed_notebooks_carry_nothing_of_a_machine(name: str) -> None:
    """No outputs, no solutions, no tool versions, no escaped Unicode."""
    for path in load_lab(name).folder.glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        notebook = json.loads(text)

        assert "BEGIN SOLUTION" not in text
        assert "\\u4e" not in text
        assert not any(cell.get("outputs") for cell in notebook["cells"])
        assert "jupytext" not in notebook["metadata"]


def test_no_folder_hides_a_library() -> None:
    """datasets/ is no package: it would hide the library of that name."""
    assert not (ROOT / "datasets" / "__init__.py").exists()


# In two parts, so that this file does not find itself.
MACHINE = re.compile(
    r"/(?:home|root|work|Users|opt)/[a-z]|https?://(?!127)[^\s\"')`>]*/simple"
)
PICKLES = re.compile(r"\b(?:import pickle|pickle\.load|torch\.load|joblib\.load)\b")


def test_no_file_names_this_machine() -> None:
    """No tracked file has an absolute path of one machine, or a package index."""
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        if path != Path(__file__) and path.is_file()
        for match in MACHINE.finditer(path.read_text(encoding="utf-8", errors="ignore"))
    ]
    assert found == []


def test_nothing_is_unpickled() -> None:
    """Neither the environment nor a grader opens a pickle."""
    places = [*modules(), *(ROOT / "graders").glob("*.py")]
    users = [p.name for p in places if PICKLES.search(p.read_text(encoding="utf-8"))]
    assert users == []


def test_the_changelog_is_of_this_version() -> None:
    """The newest heading of the changelog is the version of the package."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    facts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    newest = re.search(r"^## \[([^\]]+)\]", text, re.MULTILINE)

    assert newest is not None
    assert newest[1] == facts["project"]["version"]


def test_the_lock_has_every_dependency() -> None:
    """requirements.txt pins what pyproject.toml asks for, and names no index."""
    facts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = facts["project"]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]

    asked = project["dependencies"] + project["optional-dependencies"]["test"]
    names = {re.split(r"[\[<>=!~; ]", each)[0].lower() for each in asked}

    assert all(re.fullmatch(r"[a-z0-9-]+==[^+\s]+", pin) for pin in pins)
    assert names <= {pin.split("==")[0] for pin in pins}
    assert not any(pin.startswith(("nvidia", "triton", "cuda")) for pin in pins)


def test_make_alone_lists_the_targets() -> None:
    """`make` prints every target that a person runs, and what it does."""
    command = ["make", "--no-print-directory"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    listed = [line.split()[0] for line in done.stdout.splitlines()]

    wanted = ["setup", "demo", "lab", "test", "lint", "labs", "bench", "release"]
    assert set(wanted) <= set(listed)
    assert all(len(line.split()) > 1 for line in done.stdout.splitlines())


def test_a_red_build_can_be_repeated_at_a_desk() -> None:
    """The build machine runs `make test` and nothing else of substance."""
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    steps = [line for line in lines if line and line[0] != "#"]

    assert steps[-1] == "exec make --no-print-directory test"
    assert all(step.startswith(("set ", "cd ")) for step in steps[:-1])


@pytest.mark.xdist_group("tree")
def test_tests_of_a_group_stay_together(request: pytest.FixtureRequest) -> None:
    """The group is in a test's id, or pytest-xdist has not heard of it."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("not run with --dist loadgroup")
    assert request.node.nodeid.endswith("@tree")
