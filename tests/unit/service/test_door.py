"""The local door: what is said on one side is heard on the other, errors included."""

import socket
import threading

import pytest

from tidegate.api.local import LocalDoor
from tidegate.errors import (
    AlreadyAnswered,
    Fault,
    InvalidValue,
    StoreError,
    TidegateError,
)
from tidegate.remote.local import SOCKET, OwnerGone, address, connect
from tidegate.remote.problems import error_of, problem_of
from tidegate.wire import Abort, Aborted, Answer, AnswerReply, ListWorkflows, WorkflowList


@pytest.fixture
def opened(tmp_path):
    doors = []

    def open_door(handle, home=tmp_path):
        home.mkdir(parents=True, exist_ok=True)
        door = LocalDoor(home, handle)
        door.open()
        doors.append(door)
        return door

    yield open_door
    for door in doors:
        door.close()


def every_class(kind):
    yield kind
    for below in kind.__subclasses__():
        yield from every_class(below)


def test_a_request_arrives_whole_and_its_view_comes_back(opened, tmp_path):
    seen = []

    def handle(request):
        seen.append(request)
        return Aborted(execution=request.id, phase="ABORTED")

    opened(handle)
    request = Abort(id="x" * 100_000, reason="ü\n", who="me")
    assert connect(tmp_path).send(request) == Aborted(execution="x" * 100_000, phase="ABORTED")
    assert seen == [request]


def test_an_error_is_raised_again_as_what_it_was(opened, tmp_path):
    faults = (Fault(("a", 0), "too small"),)

    def handle(_):
        raise InvalidValue("no", faults, signal="title")

    opened(handle)
    with pytest.raises(InvalidValue) as caught:
        connect(tmp_path).send(ListWorkflows())
    assert caught.value.faults == faults
    assert caught.value.details["signal"] == "title"


@pytest.mark.parametrize("kind", sorted(every_class(TidegateError), key=lambda kind: kind.__name__))
def test_every_error_has_a_code_by_which_it_is_known_again(kind):
    again = error_of(problem_of(kind("what is wrong")))
    assert type(again) is kind
    assert again.message == "what is wrong"


def test_a_bug_in_one_request_does_not_end_the_owner(opened, tmp_path, caplog):
    def handle(request):
        if isinstance(request, Abort):
            raise ZeroDivisionError
        return WorkflowList(items=[])

    opened(handle)
    line = connect(tmp_path)
    with pytest.raises(TidegateError, match="internal error"):
        line.send(Abort(id="x"))
    assert line.send(ListWorkflows()) == WorkflowList(items=[])
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    "noise", [b"", b"\0", b"\xff\xff\xff\xff", b"\0\0\0\x05{}[]!", b"\0\0\0\x02{}"]
)
def test_noise_is_survived(opened, tmp_path, noise):
    opened(lambda _: WorkflowList(items=[]))
    with address(tmp_path) as where, socket.socket(socket.AF_UNIX) as line:
        line.connect(where)
        line.sendall(noise)
        line.shutdown(socket.SHUT_WR)
        while line.recv(4096):
            pass
    assert connect(tmp_path).send(ListWorkflows()) == WorkflowList(items=[])


def test_the_socket_is_for_its_owner_alone_and_leaves_with_the_door(opened, tmp_path):
    door = opened(lambda _: WorkflowList(items=[]))
    assert (tmp_path / SOCKET).stat().st_mode & 0o777 == 0o600
    door.close()
    assert not (tmp_path / SOCKET).exists()
    assert connect(tmp_path) is None


def test_a_socket_left_behind_is_replaced(opened, tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / SOCKET))
    assert connect(tmp_path) is None
    opened(lambda _: WorkflowList(items=[]))
    assert connect(tmp_path).send(ListWorkflows()) == WorkflowList(items=[])


def test_who_asks_an_owner_that_ends_is_told_so(opened, tmp_path):
    entered, leave = threading.Event(), threading.Event()

    def handle(request):
        entered.set()
        leave.wait(10)
        return AnswerReply(execution=request.id, signal="s", at=0, who="x")

    door = opened(handle)
    failures = []

    def ask():
        try:
            connect(tmp_path).send(Answer(id="x", name="s", value=None))
        except OwnerGone as error:
            failures.append(error)

    asker = threading.Thread(target=ask)
    asker.start()
    assert entered.wait(10)
    door.close()
    asker.join(10)
    leave.set()
    assert len(failures) == 1


def test_a_path_longer_than_a_socket_address_works(opened, tmp_path):
    home = tmp_path / ("x" * 120)
    opened(lambda _: WorkflowList(items=[]), home)
    assert connect(home).send(ListWorkflows()) == WorkflowList(items=[])


def test_where_no_socket_can_be_the_error_says_where(tmp_path):
    door = LocalDoor(tmp_path / "missing", lambda _: WorkflowList(items=[]))
    with pytest.raises(StoreError, match=SOCKET):
        door.open()


def test_refusals_keep_their_facts_on_the_way():
    error = error_of(problem_of(AlreadyAnswered("late", who="ann", signal="title")))
    assert isinstance(error, AlreadyAnswered)
    assert error.details == {"who": "ann", "signal": "title"}
