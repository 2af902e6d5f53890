"""A directory of this process, for the files of plain calls, removed at exit. And `current_context()`."""

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

from msgspec import structs

from tidegate.sdk.trace import TaskRun, current_run
from tidegate.types.values import FileStore, with_pickle


@functools.cache
def scratch() -> Path:
    """Return the directory, made on first use."""
    path = tempfile.mkdtemp(prefix="tidegate-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


@functools.cache
def scratch_blobs() -> FileStore:
    """Return where plain calls keep their files."""
    # Loaded late, to keep `import tidegate` fast.
    from tidegate.blobs.directory import BlobDirectory  # noqa: PLC0415
    from tidegate.blobs.files import BlobFiles  # noqa: PLC0415

    return with_pickle(BlobFiles(BlobDirectory(scratch() / "blobs", sync=False)))


@functools.lru_cache(maxsize=1024)
def _with_directory(run: TaskRun) -> TaskRun:
    # Few tasks ask for it, so a directory is made only for those that do.
    return structs.replace(run, working_directory=tempfile.mkdtemp(prefix="work-", dir=scratch()))


def here() -> str:
    """Return the working directory of this process; empty if it has been removed."""
    try:
        return os.getcwd()  # noqa: PTH109 - a text, as tasks get it
    except OSError:
        return ""


@functools.cache
def _outside() -> TaskRun:
    return TaskRun(launched_from=here())


def current_context() -> TaskRun:
    """
    Return the running attempt: its execution, node, attempt, idempotency key, logger, working directory and decks.

    Outside an execution it describes a run called `local`, so that a task can be tried as a plain function.
    """
    run = current_run() or _outside()
    return run if run.working_directory else _with_directory(run)
