"""A process that owns a store is not interrupted while it opens it, and ends when the engine has failed, whatever else it does."""

import os
import signal
import subprocess
import sys

import pytest

from tidegate.cli.ending import opened

LONGEST = 30.0


class Owner:
    """A store, as far as it matters here."""

    failure = None

    def __init__(self):
        self.calls = []
        self.closed = False

    def on_end(self, call):
        self.calls.append(call)

    def close(self):
        self.closed = True


@pytest.fixture(autouse=True)
def _handlers():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_interrupted_while_it_opens_is_opened_whole_and_closed_again(number):
    owner = Owner()

    def opening():
        os.kill(os.getpid(), number)
        return owner

    with pytest.raises(KeyboardInterrupt):
        opened(opening)

    assert owner.closed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_once_it_is_open_either_signal_interrupts(number):
    owner = opened(Owner)

    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)

    assert not owner.closed


STUCK = """
import threading
from tidegate.cli import ending
from tidegate.errors import EngineFailed, Overloaded
ending.LINGER = 0.1
class Owner:
    failure = {failure}("planted")
    def on_end(self, call):
        threading.Thread(target=call).start()
ending.opened(Owner)
threading.Event().wait({seconds})
"""


def run(failure, seconds):
    program = STUCK.format(failure=failure, seconds=seconds)
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )


def test_a_process_that_does_nothing_ends_for_an_engine_that_has_failed_with_one_line():
    done = run("EngineFailed", LONGEST)

    assert (done.returncode, done.stderr) == (70, "error: planted\n")


def test_an_engine_that_has_stopped_in_good_order_ends_no_process():
    done = run("Overloaded", 0.5)

    assert (done.returncode, done.stderr) == (0, "")
