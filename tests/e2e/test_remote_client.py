"""The Python client against a real server: what the seed page prints, and everything else that can be asked."""

import importlib
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET, structs
from tests.serving import Server

from tidegate.bundles.archive import pack
from tidegate.bundles.sources import find_sources
from tidegate.errors import (
    AlreadyAnswered,
    CodeError,
    ExecutionFailed,
    InvalidValue,
    NotWaitingYet,
    Refused,
    UnknownExecution,
    UnknownSignal,
    UnknownWorkflow,
)
from tidegate.remote import Config, Remote, StillRunning
from tidegate.types.values import File

HERE = Path(__file__).parent
PAGE = "core.control_flow.waiting_for_external_inputs"
LONGEST = 30.0
NUMBERS = [1.0, 2.0, 3.0, 4.0, 5.0]

SNIPPET = """
import typing
from tidegate.remote import Remote as FlyteRemote
from tidegate.remote import Config

remote = FlyteRemote(
    Config.for_sandbox(),
    default_project="flytesnacks",
    default_domain="development",
)

# First kick off the wotrkflow
flyte_workflow = remote.fetch_workflow(
    name="core.control_flow.waiting_for_external_inputs.conditional_wf"
)

# Execute the workflow
execution = remote.execute(flyte_workflow, inputs={"data": [1.0, 2.0, 3.0, 4.0, 5.0]})

# Get a list of signals available for the execution
signals = remote.list_signals(execution.id.name)

# Set a signal value for the "title" node. Make sure that the "title-input"
# node is in the `signals` list above
remote.set_signal("title-input", execution.id.name, "my report")

# Set signal value for the "review-passes" node. Make sure that the "review-passes"
# node is in the `signals` list above
remote.set_signal("review-passes", execution.id.name, True)
"""
"""The client of the seed page as it is printed there, with its two import lines changed."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("server") / "home").ready()
    yield made
    made.close()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the seed page's workflows under their dotted name, and those of the tests beside them."""
    root = tmp_path_factory.mktemp("tree")
    page = root / (PAGE.replace(".", "/") + ".py")
    page.parent.mkdir(parents=True)
    page.write_text((HERE / "seed_page.py").read_text())
    (root / "remote_flows.py").write_text((HERE / "remote_flows.py").read_text())
    return root


