"""
The executor of processes keeps the promises of an executor, and those about time, output, code and the processes themselves.

Method: tasks and tests wait for each other by files; no test sleeps for a while in the hope that something has happened.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import msgspec
import psutil
import pytest

from tests.contract.executor_contract import (
    BUNDLE,
    PATIENCE,
    SHOP,
    Crew,
    ExecutorContract,
    job,
    write_bundle,
)
from tidegate.core.messages import TASK_TIMED_OUT
from tidegate.errors import CodeError
from tidegate.executors.process import ProcessExecutor
from tidegate.ir.graph import Graph
from tidegate.logs import MAX_LOG, log_path, read_logs
from tidegate.ports import Began, Lost, Raised, Returned

YARD = '''
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tidegate import current_context, task


def wait_for(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.001)


@task
def quick(n: int) -> int:
    return n


@task
def pause(until: str) -> str:
    """Short when its file is there, else as long as it is not."""
    wait_for(until)
    return until


@task
def hold(began: str, until: str) -> int:
    Path(began).touch()
    wait_for(until)
    return os.getpid()


@task
def count(path: str) -> int:
    with open(path, "a") as file:
        file.write("x")
    return 1


@task
def say(text: str, times: int) -> int:
    for _ in range(times):
        print(text)
    print("and an error", file=sys.stderr)
    subprocess.run(["echo", "from a program"], check=True)
    return times


@task
def say_and_wait(text: str, until: str) -> int:
    print(text)
    wait_for(until)
    return 1


@task
def clean_up(path: str) -> int:
    try:
        while True:
            time.sleep(60)
    finally:
        Path(path).touch()


@task
def start_program(pid_file: str) -> int:
    child = subprocess.Popen(["sleep", "600"])
    Path(pid_file + ".new").write_text(str(child.pid))
    Path(pid_file + ".new").rename(pid_file)
    child.wait()
    return 1


@task
def desk() -> list[str]:
    place = Path(current_context().working_directory)
    there = sorted(p.name for p in place.iterdir())
    (place / "left.txt").write_text("x")
    return there


@task
def close_everything() -> int:
    os.close(1)
    os.close(2)
    sys.stdout = None
    return 1


@task
def process() -> int:
    return os.getpid()


@task
def end_politely() -> int:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
    return 1


@task
def grab(size: int) -> int:
    return len(bytearray(size))


@task
def fork() -> int:
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    return os.getpid()
'''


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


def until(holds) -> None:
    """Wait for something that no report tells of."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)


def yard(name: str, **columns):
    return job(name, module="yard", **columns)


def all_heard(crew: Crew) -> None:
    """Return when the pool has taken up all that it was told; a question is answered beside the attempts."""
    crew.executor.describe(BUNDLE, "shop")


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


class TestProcess(ExecutorContract):
    pass


# -- order and room --


def test_the_earlier_is_begun_first(lone: Crew, tmp_path: Path):
    names = [str(tmp_path / str(i)) for i in range(20)]
    jobs = [yard("count", path=name) for name in names]

    lone.submit(*jobs)

    lone.outcomes(jobs)
    said = [r.key for r in lone.reports if not isinstance(r.outcome, Began)]
    assert said[-20:] == [each.key for each in jobs]


def test_no_attempt_waits_behind_a_long_one_while_there_is_a_worker_for_it(
    crew: Crew, tmp_path: Path
):
    there = tmp_path / "there"
    there.touch()
    crew.outcomes(warm_up(crew, [yard("pause", until=str(there)) for _ in range(50)]))
    slow = yard("pause", until=str(tmp_path / "later"))
    # The pool holds all of these for short, and hands them out in heaps.
    others = [yard("pause", until=str(there)) for _ in range(40)]

    crew.submit(*others[:20], slow, *others[20:])

    crew.outcomes(others)
    assert not crew.said_of(slow)
    (tmp_path / "later").touch()
    crew.outcome(slow)


def warm_up(crew: Crew, jobs):
    crew.submit(*jobs)
    return jobs


def test_each_attempt_is_begun_once_though_workers_end_around_it(crew: Crew, tmp_path: Path):
    there = tmp_path / "there"
    there.touch()
    crew.outcomes(warm_up(crew, [yard("count", path=str(tmp_path / "warm")) for _ in range(50)]))
    counted = [yard("count", path=str(tmp_path / f"count-{i}")) for i in range(200)]
    ended = [yard("end_politely") for _ in range(4)]
    mixed = [*counted]
    for i, each in enumerate(ended):
        mixed.insert(i * 50, each)

    crew.submit(*mixed)

    crew.outcomes(mixed)
    assert {len((tmp_path / f"count-{i}").read_text()) for i in range(200)} == {1}


