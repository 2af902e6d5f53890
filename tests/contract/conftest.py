"""A whole Tidegate in memory, alone or behind a second writer; and executors of processes, ready to run the tasks of `executor_contract` and `yard`."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.contract.executor_contract import SHOP, Crew, write_bundle
from tests.contract.rival import Contested
from tests.contract.yard import YARD

from tidegate.executors.process import ProcessExecutor
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
"""What must also hold if somebody else writes to the same executions, and wins every third time."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    name = metafunc.module.__name__.rpartition(".")[2]
    if name in ALSO_CONTESTED and "writers" in metafunc.fixturenames:
        metafunc.parametrize("writers", [1, 2], ids=["alone", "contested"], indirect=True)


@pytest.fixture
def writers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many write into the store of a sandbox."""
    number = getattr(request, "param", 1)
    if number == 2:
        made = SqliteStore.__init__

        def make(self: Any, connections: Any) -> None:
            made(self, connections)
            self.journal = Contested(self.journal)

        monkeypatch.setattr(SqliteStore, "__init__", make)
    return int(number)


@pytest.fixture
def sandbox(writers: int) -> Iterator[Sandbox]:
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
