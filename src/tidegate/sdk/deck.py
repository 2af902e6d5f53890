"""`Deck`: a report that a task makes while it runs, for people to read; above all for those who are asked about its result."""

from typing import Any

from tidegate.sdk.report import Section
from tidegate.sdk.trace import current_run


class Deck(Section):
    """
    A deck of the attempt that is running. Outside of a task it is only itself.

        Deck("Residuals", "<h3>Largest first</h3>").table(rows).append(figure)

    It is stored when the task ends, also when it fails. `current_context().default_deck` is one that is there already.
    """

    def __init__(self, name: str, html: Any = "") -> None:
        super().__init__(name, html)
        run = current_run()
        if run is not None:
            run.report.decks.append(self)

    @staticmethod
    def publish() -> None:
        """Store the decks of the running attempt as they are now, for a task that takes long."""
        run = current_run()
        if run is not None:
            run.report.publish()
