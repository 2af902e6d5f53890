"""A whole Tidegate in memory; and executors of processes, ready to run the tasks of `executor_contract` and `yard`."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.executor_contract import SHOP, Crew, write_bundle
from tests.contract.yard import YARD

from tidegate.executors.process import ProcessExecutor
from tidegate.testing import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


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
