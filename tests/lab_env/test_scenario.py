"""Facts about reading scenario.toml."""

from pathlib import Path

import pytest

from lab_env.checks import LANGUAGES
from lab_env.errors import LabError, NotFoundError
from lab_env.scenario import (
    base_model_folder,
    read_scenario,
    scenario_folder,
    scenario_names,
)


def test_every_scenario_reads() -> None:
    """Each scenario has labels, and a rising curve for each metric and language."""
    for name in scenario_names():
        scenario = read_scenario(scenario_folder(name) / "scenario.toml")

        assert scenario.name == name
        assert len(set(scenario.label_codes)) == len(scenario.labels) >= 2
        for language in LANGUAGES:
            for ends in scenario.curves[language].values():
                assert 0 <= ends["zero"] < ends["full"] <= 1


def test_an_unknown_scenario_gets_a_suggestion() -> None:
    """A scenario's name with a slip is answered with the scenario that was meant."""
    with pytest.raises(NotFoundError, match="Did you mean customer_service"):
        scenario_folder("custmer_service")


def test_an_unknown_base_model_is_named() -> None:
    """A base model that is not bundled is said with those that are."""
    with pytest.raises(NotFoundError, match='No base model "huge"'):
        base_model_folder("huge")


def test_a_missing_scenario_is_named(tmp_path: Path) -> None:
    """A scenario file that is not there is said with its path."""
    with pytest.raises(LabError, match=r"No scenario file .*scenario.toml"):
        read_scenario(tmp_path / "scenario.toml")


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    """A scenario without a field says which one."""
    path = tmp_path / "scenario.toml"
    path.write_text('name = "x"\nversion = "1"\n', "utf-8")

    with pytest.raises(LabError, match="the field 'title' is missing"):
        read_scenario(path)
