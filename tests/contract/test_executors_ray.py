"""
The executor on a Ray cluster keeps the promises of an executor; what is reserved, kept, claimed and ended on its nodes.

Method: one cluster for the file. An owner that is killed is one whose link is killed, and that nobody closes.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from tests.contract.executor_contract import BUNDLE, SHOP, Crew, ExecutorContract, job, write_bundle
from tests.contract.yard import YARD, is_alive, until, yard
from tests.ray_cluster import RayCluster, running_ray

from tidegate.core.messages import TASK_TIMED_OUT
from tidegate.errors import ClusterRefused
from tidegate.executors.cluster.keeper import Keeper
from tidegate.executors.cluster.opening import employing, on_ray
from tidegate.executors.cluster.protocol import Duty, Following, Run, Shape, Stored
from tidegate.executors.cluster.settings import OnRay
from tidegate.executors.fork_server import EVERYTHING
from tidegate.executors.process import ProcessExecutor
from tidegate.ir.graph import Requirements
from tidegate.logs import Logs
from tidegate.parts import Parts
from tidegate.ports.executor import (
    ENVIRONMENT,
    NO_CLUSTER,
    TOO_LARGE,
    Attempt,
    Began,
    Hindered,
    Lost,
    Report,
    Returned,
)
from tidegate.runtime import artifacts_in

DEVICES = '''
import os
import time
from pathlib import Path

from tidegate import task


@task
def devices() -> str:
    return os.environ.get("CUDA_VISIBLE_DEVICES", "none")


@task
def variable(which: str) -> str:
    return os.environ.get(which, "")


@task
def meet(here: str, there: str) -> str:
    """Wait until another attempt has begun, too."""
    Path(here).touch()
    while not Path(there).exists():
        time.sleep(0.002)
    return os.environ.get("CUDA_VISIBLE_DEVICES", "none")
'''


@pytest.fixture(scope="module")
def ray() -> Iterator[RayCluster]:
    with running_ray() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    write_bundle(home, shop=SHOP, yard=YARD, devices=DEVICES)
    return home


def on(cluster: RayCluster, home: Path) -> Crew:
    executor = on_ray(home, OnRay(cluster.address), ProcessExecutor(home, 1), Logs(home), Parts())
    return Crew(executor)


@pytest.fixture(scope="module")
def crew(ray: RayCluster, home: Path) -> Iterator[Crew]:
    crew = on(ray, home)
    with closing(crew.executor):
        crew.executor.attach(())
        yield crew
        # So that nothing is left there, for which Ray would wait.
        crew.executor.stored(crew.reports)


@pytest.fixture
def fresh(ray: RayCluster, tmp_path: Path) -> Iterator[Crew]:
    """An owner of a store of its own, which nobody else uses."""
    write_bundle(tmp_path, shop=SHOP, yard=YARD)
    crew = on(ray, tmp_path)
    with closing(crew.executor):
        crew.executor.attach(())
        yield crew
        crew.executor.stored(crew.reports)


def kill_links() -> None:
    """Kill the links of all owners in this process."""
    for child in psutil.Process().children():
        if "tidegate.executors.cluster.link" in child.cmdline():
            child.kill()


def kill(crew: Crew) -> None:
    """Let an owner die: its link is gone, and it starts no other."""
    crew.executor._part.stop()
    kill_links()
    crew.executor._part.join()
    crew.executor.local.close()


def attempt(job) -> Attempt:
    return Attempt(job.key, job.node, job.attempt)


class TestRay(ExecutorContract):
    pass


# -- what outlives its owner --


def test_an_attempt_outlives_its_owner_and_what_the_next_does_not_claim_is_ended(
    ray: RayCluster, tmp_path: Path
):
    write_bundle(tmp_path, shop=SHOP, yard=YARD)
    began, end, pid = tmp_path / "began", tmp_path / "end", tmp_path / "pid"
    first = on(ray, tmp_path)
    first.executor.attach(())
    done, gone = yard("count", path=str(tmp_path / "counted")), yard("quick", n=7)
    runs = yard("hold", began=str(began), until=str(end))
    unwanted = yard("start_program", pid_file=str(pid))
    first.submit(done, runs, unwanted)
    until(lambda: began.exists() and pid.exists())
    first.outcome(done)
    kill(first)

    # An owner that does not look at the cluster would repeat what runs there.
    with pytest.raises(ClusterRefused, match="may still run on the Ray cluster"):
        on_ray(tmp_path, None, ProcessExecutor(tmp_path, 1), Logs(tmp_path), Parts())

    second = on(ray, tmp_path)
    claimed = [attempt(runs), attempt(done), attempt(gone)]
    assert second.executor.attach(claimed) == frozenset(claimed)
    # The first has ended, and its report was never said to be stored; the second was never handed out.
    assert second.outcome(done) == Returned({"o0": 1})
    assert second.outcome(gone) == Lost()
    until(lambda: not is_alive(int(pid.read_text())))
    assert not second.said_of(runs)
    second.executor.close()
    assert not second.said_of(runs)

    # Closing in good order lets it go on as well.
    end.touch()
    third = on(ray, tmp_path)
    third.executor.attach([attempt(runs)])
    assert isinstance(third.outcome(runs), Returned)
    assert (tmp_path / "counted").read_text() == "x"

    # Once everything is stored, nothing is left there.
    third.executor.stored(third.reports)
    third.executor.close()
    own = ProcessExecutor(tmp_path, 1)
    assert on_ray(tmp_path, None, own, Logs(tmp_path), Parts()) is own


def test_a_server_among_several_claims_what_it_takes_over_and_ends_nothing_before(
    ray: RayCluster, tmp_path: Path
):
    write_bundle(tmp_path, shop=SHOP, yard=YARD)

    def life() -> Crew:
        where = OnRay(ray.address, local=1)
        employ = employing(tmp_path, where, strict=None)
        crew = Crew(employ(Parts(), EVERYTHING, artifacts_in(tmp_path), "http://a:1"))
        crew.executor.attach(())
        return crew

    began, end, pid = tmp_path / "began", tmp_path / "end", tmp_path / "pid"
    # A processor is left for another one.
    half = Requirements(cpu=500)
    runs = yard("hold", began=str(began), until=str(end), REQUIRES=half)
    aborted = yard("start_program", pid_file=str(pid), REQUIRES=half)
    first = life()
    first.submit(runs, aborted)
    until(lambda: began.exists() and pid.exists())
    kill(first)

    second = life()
    with closing(second.executor):
        # It has been there for a while when it gets the shard.
        assert second.run("add", a=1, b=1) == Returned({"o0": 2})
        second.executor.attach([attempt(runs)])
        end.touch()
        assert isinstance(second.outcome(runs), Returned)
        # What was aborted is not claimed; it is told that it runs, so it can be ended.
        until(lambda: any(each.key == aborted.key for each in second.reports))
        second.executor.cancel(*attempt(aborted))
        until(lambda: not is_alive(int(pid.read_text())))
        second.executor.stored(second.reports)


def test_what_is_submitted_while_a_link_is_made_again_runs(fresh: Crew):
    assert fresh.run("add", a=1, b=1) == Returned({"o0": 2})
    for turn in range(2):
        kill_links()
        until(fresh.executor.hinders)
        # Handed out with the claim of what was there before, which must not end it.
        jobs = [job("add", a=turn, b=n) for n in range(4)]
        fresh.submit(*jobs)

        assert fresh.outcomes(jobs) == [Returned({"o0": turn + n}) for n in range(4)]


class Plenty:
    """A node that has everything at once."""

    def __init__(self) -> None:
        self.total = {"CPU": 1.0}
        self.environment: dict[str, str] = {}

    def reserve(self, shape: Shape) -> "Plenty":
        del shape
        return self

    def wait(self, seconds: float) -> bool:
        del seconds
        return True

    def release(self) -> None:
        pass


def test_a_claim_ends_what_earlier_links_of_its_owner_have_handed_over(tmp_path: Path):
    write_bundle(tmp_path / "store", shop=SHOP)
    keeper = Keeper(Duty("x", str(tmp_path / "store")), tmp_path / "keeper", Plenty(), lambda: None)
    with closing(keeper):
        earlier, now, others = (job("add", a=1, b=n) for n in range(3))
        keeper.order("earlier", "owner", [Run([earlier])])
        keeper.order("others", "another", [Run([others])])
        # Calls of one link do not arrive in order: this one is before its claim.
        keeper.order("now", "owner", [Run([now])])

        assert keeper.claim(Following("now", "owner", [], only=True)) == []

        kept = keeper.claim(Following("any", "any", [attempt(e) for e in (earlier, now, others)]))
        assert sorted(each.key for each in kept) == [now.key, others.key]
        # Who is the only owner claims all that there is.
        keeper.claim(Following("one", "", [attempt(others)], only=True))
        kept = keeper.claim(Following("any", "any", [attempt(e) for e in (now, others)]))
        assert [each.key for each in kept] == [others.key]


def test_a_keeper_tells_again_what_has_not_arrived(tmp_path: Path):
    write_bundle(tmp_path / "store", shop=SHOP)
    duty = Duty("x", str(tmp_path / "store"))
    keeper = Keeper(duty, tmp_path / "keeper", Plenty(), lambda: None)
    with closing(keeper):
        adds = job("add", a=1, b=1)
        keeper.order("link", "owner", [Run([adds])])
        heard = 0
        reports: list[Report] = []
        while not any(isinstance(each.outcome, Returned) for each in reports):
            told = keeper.tell("link", heard, 60)
            assert keeper.tell("link", heard, 60) == told  # the first reply was lost on its way
            heard = told.number
            reports += told.news.reports

        assert [each.key for each in reports if isinstance(each.outcome, Returned)] == [adds.key]
        # It is kept until it is forgotten, and the keeper stays while anyone asks.
        assert not keeper.leave("link")
        keeper.order("link", "owner", [Stored([attempt(adds)])])
        keeper.tell("another", 0, 0)
        assert not keeper.leave("link")
        assert keeper.leave("another")


# -- how attempts end --


def test_a_cancelled_attempt_ends_with_its_programs(crew: Crew, tmp_path: Path):
    endless = yard("start_program", pid_file=str(tmp_path / "pid"))
    crew.submit(endless)
    until((tmp_path / "pid").exists)

    crew.executor.cancel(endless.key, endless.node, endless.attempt)

    until(lambda: not is_alive(int((tmp_path / "pid").read_text())))
    assert not crew.said_of(endless)


def test_a_timeout_ends_the_programs_of_an_attempt(crew: Crew, tmp_path: Path):
    outcome = crew.run(
        "start_program", module="yard", pid_file=str(tmp_path / "pid"), TIMEOUT=1_000_000
    )

    assert outcome.failure.code == TASK_TIMED_OUT
    until(lambda: not is_alive(int((tmp_path / "pid").read_text())))


def test_attempts_whose_keeper_dies_are_lost_with_their_programs(crew: Crew, tmp_path: Path):
    endless = yard("start_program", pid_file=str(tmp_path / "pid"))
    crew.submit(endless)
    until((tmp_path / "pid").exists)
    program = psutil.Process(int((tmp_path / "pid").read_text()))
    keeper = next(each for each in program.parents() if each.name().startswith("ray::NodeActor"))

    keeper.kill()

    assert crew.outcome(endless) == Lost()
    assert not is_alive(program.pid)
    assert crew.run("add", a=1, b=1) == Returned({"o0": 2})


# -- what people see --


def test_output_is_there_while_an_attempt_runs_and_whole_when_it_has_ended(
    crew: Crew, home: Path, tmp_path: Path
):
    says = yard("say_and_wait", text="ahoy", until=str(tmp_path / "end"))
    logs = Logs(home)
    crew.submit(says)

    until(lambda: "ahoy" in "".join(each.text for each in logs.read(says.id)))
    assert not crew.said_of(says)
    (tmp_path / "end").touch()
    crew.outcome(says)

    (whole,) = logs.read(says.id)
    assert (whole.text, whole.live) == ("ahoy\n", False)
    assert any(r.key == says.key and isinstance(r.outcome, Began) for r in crew.reports)


# -- what is reserved --


def test_gpus_are_given_to_one_attempt_each(crew: Crew, tmp_path: Path):
    here, there = str(tmp_path / "a"), str(tmp_path / "b")
    one = Requirements(cpu=500, gpu=1000)
    jobs = [
        job("meet", module="devices", here=here, there=there, REQUIRES=one),
        job("meet", module="devices", here=there, there=here, REQUIRES=one),
    ]

    crew.submit(*jobs)

    seen = sorted(outcome.outputs["o0"] for outcome in crew.outcomes(jobs))
    assert seen == ["0", "1"]
    assert crew.run("devices", module="devices") == Returned({"o0": "none"})


def test_resources_of_the_clusters_own_are_honoured(crew: Crew, tmp_path: Path):
    all_ = Requirements(cpu=100, custom={"license": 2000})
    first = yard("hold", began=str(tmp_path / "1"), until=str(tmp_path / "end"), REQUIRES=all_)
    second = yard("hold", began=str(tmp_path / "2"), until=str(tmp_path / "end"), REQUIRES=all_)
    crew.submit(first, second)
    until(lambda: (tmp_path / "1").exists() or (tmp_path / "2").exists())

    assert crew.run("add", a=1, b=1) == Returned({"o0": 2})  # as long as that takes

    assert not ((tmp_path / "1").exists() and (tmp_path / "2").exists())
    (tmp_path / "end").touch()
    assert all(isinstance(each, Returned) for each in crew.outcomes([first, second]))


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (Requirements(cpu=64_000), "64 CPU"),
        (Requirements(mem=2**50), "GiB of memory"),
        (Requirements(gpu=3000), "3 GPU"),
        (Requirements(custom={"tape": 1000}), "1 tape"),
    ],
)
def test_what_no_node_has_is_held_with_the_reason(crew: Crew, asked: Requirements, what: str):
    outcome = crew.run("add", a=1, b=1, REQUIRES=asked)

    assert isinstance(outcome, Hindered)
    assert outcome.code == TOO_LARGE
    assert what in outcome.why


def test_an_environment_is_prepared_by_ray(crew: Crew):
    asked = Requirements(runtime_env={"env_vars": {"TIDE_ENV": "there"}})

    found = crew.run("variable", module="devices", which="TIDE_ENV", REQUIRES=asked)
    without = crew.run("variable", module="devices", which="TIDE_ENV")

    assert (found, without) == (Returned({"o0": "there"}), Returned({"o0": ""}))


def test_an_environment_that_takes_long_keeps_nobody_else_waiting(crew: Crew, tmp_path: Path):
    began, end = tmp_path / "began", tmp_path / "end"
    (tmp_path / "sitecustomize.py").write_text(
        f"""
