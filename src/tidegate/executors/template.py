"""
The template of a worker: a process that has imported what its attempts need, and only forks children and ends them.

Rule 1: a worker forks it when the code is imported, and another when more is. After a fork every page of memory that a process writes to is
        copied, and reading an object writes its reference count; a worker does much between two forks, its template almost nothing.
Rule 2: orphans below here become the template's children. So when an attempt has ended, its whole tree is found and ended here.
Rule 3: it ends with its worker, and its children end with it.
"""

import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

from tidegate.executors import trees
from tidegate.executors.spare import Spare

_ORDER: Final = struct.Struct("=Bi")
_REPLY: Final = struct.Struct("=i?")
_FORK, _END, _END_AND_TELL, _LOOK = range(4)
"""What is ordered. An order to end that comes with a stream is also one to fork: there are two replies then."""


class TemplateGone(Exception):
    """The template has ended, and its children with it; their descendants may not have."""


class Template:
    """A template, as its worker sees it. Errors of the methods: `TemplateGone`."""

    def __init__(self, be_a_child: Callable[[socket.socket, int], NoReturn], printed: int) -> None:
        """
        Fork it. Errors: `OSError`.

        `be_a_child` is what its children do, with their end of a stream and the process they came from; `printed` takes their output.
        """
        self._control, theirs = socket.socketpair()
        self._forking: socket.socket | None = None
        """Our end of the stream of a child that is being forked."""
        try:
            self.process = os.fork()
        except OSError:
            self._control.close()
            theirs.close()
            raise
        if self.process == 0:
            self._control.close()
            _be_a_template(theirs, be_a_child, printed)
        theirs.close()

    def fork(self) -> Spare | None:
        """Return a child, which may have been begun with the end of another; None if the system has no room for one."""
        if self._forking is None:
            self._begin(_FORK, 0)
        if self._forking is None:
            return None
        process, _ = self._reply()
        ours, self._forking = self._forking, None
        if process == 0:
            ours.close()
            return None
        return Spare(process, ours)

    def _begin(self, what: int, process: int) -> None:
        """Give an order to fork, along with what is ordered; without it if there is no room."""
        try:
            self._forking, theirs = socket.socketpair()
        except OSError:
            if what != _FORK:
                self._order(what, process)
            return
        with theirs:
            self._order(what, process, theirs)

    def has_ended(self, process: int) -> bool:
        """Whether a child has ended."""
        self._order(_LOOK, process)
        return self._reply()[1]

    def end(self, process: int, *, tell: bool, another: bool) -> tuple[int, bool]:
        """End a child with its descendants, and name the programs. Return its exit code, and whether nothing is left; `another` is begun afterwards, for `fork`."""
        what = _END_AND_TELL if tell else _END
        if another:
            self._begin(what, process)
        else:
            self._order(what, process)
        return self._reply()

    def drop(self) -> None:
        """End it, with its children."""
        self._control.close()
        if self._forking is not None:
            self._forking.close()
        os.waitpid(self.process, 0)

    def _order(self, what: int, process: int, *given: socket.socket) -> None:
        try:
            socket.send_fds(
                self._control, [_ORDER.pack(what, process)], [each.fileno() for each in given]
            )
        except OSError as error:
            raise TemplateGone from error

    def _reply(self) -> tuple[int, bool]:
        try:
            said = self._control.recv(_REPLY.size, socket.MSG_WAITALL)
        except OSError as error:
            raise TemplateGone from error
        if len(said) < _REPLY.size:
            raise TemplateGone
        number, holds = _REPLY.unpack(said)
        return number, holds


def _be_a_template(
    control: socket.socket, be_a_child: Callable[[socket.socket, int], NoReturn], printed: int
) -> NoReturn:
    try:
        # Signals to the worker's group are for the worker; its end is noticed here.
        os.setpgid(0, 0)
        trees.adopt_orphans()
        _serve(control, be_a_child, printed)
    finally:
        trees.end_children()
        os._exit(0)


def _serve(
    control: socket.socket, be_a_child: Callable[[socket.socket, int], NoReturn], printed: int
) -> None:
    me = os.getpid()
    while True:
        order, given, _, _ = socket.recv_fds(control, _ORDER.size, 1)
        if not order:
            return
        what, process = _ORDER.unpack(order)
        if what in {_END, _END_AND_TELL}:
            code = _end(process)
            if what == _END_AND_TELL:
                trees.tell(trees.programs(), printed)
            control.sendall(_REPLY.pack(code, trees.end_children()))
        elif what == _LOOK:
            control.sendall(_REPLY.pack(0, _has_ended(process)))
        if given:
            born = _fork()
            if born == 0:
                control.close()
                # Said what it is, nobody asks the system.
                be_a_child(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, given[0]), me)
            os.close(given[0])
            control.sendall(_REPLY.pack(max(born, 0), True))


def _fork() -> int:
    try:
        born = os.fork()
    except OSError:
        return -1
    if born:
        with suppress(OSError):  # whichever of the two comes first; the other may be too late
            os.setpgid(born, born)
    return born


def _end(process: int) -> int:
    """End a child, with its process group if nothing else finds its descendants (see `trees`), and return its exit code."""
    if sys.platform != "linux":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _has_ended(process: int) -> bool:
    how = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process, how) is not None
