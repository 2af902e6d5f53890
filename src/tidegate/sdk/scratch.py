"""A directory of this process, for the files of plain calls; it goes when the process goes."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from tidegate.blobs import BlobDirectory
from tidegate.sdk.trace import TaskRun
from tidegate.types.values import Blobs, with_pickle


@functools.cache
def scratch() -> Path:
    """Return the directory; made when it is first asked for."""
    path = tempfile.mkdtemp(prefix="tidegate-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


@functools.cache
def scratch_blobs() -> Blobs:
    """Return where plain calls keep their files."""
    return with_pickle(BlobDirectory(scratch() / "blobs"))


def working_directory() -> str:
    """Return a new, empty directory."""
    return tempfile.mkdtemp(prefix="work-", dir=scratch())


@functools.cache
def no_run() -> TaskRun:
    """Return what stands for the attempt where there is none."""
    return TaskRun(working_directory=working_directory())