import time
from pathlib import Path
Path({str(began)!r}).touch()
while not Path({str(end)!r}).exists():
    time.sleep(0.01)
"""
    )
    slow = {"env_vars": {"PYTHONPATH": str(tmp_path)}}
    waits = job("add", a=1, b=2, REQUIRES=Requirements(runtime_env=slow))
    crew.submit(waits)
    until(began.exists)

    assert crew.run("add", a=1, b=1) == Returned({"o0": 2})

    assert not crew.said_of(waits)
    end.touch()
    assert crew.outcome(waits) == Returned({"o0": 3})


def test_an_environment_that_cannot_be_prepared_holds_the_attempt(crew: Crew):
    asked = Requirements(runtime_env={"working_dir": "/nowhere/at/all"})

    outcome = crew.run("add", a=1, b=1, REQUIRES=asked)

    assert isinstance(outcome, Hindered)
    assert outcome.code == ENVIRONMENT
    assert "runtime_env" in outcome.why


# -- a cluster that cannot be used --


def test_without_a_cluster_attempts_are_given_back_with_the_reason(tmp_path: Path):
    write_bundle(tmp_path, shop=SHOP)
    executor = on_ray(
        tmp_path, OnRay("127.0.0.1:9"), ProcessExecutor(tmp_path, 1), Logs(tmp_path), Parts()
    )
    crew = Crew(executor)
    with closing(executor):
        executor.attach(())

        outcome = crew.run("add", a=1, b=1)

        assert isinstance(outcome, Hindered)
        assert outcome.code == NO_CLUSTER
        assert "no Ray cluster answers at 127.0.0.1:9" in outcome.why
        # What is asked of this machine is answered all the same.
        assert [each.name for each in executor.describe(BUNDLE, "shop")] == []


@pytest.mark.parametrize("address", ["nonsense", "http://a:1", "host:0", "host:99999"])
def test_an_address_that_is_none_is_refused_at_once(tmp_path: Path, address: str):
    with pytest.raises(ClusterRefused, match="must be HOST:PORT"):
        on_ray(tmp_path, OnRay(address), ProcessExecutor(tmp_path, 1), Logs(tmp_path), Parts())


def test_a_wrong_token_is_refused_in_one_line(
    ray: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    executor = on_ray(
        tmp_path, OnRay(ray.address), ProcessExecutor(tmp_path, 1), Logs(tmp_path), Parts()
    )
    Crew(executor)
    with closing(executor):
        why, refused = executor.verdict(60)

    assert refused
    assert "refuses this token" in why
    assert "\n" not in why
