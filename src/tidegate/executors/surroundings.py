"""
What tasks get of the process that owns their store: the umask as its user had it, and variables.

A server has secrets in its environment that are not its tasks' (a database's password, keys of a cloud), so these get the usual ones, and what is named.
"""

import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from msgspec import Struct

UMASK: Final = "TIDEGATE_UMASK"
"""The variable that takes the umask to the workers, which keep to the owner's, and set it where a task begins."""

USUAL: Final = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_*",
    "TZ",
    "TMPDIR",
    "VIRTUAL_ENV",
    "PYTHON*",
    "*_NUM_THREADS",
)
"""Where programs and files are, whose they are, language and time, and how Python and numerical libraries are to run."""


class Surroundings(Struct, frozen=True):
    """`names` are the variables that are passed on beside the usual ones, with `*` for any characters; None passes all. An `umask` of None is the process's own."""

    names: Sequence[str] | None = None
    umask: int | None = None
    store: Path | None = None
    """The home of the store, if the workers have another one: what tasks need is read there, and nothing is written there."""
    anywhere: str = ""
    """The id of an execution, or its beginning, whose tasks begin though their code imports something else than when it was launched."""

    def may_differ(self, execution: str) -> bool:
        """Return whether the tasks of an execution begin whatever their code imports."""
        return bool(self.anywhere) and execution.startswith(self.anywhere)

    def variables(self) -> dict[str, str]:
        """Return the environment of a fork server, which workers and tasks inherit."""
        found = dict(os.environ if self.names is None else passed(os.environ, self.names))
        if self.umask is not None:
            found[UMASK] = f"{self.umask:o}"
        return found


def passed(environment: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return the variables that are usual, or that one of the names fits."""
    wanted = (*USUAL, *names)
    return {
        name: text
        for name, text in environment.items()
        if any(fnmatchcase(name, each) for each in wanted)
    }


def taken_umask() -> int | None:
    """Return the umask that tasks are to have, and take it out of the environment of this process; None to leave it as it is."""
    text = os.environ.pop(UMASK, "")
    return int(text, 8) if text else None
