"""
The engine's side of attempts that go on while their shard changes hands (`ports.reports`). Used on its thread, except `end`.

Rule 1: an attempt is handed over by a row that is stored before its shard is given up; so the next owner, who looks after it has taken the shard, finds it.
Rule 2: what became of such an attempt is written by its keeper, and applied by the owner, which removes it in the transaction of the event.
Rule 3: a keeper ends attempts whose row is gone, and all of them once others may take it for dead. So an attempt that is repeated has ended.
"""

from collections.abc import Callable, Collection, Sequence

from msgspec.structs import replace

from tidegate.ports.executor import Attempt, Began, Elsewhere, Executor, Hindered, Lost, Report
from tidegate.ports.journal import Key
from tidegate.ports.reports import AttemptReports


def whose(report: Report) -> Attempt:
    """Return the attempt of a report."""
    return Attempt(report.key, report.node, report.attempt)


def is_last(report: Report) -> bool:
    """Return whether no report follows."""
    return not isinstance(report.outcome, Began | Elsewhere)


class Handover:
    """Which attempts run here for others, and which run elsewhere for this engine. `stays`: an attempt that ends with its owner."""

    def __init__(
        self, reports: AttemptReports, executor: Executor, stays: Callable[[Attempt], bool]
    ) -> None:
        self._reports = reports
        self._executor = executor
        self._stays = stays
        self._handed: set[Attempt] = set()
        self._awaited: set[Attempt] = set()
        self._found: dict[Attempt, bool] = {}

    def follow(
        self,
        deliver: Callable[[Sequence[Report]], None],
        aside: Callable[[Callable[[], None]], None],
    ) -> None:
        """Hear of attempts elsewhere by `deliver`; what is to be done about those here is done on the engine's thread, by `aside`."""

        def fall_silent() -> None:
            ended = self.end()
            aside(lambda: self.give_up(ended, given_back=False))

        def end(attempts: Collection[Attempt]) -> None:
            aside(lambda: self.end_unwanted(attempts))

        self._reports.follow(deliver, end, fall_silent)

    # -- the keeper --

    def binding(self, out: Collection[Attempt]) -> list[Attempt]:
        """Return those of these attempts that keep their shard here."""
        return [each for each in out if each not in self._awaited and self._stays(each)]

    def hand_over(self, attempts: Collection[Attempt]) -> None:
        """Let these attempts go on while others take over their executions. Errors: `StoreError`."""
        here = [each for each in attempts if each not in self._awaited]
        if here:
            self._reports.hand_over(here)
            self._handed.update(here)

    def sort(self, reports: Sequence[Report]) -> Sequence[Report]:
        """Pass on the reports for other owners, and return the rest."""
        if not self._handed:
            return reports
        rest = []
        for report in reports:
            if whose(report) in self._handed:
                self._pass_on(report)
            else:
                rest.append(report)
        return rest

    def _pass_on(self, report: Report) -> None:
        match report.outcome:
            case Elsewhere():
                return  # it began before it was handed over, so that is known
            case Hindered():
                # It has not begun here, and never will.
                report = replace(report, outcome=Lost(given_back=True), job=None)
            case _:
                pass
        self._reports.write(report)
        if is_last(report):
            self._handed.discard(whose(report))

    def end_unwanted(self, attempts: Collection[Attempt]) -> None:
        """End attempts that nobody awaits."""
        for each in sorted(self._handed.intersection(attempts)):
            self._handed.discard(each)
            self._executor.cancel(*each)

    def end(self) -> list[Attempt]:
        """End everything that runs here for others, from any thread; `give_up` follows."""
        ended = sorted(self._handed.copy())
        for each in ended:
            self._executor.cancel(*each)
        return ended

    def give_up(self, attempts: Collection[Attempt] | None = None, *, given_back: bool) -> None:
        """Report as lost what was ended: these attempts, or all that run here for others."""
        for each in sorted(
            self._handed.intersection(self._handed if attempts is None else attempts)
        ):
            self._pass_on(Report(*each, Lost(given_back)))

    # -- the owner --

    def among(self, keys: Sequence[Key]) -> list[Key]:
        """Return those of these executions that may have attempts elsewhere. Errors: `StoreError`."""
        self._found = dict(self._reports.found())
        have = {each.key for each in self._found}
        return [key for key in keys if key in have]

    def attach(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """
        Return which of these attempts go on elsewhere, or have ended there with a report; and let keepers end everything else that `among` has found.

        Errors: `StoreError`.
        """
        found, self._found = self._found, {}
        going = [each for each in attempts if found.get(each)]
        # One that has come back is nobody else's any longer.
        back = self._handed.intersection(going)
        others = found.keys() - set(going) - self._awaited
        self._reports.drop(sorted({*others, *back}))
        self._handed -= back
        awaited = [each for each in going if each not in back]
        self._awaited.update(awaited)
        self._reports.wait_for(awaited)
        return going

    def follows(self, attempt: Attempt) -> bool:
        """Return whether an attempt runs elsewhere for this engine."""
        return attempt in self._awaited

    def release(self, attempts: Collection[Attempt]) -> list[Attempt]:
        """Let go of attempts that others own by now; return those that are to be ended, because nothing says that they go on."""
        awaited = self._awaited.intersection(attempts)
        self._awaited -= awaited
        self._reports.forget(list(awaited))
        return [each for each in attempts if each not in awaited and each not in self._handed]

    def cancel(self, attempts: Collection[Attempt]) -> None:
        """Have these attempts ended where they run, because the history says that they are unwanted."""
        awaited = self._awaited.intersection(attempts)
        if awaited:
            self._awaited -= awaited
            self._reports.disown(list(awaited))

    def stored(self, attempts: Collection[Attempt]) -> None:
        """What became of these attempts is stored."""
        awaited = self._awaited.intersection(attempts)
        if awaited:
            self._awaited -= awaited
            self._reports.forget(list(awaited))
