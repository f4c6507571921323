"""The dataset cards of classifier scenarios say the targets that marks are given by."""

import pytest
from every_scenario import CLASSIFIERS

from lab_env.scenario import read_scenario, scenario_folder


def targets(name: str) -> str:
    """Return the table of targets as the card must have it."""
    scenario = read_scenario(scenario_folder(name) / "scenario.toml")
    lines = [
        f"| {language} | `{measure}` | {ends['zero']:.2f} | {ends['full']:.2f} |"
        for language, curves in scenario.curves.items()
        for measure, ends in curves.items()
    ]
    head = ["| language | measure | no points at | all points from |"]
    return "\n".join([*head, "|---|---|---|---|", *lines])


@pytest.mark.parametrize("name", sorted(CLASSIFIERS))
def test_card_has_the_targets_of_the_scenario(name: str) -> None:
    """The curves of scenario.toml stand in the card, number by number."""
    card = (scenario_folder(name) / "README.md").read_text("utf-8")
    assert f"## Targets\n\n{targets(name)}\n" in card.replace(_WHY, "")


_WHY = """A mark rises in a straight line between the two ends. The lower end of macro-F1 is above \
TF-IDF, that of adapters at what one epoch reaches; the upper end is a margin of about three \
standard deviations below the mean of the recipe, so that a seed does not move a mark. The rarest \
class has few held-out messages, so its recall moves more and its curve is wide. The other eight \
measures are those of `annotation_text`: nothing for what guessing gets, all for what a careful \
person gets.

"""
