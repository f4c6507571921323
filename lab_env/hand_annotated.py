"""Files annotated by hand, as the graders of annotation labs read and compare them.

The key is handed over by the grader: a row that reads it says so in the grader's own
source, which decides what is closed to the notebook (``lab_env.open_rows``).
"""

import json
from dataclasses import dataclass
from typing import Any

from lab_env.annotations.annotated import Work, read_work
from lab_env.annotations.graded import Gold, completeness, read_gold
from lab_env.annotations.labelling import Labelling, read_labelling
from lab_env.annotations.tasks import Task, read_tasks
from lab_env.checks import Graded, Text, Unreadable, curve, met
from lab_env.submission import Submission, TrustedFiles

SHOWN = 8


@dataclass(frozen=True)
class Part:
    """One file annotated by hand: its name, its released tasks and form, its key."""

    file: str
    tasks: str
    form: str
    gold_file: str = ""

    def asked(self, submission: Submission) -> tuple[list[Task], Labelling]:
        """Return the released tasks, and what is asked about them."""
        data = submission.released.folder / "data"
        labelling = read_labelling((data / self.form).read_text(encoding="utf-8"))
        return read_tasks(data / self.tasks), labelling

    def read(self, submission: Submission) -> Work:
        """Return what was handed in, whoever made it; nothing is NotAttempted."""
        text = submission.read_text(self.file)
        return read_work(text, self.file, *self.asked(submission))

    def released(self, submission: Submission, name: str) -> Work:
        """Return somebody else's work on these tasks, which was released."""
        path = submission.released.folder / "data" / name
        text = path.read_text(encoding="utf-8")
        return read_work(text, name, *self.asked(submission))

    def own(self, submission: Submission) -> Work:
        """Return what was annotated in this release; another's file is Unreadable."""
        own = facts_of(submission.released, "release.json")["release"]
        work = self.read(submission)
        if not work.items:
            work.refuse_findings()
        # A file that was made outside any release names none.
        others = sorted({item.release for item in work.items.values()} - {own, ""})
        if others:
            name, seen = self.file, others[0][:80]
            zh = f"{name} 是在发放版本“{seen}”里标的，应为“{own}”。请交自己的文件。"
            en = f'{name} was made in the release "{seen}", expected "{own}".'
            raise Unreadable(Text(zh, f"{en} Hand in your own file."))
        return work

    def gold(self, submission: Submission, key: TrustedFiles) -> Gold:
        """Return the right answers of this part."""
        return read_gold(key.folder / self.gold_file, *self.asked(submission))

    def whole_form(self, submission: Submission) -> Graded:
        """Return all points if every line of the file can be used."""
        work = self.read(submission)
        work.refuse_findings()
        return met(len(work.items), len(work.items))

    def of_this_release(self, submission: Submission) -> Graded:
        """Return all points if the file was made in this release."""
        many = len(self.own(submission).items)
        return met(many, many)

    def done_share(self, submission: Submission) -> Graded:
        """Return the share of tasks that were done, and name those that were not."""
        tasks, labelling = self.asked(submission)
        done = completeness(self.own(submission), tasks, labelling)
        # The annotation page numbers the items by their place.
        left = [n for n, task in enumerate(tasks, 1) if task.id in set(done.missing)]
        many, some = len(left), [str(n) for n in left[:SHOWN]]
        zh = f"还有 {many} 条没有标，例如第 {'、'.join(some)} 条。请回到标注界面标完。"
        items = "item is" if many == 1 else "items are"
        en = f"{many} {items} open, such as no. {', '.join(some)}. Go back and finish."
        hint = Text(zh, en) if many else None
        return Graded(done.share, f"{done.done}", f"{done.total}", hint=hint)


def facts_of(files: TrustedFiles, name: str) -> Any:
    """Return one small JSON file of ours."""
    return json.loads((files.folder / name).read_text(encoding="utf-8"))


def on_curve(
    submission: Submission, name: str, actual: float, far: float = 1.0
) -> Graded:
    """Return the points of a number on its published curve, as ``far`` as work goes."""
    ends = submission.curves[name]
    nominal = f"{ends['zero']:.2f} → {ends['full']:.2f}"
    return Graded(far * curve(actual, **ends), actual, nominal, actual)
