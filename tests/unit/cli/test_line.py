"""The way to the engine: owners come and go, and a request finds the one there is."""

import socket
import threading

import pytest

from tidegate.api.local import LocalDoor
from tidegate.cli import line
from tidegate.cli.line import Line
from tidegate.errors import StoreError, StoreLocked, UnknownExecution
from tidegate.remote import local
from tidegate.remote.local import address
from tidegate.runtime import open_briefly, open_reader
from tidegate.wire import GetExecution, ListWorkflows, WorkflowList


def nobody(_):
    raise StoreLocked("somebody else runs it")


def test_a_request_to_an_owner_that_ends_goes_to_the_next_one_however_long_it_had_waited(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(line, "PATIENCE", 0.5)
    asked, go_on = threading.Event(), threading.Event()

    def slow(_):
        asked.set()
        go_on.wait(30)
        return WorkflowList(items=[])

    first = LocalDoor(tmp_path, slow)
    first.open()
    views = []
    asker = threading.Thread(
        target=lambda: views.append(Line(tmp_path, nobody).send(ListWorkflows()))
    )
    asker.start()
    assert asked.wait(30)
    threading.Event().wait(
        0.6
    )  # longer than the patience with an owner that does not open its door
    first.close()
    second = LocalDoor(tmp_path, lambda _: WorkflowList(items=[]))
    second.open()
    asker.join(30)
    second.close()
    go_on.set()
    assert views == [WorkflowList(items=[])]


def test_an_owner_without_a_door_is_waited_for_and_then_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(line, "PATIENCE", 0.1)
    with pytest.raises(StoreLocked, match="in use"):
        Line(tmp_path, nobody).send(ListWorkflows())


def test_where_nobody_owns_the_store_the_command_opens_it_and_lets_it_go(tmp_path):
    with Line(tmp_path, open_briefly) as way:
        assert way.send(ListWorkflows()) == WorkflowList(items=[])
        assert way.is_owner
        with pytest.raises(StoreLocked):
            open_briefly(tmp_path)
    open_briefly(tmp_path).close()


@pytest.fixture
def hung(tmp_path, monkeypatch):
    """Patience is short, and an owner of a store has a door and says nothing."""
    monkeypatch.setattr(line, "LOOK", 0.1)
    monkeypatch.setattr(local, "REPLY", 0.2)
    open_briefly(tmp_path).close()
    with address(tmp_path) as where, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as owner:
        owner.bind(where)
        owner.listen()
        yield tmp_path


def test_who_only_looks_need_not_wait_for_an_owner_that_hangs_and_is_told_so_once(hung, capsys):
    with Line(hung, open_reader) as way:
        assert [way.send(ListWorkflows()) for _ in range(2)] == [WorkflowList(items=[])] * 2

    said = capsys.readouterr().err
    assert said.count("does not reply") == said.count("\n") == 1


def test_who_decides_is_told_that_the_owner_hangs_and_takes_nothing_from_it(hung):
    with Line(hung, open_briefly) as way, pytest.raises(StoreError, match="has not replied"):
        way.send(ListWorkflows())


def test_looking_makes_no_store(tmp_path):
    home = tmp_path / "home"
    with Line(home, open_reader) as way, pytest.raises(UnknownExecution):
        way.send(GetExecution(id="x"))
    assert not home.exists()


def test_a_line_that_is_closed_opens_nothing_any_more(tmp_path):
    way = Line(tmp_path, open_briefly)
    way.close()
    with pytest.raises(StoreError, match="ending"):
        way.send(ListWorkflows())
