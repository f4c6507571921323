"""The report as one HTML file: no script, no request, every word escaped."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lab_env.class_report import on_marks, on_people, on_rows
from lab_env.class_report.facts import ClassFacts
from lab_env.class_report.parts import Voice
from lab_env.pages.policy import file_policy

FOLDER = Path(__file__).parent
_templates = FileSystemLoader(FOLDER / "templates")
_pages = Environment(loader=_templates, autoescape=True, undefined=StrictUndefined)


def report_page(facts: ClassFacts, language: str) -> str:
    """Return the page; the same record gives the same page, byte for byte."""
    say = Voice(language)
    style = (FOLDER / "static" / "report.css").read_text("utf-8")
    parts = (
        on_marks.faults(facts, say),
        on_marks.distribution(facts, say),
        on_rows.rows_of_the_sheet(facts, say),
        on_rows.most_failed(facts, say),
        on_rows.not_attempted(facts, say),
        on_people.time_and_memory(facts, say),
        on_people.waiting(facts, say),
        on_people.candidates(facts, say),
    )
    newest = max(each.at for each in facts.attempts)
    return _pages.get_template("report.html").render(
        language="zh-CN" if language == "zh" else "en",
        policy=file_policy(style),
        style=style,
        title=say.read(facts.title),
        kind=say("班级报告", "Class report"),
        release=facts.release,
        as_of=say("记录截至", "Record up to") + f" {newest[:16].replace('T', ' ')} UTC",
        keys=list(on_marks.key_figures(facts, say)),
        sections=[part for part in parts if part is not None],
        contents=say("内容", "Contents"),
        private=say(
            "供考评员和教师使用：含准考证号，请勿公开。",
            "For examiners and teachers: it holds exam numbers; do not publish it.",
        ),
    )
