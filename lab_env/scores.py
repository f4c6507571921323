"""Take marks over from the record into nbgrader's gradebook, one after the other."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lab_env.marking import write_hand_scores
from lab_env.marksheet import MarkSheet
from lab_env.receive import Received
from lab_env.release import Release


@dataclass
class Book:
    """The gradebook while one pile of one release is taken over."""

    course: Path
    release: Release
    # Whether the pile lies in nbgrader's own submitted/.
    in_place: bool

    def take(self, sheet: MarkSheet, received: Received, graded_now: bool) -> str:
        """Write one candidate's points; return what went wrong, or ""."""
        try:
            self._take(sheet, received, graded_now)
        except Exception as error:  # the mark itself is safe in the record
            # SQLAlchemy's second line is the statement.
            seen = str(error).partition("\n")[0]
            return f"The mark is recorded, but not in the gradebook: {seen}"
        return ""

    @cached_property
    def _totals(self) -> Mapping[str, float]:
        """The points that stood there at first: asked once, it reads all of them."""
        from lab_env import gradebook  # a second of CPU: only where it is used

        found = gradebook.scores_of(self.course, self.release.id)
        return {
            candidate: sum(points or 0 for points, _ in cells.values())
            for candidate, cells in found.items()
        }

    def _take(self, sheet: MarkSheet, received: Received, graded_now: bool) -> None:
        from lab_env import gradebook

        release, candidate = self.release.id, sheet.candidate
        known = self._totals.get(candidate)
        if sheet.broken:
            if known is not None:
                gradebook.reset_scores(self.course, release, candidate)
            return
        same = known is not None and abs(known - MarkSheet.given(sheet.rows)) < 0.01
        if same and not graded_now:
            return
        if not self.in_place:
            self._show(received)
        gradebook.autograde(self.course, release, candidate)
        write_hand_scores(self.course, self.release, sheet)

    def _show(self, received: Received) -> None:
        """Show nbgrader what was marked, in its own layout."""
        target = self.course / "submitted" / received.candidate / self.release.id
        shutil.rmtree(target, ignore_errors=True)
        for name in received.facts["files"]:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(received.folder / name, target / name)
