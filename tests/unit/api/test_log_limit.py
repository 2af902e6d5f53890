"""The log: lines of one kind are limited, counted, and hide no other."""

import logging

import pytest

from tidegate.api.log_limit import KINDS, MOST, WINDOW, PerKind


@pytest.fixture
def written():
    """A logger that is limited, what it has written, and the clock."""

    class Keeping(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    lines: list[str] = []
    now = [0.0]
    handler = Keeping()
    handler.addFilter(PerKind(lambda: now[0]))
    logger = logging.getLogger("tidegate.tests.log-limit")
    logger.addHandler(handler)
    yield logger, lines, now
    logger.removeHandler(handler)


def test_a_kind_of_line_is_written_this_many_times_and_others_are_still_seen(written):
    logger, lines, _ = written
    for number in range(1_000):
        logger.warning("%s could not be handled", number)
    logger.warning("something else")

    assert lines == [f"{n} could not be handled" for n in range(MOST)] + ["something else"]


def test_how_many_were_left_out_is_said_when_there_is_room_again(written):
    logger, lines, now = written
    for number in range(MOST + 5):
        logger.warning("line %s", number)
    now[0] = WINDOW
    logger.warning("line %s", "last")

    assert lines[-1] == "(5 similar lines suppressed) line last"
    assert len(lines) == MOST + 1


def test_kinds_without_end_take_no_memory_without_end(written):
    logger, lines, _ = written
    for number in range(3 * KINDS):
        logger.warning("sentence " + str(number))  # noqa: G003 - as a library does that fills its sentences in itself
    assert len(lines) == 3 * KINDS
    assert len(logger.handlers[0].filters[0]._kinds) <= KINDS
