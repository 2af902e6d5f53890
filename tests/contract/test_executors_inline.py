"""The inline executor keeps the promises of an executor."""

import importlib.util
import sys
from pathlib import Path

import pytest
from tests.contract.executor_contract import SHOP, Crew, ExecutorContract, job

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import CodeError
from tidegate.executors.inline import InlineExecutor
from tidegate.ir.graph import Requirements
from tidegate.ports.executor import Returned
from tidegate.sdk.load import load


@pytest.fixture
def crew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crew:
    path = tmp_path / "shop.py"
    path.write_text(SHOP)
    spec = importlib.util.spec_from_file_location("shop", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "shop", module)
    spec.loader.exec_module(module)
    return Crew(
        InlineExecutor(
            lambda target: load(target.module, target.name), BlobFiles(BlobDirectory(tmp_path))
        )
    )


@pytest.fixture
def fresh(crew: Crew) -> Crew:
    return crew


class TestInline(ExecutorContract):
    def test_everything_has_run_when_submit_returns(self, crew: Crew):
        jobs = [job("add", a=i, b=i) for i in range(3)]

        crew.submit(*jobs)

        assert [each.outcome for each in crew.reports] == [
            Returned({"o0": 2 * i}) for i in range(3)
        ]

    def test_a_long_chain_of_deliveries_does_not_nest(self, crew: Crew):
        chain = [job("add", a=i, b=1) for i in range(3_000)]
        rest = iter(chain)
        executor = crew.executor
        executor.start(lambda _: executor.submit([each for each in [next(rest, None)] if each]))

        crew.submit(next(rest))

        assert next(rest, None) is None

    def test_what_is_cancelled_before_it_began_never_begins(self, crew: Crew):
        first, second = job("add", a=1, b=1), job("add", a=2, b=2)
        deliver = crew.deliver

        def cancel(reports):
            deliver(reports)
            crew.submit(second)
            crew.executor.cancel(second.key, second.node, second.attempt)

        crew.executor.start(cancel)
        crew.submit(first)

        assert [each.key for each in crew.reports] == [first.key]


def test_what_cannot_be_loaded_fails_the_attempt(tmp_path: Path):
    def load_nothing(target):
        raise CodeError(f"no {target}")

    crew = Crew(InlineExecutor(load_nothing, BlobFiles(BlobDirectory(tmp_path))))

    assert crew.run("add", a=1, b=1).failure.message == "no shop:add"


def test_it_says_once_that_a_limit_is_not_enforced(
    crew: Crew, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        crew.run("add", a=1, b=2, REQUIRES=Requirements(mem_limit=2**30))

    assert [each.message for each in caplog.records] == [
        "the memory limit 1Gi of task 'add' is not enforced: it runs in this process"
    ]
