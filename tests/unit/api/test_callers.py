"""The numbers of connections: for strangers, who never keep a new one out, and for the holders of tokens. On real pairs of sockets."""

import resource
import socket

import pytest

from tidegate.api.callers import HOLDERS, OF_ONE, OTHERS, STRANGERS, Callers, Sizes, sizes_for
from tidegate.errors import Overloaded, RateLimited


class Door:
    """Callers, and the other end of each: `comes` connects, `is_open` looks from there."""

    def __init__(self, **sizes):
        self.callers = Callers(Sizes(**sizes))
        self.ends = {}

    def comes(self):
        here, there = socket.socketpair()
        caller = self.callers.open(here)
        self.ends[caller] = (here, there)
        return caller

    def is_open(self, caller):
        there = self.ends[caller][1]
        there.setblocking(False)
        try:
            return there.recv(1) != b""
        except BlockingIOError:
            return True

    def close(self):
        for pair in self.ends.values():
            for each in pair:
                each.close()


@pytest.fixture
def door():
    made = Door(strangers=3, holders=4, of_one=2)
    yield made
    made.close()


def test_a_new_stranger_takes_the_place_of_the_oldest_and_is_never_refused(door):
    came = [door.comes() for _ in range(5)]

    assert [door.is_open(each) for each in came] == [False, False, True, True, True]
    assert (door.callers.strangers, door.callers.dropped) == (3, 2)


def test_a_holder_is_not_dropped_however_many_strangers_come(door):
    holder = door.comes()
    holder.belongs_to("t1")
    for _ in range(20):
        door.comes()

    assert door.is_open(holder)
    assert (door.callers.strangers, door.callers.held) == (3, 1)


def test_one_holder_has_a_number_of_connections_and_all_of_them_together_another(door):
    for token in ("t1", "t1", "t2", "t3"):
        door.comes().belongs_to(token)

    with pytest.raises(RateLimited):
        door.comes().belongs_to("t1")
    with pytest.raises(Overloaded):
        door.comes().belongs_to("t4")
    assert (door.callers.strangers, door.callers.held) == (2, 4)


def test_a_connection_that_ends_makes_room_no_matter_whose_it_was(door):
    first, second = door.comes(), door.comes()
    first.belongs_to("t1")
    first.closed()
    second.closed()
    second.closed()
    second.belongs_to("t1")

    assert (door.callers.strangers, door.callers.held) == (0, 0)


def test_who_shows_another_token_counts_as_that_one_and_who_shows_a_wrong_one_as_a_stranger(door):
    caller = door.comes()
    caller.belongs_to("t1")
    caller.belongs_to("t2")
    assert (door.callers.held, caller.holder) == (1, "t2")

    caller.is_strange()
    assert (door.callers.strangers, door.callers.held) == (1, 0)
    for _ in range(3):
        door.comes()
    assert not door.is_open(caller)


def test_one_that_is_dropped_during_the_handshake_is_cut_when_that_is_done(door):
    class Transport:
        aborted = False

        def abort(self):
            self.aborted = True

    caller, late = door.comes(), Transport()
    caller.drop()
    caller.made(late)

    assert late.aborted


@pytest.mark.parametrize("files", [64, 256, 400, 1_024, 4_096, 5_000, 6_000, 100_000])
def test_connections_alone_never_use_up_the_files_that_a_process_may_open(files):
    sizes = sizes_for(files)

    assert sizes.strangers + sizes.holders <= max(files - OTHERS, files // 3) < files
    assert min(sizes.strangers, sizes.holders, sizes.of_one) > 0
    assert sizes.of_one < sizes.holders


def test_where_the_system_lets_it_a_process_has_all_its_connections():
    assert sizes_for(STRANGERS + HOLDERS + OTHERS) == Sizes(STRANGERS, HOLDERS, OF_ONE)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] > 0
