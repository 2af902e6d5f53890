"""What programs around a workflow write, as type checkers see it: decks, files, the client, and tests."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, assert_type

from tidegate import (
    CompileError,
    Deck,
    Directory,
    ExecutionFailed,
    File,
    FlyteDirectory,
    FlyteFile,
    ImperativeWorkflow,
    InvalidValue,
    LaunchPlan,
    NoAnswer,
    Pickled,
    Refused,
    StructuredDataset,
    TidegateError,
    UnknownThing,
    UnsupportedType,
    approve,
    current_context,
    errors,
    task,
    wait_for_input,
    workflow,
)
from tidegate.remote import Config, Execution, Remote
from tidegate.testing import Sandbox


@dataclass
class Luggage:
    table: StructuredDataset
    file: FlyteFile
    directory: FlyteDirectory


class Model:
    """Only tasks ever see one."""


@task
def pack(source: File, places: Directory) -> Luggage:
    run = current_context()
    assert_type(run.attempt, int)
    assert_type(run.idempotency_key, str)
    assert_type(run.working_directory, str)
    run.logging.info("packing")
    run.default_deck.markdown("**packed**").text("as it is")
    Deck("Rows", "<p>").table([{"a": 1}]).image(b"", alt="a plot").append({"a": 1})
    with source.open("rb") as content, Path(source).open() as text:
        del content, text
    assert_type(places.path, str)
    return Luggage(StructuredDataset(dataframe=[]), source, places)


@task
def train(luggage: Luggage) -> Annotated[Model, Pickled]:
    return Model()


@task
def score(model: Pickled[Model]) -> float:
    return 1.0


@workflow
def trip(source: File, places: Directory) -> float:
    luggage = approve(pack(source=source, places=places), "packed")
    assert_type(luggage.file, File)
    wait_for_input("weight", expected_type=float, suggested=1.5, prompt="*kg*")
    return score(model=train(luggage=luggage))


def ask_a_server() -> None:
    with Remote(Config.for_sandbox(), default_project="p", default_domain="d") as remote:
        remote.register("flow.py")
        fetched = remote.fetch_workflow("flow.trip")
        remote.fetch_workflow("project", "domain", "flow.trip", "v1")
        execution = remote.execute(fetched, inputs={"source": File("a")}, wait=False)
        remote.recent_executions("project", "domain", 5, phases=["WAITING"])
        assert_type(execution, Execution)
        assert_type(execution.id.name, str)
        remote.set_signal("weight", execution.id.name, 1.5, comment="by hand")
        remote.approve("packed", execution.id.name)
        done = remote.wait(execution, timeout=timedelta(minutes=1))
        assert_type(done.is_successful, bool)
        for waiting in remote.inbox():
            assert_type(waiting.name, str)
        anything: Any = done.outputs.o0
        del anything


def try_it() -> None:
    with Sandbox() as sandbox:
        run = sandbox.launch(trip, source=File("a"), places=Directory("b"))
        sandbox.advance(timedelta(hours=1))
        run.answer("weight", 1.5)
        run.approve("packed", who="ann", comment="fine")
        assert_type(run.phase, str)
        assert_type(run.waiting, list[str])


def put_together() -> None:
    wf = ImperativeWorkflow("w")
    source = wf.add_workflow_input("source", File)
    node = wf.add_entity(pack, source=source, places=wf.add_workflow_input("places", Directory))
    wf.add_workflow_output("out", node.outputs["o0"], Luggage)
    plan = LaunchPlan.create("plan", trip, fixed_inputs={"source": File("a")})
    LaunchPlan.get_default_launch_plan(current_context(), trip)
    try:
        plan(places=Directory("b"))
    except (CompileError, UnsupportedType, InvalidValue, NoAnswer, Refused, UnknownThing) as error:
        assert_type(error.message, str)
    except ExecutionFailed as error:
        raise errors.TidegateError(error.message) from error
    except TidegateError:
        raise
