"""Papers as the record has them: which sheet counts for each part, and as CSV.

Of one release the newest sheet counts, as ``lab record show`` prints it. Of several
releases of one lab (a newer one, another language, another scenario) the one handed in
last counts; marking or grading an older one again does not change that.
"""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TextIO

from lab_env.desk import with_sheets
from lab_env.errors import LabError
from lab_env.marksheet import MarkSheet
from lab_env.paper import MarkedPaper, MarkedPart, Paper, Part, load_paper, paper_names
from lab_env.record import Entry, Record
from lab_env.release import ID_PATTERN

_COLUMNS = (
    *("准考证号 candidate", "试卷 paper", "结论 outcome", "总分 total"),
    *("机评 by machine", "人评 by hand", "待评 open", "说明 why open"),
)
_OF_PART = ("版本 release", "次数 attempt", "得分 given of")


def marked_paper(record: Record, candidate: str, paper: Paper) -> MarkedPaper:
    """Return the paper of one candidate, as it stands in the record."""
    found: dict[str, list[Entry]] = {}
    for entry in record.entries(candidate=candidate):
        found.setdefault(entry.release, []).append(entry)
    parts = (_marked_part(part, found) for part in paper.parts)
    return MarkedPaper(paper, candidate, tuple(parts))


def whole_papers(record: Record, candidate: str) -> list[MarkedPaper]:
    """Return the papers of which the candidate handed in every part."""
    papers = []
    for name in paper_names():
        try:
            paper = load_paper(name)
        except LabError:
            # Mark sheets are shown even if a paper has a slip; naming it says which.
            continue
        papers.append(marked_paper(record, candidate, paper))
    return [one for one in papers if all(part.begun for part in one.parts)]


def marked_papers(record: Record, paper: Paper) -> Iterator[MarkedPaper]:
    """Yield the paper of everybody who handed in a part of it."""
    for candidate in sorted({entry.candidate for entry in record.entries()}):
        marked = marked_paper(record, candidate, paper)
        if any(part.begun for part in marked.parts):
            yield marked


def export_papers(papers: Iterable[MarkedPaper], paper: Paper, stream: TextIO) -> None:
    """Write one line per candidate, for Excel; no total while anything is open.

    Open ``stream`` with newline=""; the byte order mark is written here.
    """
    of_parts = (
        f"{part.lab} {heading} {part.points}"
        if "given" in heading
        else f"{part.lab} {heading}"
        for part in paper.parts
        for heading in _OF_PART
    )
    stream.write("\ufeff")
    writer = csv.writer(stream)
    writer.writerow((*_COLUMNS, *of_parts))
    writer.writerows(map(_line, papers))


def _marked_part(part: Part, found: dict[str, list[Entry]]) -> MarkedPart:
    mine = {name: entries for name, entries in found.items() if _is_of(name, part.lab)}
    fitting = [name for name in mine if not part.scenario or _on(name, part.scenario)]
    if not fitting:
        return MarkedPart(part, aside=tuple(mine))
    last = max(fitting, key=lambda name: _hand_in(mine[name]).seq)
    sheets = with_sheets(mine[last])
    sheet = MarkSheet.from_json(sheets[-1].body["sheet"]) if sheets else None
    attempt = _hand_in(mine[last]).attempt
    ungraded = not sheets or sheets[-1].attempt != attempt
    aside = tuple(name for name in mine if name != last)
    return MarkedPart(part, sheet, ungraded, aside)


def _is_of(release: str, lab: str) -> bool:
    match = ID_PATTERN.fullmatch(release)
    return match is not None and match[1] == lab


def _on(release: str, scenario: str) -> bool:
    match = ID_PATTERN.fullmatch(release)
    return match is not None and match[2] == scenario


def _hand_in(entries: list[Entry]) -> Entry:
    """Return the entry with which the newest attempt began."""
    newest = max(entry.attempt for entry in entries)
    return next(entry for entry in entries if entry.attempt == newest)


def _line(marked: MarkedPaper) -> tuple[object, ...]:
    points, open_still = marked.points, bool(marked.reasons)
    total = "" if open_still else points.given
    # Like every table of ours for a spreadsheet: zh and en side by side.
    why = "; ".join(reason.en for reason in marked.reasons)
    about = (f"{marked.candidate}", marked.paper.name, marked.outcome, total)
    return (
        *_plain(about),
        *(points.machine, points.hand, points.open, why),
        *(each for part in marked.parts for each in _cells(part)),
    )


def _cells(part: MarkedPart) -> tuple[object, object, Decimal | str]:
    if part.sheet is None:
        return "", "", ""
    given = "" if part.reason else part.points.given
    return part.sheet.release, part.sheet.attempt, given


def _plain(cells: tuple[object, ...]) -> Iterator[object]:
    """Put an apostrophe before an exam number that a spreadsheet would calculate."""
    for cell in cells:
        yield f"'{cell}" if isinstance(cell, str) and cell.startswith("-") else cell
