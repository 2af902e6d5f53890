"""The local door: what is asked on one side is heard on the other, errors included, and nothing ends it for good."""

import asyncio
import errno
import os
import pwd
import resource
import socket
import threading
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec
import pytest
import uvloop

from tidegate import wait_for_input, workflow
from tidegate.api import accept
from tidegate.api.app import make_app
from tidegate.api.local import LocalDoor
from tidegate.api.problems import document
from tidegate.api.replies import Out
from tidegate.errors import (
    AlreadyAnswered,
    Forbidden,
    InvalidValue,
    Overloaded,
    StoreError,
    TidegateError,
    UnknownToken,
)
from tidegate.parts import Parts
from tidegate.remote.local import SOCKET, OwnerGone, address, connect, is_owned
from tidegate.remote.problems import error_in
from tidegate.remote.requests import HttpCall, ask, call_of
from tidegate.testing import Sandbox
from tidegate.wire import (
    Answer,
    GetExecution,
    GetLogs,
    GrantView,
    Launch,
    ListExecutions,
    ListTokens,
    ListWorkflows,
    MakeToken,
    Register,
    RevokeToken,
    WorkflowList,
)

LONGEST = 30.0
ME = pwd.getpwuid(os.getuid()).pw_name


@workflow
def title() -> str:
    return wait_for_input("title", expected_type=str)


@pytest.fixture
def opened(tmp_path):
    """Open doors for applications, in homes of their own."""
    doors = []

    def open_door(app, home=tmp_path):
        home.mkdir(parents=True, exist_ok=True)
        parts = Parts()
        door = LocalDoor(home, parts.part("local door"))
        door.open()
        door.run(lambda: app)
        doors.append(door)
        return parts

    yield open_door
    for door in doors:
        door.close()


@pytest.fixture
def owner(opened, tmp_path):
    """An engine behind a door."""
    with Sandbox(home=tmp_path) as sandbox:
        sandbox._register(title)
        opened(make_app(sandbox._service, "1").local)
        yield sandbox


def asked(home, request):
    with connect(home) as line:
        return ask(line, request)


async def empty(scope, receive, send):
    """An application that has nothing."""
    await Out(scope, send).whole(
        200, msgspec.json.encode(WorkflowList(items=[])), media="application/json"
    )


def every_class(kind):
    yield kind
    for below in kind.__subclasses__():
        yield from every_class(below)


def test_a_request_arrives_whole_and_the_system_says_whose_it_is(owner, tmp_path):
    inputs = {"surprise": "ü\n" * 1_000_000}
    with pytest.raises(InvalidValue) as caught:
        asked(tmp_path, Launch(workflow=title.name, inputs=inputs))
    assert [fault.path for fault in caught.value.faults] == [("surprise",)]
    id_ = asked(tmp_path, Launch(workflow=title.name, project="p", who="ada", via="ui")).id

    reply = asked(
        tmp_path, Answer(id=id_, name="title", value="a/b?", comment="ü\n", key="k", who="ada")
    )

    view = asked(tmp_path, GetExecution(id=id_, wait=LONGEST))
    assert (view.phase, view.who, view.project, reply.who) == ("SUCCEEDED", ME, "p", ME)
    answer = view.nodes[0].answer
    assert (answer.comment, answer.via) == ("ü\n", "cli")
    assert answer.credential == f"user:{os.getuid()}"
    assert [each.id for each in asked(tmp_path, ListExecutions(phases=["SUCCEEDED"])).items] == [
        id_
    ]
    assert asked(tmp_path, ListExecutions(phases=["FAILED", "ABORTED"])).items == []
    assert asked(tmp_path, GetLogs(id=id_)) == asked(tmp_path, GetLogs(id=id_, node="title"))


def test_tokens_are_made_and_revoked_here(owner, tmp_path):
    grants = [GrantView(role="viewer")]
    made = asked(tmp_path, MakeToken(name="a.b", grants=grants, lasts=None))
    assert (made.token.creator, made.token.expires) == (ME, None)
    asked(tmp_path, RevokeToken(token="a.b"))
    assert [each.revoked is None for each in asked(tmp_path, ListTokens()).items] == [False]
    with pytest.raises(UnknownToken):
        asked(tmp_path, RevokeToken(token="."))


def test_an_error_is_raised_again_as_what_it_was(owner, tmp_path):
    id_ = owner.launch(title).id
    with pytest.raises(InvalidValue) as caught:
        asked(tmp_path, Answer(id=id_, name="title", value=1))
    assert caught.value.faults
    assert caught.value.details["signal"] == "title"


