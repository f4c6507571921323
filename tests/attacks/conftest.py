"""What the attacks need: the toy release of tests/lab_env, and one process a family."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# The toy release, and work for the rows of a real lab, are made there.
sys.path += [str(HERE.parent / "lab_env"), str(HERE.parent / "graders")]
pytest.register_assert_rewrite("pile")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each family in one process: its pile is graded once."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
