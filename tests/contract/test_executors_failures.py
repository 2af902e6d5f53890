"""
The executor of processes, when what it stands on breaks: its directory, its fork server, its own thread.

What waits goes on to wait, what ran is reported as lost, each once, and when the cause is gone it works again by itself.

Method: each cause is a real one where there is one (a file in the place of a directory, a signal, a lowered limit). A bug of the pool's own is put
into it by exchanging a method for one that raises.
"""

import errno
import os
import resource
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
from tests.contract.executor_contract import Crew, write_bundle
from tests.contract.yard import YARD, children, descriptors, is_alive, until, yard

from tidegate.core.messages import TASK_TIMED_OUT
from tidegate.errors import CodeError
from tidegate.executors import roster
from tidegate.executors.pool import Pool
from tidegate.executors.process import ProcessExecutor
from tidegate.executors.roster import Roster
from tidegate.parts import Parts
from tidegate.ports.executor import Lost, Returned


class Site:
    """An executor with the parts of a process, in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.parts = Parts()
        write_bundle(home, yard=YARD)
        self.executor = ProcessExecutor(home, 2, parts=self.parts)

    def start(self) -> Crew:
        self.crew = Crew(self.executor)
        return self.crew

    @property
    def health(self) -> str:
        return self.parts.health

    def why(self, name: str) -> str:
        """Return why a part is down, or nothing if it is up."""
        return next((each.why for each in self.parts.standings() if each.name == name), "")

    def forker(self) -> psutil.Process:
        (forker,) = psutil.Process().children()
        return forker

    def holds(self, path: Path) -> "tuple[Crew, object]":
        """Start an attempt that runs until there is a file."""
        job = yard("hold", began=f"{path}.began", until=str(path))
        self.crew.submit(job)
        until(Path(f"{path}.began").exists)
        return job


@pytest.fixture
def site(tmp_path: Path):
    site = Site(tmp_path / "home")
    with closing(site.executor):
        yield site


def quick(count: int):
    return [yard("quick", n=n) for n in range(count)]


def run_some(site: Site) -> None:
    """See that it works."""
    site.crew.submit(*(jobs := quick(4)))
    all_return(site.crew, jobs)


def all_return(crew: Crew, jobs) -> None:
    assert crew.outcomes(jobs) == [Returned({"o0": n}) for n in range(len(jobs))]
    assert [len(crew.said_of(job)) for job in jobs] == [1] * len(jobs)


# ---- the directory ----


def test_jobs_wait_while_scratch_is_a_file_and_run_when_it_is_a_directory(site: Site):
    scratch = site.home / "scratch"
    scratch.write_text("not a directory")
    jobs = quick(20)

    site.start().submit(*jobs)
    until(lambda: site.why("pool"))

    assert "scratch" in site.why("pool")
    assert site.health == "down"
    scratch.unlink()
    all_return(site.crew, jobs)
    until(lambda: site.health == "ok")


def test_jobs_wait_while_scratch_is_gone_and_cannot_be_made_again(site: Site):
    crew = site.start()
    run_some(site)
    for child in psutil.Process().children(recursive=True):
        child.kill()
    (site.home / "scratch").rename(site.home / "away")
    (site.home / "scratch").write_text("not a directory")
    until(lambda: site.why("fork-server") or site.why("pool"))

    crew.submit(*(jobs := quick(20)))
    until(lambda: site.why("fork-server") or site.why("pool"))

    (site.home / "scratch").unlink()
    all_return(crew, jobs)
    until(lambda: site.health == "ok")


def test_an_executor_that_is_closed_while_its_directory_is_unusable_ends_and_leaks_nothing(
    tmp_path: Path,
):
    before = children(), descriptors()
    site = Site(tmp_path)
    (site.home / "scratch").write_text("not a directory")
    site.start().submit(*quick(3))
    until(lambda: site.why("pool"))

    site.executor.close()

    assert (children(), descriptors()) == before
    assert site.crew.reports == []


@contextmanager
def no_descriptors():
    """Let there be no descriptor for anybody."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors() + 20, hard))
    try:
        try:
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error:
            assert error.errno == errno.EMFILE
        yield
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_jobs_wait_while_there_are_no_descriptors_and_none_is_lost_or_leaked(site: Site):
    crew = site.start()
    run_some(site)
    for child in site.forker().children():
        child.kill()
    until(lambda: not site.forker().children())
    before = descriptors()
    jobs = quick(20)

    with no_descriptors():
        crew.submit(*jobs)
        until(lambda: "too many open files" in site.why("pool"))
        starts = next(p.restarts for p in site.parts.standings() if p.name == "pool")
        until(lambda: site.parts.standings()[1].restarts > starts + 1)

    all_return(crew, jobs)
    until(lambda: site.health == "ok")

    def workers_are_gone() -> bool:
        # One may have been on its way, and come when the others were ended.
        for child in site.forker().children():
            child.kill()
        return descriptors() <= before

    until(workers_are_gone)


# ---- the fork server ----


def test_a_fork_server_that_is_killed_is_down_and_comes_back_though_nothing_needs_it(site: Site):
    site.start()
    run_some(site)
    forker = site.forker()

    forker.kill()

    until(lambda: "signal SIGKILL" in site.why("fork-server"))
    until(lambda: site.health == "ok")
    assert site.forker().pid != forker.pid
    run_some(site)