WRONG = [
    Launch(workflow=title.name, project="a\nb *"),
    Launch(workflow=title.name, domain="a\n"),
    Launch(workflow=title.name, id="../x"),
    Launch(workflow=title.name, id="x\n"),
    Answer(id="e", name="title", value=1, comment="x" * 10_001),
    Answer(id="e", name="title", value=1, key="\xfc"),
    Register(bundle="no digest", module="m"),
    ListExecutions(limit=0),
    ListExecutions(since="yesterday"),
]


@pytest.mark.parametrize("request_", WRONG)
def test_a_rule_on_a_name_or_a_text_holds_at_every_door_in_the_same_words(
    owner, tmp_path, request_
):
    with pytest.raises(InvalidValue) as inside:
        owner._service.handle(request_)
    with connect(tmp_path) as line, pytest.raises(InvalidValue) as local:
        line.reply(call_of(request_))
    assert local.value.faults == inside.value.faults


@pytest.mark.parametrize("request_", WRONG)
def test_what_breaks_a_rule_is_not_even_sent(tmp_path, request_):
    with pytest.raises(InvalidValue):
        ask(None, request_)


@pytest.mark.parametrize("kind", sorted(every_class(TidegateError), key=lambda kind: kind.__name__))
def test_every_error_has_a_code_by_which_it_is_known_again(kind):
    again = error_in(msgspec.json.encode(document(kind("what is wrong"))))
    assert type(again) is kind
    assert again.message == "what is wrong"


def test_refusals_keep_their_facts_on_the_way():
    error = error_in(
        msgspec.json.encode(document(AlreadyAnswered("late", who="ann", signal="title")))
    )
    assert isinstance(error, AlreadyAnswered)
    assert error.details == {"who": "ann", "signal": "title"}


def test_a_bug_in_one_request_does_not_end_the_owner(owner, tmp_path, caplog):
    def broken():
        raise ZeroDivisionError

    owner._service._registry.workflows = broken
    with pytest.raises(TidegateError, match="internal error"):
        asked(tmp_path, ListWorkflows())
    assert asked(tmp_path, ListExecutions()).items == []
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    "noise",
    [b"", b"\0", b"\xff\xff\xff\xff", b"\0\0\0\x02{}", b"GET / HTTP/9\r\n\r\n", b"{}\r\n\r\n"],
)
def test_noise_is_survived(opened, tmp_path, noise):
    opened(empty)
    with address(tmp_path) as where, socket.socket(socket.AF_UNIX) as line:
        line.connect(where)
        line.sendall(noise)
        line.shutdown(socket.SHUT_WR)
        while line.recv(4096):
            pass
    assert asked(tmp_path, ListWorkflows()) == WorkflowList(items=[])


def test_a_request_too_large_for_anybody_is_refused_before_it_is_sent(opened, tmp_path):
    opened(empty)
    with pytest.raises(InvalidValue, match="larger than"), connect(tmp_path) as line:
        line.reply(HttpCall(method="POST", path="/", body="x" * (65 * 1024 * 1024)))


def test_the_socket_is_for_its_owner_alone_and_leaves_with_the_door(tmp_path):
    door = LocalDoor(tmp_path, Parts().part("local door"))
    door.open()
    door.run(lambda: empty)
    assert (tmp_path / SOCKET).stat().st_mode & 0o777 == 0o600
    assert is_owned(tmp_path)
    door.close()
    assert not (tmp_path / SOCKET).exists()
    assert not is_owned(tmp_path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_another_user_is_refused_even_where_the_mode_lets_everybody_in(opened, tmp_path):
    opened(empty)
    (tmp_path / SOCKET).chmod(0o777)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    child = os.fork()
    if child == 0:
        code = 2
        try:
            os.chdir(tmp_path)
            os.setuid(65534)
            line = socket.socket(socket.AF_UNIX)
            line.connect(SOCKET)
            line.settimeout(LONGEST)
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            code = 0 if line.recv(1024).startswith(b"HTTP/1.1 403 ") else 1
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert asked(tmp_path, ListWorkflows()) == WorkflowList(items=[])


def test_a_socket_left_behind_is_replaced(opened, tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / SOCKET))
    assert connect(tmp_path) is None
    opened(empty)
    assert asked(tmp_path, ListWorkflows()) == WorkflowList(items=[])


def test_who_asks_an_owner_that_ends_is_told_so(tmp_path):
    entered = threading.Event()

    async def never(scope, receive, send):
        entered.set()
        await asyncio.Event().wait()

    door = LocalDoor(tmp_path, Parts().part("local door"))
    door.open()
    door.run(lambda: never)
    failures = []

    def one():
        try:
            asked(tmp_path, Answer(id="x", name="s", value=None))
        except OwnerGone as error:
            failures.append(error)

    asker = threading.Thread(target=one)
    asker.start()
    assert entered.wait(LONGEST)
    door.close()
    asker.join(LONGEST)
    assert len(failures) == 1


