"""How the tests are shared out among the workers of pytest-xdist: what shares a server or a browser stays together. And what each leaves as it was."""

import os
from collections.abc import Iterator

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

BROWSER = "tests/browser/"
WITH_SERVERS = "tests/e2e/"


class Together(LoadScopeScheduling):
    """One worker has the only browser, as two would leave no processor to the rest; a file of tests over HTTP is one worker's; all else goes to who is free."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(BROWSER):
            return BROWSER
        return nodeid.partition("::")[0] if nodeid.startswith(WITH_SERVERS) else nodeid

    def remove_node(self, node: WorkerController) -> str | None:
        """Hand out again what a worker that has died had not done, but not the test that it died of; return that. The method of the base also hands out what was done, and then waits for it forever."""
        workload = self.assigned_work.pop(node)
        undone = [unit for unit in workload.values() if not all(unit.values())]
        if not undone:
            return None
        died_of = next(each for each, is_done in undone[0].items() if not is_done)
        undone[0][died_of] = True
        left = {scope: unit for scope, unit in workload.items() if not all(unit.values())}
        self.workqueue.update(left)
        for other in self.assigned_work:
            self._reschedule(other)
        return died_of

    def _reschedule(self, node: WorkerController) -> None:
        """Give a worker two tests at least, or tell it that there are no more: it begins one when it knows what comes next."""
        super()._reschedule(node)
        while not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2:
            super()._reschedule(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Together | None:
    """Share out in this way, unless the command line says how."""
    return Together(config, log) if config.getvalue("dist") == "load" else None


@pytest.fixture(autouse=True)
def _unchanged() -> Iterator[None]:
    """A test leaves our variables as they were: what one sets, all later ones in its process would have."""
    before = settings()
    yield
    after = settings()
    for name in after.keys() - before.keys():
        del os.environ[name]
    assert after == before


def settings() -> dict[str, str]:
    """Our variables of this process."""
    return {name: text for name, text in os.environ.items() if name.startswith("TIDEGATE_")}
