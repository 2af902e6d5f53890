"""Fixed code goes on: approvals are asked again, a node can be run again, and all is said before it happens."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.recovered_code import (
    FIX,
    FLOW,
    Code,
    becomes,
    code_in,
    failed,
    node,
    waiting,
    why,
)

from tidegate.errors import (
    CodeError,
    InvalidValue,
    UnknownWorkflow,
)
from tidegate.wire import ListAudit, ListEvents, ListExecutions, ListVersions


@pytest.fixture
def code(tmp_path: Path) -> Iterator[Code]:
    with code_in(tmp_path) as code:
        yield code


def test_what_is_kept_though_its_source_has_changed_is_listed_and_can_be_run(code: Code):
    failed(code)
    version = code.fixed(FIX, ("return sum(items) * times", "return sum(items) * times + 1"))

    found = code.preview("one", version=version)
    rerun = code.preview("one", version=version, rerun=["fit"])
    view = code.recover("one", "two", version=version, rerun=["fit"])

    assert becomes(found)["fit"] == "kept*"
    assert (node(rerun, "fit").becomes, why(rerun, "fit")) == ("runs", "you named it")
    assert code.ran == ["fit3"]
    assert view.waiting[0].value == 10
    assert code.answer("two", "ok").outputs == {"o0": "T: 5.0"}


CHAIN = """
@task
def a(n: int) -> int:
    say("a")
    return n % 10

@task
def b(x: int) -> int:
    say("b")
    return x + 1

@task
def last(x: int) -> int:
    raise ValueError("bug")

@workflow
def wf(n: int) -> int:
    return last(x=b(x=a(n=n)))