def test_a_path_longer_than_a_socket_address_works(opened, tmp_path):
    home = tmp_path / ("x" * 120)
    opened(empty, home)
    assert asked(home, ListWorkflows()) == WorkflowList(items=[])


def test_where_no_socket_can_be_the_error_says_where(tmp_path):
    door = LocalDoor(tmp_path / "missing", Parts().part("local door"))
    with pytest.raises(StoreError, match=SOCKET):
        door.open()
    door.close()


class Lacking(socket.socket):
    """A listening socket that the system gives nothing to, for a number of times."""

    errors: list[int]

    def accept(self):
        if self.errors:
            raise OSError(self.errors.pop(0), "the system says no")
        return super().accept()


@pytest.mark.parametrize("own_loop", [True, False])
@pytest.mark.parametrize(
    "lack", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ECONNABORTED, errno.EBADF]
)
def test_trouble_when_accepting_does_not_end_the_door(tmp_path, lack, own_loop):
    parts = Parts()
    door = LocalDoor(tmp_path, parts.part("local door"))
    door.open()
    listener = Lacking(fileno=os.dup(door.listener.fileno()))
    listener.setblocking(False)
    listener.errors = [lack, lack]
    door._listener.close()
    door._listener = listener
    with ExitStack() as stack:
        stack.callback(door.close)
        if own_loop:
            door.run(lambda: empty)
        else:
            stack.enter_context(in_the_loop_of_a_server(door, empty))
        for _ in range(3):
            assert asked(tmp_path, ListWorkflows()) == WorkflowList(items=[])
        (standing,) = parts.standings()
        assert listener.errors == []
        assert standing.up or lack == errno.EBADF


@contextmanager
def in_the_loop_of_a_server(door, app):
    loop = uvloop.new_event_loop()
    attending = loop.create_task(accept.attend(door.listener, app, door.part, door.refusal))

    def run():
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(attending)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    loop.call_soon_threadsafe(attending.cancel)
    thread.join(LONGEST)
    loop.close()


LISTING = b"GET /api/v1/workflows HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def without_descriptors():
    """Have this process use up its file descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = []
    resource.setrlimit(
        resource.RLIMIT_NOFILE,
        (max(int(each.name) for each in Path("/proc/self/fd").iterdir()) + 5, hard),
    )
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_without_descriptors_serves_commands_from_its_reserve_and_all_when_it_has_some(
    opened, tmp_path
):
    parts = opened(empty)
    assert asked(tmp_path, ListWorkflows()) == WorkflowList(items=[])
    # The client's sockets are made before, so that only the door lacks a descriptor.
    lines = [socket.socket(socket.AF_UNIX) for _ in range(accept.SPARE + 3)]
    for line in lines:
        line.settimeout(LONGEST)
    with without_descriptors():
        for line in lines:
            line.connect(str(tmp_path / SOCKET))
            line.sendall(LISTING)
        for line in lines[: accept.SPARE]:
            assert line.recv(100).startswith(b"HTTP/1.1 200 ")
        wait_until(lambda: not parts.standings()[0].up)
        assert parts.standings()[0].why == "too many open files"
    for line in lines[accept.SPARE :]:
        assert line.recv(100).startswith(b"HTTP/1.1 200 ")
    for line in lines:
        line.close()
    assert asked(tmp_path, ListWorkflows()) == WorkflowList(items=[])
    assert parts.standings()[0].up


def test_a_crowd_is_told_to_try_again_and_those_who_leave_make_room(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(accept, "MAX_LINES", 2)
    monkeypatch.setattr(accept, "TOLERATED", 1)
    opened(empty)
    idle = [connect(tmp_path) for _ in range(2)]
    with pytest.raises(Overloaded, match="try again"):
        asked(tmp_path, ListWorkflows())
    with idle.pop(), idle.pop():
        pass
    wait_until(lambda: served(tmp_path))


def served(home):
    try:
        return asked(home, ListWorkflows()) == WorkflowList(items=[])
    except (Overloaded, OwnerGone):
        return False


def wait_until(reached):
    pause = threading.Event()
    for _ in range(int(LONGEST / 0.01)):
        if reached():
            return
        pause.wait(0.01)
    raise AssertionError("it did not come to that")


def test_a_process_that_a_task_has_started_is_told_that_it_may_not_ask(tmp_path):
    door = LocalDoor(tmp_path, Parts().part("local-door"), lambda process: process == os.getpid())
    assert "task" in door.refusal(os.getuid(), os.getpid())
    assert door.refusal(os.getuid(), os.getppid()) == ""
    assert "another user" in door.refusal(os.getuid() + 1, os.getppid())


def test_who_may_not_ask_is_told_so_and_that_is_decided_by_who_calls(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(LocalDoor, "users", frozenset({os.getuid() + 1}))
    opened(empty)

    with pytest.raises(Forbidden, match="belongs to another user"):
        asked(tmp_path, ListWorkflows())
