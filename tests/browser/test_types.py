"""A form for every type: what is typed reaches the task that asked for it, and what does not fit is refused at its field."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

Fill = Callable[[Any], None]


def typed(label: str, text: str, nth: int = 0) -> Fill:
    return lambda dialog: dialog.get_by_role("textbox", name=label, exact=True).nth(nth).fill(text)


def marked(group: str, label: str) -> Fill:
    return lambda dialog: dialog.get_by_role("radiogroup", name=group).get_by_label(label).check()


def all_of(*steps: Fill) -> Fill:
    def fill(dialog: Any) -> None:
        for step in steps:
            step(dialog)

    return fill


def ticked(label: str) -> Fill:
    return lambda dialog: dialog.get_by_role("radio", name=label).check()


def pressed(name: str) -> Fill:
    return lambda dialog: dialog.get_by_role("button", name=name).first.click()


def chosen(label: str, what: str) -> Fill:
    return lambda dialog: dialog.get_by_label(label, exact=True).select_option(label=what)


A = "Answer"
ANSWERS: dict[str, tuple[Fill, str]] = {
    "str": (typed(A, "Ebb & flow"), "'Ebb & flow'"),
    "int": (typed(A, "9007199254740993"), "9007199254740993"),
    "float": (typed(A, "-1.5e3"), "-1500.0"),
    "bool": (ticked("Yes"), "True"),
    "date": (typed(A, "2026-11-23"), "datetime.date(2026, 11, 23)"),
    "datetime": (
        typed(A, "2026-11-23T09:30:15"),
        "datetime.datetime(2026, 11, 23, 9, 30, 15, tzinfo=datetime.timezone.utc)",
    ),
    "timedelta": (
        all_of(typed(A, "90"), chosen("Answer: unit", "minutes")),
        "datetime.timedelta(seconds=5400)",
    ),
    "enum": (ticked("prod"), "<Stage.PROD: 'prod'>"),
    "literal": (ticked("mid"), "'mid'"),
    "optional": (typed(A, ""), "None"),
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
    "typeddict": (typed("width", "-0.0"), "{'width': -0.0}"),
    "model": (
        all_of(typed("title", "Good"), typed("score", "0.5")),
        "Grade(title='Good', score=0.5)",
    ),
    "anything": (
        all_of(pressed("Add one"), typed("Name", "k"), typed("Value", '[1, "two"]')),
        "{'k': [1, 'two']}",
    ),
    "time": (typed(A, "14:30:05"), "datetime.time(14, 30, 5)"),
    "decimal": (typed(A, "12.50"), "Decimal('12.50')"),
    "mixed": (all_of(chosen("Answer: kind", "Text"), typed(A, "7")), "'7'"),
    "nested": (
        all_of(
            typed("name", "Ada", 0),
            typed("name", "Mill Lane", 1),
            typed("number", "3"),
            typed("city", "Ely"),
            marked("active", "No"),
            marked("stage", "prod"),
        ),
        "Customer(name='Ada', address=Address(street=Street(name='Mill Lane', number=3), city='Ely'), active=False, stage=<Stage.PROD: 'prod'>)",
    ),
    "people": (all_of(pressed("Add one"), typed("x", "1"), typed("y", "2")), "[Point(x=1, y=2)]"),
    "tree": (
        all_of(typed("name", "root"), pressed("Add one"), typed("name", "leaf", 1)),
        "Tree(name='root', children=[Tree(name='leaf', children=[])])",
    ),
    "trip": (typed("code", "ABC"), "Trip(stops=[Stop(code='ABC')], fares={})"),
    "whatever": (typed(A, "[1.5, null]"), "[1.5, None]"),
}
REFUSED: dict[str, tuple[Fill, str]] = {
    "str": (lambda dialog: None, "Needs a value"),
    "int": (typed(A, "1.5"), "Must be a whole number"),
    "float": (typed(A, "much"), "Must be a number"),
    "date": (lambda dialog: None, "Needs a value"),
    "datetime": (lambda dialog: None, "Needs a value"),
    "timedelta": (typed(A, "long"), "Must be a duration"),
    "optional": (typed(A, "x"), "Must be a whole number"),
    "union": (lambda dialog: None, "Needs a value"),
    "list": (all_of(pressed("Add one"), typed("1.", "x")), "Must be a whole number"),
    "dict": (
        all_of(pressed("Add one"), typed("Name", "a"), typed("Value", "x")),
        "Must be a number",
    ),
    "tuple": (typed("1. Whole number", "3"), "Needs a value"),
    "dataclass": (typed("age", "x"), "Must be a whole number"),
    "namedtuple": (typed("x", "1"), "Needs a value"),
    "typeddict": (typed("width", "0x10"), "Must be a number"),
    "model": (all_of(typed("title", "Go"), typed("score", "2")), "must have at least 3 characters"),
    "file": (lambda dialog: None, "Choose a file"),
    "directory": (lambda dialog: None, "Choose a directory"),
    "bytes": (lambda dialog: None, "Choose a file"),
    "array": (lambda dialog: None, "Choose a file"),
    "table": (lambda dialog: None, "Choose a file"),
    "time": (lambda dialog: None, "Needs a value"),
    "decimal": (typed(A, "much"), "Must be a number, such as 12.50"),
    "mixed": (typed(A, "x"), "Must be a whole number"),
    "nested": (typed("name", "Ada", 0), "address → city: Needs a value"),
    "people": (all_of(pressed("Add one"), typed("x", "1")), "1. → y: Needs a value"),
    "tree": (all_of(typed("name", "a"), pressed("Add one")), "children → 1. → name: Needs a value"),
    "whatever": (typed(A, "[1,"), "This is not JSON yet"),
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


def test_what_only_the_server_can_tell_stands_at_its_field(form: Any) -> None:
    dialog = form("trip")
    dialog.get_by_role("textbox", name="code").fill("abc")
    dialog.get_by_role("group", name="fares").get_by_role("button", name="Add one").click()
    dialog.get_by_role("textbox", name="Name", exact=True).fill("first")
    dialog.get_by_role("textbox", name="code").nth(1).fill("x1")
    dialog.get_by_role("button", name="Send answer").click()
    summary = dialog.get_by_role("alert")
    expect(summary).to_contain_text("2 fields need a change")
    expect(dialog.get_by_role("textbox", name="code").first).to_be_focused()
    summary.get_by_role("button", name="fares → first → code").click()
    code = dialog.get_by_role("textbox", name="code").nth(1)
    expect(code).to_be_focused()
    expect(code).to_have_attribute("aria-invalid", "true")
    expect(code).to_have_value("x1")
    dialog.page.evaluate("localStorage.clear()")


def test_everything_can_be_edited_as_json(form: Any) -> None:
    dialog = form("nested")
    dialog.get_by_role("textbox", name="name", exact=True).first.fill("Ada")
    dialog.get_by_role("switch", name="Edit as JSON").press("Space")
    field = dialog.get_by_role("textbox", name="Answer")
    expect(field).to_have_value(re.compile('"name": "Ada"'))
    field.fill('{"name": "Bo", "active": true}')
    dialog.get_by_role("switch", name="Edit as JSON").press("Space")
    expect(dialog.get_by_role("textbox", name="name", exact=True).first).to_have_value("Bo")
    dialog.page.evaluate("localStorage.clear()")


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_of_each_type_reaches_the_task(
    site: Any, execution: str, form: Any, name: str
) -> None:
    fill, shown = ANSWERS[name]
    dialog = form(name)
    fill(dialog)
    dialog.get_by_role("button", name="Send answer").click()
    arrives(site, dialog, execution, name, shown)


def table_of(folder: Path) -> Path:
    pd.DataFrame({"level": [1.5, 2.0]}).to_parquet(folder / "levels.parquet")
    return folder / "levels.parquet"


def array_of(folder: Path) -> Path:
    np.save(folder / "levels.npy", np.array([[1, 2], [3, 4]]))
    return folder / "levels.npy"


def text_of(folder: Path) -> Path:
    (folder / "notes.txt").write_text("high water at noon")
    return folder / "notes.txt"


def folder_of(folder: Path) -> Path:
    (folder / "tide" / "sub").mkdir(parents=True)
    (folder / "tide" / "a.txt").write_text("ebb")
    (folder / "tide" / "sub" / "b.txt").write_text("flow")
    return folder / "tide"


FILES = {
    "file": (text_of, "high water at noon"),
    "bytes": (text_of, "b'high water at noon'"),
    "array": (array_of, "[[1, 2], [3, 4]]"),
    "table": (table_of, "{'level': [1.5, 2.0]}"),
    "directory": (folder_of, "{'a.txt': 'ebb', 'sub/b.txt': 'flow'}"),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_chosen_from_the_disk_reaches_the_task(
    site: Any, execution: str, form: Any, tmp_path: Path, name: str
) -> None:
    make, shown = FILES[name]
    dialog = form(name)
    field = dialog.get_by_role("button", name="Answer", exact=True)
    expect(field).to_be_focused()
    with dialog.page.expect_file_chooser() as chooser:
        field.click()
    chooser.value.set_files(make(tmp_path))
    expect(field).to_be_enabled()
    expect(field).not_to_contain_text("Choose")
    dialog.get_by_role("button", name="Send answer").click()
    arrives(site, dialog, execution, name, shown)


def arrives(site: Any, dialog: Any, execution: str, name: str, shown: str) -> None:
    expect(dialog.get_by_role("heading", name=f"Answered: {name}")).to_be_visible()
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
