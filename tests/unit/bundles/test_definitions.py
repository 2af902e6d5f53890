"""Whether a definition has changed is told by its source and by all that it refers to, and by nothing else."""

from pathlib import Path

import pytest

from tidegate.bundles import definitions
from tidegate.bundles.definitions import Definitions

FLOW = '''
from dataclasses import dataclass
import math, helpers
from lib.tools import scale as by, FACTOR
from tidegate import dynamic, task as step, workflow

LIMIT = 3


@dataclass
class Row:
    """A row."""
    x: int

    def shown(self) -> str:
        return str(self.x)


@step(retries=1)
def fit(row: Row, times: int = 2) -> float:
    """Fit."""
    return by(row.x) * LIMIT + helpers.one(times)


@step
def other(n: int) -> int:
    return n


@dynamic
def many(n: int) -> float:
    total = 0.0
    for _ in range(limited(n)):
        total = fit(row=Row(other(n=n)))
    return total if n < FACTOR else many(n=n - 1)


def limited(n: int) -> int:
    return min(n, LIMIT)
'''
HELPERS = (
    "def one(n):\n    return two(n)\n\ndef two(n):\n    return n\n\ndef unused():\n    return 0\n"
)
TOOLS = "from .deep import base\n\nFACTOR = 7\n\ndef scale(x):\n    return base + x\n"
DEEP = "base = 1\n"


def tree(root: Path, **changed: str) -> Definitions:
    files = {
        "flow": FLOW,
        "helpers": HELPERS,
        "lib/__init__": "",
        "lib/tools": TOOLS,
        "lib/deep": DEEP,
    }
    for name, text in {
        **files,
        **{key.replace("__", "/"): text for key, text in changed.items()},
    }.items():
        path = root / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Definitions(root)


@pytest.fixture
def before(tmp_path: Path) -> Definitions:
    return tree(tmp_path / "before")


def changed(before: Definitions, root: Path, target: str, **files: str) -> tuple[bool, bool]:
    """Return whether the signature and the source of a definition have changed."""
    after = tree(root / "after", **files)
    assert before.source(target) is not None
    return (
        before.signature(target) != after.signature(target),
        before.source(target) != after.source(target),
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Fit."""', '"""Fit it."""'),
        ("LIMIT = 3", "LIMIT = 3  # three"),
        ("import math, helpers", "import helpers\nimport os, math"),
        ("def other(n: int)", "def another(k: int)"),
        ("@step(retries=1)", "@step(retries=1)\n\n"),
    ],
)
def test_what_does_not_concern_a_task_leaves_it_unchanged(before, tmp_path, old, new):
    assert changed(before, tmp_path, "flow:fit", flow=FLOW.replace(old, new)) == (False, False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("* LIMIT", "/ LIMIT"),
        ("LIMIT = 3", "LIMIT = 4"),
        ("@step(retries=1)", "@step(retries=2)"),
        ("return str(self.x)", "return repr(self.x)"),
    ],
)
def test_a_body_and_what_it_refers_to_are_its_source_and_no_signature(before, tmp_path, old, new):
    assert changed(before, tmp_path, "flow:fit", flow=FLOW.replace(old, new)) == (False, True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("helpers", HELPERS.replace("return n", "return -n")),
        ("lib__tools", TOOLS.replace("base + x", "base * x")),
        ("lib__deep", "base = 2\n"),
    ],
)
def test_what_is_imported_from_the_tree_belongs_to_the_source(before, tmp_path, name, text):
    assert changed(before, tmp_path, "flow:fit", **{name: text}) == (False, True)


def test_what_nothing_refers_to_does_not(before, tmp_path):
    helpers = HELPERS.replace("return 0", "return 1")
    assert changed(before, tmp_path, "flow:fit", helpers=helpers) == (False, False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("row: Row, times", "row: Row | None, times"),
        ("times: int = 2", "times: int = 3"),
        ('-> float:\n    """Fit', '-> int:\n    """Fit'),
        ("    x: int\n", "    x: float\n"),
    ],
)
def test_what_a_task_takes_and_gives_is_its_signature(before, tmp_path, old, new):
    assert changed(before, tmp_path, "flow:fit", flow=FLOW.replace(old, new)) == (True, True)


@pytest.mark.parametrize(
    ("old", "new", "is_changed"),
    [
        ("* LIMIT", "/ LIMIT", False),
        ("return min(n, LIMIT)", "return n", True),
        ("total = 0.0", "total = 1.0", True),
        ("times: int = 2", "times: int = 3", True),
        ("@step(retries=1)", "@step(retries=2)", True),
    ],
)
def test_the_source_of_a_dynamic_task_is_what_decides_on_its_graph(
    before, tmp_path, old, new, is_changed
):
    _, source = changed(before, tmp_path, "flow:many", flow=FLOW.replace(old, new))
    assert source is is_changed


QUOTED = """
from tidegate import task

class Row: x: int
class fit2: y: int

@task
def fit(row: "list[Row]") -> "Row":
    open("fit2")
    return row
"""


@pytest.mark.parametrize(
    ("old", "new", "is_changed"), [("x: int", "x: str", True), ("y: int", "y: str", False)]
)
def test_a_name_in_quotes_counts_where_it_is_a_type(tmp_path, old, new, is_changed):
    before = tree(tmp_path / "before", flow=QUOTED)
    after = tree(tmp_path / "after", flow=QUOTED.replace(old, new))
    assert (before.source("flow:fit") != after.source("flow:fit")) is is_changed
    assert (before.signature("flow:fit") != after.signature("flow:fit")) is is_changed


def test_a_function_that_was_moved_to_another_module_is_the_same(before, tmp_path):
    body = "\n\ndef limited(n: int) -> int:\n    return min(n, LIMIT)\n"
    flow = FLOW.replace(body, "").replace("import math", "from moved import limited\nimport math")
    moved = f"LIMIT = 3{body}"
    assert changed(before, tmp_path, "flow:many", flow=flow, moved=moved) == (False, False)


@pytest.mark.parametrize(
    "text",
    [
        "def fit(:",
        "x = 1\n",
        "x = " + "-" * 100_000 + "1\n",
        "fit = " + "(" * 5_000 + ")" * 5_000,
        "\0",
    ],
)
def test_of_what_cannot_be_read_nothing_is_told(tmp_path, text):
    found = tree(tmp_path, flow=text)
    assert (found.source("flow:fit"), found.signature("flow:fit")) == (None, None)
    assert found.source("nothing:fit") is None


def test_of_too_much_source_nothing_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(definitions, "MAX_BYTES", 500)
    assert tree(tmp_path).source("flow:fit") is None


@pytest.mark.parametrize(
    "target", ["../flow:fit", "/etc/passwd:x", "flow", ":", "", "flow:", "a..b:c"]
)
def test_what_is_not_a_name_of_the_tree_is_not_looked_for(tmp_path, target):
    (tmp_path / "flow.py").write_text("fit = 1")
    assert tree(tmp_path / "tree").source(target) is None
    assert tree(tmp_path / "tree").source(f"{tmp_path}/flow:fit") is None
