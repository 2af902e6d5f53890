"""A whole Tidegate in memory, alone or behind a second writer; and executors of processes, ready to run the tasks of `executor_contract` and `yard`."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.contract.executor_contract import SHOP, Crew, write_bundle
from tests.contract.rival import Contested
from tests.contract.yard import YARD
from tests.postgres import Cluster, emptied, running

from tidegate.executors.process import ProcessExecutor
from tidegate.stores.postgres import PostgresStore
from tidegate.stores.sqlite import SqliteStore
from tidegate.testing import Sandbox

ALSO_CONTESTED = (
    "test_dynamics",
    "test_gate_names",
    "test_gates",
    "test_phases",
    "test_promises",
    "test_race_endings",
    "test_race_outcomes",
    "test_race_table",
    "test_retries",
)
"""What must also hold on Postgres, and if somebody else writes to the same executions, and wins every third time."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    name = metafunc.module.__name__.rpartition(".")[2]
    if name in ALSO_CONTESTED and "writers" in metafunc.fixturenames:
        how = ["alone", "contested", "postgres"]
        metafunc.parametrize("writers", how, ids=how, indirect=True)


@pytest.fixture
def writers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who writes into the store of a sandbox: it alone, it and somebody else, or it into Postgres."""
    how = str(getattr(request, "param", "alone"))
    if how == "contested":
        made = SqliteStore.__init__

        def make(self: Any, connections: Any) -> None:
            made(self, connections)
            self.journal = Contested(self.journal)

        monkeypatch.setattr(SqliteStore, "__init__", make)
    if how == "postgres":
        address = emptied(request.getfixturevalue("cluster"))
        monkeypatch.setattr(SqliteStore, "memory", lambda: PostgresStore.open(address))
    return how


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        yield cluster


@pytest.fixture
def sandbox(writers: str) -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox
    del writers


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    write_bundle(home, shop=SHOP, yard=YARD)
    return home


@pytest.fixture(scope="module")
def crew(home: Path) -> Iterator[Crew]:
    """Two workers, which have been through all the tests before."""
    with closing(ProcessExecutor(home, 2)) as executor:
        yield Crew(executor)


@pytest.fixture
def fresh(home: Path) -> Iterator[Crew]:
    """Two workers that nobody else uses."""
    with closing(ProcessExecutor(home, 2)) as executor:
        yield Crew(executor)


@pytest.fixture(scope="module")
def lone(home: Path) -> Iterator[Crew]:
    """One worker, which has been through all the tests before."""
    with closing(ProcessExecutor(home, 1)) as executor:
        yield Crew(executor)
