"""
Attempts of every kind, cancelled at random, while processes are killed at random: each is begun once and reported on once.

Method: one integer gives the attempts and whom to kill; when things happen is the machine's choice. To look at a failure, run its seed often.
"""

import os
import random
import signal
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest
from tests.contract.executor_contract import BUNDLE, Crew, write_bundle
from tests.contract.yard import YARD, yard

from tidegate.executors.process import ProcessExecutor

ROUNDS = 12
OTHER = "c" * 64


def some_attempt(rng: random.Random, home: Path, number: int):
    bundle = rng.choice([BUNDLE, BUNDLE, BUNDLE, OTHER])
    match rng.choices(["quick", "count", "polite", "clean", "stuck"], [80, 10, 2, 2, 2])[0]:
        case "quick":
            return yard("quick", n=1, BUNDLE=bundle)
        case "count":
            return yard("count", path=str(home / f"count-{number}"))
        case "polite":
            return yard("end_politely")
        case "clean":
            return yard("clean_up", path=str(home / "mark"), TIMEOUT=rng.randint(1, 30_000))
        case _:
            return yard("pause", until=str(home / "never"), TIMEOUT=rng.randint(1, 50_000))


def kill_someone(rng: random.Random) -> None:
    family = psutil.Process().children(recursive=True)
    if family:
        with suppress(ProcessLookupError):
            os.kill(rng.choice(family).pid, rng.choice([signal.SIGKILL, signal.SIGTERM]))


@pytest.mark.parametrize("seed", range(3))
def test_each_attempt_is_begun_once_and_reported_on_once(tmp_path: Path, seed: int):
    rng = random.Random(seed)
    for bundle in (BUNDLE, OTHER):
        write_bundle(tmp_path, digest=bundle, yard=YARD)
    cancelled, wanted = [], []
    with closing(ProcessExecutor(tmp_path, 2)) as executor:
        crew = Crew(executor)
        for number in range(ROUNDS):
            batch = [
                some_attempt(rng, tmp_path, number * 100 + i) for i in range(rng.randint(1, 60))
            ]
            crew.submit(*batch)
            rng.shuffle(batch)
            share = len(batch) // 8
            for each in batch[:share]:
                executor.cancel(each.key, each.node, each.attempt)
            cancelled += batch[:share]
            wanted += batch[share:]
            crew.outcomes(batch[share : share + len(batch) // 2])
            if number % 3 == 0:
                kill_someone(rng)

        crew.outcomes(wanted)

        assert {len(crew.said_of(each)) for each in wanted} == {1}
        assert {len(crew.said_of(each)) for each in cancelled} <= {0, 1}
    assert {path.read_text() for path in tmp_path.glob("count-*")} <= {"", "x"}
    assert psutil.Process().children() == []
