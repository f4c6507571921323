"""One class for all tests that only read it."""

from pathlib import Path
from random import Random

import pytest
from made_class import broken, enter, enter_class, real_release, sheet_of, used

from lab_env.class_report.facts import ClassFacts, facts_of
from lab_env.release import Release


@pytest.fixture(scope="session")
def forty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Release]:
    """A course of forty; two broke, one was stopped, one is not graded."""
    from lab_env.record import Record

    course = tmp_path_factory.mktemp("forty") / "course"
    release = real_release(course, "finetuning_classifier", "customer_service", "zh")
    sheets = enter_class(course, release, 40)
    last, whole, stopped = sheets[-1], sheets[5], sheets[8]
    rows = broken(last.rows, ["M16", "M17"], "OSError: heldout.csv: I/O error")
    enter(course, sheet_of(release, last.candidate, rows, last.environment))
    every = broken(whole.rows, [row.code for row in whole.rows], "")
    told = {"ended": "broken", "log": "Traceback: MemoryError"}
    enter(course, sheet_of(release, whole.candidate, every, told))
    memory = used(Random(1), ended="memory", peak_memory_mb=4101.3)
    enter(course, sheet_of(release, stopped.candidate, stopped.rows, memory))
    about = {"candidate": "2026-0099", "release": release.id, "attempt": 1}
    Record.open(course).append("received", **about, body={})
    return course, release


@pytest.fixture(scope="session")
def facts(forty: tuple[Path, Release]) -> ClassFacts:
    """What the report knows of the forty."""
    return facts_of(*forty)
