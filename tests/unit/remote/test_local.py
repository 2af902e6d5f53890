"""The way to the process that owns a store: one that does not reply is given up, and said so."""

import socket
from pathlib import Path

import pytest

from tidegate.errors import StoreError
from tidegate.remote import local
from tidegate.remote.local import OwnerGone, address, connect
from tidegate.remote.requests import ask
from tidegate.wire import GetExecution, ListInbox


@pytest.mark.parametrize("request_", [ListInbox(), GetExecution(id="e", wait=0.1)])
def test_an_owner_that_hangs_is_given_up_with_a_clear_word(tmp_path: Path, monkeypatch, request_):
    monkeypatch.setattr(local, "REPLY", 0.2)
    with address(tmp_path) as where, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as owner:
        owner.bind(where)
        owner.listen()

        with (
            connect(tmp_path) as line,
            pytest.raises(StoreError, match="has not replied") as refused,
        ):
            ask(line, request_)

    assert not isinstance(refused.value, OwnerGone)
    assert str(tmp_path) in refused.value.message