def test_workers_are_kept_for_the_next_attempt(lone: Crew):
    assert lone.outcome(warm_up(lone, [yard("process")])[0]) == lone.outcome(
        warm_up(lone, [yard("process")])[0]
    )


def test_there_are_never_more_workers_than_allowed(fresh: Crew, tmp_path: Path):
    jobs = [
        yard("hold", began=str(tmp_path / f"began-{i}"), until=str(tmp_path / "end"))
        for i in range(6)
    ]

    fresh.submit(*jobs)

    until(lambda: len(list(tmp_path.glob("began-*"))) == 2)
    (tmp_path / "end").touch()
    assert len({outcome.outputs["o0"] for outcome in fresh.outcomes(jobs)}) == 2


def test_an_idle_worker_ends(home: Path):
    with closing(ProcessExecutor(home, 1, idle=0.05)) as executor:
        crew = Crew(executor)
        pid = crew.run("process", module="yard").outputs["o0"]

        until(lambda: not is_alive(pid))

        assert crew.run("process", module="yard").outputs["o0"] != pid


# -- what is announced --


def test_only_an_attempt_that_takes_a_while_is_said_to_have_begun(crew: Crew, tmp_path: Path):
    long = yard("hold", began=str(tmp_path / "began"), until=str(tmp_path / "end"))
    crew.submit(long)
    crew.until(lambda: any(r.key == long.key for r in crew.reports))
    (tmp_path / "end").touch()
    crew.outcome(long)
    short = [yard("quick", n=i) for i in range(50)]
    crew.submit(*short)
    crew.outcomes(short)

    said = {
        each.key: [type(r.outcome) for r in crew.reports if r.key == each.key]
        for each in [long, *short]
    }

    assert said[long.key] == [Began, Returned]
    assert sum(Began in said[each.key] for each in short) <= 2  # while workers start


# -- time --


def test_an_attempt_is_ended_at_its_timeout_and_can_clean_up(crew: Crew, tmp_path: Path):
    mark = tmp_path / "cleaned"

    outcome = crew.run("clean_up", module="yard", path=str(mark), TIMEOUT=300_000)

    assert isinstance(outcome, Raised)
    assert outcome.failure.code == TASK_TIMED_OUT
    assert "0.3 s" in outcome.failure.message
    assert "clean_up" in outcome.failure.trace  # where it was
    assert mark.exists()


def test_the_programs_of_an_attempt_end_with_it(crew: Crew, tmp_path: Path):
    pid_file = tmp_path / "pid"

    outcome = crew.run("start_program", module="yard", pid_file=str(pid_file), TIMEOUT=1_000_000)

    assert outcome.failure.code == TASK_TIMED_OUT
    until(lambda: not is_alive(int(pid_file.read_text())))


def test_importing_the_code_does_not_count_towards_the_timeout(home: Path, crew: Crew):
    write_bundle(
        home,
        slow="""
        import time
        time.sleep(0.6)
        from tidegate import task

        @task
        def quick() -> int:
            return 1
        """,
    )

    assert crew.run("quick", module="slow", TIMEOUT=400_000) == Returned({"o0": 1})


def test_a_timeout_of_one_attempt_is_not_one_of_those_behind_it(lone: Crew, tmp_path: Path):
    there = tmp_path / "there"
    there.touch()
    lone.outcomes(warm_up(lone, [yard("pause", until=str(there)) for _ in range(50)]))
    stuck = yard("pause", until=str(tmp_path / "never"), TIMEOUT=200_000)
    others = [yard("pause", until=str(there)) for _ in range(10)]

    lone.submit(stuck, *others)

    assert lone.outcome(stuck).failure.code == TASK_TIMED_OUT
    assert all(isinstance(outcome, Returned) for outcome in lone.outcomes(others))


# -- cancelling --


def test_a_cancelled_attempt_is_ended_and_not_reported_on(lone: Crew, tmp_path: Path):
    endless = yard("hold", began=str(tmp_path / "began"), until=str(tmp_path / "never"))
    lone.submit(endless)
    until((tmp_path / "began").exists)

    lone.executor.cancel(endless.key, endless.node, endless.attempt)

    lone.submit(after := yard("quick", n=1))
    assert lone.outcome(after) == Returned({"o0": 1})
    assert not lone.said_of(endless)


def test_an_attempt_that_waits_and_is_cancelled_never_begins(lone: Crew, tmp_path: Path):
    first = yard("hold", began=str(tmp_path / "began"), until=str(tmp_path / "end"))
    waiting = yard("count", path=str(tmp_path / "counted"))
    last = yard("quick", n=1)
    lone.submit(first, waiting, last)
    until((tmp_path / "began").exists)

    lone.executor.cancel(waiting.key, waiting.node, waiting.attempt)
    all_heard(lone)

    (tmp_path / "end").touch()
    lone.outcomes([first, last])
    assert not (tmp_path / "counted").exists()
    assert not lone.said_of(waiting)


