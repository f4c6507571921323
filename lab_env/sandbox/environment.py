"""The fixed environment of a run: variables, interpreter folders, our own code.

The variables are the same in practice and at grading; none tells which it is.
"""

import json
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from lab_env.sandbox.runs import SandboxError

PACKAGE = Path(__file__).resolve().parent.parent

FIXED = {
    "LANG": "C.UTF-8",
    "USER": "trainee",
    "LOGNAME": "trainee",
    "SHELL": "/bin/sh",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_WAIT_POLICY": "PASSIVE",
}
THREAD_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def variables(
    python: Path, threads: int, temporary: str, code: Path = PACKAGE.parent
) -> dict[str, str]:
    """Return every variable that a run has; ``code`` is where our package is."""
    return {
        **FIXED,
        **{name: str(threads) for name in THREAD_COUNTS},
        "HOME": f"{temporary}/home",
        "TMPDIR": temporary,
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(code),
    }


@lru_cache
def interpreter_folders(python: Path) -> tuple[Path, ...]:
    """Return the folders ``python`` lives in: environment and base interpreter.

    Both spellings of a folder behind a link are in, because a virtual environment
    points to its base by the one and the base finds itself by the other.
    """
    ask = "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix]))"
    try:
        answer = subprocess.run(
            [python, "-I", "-c", ask], capture_output=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SandboxError(f"The interpreter {python} does not run: {error}") from error
    named = [Path(name) for name in json.loads(answer.stdout)]
    named += [python.resolve().parent.parent, *(path.resolve() for path in named)]
    refuse_shown_checkout([*named, Path("/usr")])
    return tuple(sorted({path for path in named if not path.is_relative_to("/usr")}))


def refuse_shown_checkout(shown: Sequence[Path]) -> None:
    """Raise if showing these folders to a jail would show the graders as well."""
    checkout = PACKAGE.parent
    if checkout.name in ("site-packages", "dist-packages"):
        return
    for folder in shown:
        if checkout.is_relative_to(folder):
            raise SandboxError(
                f"{checkout} lies in {folder}, which every sandbox shows because the "
                "interpreter is there. Move the checkout or use a virtual environment."
            )
