"""Facts about keys and focus: what is the page's, what is Jupyter's, what waits."""

import pytest
from lab_page import LabPage
from samples import cell

pytestmark = pytest.mark.xdist_group("annotator")

# Each of these does something to the notebook when Jupyter gets it.
EAGER = ("d", "d", "a", "b", "m", "y", "0", "0", "Alt+Enter", "Shift+Enter", "x", "z")
TARGETS = (
    ".an-body",
    "input[type=radio]",
    "textarea",
    ".an-submit",
    "input[type=number]",
)
CELLS = """() => {
  const { model } = window.jupyterapp.shell.currentWidget.content;
  return [...model.cells].map((cell) => [cell.type, cell.sharedModel.source]);
}"""
DIRTY = "window.jupyterapp.shell.currentWidget.content.model.dirty"


def inside(room: LabPage) -> bool:
    """Say whether the focus is in the page."""
    return bool(room.page.evaluate("!!document.activeElement.closest('.annotator')"))


@pytest.mark.parametrize("target", TARGETS)
def test_no_key_reaches_jupyter(room: LabPage, target: str) -> None:
    """Keys that cut, add, change or run cells do nothing to the notebook."""
    room.annotate(cell("pair", "en", f"leak{TARGETS.index(target)}.jsonl"))
    before = room.page.evaluate(CELLS)
    count = room.page.locator(".jp-InputPrompt").first.inner_text()

    for key in EAGER:
        room.widget.locator(target).first.focus()
        room.press(key)
    room.page.wait_for_timeout(150)

    assert room.page.evaluate(CELLS) == before
    assert room.page.locator(".jp-InputPrompt").first.inner_text() == count
    assert room.page.locator(".jp-Dialog").count() == 0


def test_jupyter_keeps_its_own_combinations(room: LabPage) -> None:
    """Ctrl+S saves the notebook while the focus is in the page."""
    room.annotate(cell("choices", "zh", "save.jsonl"))
    room.widget.locator("input[type=radio]").first.focus()
    assert room.page.evaluate(DIRTY)

    room.press("Control+s")

    room.page.wait_for_function(f"!{DIRTY}")


def test_the_focus_stays_after_every_draw(room: LabPage) -> None:
    """After each act of a session the next key is still the page's."""
    room.annotate(cell("choices", "zh", "focus.jsonl"))
    room.widget.locator(".an-counts").click()

    acts = (
        "1",
        "Enter",
        "u",
        "Enter",
        "x",
        "[",
        "]",
        "g",
        "Escape",
        "2",
        "u",
        "?",
        "？",
    )
    for act in acts:
        room.page.keyboard.press(act) if act != "？" else room.page.keyboard.type(act)
        room.page.locator(".annotator:not(.an-locked)").wait_for()
        assert inside(room), act
    for button in ("跳过", "撤销", "提交"):
        room.widget.locator(".an-bottom button", has_text=button).click()
        room.page.locator(".annotator:not(.an-locked)").wait_for()
        assert inside(room), button


def test_a_click_on_a_button_leaves_enter_to_submit(room: LabPage) -> None:
    """After "next" was clicked, a digit and Enter submit the item shown."""
    room.annotate(cell("choices", "zh", "enter.jsonl"))

    room.widget.get_by_role("button", name="下一题").click()
    room.widget.get_by_text("第 2 条").wait_for()
    room.press("3", "Enter")
    room.state("saved")

    assert [line["id"] for line in room.lines("enter.jsonl")] == [2]


def test_keys_between_submit_and_answer_hit_nothing(room: LabPage) -> None:
    """While an item is being saved, keys change neither it nor the next one."""
    room.annotate(cell("choices", "zh", "locked.jsonl"))
    room.widget.locator(".an-counts").click()

    with room.silent_kernel():
        room.press("1", "Enter", "2", "Enter", "3")
        assert room.status() == "正在保存……"
    room.state("saved")

    assert [task[0]["value"] for task in room.results("locked.jsonl")] == [
        {"choices": ["账务组"]}
    ]
    assert room.widget.locator("input:checked").count() == 0


def test_fast_mode_takes_one_key(room: LabPage) -> None:
    """In fast mode a digit or a click answers and goes on; arrows only look."""
    room.annotate(cell("choices", "zh", "fast.jsonl", mode="fast"))
    room.widget.locator(".an-counts").click()

    room.press("2")
    room.widget.get_by_text("第 2 条").wait_for()
    room.widget.get_by_text("宽带组").click()
    room.widget.get_by_text("第 3 条").wait_for()
    room.widget.locator("input[type=radio]").first.focus()
    room.press("ArrowDown")
    room.page.wait_for_timeout(200)

    assert len(room.lines("fast.jsonl")) == 2
    assert "尚未提交" in room.status()


def test_undo_steps_back_and_then_takes_back(room: LabPage) -> None:
    """Undo takes back edits one by one, then the last submission."""
    room.annotate(cell("choices", "zh", "undo.jsonl"))
    room.widget.locator(".an-counts").click()
    checked = room.widget.locator(".an-choice:has(:checked)")

    room.press("1", "2", "Control+z")
    assert "账务组" in checked.inner_text()
    room.press("u")
    assert checked.count() == 0
    assert room.status() == ""
    room.press("1")
    room.press("Enter")
    room.state("saved")
    room.press("u")
    room.widget.get_by_text("已收回第 1 题").wait_for()

    assert "账务组" in checked.inner_text()
    assert room.lines("undo.jsonl") == []


def test_skip_goto_and_progress(room: LabPage) -> None:
    """Skipped items are counted apart, and any item can be gone to by its number."""
    room.annotate(cell("choices", "en", "goto.jsonl", number=30))
    room.widget.locator(".an-counts").click()

    room.press("x")
    room.widget.get_by_text("Item 1 skipped").wait_for()
    room.press("j", "2", "5", "Enter")
    room.widget.get_by_text("Message 25:").wait_for()
    room.press("1", "Enter")
    room.widget.get_by_text("Item 25 saved").wait_for()
    room.press("Enter")
    room.state("problem")

    assert room.widget.locator(".an-counts").inner_text() == "1 done, 1 skipped"
    assert room.status() == "Nothing is chosen yet; choose, then submit."
    assert room.lines("goto.jsonl")[0]["annotations"][0]["was_cancelled"]


def test_keys_of_an_input_method_are_not_commands(room: LabPage) -> None:
    """Enter that ends a word of a Chinese input method submits nothing."""
    room.annotate(cell("pair", "zh", "ime.jsonl"))
    field = room.widget.locator("textarea")
    field.click()

    field.dispatch_event(
        "keydown",
        {"key": "Enter", "ctrlKey": True, "isComposing": True, "bubbles": True},
    )

    assert room.widget.get_attribute("data-state") == "quiet"