def test_a_fork_server_that_hangs_counts_as_down_until_it_replies(site: Site, monkeypatch):
    monkeypatch.setattr(roster, "SILENT", 0.05)
    site.start()
    # A timeout ends the worker, and is told when the pool knows that it is gone.
    slow = site.crew.run("pause", module="yard", until="/never", TIMEOUT=1_000)
    assert slow.failure.code == TASK_TIMED_OUT
    site.forker().suspend()

    site.crew.submit(*(jobs := quick(3)))
    until(lambda: site.why("fork-server") == "its process does not reply")

    assert site.health == "down"
    site.forker().resume()
    all_return(site.crew, jobs)
    until(lambda: site.health == "ok")


def test_jobs_wait_while_the_fork_server_cannot_start_and_questions_hear_why(
    site: Site, monkeypatch
):
    monkeypatch.setattr("tidegate.parts.LONGEST_PAUSE", 0.1)
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    site.start().submit(*(jobs := quick(5)))

    with pytest.raises(CodeError, match="with exit code 1") as caught:
        site.executor.describe("b" * 64, "yard")

    assert "PYTHONHOME" in caught.value.details["trace"]
    assert "its process ended with exit code 1" in site.why("fork-server")
    assert not any(site.crew.said_of(job) for job in jobs)
    monkeypatch.delenv("PYTHONHOME")
    all_return(site.crew, jobs)
    until(lambda: site.health == "ok")


# ---- the pool's own thread ----

PLACES = [
    (Roster, "place"),
    (Roster, "tend"),
    (Roster, "put_back"),
    (Pool, "_look_at"),
    (Pool, "_listen"),
    (Pool, "_read_orders"),
    (Pool, "_report"),
    (Pool, "_pause"),
    (Pool, "submit"),
]


@pytest.mark.parametrize(("where", "method"), PLACES, ids=lambda each: str(each))
def test_a_bug_anywhere_in_the_pool_loses_no_job(
    site: Site, tmp_path: Path, monkeypatch, where, method
):
    site.start()
    ran = site.holds(tmp_path / "end")
    right = getattr(where, method)
    broken = threading.Event()

    def wrong(*args, **how):
        if not broken.is_set():
            broken.set()
            raise IndexError("planted")
        return right(*args, **how)

    monkeypatch.setattr(where, method, wrong)
    jobs = quick(50)

    site.crew.submit(*jobs)
    if method == "put_back":
        site.executor.cancel(ran.key, ran.node, ran.attempt)
    (tmp_path / "end").touch()

    # What had begun by then is lost, and said to be; the rest has not noticed.
    for n, outcome in enumerate(site.crew.outcomes(jobs)):
        assert outcome in (Returned({"o0": n}), Lost())
    assert [len(site.crew.said_of(job)) for job in jobs] == [1] * len(jobs)
    assert broken.is_set()
    until(lambda: site.health == "ok")
    if method != "put_back":
        outcome = site.crew.outcome(ran)
        assert outcome == Lost() or isinstance(outcome, Returned)
        assert len(site.crew.said_of(ran)) == 1


def test_nothing_that_ran_in_a_pool_that_failed_goes_on_beside_the_next_attempt(
    site: Site, tmp_path: Path, monkeypatch
):
    site.start()
    pid_file = tmp_path / "pid"
    site.crew.submit(ran := yard("start_program", pid_file=str(pid_file)))
    until(pid_file.exists)
    right = Pool._look_at

    def wrong(self, child):
        monkeypatch.setattr(Pool, "_look_at", right)
        raise IndexError("planted")

    monkeypatch.setattr(Pool, "_look_at", wrong)
    site.crew.submit(*(jobs := quick(3)))

    assert site.crew.outcome(ran) == Lost()
    assert not is_alive(int(pid_file.read_text()))
    all_return(site.crew, jobs)


def test_a_bug_that_lasts_is_down_and_says_where_and_jobs_wait(site: Site, monkeypatch):
    site.start()
    with monkeypatch.context() as planted:

        def wrong(self, *_, **__):
            raise IndexError("planted")

        planted.setattr(Roster, "place", wrong)
        site.crew.submit(*(jobs := quick(10)))
        until(lambda: "IndexError: planted" in site.why("pool"))
        assert site.health == "down"

    all_return(site.crew, jobs)
    until(lambda: site.health == "ok")


# ---- draining ----


def test_after_a_drain_nothing_begins_what_runs_is_reported_and_then_it_is_done(
    site: Site, tmp_path: Path
):
    site.start()
    running = [site.holds(tmp_path / f"end{n}") for n in range(2)]
    site.crew.submit(*(waiting := quick(5)))

    drained = site.executor.drain()
    site.crew.submit(*(later := quick(5)))
    assert not drained.done()
    for n in range(2):
        (tmp_path / f"end{n}").touch()
    drained.result(60)

    assert all(isinstance(site.crew.outcome(job), Returned) for job in running)
    assert not any(site.crew.said_of(job) for job in [*waiting, *later])
    # A question is not an attempt: answers are checked for as long as the server takes them.
    assert site.executor.describe("b" * 64, "yard") == ()


def test_a_drain_where_nothing_runs_is_done_at_once_also_while_the_pool_is_down(site: Site):
    (site.home / "scratch").write_text("not a directory")
    site.start().submit(*quick(3))
    until(lambda: site.why("pool"))

    site.executor.drain().result(60)
