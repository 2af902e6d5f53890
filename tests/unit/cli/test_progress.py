"""How executions get on, where lines cannot be overwritten."""

import io
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from tidegate.cli import progress
from tidegate.cli.progress import BETWEEN, QUIET, Progress, summary
from tidegate.cli.run import MOST_TOLD, standings
from tidegate.wire import ExecutionView, NodeView, WaitingView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GATE = WaitingView(
    execution="e",
    workflow="w",
    name="t",
    path="t",
    kind="input",
    opened=NOW,
    due=NOW + timedelta(days=90_000),
)
VIEW = ExecutionView(
    id="e",
    workflow="w",
    version="1",
    phase="WAITING",
    inputs={},
    outputs=None,
    error=None,
    nodes=[NodeView(id="n0", name="t", kind="input", phase="WAITING")],
    waiting=[GATE],
    launched=NOW,
    changed=NOW,
)


def test_the_pause_of_a_retry_is_told_from_a_question():
    later = replace(GATE, name="flaky", kind="retry", due=NOW + timedelta(days=90_000))
    over = replace(later, due=NOW)

    assert "; flaky is retried (" in summary(replace(VIEW, waiting=[later]))
    assert summary(replace(VIEW, waiting=[over])).endswith("; flaky is retried soon")


def test_a_wait_of_a_day_fills_no_log_and_a_quick_run_says_nothing(monkeypatch, capsys):
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    shown = Progress()
    shown.show(VIEW)
    clock[0] = QUIET - 0.1
    shown.refresh()
    assert capsys.readouterr().err == ""
    while clock[0] < 86_400:
        clock[0] += 1
        shown.refresh()
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("  … 0 of 1 nodes done; waiting for t (")
    assert 10 < len(said) < 86_400 / BETWEEN / 100


class Screen(io.StringIO):
    """A terminal of which one line is looked at."""

    def isatty(self):
        return True

    @property
    def shown(self):
        return self.getvalue().rpartition("\x1b[K")[2]


def test_at_a_terminal_one_line_moves_within_its_width_and_is_taken_away(monkeypatch):
    clock, screen = [0.0], Screen()
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(progress.sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    moving = Progress()
    moving.show(VIEW)
    assert screen.getvalue() == ""
    frames = set()
    for _ in range(4):
        clock[0] += QUIET
        moving.refresh()
        assert screen.shown[1:].startswith(" 0 of 1 nodes done; waiting for t")
        assert len(screen.shown) < 40
        frames.add(screen.shown[0])
    assert len(frames) == 4
    moving.pause()
    assert screen.shown == ""
    assert "\n" not in screen.getvalue()


def test_of_many_executions_a_few_are_told_and_all_are_counted():
    ended = replace(VIEW, phase="SUCCEEDED", outputs={"o0": 1}, waiting=[])
    assert standings([VIEW, ended]) == ["e  w  WAITING for t", "e  w  SUCCEEDED: 1"]
    said = standings([VIEW] * MOST_TOLD + [ended] * 5)
    assert len(said) == MOST_TOLD + 1
    assert said[-1] == f"and 5 more; of all {MOST_TOLD + 5}: {MOST_TOLD} WAITING, 5 SUCCEEDED"
