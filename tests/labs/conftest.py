"""The practice lab, published once for all tests of this folder."""

from pathlib import Path

import pytest

from lab_env.publish import publish
from lab_env.release import Release

LAB, SCENARIO = "finetuning_classifier", "customer_service"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a course in one process, and begin with them.

    They take most of the time: the other process does all others meanwhile.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            shared = "course" in getattr(item, "fixturenames", ())
            group = "labs" if shared else item.path.stem
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: here not in item.path.parents)


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with the practice lab published through every gate, zh and en."""
    folder = tmp_path_factory.mktemp("真实 course") / "course"
    publish(folder, LAB, SCENARIO)
    return folder


@pytest.fixture(scope="session")
def published(course: Path) -> dict[str, Release]:
    """The published releases by language."""
    from lab_env.release import releases

    return {release.language: release for release in releases(course)}
