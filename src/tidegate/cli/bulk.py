"""
Many answers with one command: from a file, or one decision for every approval of a workflow.

Rule 1: everything is read and shown before anything is sent, and nothing is sent without confirmation, at the terminal or with --yes.
Rule 2: each answer is decided separately and has its own result. An answer is reported as accepted only if the reply says so.
"""

import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import click
import msgspec
from msgspec import UNSET, Struct

from tidegate.cli.main import exit_code
from tidegate.cli.options import full_id, full_workflow
from tidegate.cli.reading import whole_question
from tidegate.cli.render import columns, line, print_json, short, size, tell
from tidegate.cli.showing import waiting_lines
from tidegate.cli.way import Way, spelled
from tidegate.errors import InvalidValue, StoreError, TidegateError, UnknownExecution
from tidegate.ir.expr import Value
from tidegate.types.json_text import read_json
from tidegate.wire import Answer, AnswerReply, ListInbox, WaitingView

PAGE = 500
PREVIEWED = 200
"""Answers that a preview lists; nobody reads more than that."""

VALUE_ROOM = 40
"""Characters of a value in a preview."""


class AnswerLine(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a file of answers. The question is given by its handle, path or name, in any of these fields."""

    execution: str
    value: Value
    signal: str = ""
    handle: str = ""
    path: str = ""
    name: str = ""
    comment: str = ""
    key: str = ""
    shown: str = ""

    @property
    def question(self) -> str:
        """Return what identifies the question most exactly."""
        return self.handle or self.path or self.signal or self.name


class Item(Struct, frozen=True):
    """One answer, and the cells that show it in a preview."""

    answer: Answer
    cells: tuple[str, ...]


class Result(Struct, frozen=True, omit_defaults=True):
    """The outcome of one answer: the reply, or the code and the message of the error."""

    execution: str
    signal: str
    reply: AnswerReply | None = None
    code: str = ""
    error: str = ""


# ---- from a file ----


def read_answers(way: Way, file: str, comment: str) -> list[Item]:
    """Read answers from a JSON Lines file; `-` is standard input. Errors: `InvalidValue`, which names the line."""
    known: dict[str, str] = {}
    found = []
    for number, raw in enumerate(_content(file).splitlines(), start=1):
        if not raw.strip():
            continue
        each = _parsed(raw, f"{line(file)}:{number}")
        if each.execution not in known:
            # Each line has its own result, so one that names an unknown execution does not hold up the others.
            known[each.execution] = each.execution
            with suppress(UnknownExecution):
                known[each.execution] = full_id(way, each.execution)
        answer = Answer(
            id=known[each.execution],
            name=each.question,
            value=each.value,
            comment=each.comment or comment,
            key=each.key or _fresh(),
            shown=each.shown,
        )
        called = line(each.name or each.path or each.signal or each.handle)
        found.append(Item(answer, (answer.id, called, short(each.value, VALUE_ROOM))))
    return found


def _content(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{line(file)} is not UTF-8: {error.reason} at byte {error.start}") from None  # fmt: skip
    except OSError as error:
        raise InvalidValue(f"{line(file)}: cannot be read: {error.strerror}") from None


def _parsed(raw: str, where: str) -> AnswerLine:
    try:
        found = msgspec.convert(read_json(raw), AnswerLine)
    except InvalidValue as error:
        raise InvalidValue(f"{where}: {error.message}") from None
    except (ValueError, msgspec.ValidationError) as error:
        raise InvalidValue(f'{where}: {error}; each line must be {{"execution": ID, "signal": NAME, "value": JSON}}') from None  # fmt: skip
    if not found.question:
        raise InvalidValue(f"{where}: name the question: its `signal`, `handle`, `path` or `name`")
    return found


# ---- every approval ----


class Wanted(Struct, frozen=True):
    """Which approvals to decide: those of a workflow, of an execution, or with a name."""

    workflow: str = ""
    execution: str = ""
    name: str = ""


def open_approvals(
    way: Way, wanted: Wanted, comment: str, *, value: bool, full: bool
) -> list[Item]:
    """Return an answer for each open approval that matches. With `full`, the questions are shown in full, and the answers carry their digests."""
    workflow = wanted.workflow and full_workflow(way, wanted.workflow)
    execution = wanted.execution and full_id(way, wanted.execution)
    found = []
    for listed in _inbox(way, workflow, execution):
        if wanted.name not in ("", listed.name, listed.path):
            continue
        each = listed
        if full:
            each = whole_question(way, listed)
            for said in (f"{each.execution}  {line(each.workflow)}", *waiting_lines(each), ""):
                tell(said)
        answer = Answer(
            id=each.execution,
            name=each.handle,
            value=value,
            comment=comment,
            key=_fresh(),
            shown=each.digest if full else "",
        )
        cells = (
            each.execution,
            line(each.path),
            _subject(each),
            line(each.title or each.prompt, 60),
        )
        found.append(Item(answer, cells))
    return found


def _inbox(way: Way, workflow: str, execution: str) -> Iterator[WaitingView]:
    cursor = ""
    while True:
        page = way.ask(
            ListInbox(
                kind="approve", workflow=workflow, execution=execution, cursor=cursor, limit=PAGE
            )
        )
        yield from page.items
        cursor = page.next
        if not cursor:
            return


def _subject(each: WaitingView) -> str:
    if "value" in each.preview:
        view = each.preview["value"]
        return f"{line(view.text, VALUE_ROOM)} ({size(view.size)})"
    return "" if each.value is UNSET else short(each.value, VALUE_ROOM)


# ---- all of them ----


def decide_all(way: Way, items: Sequence[Item], verb: str, *, yes: bool, as_json: bool) -> int:
    """Show what would be sent, ask for confirmation, and send it. Return the exit code of the first answer that was not accepted, else 0."""
    if not items:
        if as_json:
            print_json([])
        tell(f"nothing to {verb}")
        return 0
    if not yes:
        _preview(items)
        what = f"{verb.capitalize()} {'this one' if len(items) == 1 else f'these {len(items):,}'}?"
        if not sys.stdin.isatty():
            raise click.UsageError(f"nothing was sent: add --yes to {verb} without confirmation")
        click.confirm(what, abort=True, err=True)
    results, code = _sent(way, items, as_json=as_json)
    if as_json:
        print_json(results)
    taken = sum(each.reply is not None for each in results)
    tell(f"{taken:,} of {len(items):,} accepted")
    if way.is_owner and taken:
        tell(f"nothing runs here; continue with `{spelled('resume')}`")
    return code


def _preview(items: Sequence[Item]) -> None:
    for each in columns([item.cells for item in items[:PREVIEWED]]).split("\n"):
        tell(each)
    if len(items) > PREVIEWED:
        tell(f"… and {len(items) - PREVIEWED:,} more")


def _sent(way: Way, items: Sequence[Item], *, as_json: bool) -> tuple[list[Result], int]:
    results: list[Result] = []
    code = 0
    lost: StoreError | None = None
    for item in items:
        answer, called = item.answer, item.cells[1]
        if lost is not None:
            results.append(Result(answer.id, called, code="not_sent", error="not sent"))
        else:
            try:
                results.append(Result(answer.id, called, way.ask(answer)))
            except TidegateError as error:
                results.append(Result(answer.id, called, None, error.code, _said(error)))
                code = code or exit_code(error)
                # An owner that does not reply to this one will not reply to the others either.
                lost = error if isinstance(error, StoreError) else None
        if not as_json:
            _tell_result(results[-1])
    return results, code


def _said(error: TidegateError) -> str:
    faults = error.faults if isinstance(error, InvalidValue) else ()
    more = "; ".join(str(fault) for fault in faults if fault.reason not in error.message)
    return f"{error.message}: {more}" if more else error.message


def _tell_result(result: Result) -> None:
    what = f"{result.execution}  {result.signal}"
    if result.reply is not None:
        early = " (early: it is kept until the gate opens)" if result.reply.early else ""
        click.echo(f"{what}  answered{early}")
    else:
        click.echo(f"{what}  {line(result.error)}")


def _fresh() -> str:
    # With a unique key, an answer can safely be sent again to the next owner of the store.
    return f"cli-{secrets.token_hex(8)}"
