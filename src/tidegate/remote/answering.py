"""The client's answers (with a key of their own and, if a question was given that was shown, what it showed), and the options of its calls."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from tidegate.wire import Answer, Relaunch, WaitingView


class AnswerOptions(TypedDict, total=False):
    """
    Options of an answer.

    `comment`: why; it is kept with the answer. `key`: the idempotency key, made up if none is given. `shown`: the digest of the question that was shown.
    `literal_type` is Flyte's, and has no effect: the server knows the type.
    """

    comment: str
    key: str
    shown: str
    literal_type: Any


def answer_to(
    signal: str | WaitingView, execution: str, value: Any, options: AnswerOptions
) -> Answer:
    """
    Return the request that answers a signal. A question that the client returned says of which execution it is, and what it showed.

    Errors: TypeError for an option that there is not, and for a name alone.
    """
    check_known("an answer", options, AnswerOptions)
    called, shown = signal, options.get("shown", "")
    if isinstance(signal, WaitingView):
        called, shown = signal.handle, shown or signal.digest
        execution = execution or signal.execution
    elif not execution:
        raise TypeError("name the execution, or give a question that inbox() has returned")
    assert isinstance(called, str)
    return Answer(
        id=execution,
        name=called,
        value=value,
        comment=options.get("comment", ""),
        # A key of our own makes it safe to ask again when no reply comes.
        key=options.get("key") or f"client-{fresh()}",
        shown=shown,
    )


class RecoverOptions(TypedDict, total=False):
    """
    Options of `recover` and `preview_recovery`.

    `here`: go on with the code in this directory, or in the one that is given; it is registered as a version of its own. `include` names what is packed
    of it as well. `version`: go on with this version of the registered code.
    `rerun`: nodes of which nothing is kept, by id or name. `keep_approvals`: keep approvals under other code; for who may approve, and recorded.
    `id`: of the new execution; the same one again returns the first.
    """

    here: bool | Path | str
    include: Sequence[Path | str]
    version: str
    rerun: Sequence[str]
    keep_approvals: bool
    id: str


class RelaunchOptions(TypedDict, total=False):
    """Options of `relaunch`. `id`: of the new execution; the same one again returns the first. `version`: of the workflow's code, instead of the same."""

    id: str
    version: str


def again_with(execution: str, inputs: dict[str, Any], options: RelaunchOptions) -> Relaunch:
    """Return the request that launches an execution again, with these inputs in place of its own."""
    new_id, version = options.get("id") or fresh(), options.get("version", "")
    return Relaunch(id=execution, new_id=new_id, version=version, inputs=inputs)


def check_known(what: str, options: Mapping[str, Any], kind: Any) -> None:
    """Refuse an option that would go unnoticed, as a misspelled comment would."""
    for name in options.keys() - kind.__annotations__.keys():
        there = ", ".join(kind.__annotations__)
        raise TypeError(f"{what} has no option {name!r}; there are: {there}")


def fresh() -> str:
    """Return an id, or a part of a key, that nobody else makes."""
    return secrets.token_hex(10)
