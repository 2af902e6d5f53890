"""
What tasks inherit from the process that owns their store: the user's umask, and variables.

A server has secrets in its environment that are none of its tasks' business (a database's password, cloud keys), so tasks get the usual variables, and those that are named.
"""

import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from msgspec import Struct

from tidegate.home import BLOBS_VARIABLE, STORE_VARIABLE
from tidegate.ports.objects import Objects

UMASK: Final = "TIDEGATE_UMASK"
"""The variable that carries the umask to the workers, which use the owner's and set this one where a task starts."""

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
"""Where programs and files are, whose they are, language and time, and settings of Python and numerical libraries."""


KEYS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_CONTAINER_*",
    "AWS_WEB_IDENTITY_*",
    "GOOGLE_*",
    "AZURE_*",
)
"""The credentials of object stores, as obstore reads them."""


class Surroundings(Struct, frozen=True):
    """`names` are the variables passed on beside the usual ones, with `*` for any characters; None passes all. An `umask` of None is the process's own."""

    names: Sequence[str] | None = None
    umask: int | None = None
    store: Path | None = None
    """The home of the store, if the workers have another one: what tasks need is read there, and nothing is written there."""
    objects: Objects | None = None
    """The object store with the files of the store, if they are in one, and this process has its credentials."""
    asks: Path | None = None
    """The home of the process that workers ask for files, if these are in an object store."""
    anywhere: str = ""
    """The id of an execution, or its beginning, whose tasks start although their code imports other packages than at launch."""

    keeps_keys: bool = False
    """Whether keys of object stores in the environment are the user's own, because the store is on other machines."""
    kind: str = ""
    """The kind of owner, as of `Mark`: workers of a node of a cluster are not those of the store's owner on that machine."""

    def may_differ(self, execution: str) -> bool:
        """Return whether the tasks of an execution start whatever their code imports."""
        return bool(self.anywhere) and execution.startswith(self.anywhere)

    def variables(self) -> dict[str, str]:
        """Return the environment of a fork server, which workers and tasks inherit."""
        found = dict(os.environ if self.names is None else passed(os.environ, self.names))
        for name in (STORE_VARIABLE, BLOBS_VARIABLE):
            found.pop(name, None)
        if self.names is None and self.asks is not None and not self.keeps_keys:
            # The keys of the object store are none of the tasks' business, unless they are named.
            found = {name: text for name, text in found.items() if not _is_key(name)}
        if self.umask is not None:
            found[UMASK] = f"{self.umask:o}"
        return found


def _is_key(name: str) -> bool:
    return any(fnmatchcase(name, each) for each in KEYS)


def passed(environment: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return the variables that are usual, or that match one of the names."""
    wanted = (*USUAL, *names)
    return {
        name: text
        for name, text in environment.items()
        if any(fnmatchcase(name, each) for each in wanted)
    }


def taken_umask() -> int | None:
    """Return the umask for tasks, and remove it from the environment of this process; None to leave it unchanged."""
    text = os.environ.pop(UMASK, "")
    return int(text, 8) if text else None
