"""Every lab on every scenario that it can be worked on, through every gate.

`make gates` runs this; `make test` publishes each lab once, on its own scenario.
"""

from pathlib import Path

import pytest
from every_scenario import PAIRS

from lab_env.publish import publish
from lab_env.release import releases


@pytest.mark.parametrize(("lab", "scenario"), PAIRS)
def test_a_lab_passes_every_gate(lab: str, scenario: str, tmp_path: Path) -> None:
    """Gold gets all machine points, untouched none, every mistake loses its rows."""
    publish(tmp_path / "course", lab, scenario)
    made = releases(tmp_path / "course")
    assert {release.language for release in made} == {"zh", "en"}
    assert all(release.scenario_name == scenario for release in made)
