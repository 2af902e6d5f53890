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
from contextlib import ExitStack, suppress
from typing import Final, NoReturn

from tidegate.executors import trees
from tidegate.executors.spare import Spare

_ORDER: Final = struct.Struct("=Bi")
_REPLY: Final = struct.Struct("=i?")
_FORK, _END, _END_AND_TELL, _LOOK = range(4)


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
        """Fork a child; None if the system has no room for one."""
        with ExitStack() as undo:
            try:
                ours, theirs = socket.socketpair()
            except OSError:
                return None
            undo.callback(ours.close)
            with theirs:
                self._order(_FORK, 0, theirs)
            process, _ = self._reply()
            if process == 0:
                return None
            undo.pop_all()
        return Spare(process, ours)

    def has_ended(self, process: int) -> bool:
        """Whether a child has ended."""
        self._order(_LOOK, process)
        return self._reply()[1]

    def end(self, process: int, *, tell: bool) -> tuple[int, bool]:
        """End a child with its descendants, and name the programs. Return its exit code, and whether nothing is left."""
        self._order(_END_AND_TELL if tell else _END, process)
        return self._reply()

    def drop(self) -> None:
        """End it, with its children."""
        self._control.close()
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
        if what == _FORK:
            born = _fork()
            if born == 0:
                control.close()
                be_a_child(socket.socket(fileno=given[0]), me)
            os.close(given[0])
            reply = _REPLY.pack(max(born, 0), True)
        elif what in {_END, _END_AND_TELL}:
            code = _end(process)
            if what == _END_AND_TELL:
                trees.tell(trees.programs(), printed)
            reply = _REPLY.pack(code, trees.end_children())
        else:
            reply = _REPLY.pack(0, _has_ended(process))
        control.sendall(reply)


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
