"""Facts about the table of the standard's points and the rows that test them."""

import re
from pathlib import Path

import pytest

from lab_env.coverage import (
    Point,
    graded_rows,
    markdown,
    read_units,
    rows_of_point,
    units,
)
from lab_env.errors import LabError
from lab_env.lab import lab_names, load_lab
from lab_env.release import load_checks

README = Path(__file__).parent.parent.parent / "README.md"
TABLE = re.compile(r"<!-- coverage -->\n+(.*?)\n*<!-- /coverage -->", re.DOTALL)


def points(level: int) -> list[Point]:
    """Return the points of a level."""
    return [point for unit in units() if unit.level == level for point in unit.points]


def test_the_readme_has_the_table_that_the_command_prints() -> None:
    """`lab list --coverage --language en` is what stands between the two markers."""
    found = TABLE.search(README.read_text(encoding="utf-8"))

    assert found is not None, "README.md has no <!-- coverage --> … <!-- /coverage -->"
    assert found[1] == markdown("en").strip()


def test_the_standard_is_there_in_full() -> None:
    """Levels 4 and 3 have as many points as the published lists, once each."""
    counts = {level: len(points(level)) for level in (5, 4, 3)}
    codes = [(unit.level, point.code) for unit in units() for point in unit.points]

    assert counts == {5: 10, 4: 19, 3: 26}
    assert len(set(codes)) == len(codes)
    for unit in units():
        assert all(each.code.startswith(f"{unit.code}.") for each in unit.points)


@pytest.mark.parametrize("level", [4, 3])
def test_the_shares_of_an_exam_make_100(level: int) -> None:
    """With one of each pair of units drawn, minutes are 120 and points 100."""
    drawn = [
        unit.share
        for unit in units()
        if unit.level == level and not (unit.either and unit.either < unit.code)
    ]

    assert [sum(some) for some in zip(*filter(None, drawn), strict=True)] == [120, 100]


def test_every_skill_of_a_grader_is_a_point_of_its_level() -> None:
    """A row cannot claim a point that the standard does not have."""
    known = {(unit.level, unit.code) for unit in units()}
    known |= {(unit.level, point.code) for unit in units() for point in unit.points}

    assert set(graded_rows()) <= known


@pytest.mark.parametrize("name", lab_names())
def test_a_lab_claims_the_skills_that_its_rows_test(name: str) -> None:
    """The skills in lab.toml have rows, and every row's skill is in lab.toml."""
    lab = load_lab(name)
    rows = {row.skill for row in load_checks(lab.grader)}
    tested = {
        point.code
        for point in points(lab.level)
        if name in rows_of_point(lab.level, point)
    }

    assert rows <= set(lab.skills)
    assert set(lab.skills) <= rows | tested


def test_rows_named_in_the_data_file_exist() -> None:
    """A row that is renamed or taken out of a grader is noticed here."""
    rows = {
        name: {row.code for row in load_checks(load_lab(name).grader)}
        for name in lab_names()
    }
    missing = [
        f"{unit.level} {point.code}: {lab} {code}"
        for unit in units()
        for point in unit.points
        for lab, codes in point.also.items()
        for code in codes
        if code not in rows.get(lab, set())
    ]

    assert missing == []


def test_a_point_without_rows_says_why() -> None:
    """Nothing is left out in silence."""
    silent = [
        f"{unit.level} {point.code}"
        for unit in units()
        for point in unit.points
        if not rows_of_point(unit.level, point) and point.left is None
    ]

    assert silent == []


def test_the_table_has_every_point_in_both_languages() -> None:
    """Each point is one line of the table, and long runs of rows are short."""
    count = sum(1 + len(unit.points) for unit in units())
    for language in ("zh", "en"):
        lines = markdown(language).splitlines()
        # One heading for each level.
        assert sum(line.startswith("| ") for line in lines) == count + 3
        assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert "`finetuning_classifier` M1-M3 M12" in markdown("en")


def test_a_data_file_with_a_slip_says_which(tmp_path: Path) -> None:
    """A unit without a code is named, with the file."""
    (tmp_path / "standard.toml").write_text("[[units]]\nlevel = 3\npoints = []\n")

    with pytest.raises(LabError, match=r"standard.toml cannot be read \('zh'\)"):
        read_units(tmp_path / "standard.toml")