def url_of(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
def remote(server: Server, tree: Path) -> Iterator[Remote]:
    with Remote(Config.for_endpoint(url_of(server), server.token), "snacks", "development") as made:
        made.register(tree)
        yield made


def waiting(remote: Remote, execution: Any, name: str) -> None:
    """Return when a gate is open."""
    for event in remote.watch(execution):
        if event.event.details.get("phase") in {"WAITING", "SUCCEEDED", "FAILED"}:
            remote.sync(execution)
            if any(each.name == name for each in execution.waiting):
                return
    raise AssertionError(f"{name} never waited: {execution}")


def test_the_client_of_the_seed_page_runs_as_printed(
    server: Server, remote: Remote, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TIDEGATE_HOME", str(server.home))
    monkeypatch.setenv("TIDEGATE_URL", url_of(server))
    names: dict[str, Any] = {}

    exec(SNIPPET, names)  # the page's own program
    execution = names["remote"].wait(names["execution"], timeout=LONGEST)

    assert [each.name for each in names["signals"]] == ["title-input", "review-passes"]
    assert execution.outputs.o0 == {
        "title": "my report",
        "mean": 3.0,
        "length": 5,
        "max": 5.0,
        "min": 1.0,
    }
    assert (execution.id.project, execution.id.domain) == ("flytesnacks", "development")
    names["remote"].close()


def test_flytes_arguments_are_taken_in_their_order_and_by_their_names(remote: Remote):
    place = ("snacks", "development")
    execution = remote.execute(f"{PAGE}.conditional_wf", inputs={"data": NUMBERS}, wait=False)
    name = execution.id.name

    assert len(remote.list_signals(name, *place, 100)) == 2
    assert len(remote.list_signals(name, project=None, domain=None, limit=1, filters=None)) == 1
    with pytest.raises(TypeError, match="does not support filters"):
        remote.list_signals(name, filters=["value_in(phase, WAITING)"])
    remote.set_signal("title-input", name, "my report", *place, str, literal_type=None)
    remote.set_input("review-passes", name, True, project=None, domain=None, python_type=bool)
    remote.sync(execution, None, False)
    remote.wait(execution, timedelta(seconds=LONGEST), timedelta(seconds=30), True)
    assert execution.outputs.o0["title"] == "my report"

    for decide, phase in ((remote.approve, "SUCCEEDED"), (remote.reject, "FAILED")):
        shown = remote.execute(f"{PAGE}.reporting_with_approval_wf", inputs={"data": NUMBERS})
        remote.set_signal("title", shown.id.name, "my report")
        waiting(remote, shown, "approve-final-report")
        decide("approve-final-report", shown.id.name, *place)
        assert remote.wait(shown, timeout=LONGEST).phase == phase


def test_what_is_fetched_launched_and_listed_takes_flytes_order_and_a_name_alone(remote: Remote):
    place, name = ("other", "production"), f"{PAGE}.conditional_wf"
    version = remote.fetch_workflow(name).version

    for found in (
        remote.fetch_workflow(*place, name, version),
        remote.fetch_workflow("other", name=name),
        remote.fetch_workflow(name, version=version),
        remote.fetch_workflow(name=name, project=None, domain=None),
    ):
        assert (found.name, found.version) == (name, version)
        execution = remote.execute(found, {"data": NUMBERS}, *place, execution_name=None)
        assert (execution.id.project, execution.id.domain) == place
        id_ = execution.id.name
        assert remote.fetch_execution(*place, id_).id == execution.id
        assert remote.fetch_execution(id_).id == remote.fetch_execution(name=id_).id == execution.id
        assert [each.id.name for each in remote.recent_executions(*place, 1)] == [id_]
        remote.terminate(execution)
    assert remote.recent_executions("other", "nowhere") == []
    number: Any = 5
    with pytest.raises(TypeError, match="limit=5"):
        remote.recent_executions(number)
    with pytest.raises(InvalidValue, match="give a name"):
        remote.fetch_workflow(*place)


def test_an_option_that_is_not_there_is_refused_and_not_passed_over(remote: Remote):
    execution = remote.execute(f"{PAGE}.conditional_wf", {"data": NUMBERS})
    wrong: Any = {"coment": "why"}

    for call in (
        lambda: remote.set_signal("title-input", execution.id.name, "x", **wrong),
        lambda: remote.approve("title-input", execution.id.name, **wrong),
        lambda: remote.execute(f"{PAGE}.conditional_wf", {"data": NUMBERS}, **wrong),
    ):
        with pytest.raises(TypeError, match="'coment'"):
            call()
    assert not remote.list_signals(execution.id.name)[0].answer


def test_a_rejected_review_gives_the_other_branch(remote: Remote):
    execution = remote.execute(f"{PAGE}.conditional_wf", {"data": NUMBERS})
    remote.set_input("review-passes", execution.id.name, False, comment="wrong year")

    assert remote.wait(execution, timeout=LONGEST).outputs["o0"] == {"invalid_report": True}
    answer = next(s.answer for s in remote.list_signals(execution.id.name) if s.answer)
    assert (answer.who, answer.via, answer.comment) == ("admin", "api", "wrong year")


def test_an_approval_passes_the_value_on_and_a_rejection_fails(remote: Remote):
    yes, no = (
        remote.execute(f"{PAGE}.reporting_with_approval_wf", {"data": NUMBERS}) for _ in range(2)
    )
    with pytest.raises(NotWaitingYet):
        remote.approve("approve-final-report", yes.id.name)
    for execution in (yes, no):
        remote.set_signal("title", execution.id.name, "t")
        waiting(remote, execution, "approve-final-report")
    remote.approve("approve-final-report", yes.id.name)
    remote.reject("approve-final-report", no.id.name, comment="not yet")

    assert remote.wait(yes, timeout=timedelta(seconds=LONGEST)).outputs.o0["title"] == "t"
    assert remote.wait(no.id.name, timeout=LONGEST).phase == "FAILED"
    remote.sync(no)
    assert no.is_done
    assert not no.is_successful
    assert no.error is not None
    assert no.error.code == "Rejected"
    with pytest.raises(ExecutionFailed, match="not yet"):
        _ = no.outputs


def test_a_wrong_value_changes_nothing_and_says_why(remote: Remote):
    execution = remote.execute(f"{PAGE}.conditional_wf", {"data": NUMBERS})

    with pytest.raises(InvalidValue, match="yes or no"):
        remote.set_signal("review-passes", execution.id.name, "maybe")
    with pytest.raises(InvalidValue, match="title-input.*text"):
        remote.set_signal("title-input", execution.id.name, 5, python_type=str)
    with pytest.raises(InvalidValue) as found:
        remote.execute(f"{PAGE}.conditional_wf", {"data": ["x"], "more": 1})
    assert {fault.path[0] for fault in found.value.faults} == {"data", "more"}

    assert remote.set_signal("review-passes", execution.id.name, True).signal == "review-passes"
    with pytest.raises(AlreadyAnswered):
        remote.set_signal("review-passes", execution.id.name, False)
    again = remote.set_signal("review-passes", execution.id.name, True)
    assert again.signal == "review-passes"
    remote.terminate(execution, "done with it")
    assert remote.sync(execution).phase == "ABORTED"


def test_what_is_not_there_is_raised_as_what_it_is(remote: Remote):
    with pytest.raises(UnknownWorkflow, match="conditional_wf"):
        remote.fetch_workflow("condition_wf")
    with pytest.raises(UnknownExecution):
        remote.fetch_execution("nope")
    execution = remote.execute(f"{PAGE}.reporting_wf", {"data": NUMBERS})
    with pytest.raises(UnknownSignal) as found:
        remote.set_signal("titel", execution.id.name, "x")
    assert "title" in found.value.message
    with pytest.raises(Refused, match="no outputs yet"):
        _ = execution.outputs
    remote.terminate(execution)


def test_waiting_ends_when_the_time_is_up_and_the_execution_goes_on(remote: Remote):
    execution = remote.execute(f"{PAGE}.reporting_wf", {"data": NUMBERS})

    with pytest.raises(TimeoutError) as found:
        remote.wait(execution, timeout=0.05)

    assert isinstance(found.value, StillRunning)
    remote.set_signal("title", execution.id.name, "late")
    assert remote.wait(execution, timeout=LONGEST).is_successful


def test_anyone_who_waits_is_told_when_it_ends(remote: Remote):
    execution = remote.execute(f"{PAGE}.reporting_wf", {"data": NUMBERS})
    found: list[Any] = []
    thread = threading.Thread(
        target=lambda: found.append(remote.wait(execution.id.name, timeout=LONGEST))
    )
    thread.start()
    remote.set_signal("title", execution.id.name, "x")
    thread.join(LONGEST)

    assert found[0].is_successful


def test_the_same_launch_again_is_the_first_one(remote: Remote):
    first = remote.execute(f"{PAGE}.reporting_wf", {"data": NUMBERS}, id="once")
    again = remote.execute(f"{PAGE}.reporting_wf", {"data": NUMBERS}, execution_name="once")

    assert again.launched == first.launched
    remote.terminate("once")


def test_results_are_of_the_declared_types_where_they_are_known(remote: Remote, tree: Path):
    when = datetime(2024, 5, 17, tzinfo=UTC)
    sys.path.insert(0, str(tree))
    try:
        # The workflows of the server, in this process too.
        flows = importlib.import_module("remote_flows")
    finally:
        sys.path.remove(str(tree))
    try:
        point = flows.Point(1, when)
        execution = remote.execute(flows.point_wf, {"point": point})
        remote.set_signal("by", execution.id.name, 2)
        moved = flows.Point(3, when + timedelta(days=2))
        assert remote.wait(execution, timeout=LONGEST).outputs.o0 == moved
        assert remote.fetch_execution(execution.id.name).outputs.o0 == moved
    finally:
        del sys.modules["remote_flows"]

    plain = remote.fetch_execution(execution.id.name).outputs.o0
    assert plain["x"] == 3
    with pytest.raises(AttributeError, match="the outputs are: o0"):
        _ = execution.outputs.o1


def test_files_go_there_and_come_back(remote: Remote, tmp_path: Path):
    (tmp_path / "a.txt").write_text("quiet")

    execution = remote.execute(
        "remote_flows.file_wf", {"file": File(str(tmp_path / "a.txt"))}, wait=True
    )

    file, when = execution.outputs.o0, execution.outputs.o1
    assert Path(file).read_text() == "QUIET"
    assert when == datetime(2024, 5, 17, tzinfo=UTC)


def test_a_failed_execution_is_recovered_and_relaunched(remote: Remote):
    failed = remote.execute(f"{PAGE}.reporting_with_approval_wf", {"data": NUMBERS})
    remote.set_signal("title", failed.id.name, "kept")
    waiting(remote, failed, "approve-final-report")
    remote.reject("approve-final-report", failed.id.name)
    remote.wait(failed, timeout=LONGEST)

    recovered = remote.recover(failed, id="recovered")
    waiting(remote, recovered, "approve-final-report")
    remote.approve("approve-final-report", "recovered")
    assert remote.wait(recovered, timeout=LONGEST).outputs.o0["title"] == "kept"

    again = remote.relaunch(failed)
    assert again.id.name not in {failed.id.name, "recovered"}
    assert again.inputs == {"data": NUMBERS}
    remote.terminate(again)


def test_recent_executions_are_the_newest_first_and_know_more_when_asked(remote: Remote):
    ids = []
    for _ in range(3):
        execution = remote.execute(f"{PAGE}.reporting_wf", {"data": NUMBERS}, project="lists")
        ids.append(execution.id.name)

    found = remote.recent_executions(project="lists", limit=2)

    assert [each.id.name for each in found] == ids[:0:-1]
    assert found[0].inputs == {"data": NUMBERS}
    assert not found[0].is_done
    for id_ in ids:
        remote.terminate(id_)


def test_the_inbox_holds_what_waits_over_all_executions(remote: Remote):
    execution = remote.execute(f"{PAGE}.conditional_wf", {"data": NUMBERS}, project="boxes")
    waiting(remote, execution, "review-passes")

    found = remote.inbox(project="boxes")

    assert {(each.execution, each.name) for each in found} == {
        (execution.id.name, "title-input"),
        (execution.id.name, "review-passes"),
    }
    remote.terminate(execution)
    assert remote.inbox(execution=execution.id.name) == []


def test_an_execution_that_is_looked_at_again_takes_over_what_has_changed(remote: Remote):
    execution = remote.execute(f"{PAGE}.reporting_wf", {"data": NUMBERS})
    waiting(remote, execution, "title")
    remote.sync(execution)
    before = execution.seq
    assert execution.inputs == {"data": NUMBERS}

    remote.set_signal("title", execution.id.name, "seen")
    remote.wait(execution)

    again = remote.fetch_execution(execution.id.name)
    assert execution.view == again.view
    assert execution.seq > before
    assert execution.outputs == again.outputs


def test_a_question_is_asked_for_with_all_its_values(remote: Remote):
    execution = remote.execute("remote_flows.large_wf", {"lines": 3_000})
    waiting(remote, execution, "publish")
    (listed,) = remote.inbox(execution=execution.id.name)
    assert listed.value is UNSET
    assert listed.preview["value"].size > 60_000

    whole = remote.question(listed.path, execution.id.name)

    assert whole.value == "a line of the report\n" * 3_000
    assert structs.replace(whole, leads=[], background=None) == remote.sync(execution).waiting[0]
    remote.approve("publish", execution.id.name)
    record = remote.question("publish", execution.id.name)
    assert (record.value, record.digest) == (whole.value, whole.digest)
    assert record.answer is not None
    assert record.answer.value is True


def test_watching_gives_the_whole_story_once_and_ends_with_it(remote: Remote):
    execution = remote.execute(f"{PAGE}.reporting_wf", {"data": NUMBERS})
    events = remote.watch(execution)
    first = next(events)
    remote.set_signal("title", execution.id.name, "seen")
    story = [first, *events]

    assert story[0].event.kind == "Launched"
    assert [each.event.seq for each in story] == list(range(1, len(story) + 1))
    assert story[-1].event.details["phase"] == "SUCCEEDED"


def test_watching_goes_on_after_the_server_was_started_again(tmp_path: Path, tree: Path):
    server = Server(tmp_path / "home").ready()
    try:
        with Remote(Config.for_endpoint(url_of(server), server.token)) as remote:
            remote.register(tree / f"{PAGE.replace('.', '/')}.py")
            execution = remote.execute(
                "waiting_for_external_inputs.reporting_wf", {"data": NUMBERS}
            )
            events = remote.watch(execution)
            story = [next(events)]
            server.kill()
            server.close()
            server = Server(tmp_path / "home", port=server.port).ready()
            remote.set_signal("title", execution.id.name, "after")
            story += events
    finally:
        server.close()

    assert [each.event.seq for each in story] == list(range(1, len(story) + 1))
    assert story[-1].event.details["phase"] == "SUCCEEDED"


V1 = """
from tidegate import task, wait_for_input, workflow

@task
def finish(word: str) -> str:
    return "one " + word

@workflow
def wf() -> str:
    return finish(word=wait_for_input("word", expected_type=str))
"""


def test_what_waits_continues_with_its_own_code_after_a_new_or_broken_version(
    remote: Remote, tmp_path: Path
):
    file = tmp_path / "versions.py"
    file.write_text(V1)
    (one,) = remote.register(file)
    first = remote.execute("versions.wf")
    waiting(remote, first, "word")

    file.write_text(V1.replace('"one "', '"two "'))
    (two,) = remote.register(file, version="second")
    second = remote.execute("versions.wf")
    waiting(remote, second, "word")
    file.write_text("raise RuntimeError('broken')")
    with pytest.raises(CodeError, match="broken"):
        remote.register(file)

    for execution in (first, second):
        remote.set_signal("word", execution.id.name, "word")
    assert remote.wait(first, timeout=LONGEST).outputs.o0 == "one word"
    assert remote.wait(second, timeout=LONGEST).outputs.o0 == "two word"
    assert (first.version, second.version) == (one.version, "second")
    assert remote.fetch_workflow("versions.wf").version == "second"
    old = remote.execute("versions.wf", version=one.version, inputs={})
    remote.set_signal("word", old.id.name, "again")
    assert remote.wait(old, timeout=LONGEST).outputs.o0 == "one again"
    assert two.version == "second"


def test_the_same_tree_is_not_sent_twice(remote: Remote, tmp_path: Path):
    file = tmp_path / "sent.py"
    file.write_text(V1)
    archive = pack(find_sources(file))

    assert remote.upload(archive)
    assert not remote.upload(archive)
