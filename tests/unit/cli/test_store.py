"""The way to the engine: owners come and go, and a request finds the one there is."""

import asyncio
import socket
import threading
from contextlib import suppress

import msgspec
import pytest

from tidegate.api.local import LocalDoor
from tidegate.api.replies import Out
from tidegate.cli import store
from tidegate.cli.store import StoreWay, open_briefly, open_reader
from tidegate.errors import StoreError, StoreLocked, UnknownExecution
from tidegate.parts import Parts
from tidegate.remote import local
from tidegate.remote.local import address
from tidegate.wire import GetExecution, ListWorkflows, WorkflowList


def nobody(_):
    raise StoreLocked("somebody else runs it")


def opened(home, app):
    door = LocalDoor(home, Parts().part("local door"))
    door.open()
    door.run(lambda: app)
    return door


def test_a_request_to_an_owner_that_ends_goes_to_the_next_one_however_long_it_had_waited(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(store, "PATIENCE", 0.5)
    asked = threading.Event()

    async def silent(scope, receive, send):
        asked.set()
        await asyncio.Event().wait()

    async def empty(scope, receive, send):
        body = msgspec.json.encode(WorkflowList(items=[]))
        await Out(scope, send).whole(200, body, media="application/json")

    first = opened(tmp_path, silent)
    views = []
    asker = threading.Thread(
        target=lambda: views.append(StoreWay(tmp_path, nobody).ask(ListWorkflows()))
    )
    asker.start()
    assert asked.wait(30)
    threading.Event().wait(
        0.6
    )  # longer than the patience with an owner that does not open its door
    first.close()
    second = opened(tmp_path, empty)
    asker.join(30)
    second.close()
    assert views == [WorkflowList(items=[])]


def test_an_owner_without_a_door_is_waited_for_and_then_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    with pytest.raises(StoreLocked, match="in use"):
        StoreWay(tmp_path, nobody).ask(ListWorkflows())


def test_where_nobody_owns_the_store_the_command_opens_it_and_lets_it_go(tmp_path):
    with StoreWay(tmp_path, open_briefly) as way:
        assert way.ask(ListWorkflows()) == WorkflowList(items=[])
        assert way.is_owner
        with pytest.raises(StoreLocked):
            open_briefly(tmp_path)
    open_briefly(tmp_path).close()


@pytest.fixture
def hung(tmp_path, monkeypatch):
    """Patience is short, and an owner of a store has a door and says nothing."""
    monkeypatch.setattr(store, "LOOK", 0.1)
    monkeypatch.setattr(local, "REPLY", 0.2)
    open_briefly(tmp_path).close()
    with address(tmp_path) as where, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as owner:
        owner.bind(where)
        owner.listen()
        yield tmp_path


def test_who_only_looks_need_not_wait_for_an_owner_that_hangs_and_is_told_so_once(hung, capsys):
    with StoreWay(hung, open_reader) as way:
        assert [way.ask(ListWorkflows()) for _ in range(2)] == [WorkflowList(items=[])] * 2

    said = capsys.readouterr().err
    assert said.count("does not reply") == said.count("\n") == 1


def test_who_decides_is_told_that_the_owner_hangs_and_takes_nothing_from_it(hung):
    with StoreWay(hung, open_briefly) as way, pytest.raises(StoreError, match="has not replied"):
        way.ask(ListWorkflows())


def test_looking_makes_no_store(tmp_path):
    home = tmp_path / "home"
    with StoreWay(home, open_reader) as way, pytest.raises(UnknownExecution):
        way.ask(GetExecution(id="x"))
    assert not home.exists()


def test_a_line_that_is_closed_opens_nothing(tmp_path):
    way = StoreWay(tmp_path, open_briefly)
    way.close()
    with pytest.raises(StoreError, match="ending"):
        way.ask(ListWorkflows())


def test_a_request_that_loses_owner_after_owner_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "LONGEST_PAUSE", 0.01)
    lost = []

    def hang_up(listener):
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                line.recv(1)
                lost.append(line)
                line.close()

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        with address(tmp_path) as where:
            listener.bind(where)
        listener.listen()
        crank = threading.Thread(target=hang_up, args=[listener], daemon=True)
        crank.start()
        with pytest.raises(StoreLocked, match="its owner does not reply"):
            StoreWay(tmp_path, nobody).ask(ListWorkflows())
        listener.shutdown(socket.SHUT_RDWR)
        crank.join(30)
    assert len(lost) == store.LOSSES
