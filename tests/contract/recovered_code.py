"""A store with workers, and code that is written, registered, run until it fails, fixed, and gone on with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tidegate.bundles.archive import Archive, pack
from tidegate.bundles.sources import find_sources
from tidegate.runtime import Runtime, artifacts_in, open_runtime
from tidegate.service.access import Principal, person
from tidegate.wire import (
    Abort,
    Answer,
    ExecutionView,
    GetExecution,
    Launch,
    PreviewRecovery,
    Recover,
    RecoveryNode,
    RecoveryView,
    Register,
)

LONGEST = 30.0

PRELUDE = """
from datetime import timedelta
from pathlib import Path

from tidegate import (
    approve, conditional, current_context, dynamic, sleep, task, wait_for_input, workflow,
)


def say(what):
    with open({ran!r}, "a") as file:
        file.write(f"{{what}} {{current_context().idempotency_key}}\\n")


def broken(what):
    if Path({ran!r} + "." + what).exists():
        raise ValueError(what)

"""


class Code:
    """A module `flow`, of which there are versions, and the executions of its workflow `wf`."""

    def __init__(self, runtime: Runtime, place: Path) -> None:
        self.runtime = runtime
        self.place = place
        self.ran_file = place / "ran"
        self.text = ""

    def packed(self, text: str) -> Archive:
        """Write the module, and bring it to the store."""
        self.text = text
        file = self.place / "flow.py"
        file.write_text(PRELUDE.format(ran=str(self.ran_file)) + text)
        archive = pack(find_sources(file, [file]))
        artifacts_in(self.place / "home").bundles.put(archive)
        return archive

    def registered(self, text: str) -> str:
        """Register the module, and return the version."""
        archive = self.packed(text)
        request = Register(bundle=archive.digest, module="flow", only=["wf"])
        return self.runtime.handle(request).items[0].version

    def fixed(self, *changes: tuple[str, str]) -> str:
        """Register the module with some of its text replaced."""
        text = self.text
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        return self.registered(text)

    def launched(self, text: str, id_: str = "one", **inputs: Any) -> ExecutionView:
        """Register the module, and launch its workflow."""
        version = self.registered(text)
        request = Launch(workflow="flow.wf", version=version, inputs=inputs, id=id_)
        self.runtime.handle(request)
        return self.look(id_)

    def look(self, id_: str) -> ExecutionView:
        """Return an execution once nothing more happens by itself."""
        return self.runtime.handle(GetExecution(id=id_, wait=LONGEST, until_waiting=True))

    def answer(self, id_: str, name: str, value: Any = True, who: str = "ann") -> ExecutionView:
        self.runtime.service.handle(Answer(id=id_, name=name, value=value), person(who))
        return self.look(id_)

    def abort(self, id_: str) -> None:
        self.runtime.handle(Abort(id=id_))

    def recover(
        self, id_: str, new: str = "", *, by: Principal | None = None, **how: Any
    ) -> ExecutionView:
        request = Recover(id=id_, new_id=new, **how)
        view = self.runtime.service.handle(request, by or person("oscar"))
        return self.look(view.id)

    def preview(self, id_: str, **how: Any) -> RecoveryView:
        return self.runtime.handle(PreviewRecovery(id=id_, **how))

    def breaks(self, what: str, *, broken: bool = True) -> None:
        """Have `broken(what)` raise from now on, or no longer."""
        file = self.place / f"ran.{what}"
        if broken:
            file.touch()
        else:
            file.unlink()

    @property
    def ran(self) -> list[str]:
        """What tasks have said that they did since it was asked last."""
        said = [each.split()[0] for each in self.lines()]
        self.ran_file.write_text("")
        return said

    def lines(self) -> list[str]:
        return self.ran_file.read_text().splitlines() if self.ran_file.exists() else []


@contextmanager
def code_in(place: Path) -> Iterator[Code]:
    with open_runtime(place / "home", workers=2, serve_door=False) as runtime:
        yield Code(runtime, place)


def waiting(view: ExecutionView) -> list[str]:
    return sorted(each.name for each in view.waiting)


def becomes(found: RecoveryView) -> dict[str, str]:
    """Return what becomes of each node, by name; of several of a name, in order."""
    told: dict[str, str] = {}
    for each in found.nodes:
        word = f"{each.becomes}{'*' if each.changed else ''}"
        told[each.name] = f"{told[each.name]} {word}" if each.name in told else word
    return told


def why(found: RecoveryView, name: str) -> str:
    return node(found, name).why


def node(found: RecoveryView, name: str) -> RecoveryNode:
    return next(each for each in found.nodes if each.name == name)


FLOW = """
@task
def load(n: int) -> list[int]:
    say("load")
    return list(range(n))


@task
def fit(items: list[int], times: int) -> int:
    say(f"fit{times}")
    return sum(items) * times


@task
def train(total: int) -> float:
    say("train")
    raise ValueError("bug")


@task
def report(score: float, title: str) -> str:
    say("report")
    return f"{title}: {score}"


@workflow
def wf(n: int) -> str:
    items = load(n=n)
    total = fit(items=items, times=3)
    title = wait_for_input("title", expected_type=str)
    ok = approve(total, "ok", prompt="Train?")
    return report(score=train(total=ok), title=title)
"""
FIX = ('    raise ValueError("bug")', "    return total / 2")


def failed(code: Code, flow: str = FLOW) -> None:
    """Launch the workflow as `one`, and bring it to where `train` fails."""
    code.launched(flow, n=3)
    code.answer("one", "title", "T")
    assert code.answer("one", "ok").phase == "FAILED"
    assert code.ran == ["load", "fit3", "train"]
