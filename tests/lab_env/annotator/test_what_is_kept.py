"""Facts about what survives: a moved cell, a reload, a restart, a busy kernel."""

import pytest
from lab_page import LabPage
from samples import cell

pytestmark = pytest.mark.xdist_group("annotator")


def chosen(room: LabPage) -> str:
    """Return the choice that is ticked."""
    return room.widget.locator(".an-choice:has(:checked) span").inner_text()


def test_a_draft_survives_a_moved_cell(room: LabPage) -> None:
    """What is ticked and not submitted is there after the cell was moved."""
    room.annotate(cell("choices", "zh", "moved.jsonl"))
    room.widget.locator(".an-counts").click()
    room.press("2")

    room.command("notebook:insert-cell-below")
    room.command("notebook:move-cell-up")
    room.page.wait_for_timeout(200)

    assert chosen(room) == "网络组"
    room.widget.locator(".an-counts").click()
    room.press("Enter")
    room.state("saved")
    assert len(room.lines("moved.jsonl")) == 1
    room.only_cell()


def test_a_draft_survives_a_reloaded_page(room: LabPage) -> None:
    """After a reload of a saved notebook the page is back, with the draft."""
    room.annotate(cell("choices", "zh", "reload.jsonl"))
    room.widget.locator(".an-counts").click()
    room.press("1", "Enter")
    room.state("saved")
    room.press("3")
    room.page.wait_for_timeout(200)
    room.saved()

    room.open()
    room.widget.get_by_text("第 2 条").wait_for()

    assert chosen(room) == "宽带组"
    assert "尚未提交" in room.status()


def test_a_notebook_reloaded_unsaved_goes_on_when_run_again(room: LabPage) -> None:
    """Without its output the cell is run again, and goes on where it was."""
    source = cell("choices", "zh", "unsaved.jsonl")
    room.run("0")
    room.saved()
    room.annotate(source)
    room.widget.locator(".an-counts").click()
    room.press("1", "Enter")
    room.state("saved")
    room.press("2")
    room.page.wait_for_timeout(200)

    room.open()
    room.annotate(source)

    room.widget.get_by_text("第 2 条").wait_for()
    assert chosen(room) == "网络组"
    assert len(room.lines("unsaved.jsonl")) == 1


def test_a_restarted_kernel_loses_nothing_submitted(room: LabPage) -> None:
    """The page says at once that nothing is saved any more; run again, it goes on."""
    source = cell("choices", "zh", "restart.jsonl")
    room.annotate(source)
    room.widget.locator(".an-counts").click()
    room.press("1", "Enter")
    room.state("saved")

    room.restart()
    room.state("problem")
    assert room.status().startswith("没有保存：内核已停止或重启")
    room.press("2", "Enter")
    room.import_it()
    room.annotate(source)

    room.widget.get_by_text("第 2 条").wait_for()
    assert len(room.lines("restart.jsonl")) == 1


def test_a_silent_kernel_is_said_and_then_saves(room: LabPage) -> None:
    """After eight seconds the page says that nothing is saved yet; then it is."""
    room.annotate(cell("choices", "en", "busy.jsonl"))
    room.widget.locator(".an-counts").click()

    with room.silent_kernel():
        room.press("1", "Enter")
        assert room.status() == "Saving…"
        room.widget.get_by_text("Not saved yet: the kernel does not answer").wait_for()
        assert room.lines("busy.jsonl") == []
    room.widget.get_by_text("Item 1 saved").wait_for()

    assert len(room.lines("busy.jsonl")) == 1


def test_two_views_of_one_widget_stay_in_step(room: LabPage) -> None:
    """What is done in one view is seen in the other, and saved once."""
    room.annotate(cell("choices", "zh", "views.jsonl"))
    room.command("notebook:create-output-view")
    room.page.locator(".annotator").nth(1).wait_for()
    first, second = (room.page.locator(".annotator").nth(n) for n in (0, 1))

    second.locator(".an-choice", has_text="宽带组").click()
    assert first.locator(".an-choice:has(:checked) span").inner_text() == "宽带组"
    room.press("Enter")
    first.get_by_text("第 2 条").wait_for()
    second.get_by_text("第 2 条").wait_for()

    assert len(room.lines("views.jsonl")) == 1
    room.page.locator(".lm-TabBar-tabCloseIcon").last.click()


def test_a_second_page_of_the_file_takes_over(room: LabPage) -> None:
    """Of two cells on one file the later one writes; the earlier one says so."""
    room.annotate(cell("choices", "zh", "twice.jsonl"))
    room.widget.locator(".an-counts").click()
    room.press("1", "Enter")
    room.state("saved")
    room.press("2")
    room.command("notebook:insert-cell-below")
    room.run(cell("choices", "zh", "twice.jsonl"))
    second = room.page.locator(".annotator").nth(1)
    second.get_by_text("第 2 条").wait_for()

    assert "这里只能看" in room.status()
    room.widget.locator(".an-counts").click()
    room.press("3", "Enter")
    assert second.locator(".an-choice:has(:checked) span").inner_text() == "网络组"
    second.locator(".an-submit").click()
    second.get_by_text("第 2 题已保存").wait_for()

    values = [task[0]["value"]["choices"] for task in room.results("twice.jsonl")]
    assert values == [["账务组"], ["网络组"]]
    room.only_cell()