def test_cancelling_one_of_a_heap_leaves_the_others(lone: Crew, tmp_path: Path):
    there = tmp_path / "there"
    there.touch()
    lone.outcomes(warm_up(lone, [yard("pause", until=str(there)) for _ in range(50)]))
    first = yard("pause", until=str(tmp_path / "end"))
    counted = [yard("count", path=str(tmp_path / f"count-{i}")) for i in range(10)]
    lone.submit(first, *counted)

    for each in counted[::2]:
        lone.executor.cancel(each.key, each.node, each.attempt)
    all_heard(lone)
    (tmp_path / "end").touch()

    lone.outcomes([first, *counted[1::2]])
    assert sorted(p.name for p in tmp_path.glob("count-*")) == [
        f"count-{i}" for i in range(1, 10, 2)
    ]


# -- what is printed --


def test_what_an_attempt_prints_is_kept(home: Path, crew: Crew):
    crew.run("say", module="yard", text="grüße", times=2, ID="e/../1", NODE="n2/n10", ATTEMPT=3)
    crew.run("say", module="yard", text="second", times=1, ID="e/../1", NODE="n2/n9")

    logs = read_logs(home, "e/../1")

    assert [(each.node, each.attempt, each.live) for each in logs] == [
        ("n2/n9", 1, False),
        ("n2/n10", 3, False),
    ]
    assert logs[1].text == "grüße\ngrüße\nand an error\nfrom a program\n"
    assert read_logs(home, "e/../1", "n2/n9") == logs[:1]
    assert read_logs(home, "another") == []
    assert log_path(home, "e/../1", "n2/n9", 1).resolve().is_relative_to(home / "logs")


def test_an_attempt_that_prints_nothing_leaves_no_file(home: Path, crew: Crew):
    crew.run("quick", module="yard", n=1, ID="silent")

    assert not (home / "logs" / "silent").exists()


def test_what_a_running_attempt_prints_can_be_read_meanwhile(
    home: Path, crew: Crew, tmp_path: Path
):
    one = yard("say_and_wait", text="so far so good", until=str(tmp_path / "end"))
    crew.submit(one)

    until(lambda: [each.text for each in read_logs(home, one.id)] == ["so far so good\n"])
    assert read_logs(home, one.id)[0].live
    (tmp_path / "end").touch()

    crew.outcome(one)
    assert [(each.text, each.live) for each in read_logs(home, one.id)] == [
        ("so far so good\n", False)
    ]


def test_a_long_log_keeps_its_beginning_and_its_end(home: Path, crew: Crew):
    crew.run("say", module="yard", text="x" * 1023, times=2000, ID="e1")

    (log,) = read_logs(home, "e1")

    assert len(log.text) < MAX_LOG + 100
    assert "bytes left out" in log.text
    assert log.text.startswith("xxx")
    assert log.text.endswith("from a program\n")


def test_a_task_may_close_its_output(crew: Crew):
    assert crew.run("close_everything", module="yard") == Returned({"o0": 1})
    assert crew.run("quick", module="yard", n=1) == Returned({"o0": 1})


def test_every_attempt_finds_an_empty_desk(lone: Crew):
    assert lone.run("desk", module="yard") == Returned({"o0": []})
    assert lone.run("desk", module="yard") == Returned({"o0": []})


# -- code --


def test_each_bundle_runs_its_own_code(home: Path, lone: Crew):
    text = "from tidegate import task\n\n@task\ndef which() -> int:\n    return {}\n"
    one = write_bundle(home, digest="1" * 64, shop=text.format(1))
    two = write_bundle(home, digest="2" * 64, shop=text.format(2))
    jobs = [job("which", bundle=bundle) for bundle in [one, two, two, one]]

    lone.submit(*jobs)

    assert [outcome.outputs["o0"] for outcome in lone.outcomes(jobs)] == [1, 2, 2, 1]


def test_no_bundle_waits_while_another_has_always_more_to_do(home: Path, lone: Crew):
    other = write_bundle(home, digest="2" * 64, shop=SHOP)
    deliver, before = lone.deliver, len(lone.reports)
    busy = True

    def more(reports):
        deliver(reports)
        if busy:
            lone.submit(*(yard("quick", n=1) for _ in reports))

    lone.deliver = more
    lone.submit(*(yard("quick", n=1) for _ in range(20)))
    lone.until(lambda: len(lone.reports) > before + 100)

    assert lone.run("add", bundle=other, a=1, b=2) == Returned({"o0": 3})
    busy = False
    lone.deliver = deliver


def test_no_process_of_a_task_reports_in_its_place(lone: Crew):
    outcome = lone.run("fork", module="yard")

    assert outcome == Returned({"o0": lone.run("process", module="yard").outputs["o0"]})


