"""A form for every type: what is typed reaches the task that asked for it, and what does not fit is refused at its field."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

Fill = Callable[[Any], None]


def typed(label: str, text: str) -> Fill:
    return lambda dialog: dialog.get_by_role("textbox", name=label, exact=True).fill(text)


def all_of(*steps: Fill) -> Fill:
    def fill(dialog: Any) -> None:
        for step in steps:
            step(dialog)

    return fill


def pressed(name: str) -> Fill:
    return lambda dialog: dialog.get_by_role("button", name=name).first.click()


def chosen(label: str, what: str) -> Fill:
    return lambda dialog: dialog.get_by_label(label, exact=True).select_option(label=what)


A = "Answer"
ANSWERS: dict[str, tuple[Fill, str]] = {
    "str": (typed(A, "Ebb & flow"), "'Ebb & flow'"),
    "int": (typed(A, "9007199254740993"), "9007199254740993"),
    "float": (typed(A, "-1.5e3"), "-1500.0"),
    "bool": (pressed("Yes"), "True"),
    "date": (typed(A, "2026-11-23"), "datetime.date(2026, 11, 23)"),
    "datetime": (
        typed(A, "2026-11-23T09:30:15"),
        "datetime.datetime(2026, 11, 23, 9, 30, 15, tzinfo=datetime.timezone.utc)",
    ),
    "timedelta": (
        all_of(typed(A, "90"), chosen("Answer: unit", "minutes")),
        "datetime.timedelta(seconds=5400)",
    ),
    "enum": (pressed("PROD"), "<Stage.PROD: 'prod'>"),
    "literal": (pressed("mid"), "'mid'"),
    "optional": (typed("Answer (optional)", ""), "None"),
    "union": (
        all_of(chosen("Answer: kind", "Call"), typed("number", "555")),
        "Call(number='555', kind='call')",
    ),
    "list": (
        all_of(pressed("Add one"), typed("1.", "7"), pressed("Add one"), typed("2.", "8")),
        "[7, 8]",
    ),
    "dict": (all_of(pressed("Add one"), typed("Name", "a"), typed("Value", "2")), "{'a': 2.0}"),
    "tuple": (all_of(typed("1. Whole number", "3"), typed("2. Text", "three")), "(3, 'three')"),
    "dataclass": (typed("name", "Ada"), "Person(name='Ada', age=30, mail=None, tags=[])"),
    "namedtuple": (all_of(typed("x", "1"), typed("y", "-2")), "Point(x=1, y=-2)"),
    "typeddict": (typed("width", "1.25"), "{'width': 1.25}"),
    "model": (
        all_of(typed("title", "Good"), typed("score", "0.5")),
        "Grade(title='Good', score=0.5)",
    ),
    "anything": (
        all_of(pressed("Add one"), typed("Name", "k"), typed("Value", '[1, "two"]')),
        "{'k': [1, 'two']}",
    ),
}
ONE_CLICK = {"bool", "enum", "literal"}
REFUSED: dict[str, tuple[Fill, str]] = {
    "str": (lambda dialog: None, "Needs a value"),
    "int": (typed(A, "1.5"), "Must be a whole number"),
    "float": (typed(A, "much"), "Must be a number"),
    "date": (lambda dialog: None, "Needs a value"),
    "datetime": (lambda dialog: None, "Needs a value"),
    "timedelta": (typed(A, "long"), "Must be a duration"),
    "optional": (typed("Answer (optional)", "x"), "Must be a whole number"),
    "union": (lambda dialog: None, "Needs a value"),
    "list": (all_of(pressed("Add one"), typed("1.", "x")), "Must be a whole number"),
    "dict": (
        all_of(pressed("Add one"), typed("Name", "a"), typed("Value", "x")),
        "Must be a number",
    ),
    "tuple": (typed("1. Whole number", "3"), "Needs a value"),
    "dataclass": (typed("age", "x"), "Must be a whole number"),
    "namedtuple": (typed("x", "1"), "Needs a value"),
    "typeddict": (typed("width", "wide"), "Must be a number"),
    "model": (all_of(typed("title", "Go"), typed("score", "2")), "At least 3 characters"),
    "file": (lambda dialog: None, "Choose a file"),
    "anything": (
        all_of(pressed("Add one"), typed("Name", "k"), typed("Value", "[1,")),
        "This is not JSON yet",
    ),
}


@pytest.fixture(scope="module")
def execution(site: Any) -> str:
    return str(site.launch("gates.every_type"))


@pytest.fixture
def form(tab: Any, execution: str) -> Callable[[str], Any]:
    def show(name: str) -> Any:
        tab.page.emulate_media(reduced_motion="reduce")
        tab.open(f"/?task={execution}:{name}")
        tab.dialog.get_by_text("Comment (optional)").wait_for()
        return tab.dialog

    return show


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_at_its_field(form: Any, name: str) -> None:
    fill, why = REFUSED[name]
    dialog = form(name)
    fill(dialog)
    dialog.get_by_role("button", name="Send answer").click()
    expect(dialog.get_by_text(why).first).to_be_visible()
    dialog.page.evaluate("localStorage.clear()")


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_of_each_type_reaches_the_task(
    site: Any, execution: str, form: Any, name: str
) -> None:
    fill, shown = ANSWERS[name]
    dialog = form(name)
    fill(dialog)
    if name not in ONE_CLICK:
        dialog.get_by_role("button", name="Send answer").click()
    arrives(site, dialog, execution, name, shown)


def test_a_file_reaches_the_task(site: Any, execution: str, form: Any, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("high water at noon")
    dialog = form("file")
    with dialog.page.expect_file_chooser() as chooser:
        dialog.get_by_role("button", name="Answer", exact=True).click()
    chooser.value.set_files(file)
    expect(dialog.get_by_text("notes.txt")).to_be_visible()
    dialog.get_by_role("button", name="Send answer").click()
    arrives(site, dialog, execution, "file", "high water at noon")


def test_what_only_the_server_can_tell_stands_at_its_field(site: Any, tab: Any) -> None:
    tab.open(f"/?task={site.launch('gates.every_type')}:int")
    dialog = tab.dialog
    dialog.page.route(
        "**/signals/int",
        lambda route: route.fulfill(
            status=422,
            content_type="application/problem+json",
            body='{"status": 422, "code": "invalid_value", "detail": "no", "faults": [{"path": [], "reason": "is not prime"}]}',
        ),
    )
    dialog.get_by_role("textbox", name="Answer", exact=True).fill("4")
    dialog.get_by_role("button", name="Send answer").click()
    expect(
        dialog.locator(".mantine-InputWrapper-error").filter(has_text="is not prime")
    ).to_be_visible()


def arrives(site: Any, dialog: Any, execution: str, name: str, shown: str) -> None:
    expect(dialog.page.get_by_role("status").filter(has_text=f"{name}: ")).to_be_visible()
    node: dict[str, Any] = {}
    for _ in range(40):
        events = site.ask("GET", f"executions/{execution}/events?wait=2&after=0").body["items"]
        nodes = site.ask("GET", f"executions/{execution}").body["nodes"]
        node = next(each for each in nodes if each["name"] == f"show_{name}")
        if node["phase"] in {"SUCCEEDED", "FAILED"}:
            break
        site.ask("GET", f"executions/{execution}/events?wait=1&after={events[-1]['seq']}")
    assert node["phase"] == "SUCCEEDED", node["failure"]
    assert list(node["outputs"].values()) == [shown]
