"""The bugs that are planted in the engine, each in the place of one function; `real` is the one that stands there."""

from typing import Any

from msgspec.structs import replace

from tidegate.core.history import replay
from tidegate.engine.arrivals import tell
from tidegate.errors import StoreError

from .machine import Sabotage
from .saboteurs import nothing


def told_at_once(real: Any) -> Any:
    def told(engine: Any, ledger: Any, *more: Any) -> None:
        real(engine, ledger, *more)
        while ledger.replies:
            tell(*ledger.replies.pop())

    return told


def handed_out_at_once(real: Any) -> Any:
    def decide_all(engine: Any, ledger: Any, work: Any) -> None:
        real(engine, ledger, work)
        jobs, ledger.jobs = ledger.jobs, []
        if jobs:
            engine._dispatch.submit(jobs)

    return decide_all


def without_timers(real: Any) -> Any:
    def init(engine: Any, *more: Any) -> None:
        real(engine, *more)
        engine._next_due = None

    return init


def forgets_after_a_fault(_: Any) -> Any:
    def look_ahead(engine: Any) -> None:
        try:
            engine._next_due = engine._journal.next_due()
        except StoreError:
            engine._next_due = None

    return look_ahead


def looks_no_further(_: Any) -> Any:
    def look_ahead(engine: Any) -> None:
        engine._next_due = None

    return look_ahead


def new_timer_unnoticed(real: Any) -> Any:
    def act(engine: Any, ledger: Any) -> None:
        ledger.soonest = None
        real(engine, ledger)

    return act


def forgets_all(_: Any) -> Any:
    return lambda *_: []


def loses_reports(real: Any) -> Any:
    def put_off(engine: Any, *more: Any) -> None:
        kept = list(engine._kept)
        real(engine, *more)
        engine._kept = kept

    return put_off


def reads(change: Any) -> Any:
    """Change what is read back of an execution that is cold."""

    def make(real: Any) -> Any:
        def get(memory: Any, key: Any, read: Any = None) -> Any:
            cold = key not in memory._hot
            hot = real(memory, key, read)
            if cold:
                bodies = memory._journal.history(key)
                row = memory._journal.get(key)
                change(hot, memory._programs.get(row.workflow).plan, bodies)
            return hot

        return get

    return make


def numbered_again(hot: Any, plan: Any, bodies: Any) -> None:
    hot.seq = 0


def doubled(hot: Any, plan: Any, bodies: Any) -> None:
    hot.plan, hot.state = replay(plan, bodies + bodies[1:])


def first_line_only(hot: Any, plan: Any, bodies: Any) -> None:
    hot.plan, hot.state = replay(plan, bodies[:1])


def batch(**changes: Any) -> Any:
    """Change what is written."""

    def make(real: Any) -> Any:
        def written(ledger: Any) -> Any:
            whole = real(ledger)
            for part, change in changes.items():
                setattr(whole, part, change(getattr(whole, part)))
            return whole

        return written

    return make


HOST_SABOTEURS = [
    Sabotage("an answer is acknowledged before the commit", "loop.Engine._told", told_at_once),
    Sabotage("attempts are handed out before the commit", "loop.Engine._decide_all", handed_out_at_once),
    Sabotage("nothing is taken up at a restart", "loop.Engine._take_up", nothing),
    Sabotage("what ran is not given back by a host that stops", "dispatch.Dispatch.running", forgets_all),
    Sabotage("timers are not looked for at a restart", "loop.Engine.__init__", without_timers),
    Sabotage("after one timer no other is looked for", "loop.Engine._look_ahead", looks_no_further),
    Sabotage("timers are forgotten if they cannot be read once", "loop.Engine._look_ahead", forgets_after_a_fault),
    Sabotage("a new timer is not noticed", "loop.Engine._act", new_timer_unnoticed),
    Sabotage("what could not be stored is believed", "loop.Engine._forget", nothing),
    Sabotage("what tasks reported is lost on a full disk", "loop.Engine._put_off", loses_reports),
    Sabotage("an id makes two executions", "loop.Engine._placed", nothing),
    Sabotage("history is numbered again at a restart", "memory.Memory.get", reads(numbered_again)),
    Sabotage("history is doubled at a restart", "memory.Memory.get", reads(doubled)),
    Sabotage("history begins again at a restart", "memory.Memory.get", reads(first_line_only)),
    Sabotage("a wait is listed without its instant", "ledger.Ledger.batch", batch(waits=lambda rows: [replace(row, due=None) for row in rows])),
    Sabotage("a wait that ended stays listed", "ledger.Ledger.batch", batch(ends=lambda rows: [])),
    Sabotage("a phase is not listed", "ledger.Ledger.batch", batch(phases=lambda rows: [])),
    Sabotage("nobody is told to stop an attempt", "dispatch.Dispatch.cancel", nothing),
]  # fmt: skip
