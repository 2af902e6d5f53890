"""How an exception of the author's code is reported: one line, and the author's part of the traceback."""

import os
import re
import shlex
import sys
import traceback
from pathlib import Path
from types import TracebackType

from tidegate.core.messages import TASK_RAISED, Failure
from tidegate.errors import AuthoringError, InvalidValue, TidegateError

MAX_TRACE = 16 * 1024
MAX_MESSAGE = 2 * 1024
MAX_NAME = 200

_QUOTED = re.compile(r"'([^']+)'")

_OURS = str(Path(__file__).parents[1]) + "/"


def failure_of(error: BaseException, source: str = "", launched_from: str = "") -> Failure:
    """
    Return the failure of an attempt that raised. Files below `source` are named as in the author's tree; if a missing file exists
    in the directory it was `launched_from`, the message says so.

    An error in the code or in a value would occur again, so it is not retried.
    """
    retryable = not isinstance(error, InvalidValue | AuthoringError)
    message = one_line(error) + not_packed(error, source, launched_from)
    return Failure(TASK_RAISED, message, trace_of(error, source), retryable)


def not_packed(error: BaseException, source: str, launched_from: str = "") -> str:
    """
    Say how a file gets into the code of an execution, if one was looked for there, or exists where the execution was launched.

    Without a `source` the task has run in the caller's process: only a file that exists in the caller's directory can be reported as missing.
    """
    name = os.path.normpath(_missing_name(error))
    name = name.removeprefix(f"{source}/") if source else name
    if name in (".", "") or name.startswith(("/", "~")) or "\0" in name:
        return ""
    is_there = bool(launched_from) and os.path.exists(os.path.join(launched_from, name))  # noqa: PTH110, PTH118 - False where nobody may look
    if not source and not is_there:
        return ""
    there = f"there is one in {launched_from}, where the execution was launched, but a task has its own working directory"
    read = "read it from current_context().launched_from"
    if name.startswith("../"):
        return f" ({there}: {read})" if is_there else ""
    parts = name.split("/")
    for packed in ("/".join(parts[n:]) for n in range(1, len(parts) if source else 1)):
        if os.path.exists(f"{source}/{packed}"):  # noqa: PTH110 - as above
            return f" (it is packed as {packed}: paths are relative to the directory from which the workflow is imported)"
    flag = f"pack it with --include {shlex.quote(name[:MAX_NAME])}"
    if is_there:
        return f" ({there}: {flag}, or {read})"
    if isinstance(error, ModuleNotFoundError):
        return f" (install it there; if it is a file beside the workflow, {flag})"
    return f" (if it is beside the workflow, it is not packed; {flag})"


def _missing_name(error: BaseException) -> str:
    """Return the name of a file that was not found; empty if none was looked for, or its name is unknown."""
    match error:
        case FileNotFoundError(filename=None) if found := _QUOTED.search(str(error)):
            return found[1]
        case FileNotFoundError(filename=str() | bytes() | os.PathLike() as name):
            return os.fsdecode(name)
        case ModuleNotFoundError(name=str(module)) if not _is_pythons(module):
            return f"{module.replace('.', '/')}.py"
        case _:
            return ""


def _is_pythons(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def one_line(error: BaseException) -> str:
    """Return an exception in words: `ValueError: too small`; our own errors need no prefix."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the author's own __str__
        text = "(its text is not available)"
    line = _sound(text)
    if not isinstance(error, TidegateError):
        line = ": ".join(filter(None, (type(error).__name__, line)))
    return line if len(line) <= MAX_MESSAGE else line[:MAX_MESSAGE] + " ..."


def trace_of(error: BaseException, source: str = "") -> str:
    """Return the traceback without our own frames, shortened in the middle."""
    if isinstance(error, TidegateError) and _origin(error.__traceback__, source) is None:
        return ""
    try:
        whole = traceback.TracebackException.from_exception(error, limit=-200)
    except Exception:  # noqa: BLE001 - it looks at the author's objects
        return ""
    seen: set[int] = set()
    parts: list[traceback.TracebackException | None] = [whole]
    while parts:
        part = parts.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        kept = [frame for frame in part.stack if not _is_inner(frame.filename)]
        for frame in kept:
            frame.filename = within(frame.filename, source)
        part.stack[:] = kept
        parts += [part.__cause__, part.__context__, *(part.exceptions or ())]
    text = _sound("".join(whole.format()))
    if len(text) <= MAX_TRACE:
        return text
    half = MAX_TRACE // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"


def _sound(text: str) -> str:
    """Return text that can be stored: a lone surrogate, as in the name of a file, is replaced by its number."""
    return text.encode("utf-8", "backslashreplace").decode()


def where_of(error: BaseException, source: str) -> str:
    """Return the file and line in the author's tree where an exception arose, `flow.py:3`; empty if it arose elsewhere."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{within(error.filename, source)}:{error.lineno}"
    return _origin(error.__traceback__, source) or ""


def within(filename: str, source: str) -> str:
    """Return the name of a file relative to a source tree, if it is inside it."""
    return filename.removeprefix(source.rstrip("/") + "/") if source else filename


def _origin(trace: TracebackType | None, source: str) -> str | None:
    found = None
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if not _is_inner(filename) and (not source or filename.startswith(source)):
            found = f"{within(filename, source)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _is_inner(filename: str) -> bool:
    return filename.startswith((_OURS, "<frozen importlib", sys.base_prefix + "/lib/importlib"))