"""


@pytest.mark.parametrize(("body", "runs"), [("n % 20", ["a", "b"]), ("n - 10", ["a"])])
def test_after_a_task_that_runs_again_what_gets_other_inputs_runs_again(
    code: Code, body: str, runs: list[str]
):
    code.launched(CHAIN, n=13)
    keys = {line.split()[0]: line.split()[1] for line in code.lines()}
    assert code.ran == ["a", "b"]
    version = code.fixed(("n % 10", body), ('raise ValueError("bug")', "return x"))

    found = code.preview("one", version=version, rerun=["n0"])
    assert code.recover("one", "two", version=version, rerun=["n0"]).phase == "SUCCEEDED"

    assert becomes(found) == {"a": "runs", "b": "compared", "last": "runs"}
    again = {line.split()[0]: line.split()[1] for line in code.lines()}
    assert again["a"] == keys["a"]
    assert again.get("b") != keys["b"]
    assert code.ran == runs


def test_with_the_same_code_a_node_can_be_run_again_and_approvals_are_kept(code: Code):
    failed(code)
    found = code.preview("one", rerun=["load"])
    view = code.recover("one", "two", rerun=["load"])
    assert found.same_code
    assert becomes(found)["load"] == "runs"
    assert view.phase == "FAILED"
    assert code.ran == ["load", "train"]
    (given,) = [each.answer for each in view.nodes if each.name == "ok"]
    assert given is not None
    assert (given.who, given.kept, given.kept_by) == ("ann", "one", "")


# ---- approvals ----


def audited(code: Code, id_: str) -> list[tuple[str, str, str]]:
    page = code.runtime.handle(ListAudit(kind="decision", execution=id_))
    return [(each.who, each.about, each.outcome) for each in page.items]


def test_an_approval_is_kept_under_other_code_only_on_purpose_and_that_is_recorded(code: Code):
    failed(code)
    version = code.fixed(FIX)

    found = code.preview("one", version=version, keep_approvals=True)
    view = code.recover("one", "two", version=version, keep_approvals=True)

    assert becomes(found)["ok"] == "kept"
    assert view.outputs == {"o0": "T: 4.5"}
    (given,) = [each.answer for each in view.nodes if each.name == "ok"]
    assert given is not None
    assert (given.who, given.kept, given.kept_by) == ("ann", "one", "oscar")
    assert audited(code, "two") == [("oscar", "ok", "kept")]
    last = code.runtime.handle(ListEvents(id="one")).items[-1]
    assert (last.kind, last.details["approvals"]) == ("RecoveryRequested", "kept")
    assert last.details["version"] == version


@pytest.mark.parametrize(("old", "new"), [("Train?", "Delete everything?"), ("times=3", "times=4")])
def test_what_is_asked_otherwise_is_asked_again_though_approvals_are_kept(
    code: Code, old: str, new: str
):
    failed(code)
    version = code.fixed(FIX, (old, new))
    view = code.recover("one", "two", version=version, keep_approvals=True)
    assert waiting(view) == ["ok"]
    assert audited(code, "two") == []


def test_after_an_abort_approvals_are_asked_again_under_other_code_too(code: Code):
    text = FLOW.replace(
        "return report(", 'wait_for_input("more", expected_type=str)\n    return report('
    )
    text = text.replace(*FIX)
    code.launched(text, n=3)
    code.answer("one", "title", "T")
    code.answer("one", "ok")
    code.abort("one")
    version = code.fixed(("Train?", "Train?"), ("total / 2", "total / 4"))

    with pytest.raises(InvalidValue, match="was aborted"):
        code.preview("one", version=version, keep_approvals=True)
    found = code.preview("one", version=version)
    view = code.recover("one", "two", version=version)

    assert why(found, "ok") == "it was aborted"
    assert waiting(view) == ["more", "ok"]


# ---- what is wrong is said before anything changes ----


def everything(code: Code) -> object:
    """Return what there is in the store."""
    ask = code.runtime.handle
    ids = [each.id for each in ask(ListExecutions()).items]
    return (
        ids,
        [ask(ListEvents(id=each)).items for each in ids],
        ask(ListVersions(name="flow.wf")),
        ask(ListAudit()),
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("def wf(n: int) -> str:", "def wf(n: int) -> str"), "SyntaxError"),
        (("@task\ndef load", "import nothing_of_the_kind\n@task\ndef load"), "nothing_of_the_kind"),
        (("def wf(", "def other("), "has no workflow"),
        (("times=3)", 'times="x")'), "times"),
        (("def wf(n: int)", "def wf(n: int, more: int)"), "more"),
        (("def wf(n: int) -> str:", "def wf(n: str) -> str:"), "flow"),
    ],
)
def test_a_fault_in_the_new_code_is_said_and_nothing_has_changed(
    code: Code, change: tuple[str, str], said: str
):
    failed(code)
    before = everything(code)
    with pytest.raises((CodeError, UnknownWorkflow, InvalidValue)) as raised:
        archive = code.packed(FLOW.replace(*FIX).replace(*change))
        code.preview("one", bundle=archive.digest, module="flow")
    assert said in f"{raised.value} {getattr(raised.value, 'faults', '')}"
    assert everything(code) == before


def test_a_preview_of_code_that_is_not_registered_writes_nothing(code: Code):
    failed(code)
    before = everything(code)
    archive = code.packed(FLOW.replace(*FIX))
    found = code.preview("one", bundle=archive.digest, module="flow")
    assert becomes(found)["fit"] == "kept"
    assert found.new_version == archive.digest[:12]
    assert everything(code) == before


@pytest.mark.parametrize(
    ("rerun", "said"),
    [
        (["nothing"], "has no node 'nothing'; it has: load"),
        (["n77"], "has no node"),
        (["\u202e"], "has no node"),
    ],
)
def test_a_node_that_is_named_and_is_not_there_is_refused(code: Code, rerun: list[str], said: str):
    failed(code)
    with pytest.raises(InvalidValue, match=said):
        code.recover("one", "two", rerun=rerun)
    assert code.look("one").successor == ""


SAME_NAME = """
@task
def step(x: int, name: str) -> int:
    say(f"{name}{x}")
    return x * 10

@task
def last(xs: list[int]) -> int:
    raise ValueError("bug")

@workflow
def part(x: int) -> int:
    return step(x=step(x=x, name="a"), name="b")

@workflow
def wf() -> int:
    return last(xs=[part(x=1), part(x=2)])
"""


def test_several_nodes_of_a_name_are_told_apart_by_their_ids(code: Code):
    code.launched(SAME_NAME)
    with pytest.raises(
        InvalidValue, match="4 nodes are called 'step'; name one by its id: n0/n0, n0/n1"
    ):
        code.recover("one", rerun=["step"])
    assert code.recover("one", "two", rerun=["n0/n1"]).phase == "FAILED"
    assert code.ran[4:] == ["b10"]


def test_inputs_that_the_new_code_does_not_take_are_left_out_and_that_is_said(code: Code):
    failed(code, FLOW)
    version = code.fixed(
        FIX, ("def wf(n: int)", "def wf(count: int = 3)"), ("load(n=n)", "load(n=count)")
    )
    found = code.preview("one", version=version)
    assert found.notes == [
        "input 'n' no longer exists",
        "input 'count' is new, and gets its default",
    ]
    view = code.recover("one", "two", version=version)
    assert (view.inputs, waiting(view)) == ({"count": 3}, ["ok"])