def test_memory_is_limited(home: Path):
    with closing(ProcessExecutor(home, 1, memory_limit=2 * 1024**3)) as executor:
        crew = Crew(executor)

        assert crew.run("grab", module="yard", size=4 * 1024**3).failure.message == "MemoryError"
        assert crew.run("grab", module="yard", size=1024) == Returned({"o0": 1024})


def test_who_asks_a_worker_to_end_costs_no_attempt(crew: Crew):
    assert crew.run("end_politely", module="yard") == Lost()


def test_workers_that_cannot_start_fail_what_waits_for_them(
    fresh: Crew, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")

    failure = fresh.run("quick", module="yard", n=1).failure

    assert failure.message == "no worker can be started: its process ends at once, with exit code 1"
    assert "PYTHONHOME" in failure.trace


# -- questions about code --


def test_a_module_is_described_by_its_workflows(home: Path, crew: Crew):
    write_bundle(
        home,
        flows="""
        from tidegate import task, workflow

        @task
        def f(x: int) -> int:
            return x

        @workflow
        def second(x: int) -> int:
            return f(x=x)

        @workflow
        def broken(x: int) -> int:
            return f(y=x)

        @workflow
        def first(x: int) -> int:
            return f(x=x)
        """,
    )

    found = crew.executor.describe(BUNDLE, "flows")

    assert [each.name for each in found] == ["flows.second", "flows.broken", "flows.first"]
    assert msgspec.msgpack.decode(found[0].graph, type=Graph).name == "flows.second"
    assert found[1].graph == b""
    assert "broken" in found[1].error


@pytest.mark.parametrize(
    ("text", "says"),
    {
        "an exception": ("x = 1\nraise ValueError('no')\n", "bad.py:2: ValueError: no"),
        "a mistake in the syntax": ("x = 1\ndef f(:\n", "bad.py:2: SyntaxError"),
        "a module that is not installed": (
            "import absent_module\n",
            "bad.py:1: ModuleNotFoundError",
        ),
        "the end of the program": ("import sys\nsys.exit(4)\n", "bad.py:2: SystemExit: 4"),
        "the end of the process": ("import os\nos._exit(4)\n", "exit code 4"),
        "a crash": ("import ctypes\nctypes.string_at(0)\n", "SIGSEGV"),
        "an endless loop": ("while True: pass\n", "longer than 2 s"),
    }.values(),
)
def test_code_that_cannot_be_imported_says_so_in_one_line(
    home: Path, crew: Crew, text: str, says: str
):
    write_bundle(home, bad=text)

    with pytest.raises(CodeError) as caught:
        crew.executor.describe(BUNDLE, "bad", timeout=2.0)

    assert says in caught.value.message
    assert "\n" not in caught.value.message
    assert crew.run("add", a=1, b=1) == Returned({"o0": 2})


def test_a_module_that_is_not_there_is_named(crew: Crew):
    with pytest.raises(CodeError, match="no module 'absent'"):
        crew.executor.describe(BUNDLE, "absent")


def test_code_is_described_while_every_worker_is_busy(crew: Crew, tmp_path: Path):
    jobs = [
        yard("hold", began=str(tmp_path / f"began-{i}"), until=str(tmp_path / "end"))
        for i in range(2)
    ]
    crew.submit(*jobs)
    until(lambda: len(list(tmp_path.glob("began-*"))) == 2)

    assert crew.executor.describe(BUNDLE, "yard") == ()

    (tmp_path / "end").touch()
    crew.outcomes(jobs)


def test_a_question_is_answered_when_the_executor_closes(fresh: Crew, home: Path):
    write_bundle(
        home, endless="from pathlib import Path\nPath(__file__ + '.on').touch()\nwhile True: pass\n"
    )
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(fresh.executor.describe, BUNDLE, "endless")
        until((home / "bundles" / BUNDLE / "endless.py.on").exists)
        fresh.executor.close()

        with pytest.raises(CodeError, match="closed"):
            asked.result()
    with pytest.raises(CodeError, match="closed"):
        fresh.executor.describe(BUNDLE, "endless")


# -- the end --


def test_closing_ends_every_process_and_gives_back_every_descriptor(tmp_path: Path):
    write_bundle(tmp_path, yard=YARD)
    before = children(), len(os.listdir("/dev/fd"))
    crew = Crew(ProcessExecutor(tmp_path, 2))
    busy = yard("start_program", pid_file=str(tmp_path / "pid"))
    crew.submit(busy, yard("quick", n=1))
    until((tmp_path / "pid").exists)

    crew.executor.close()

    assert not crew.said_of(busy)
    assert (children(), len(os.listdir("/dev/fd"))) == before
    assert not is_alive(int((tmp_path / "pid").read_text()))
    assert list((tmp_path / "scratch").iterdir()) == []
