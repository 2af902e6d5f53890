"""The executor of processes runs each bundle's own code, keeps what it prints, and answers questions about it."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from tests.contract.executor_contract import BUNDLE, SHOP, Crew, job, write_bundle
from tests.contract.yard import until, yard

from tidegate.errors import CodeError
from tidegate.ir.graph import Graph, PythonTarget
from tidegate.logs import MAX_LIVE, MAX_LOG, Logs
from tidegate.ports.executor import Returned

# -- what is printed --


def test_what_an_attempt_prints_is_kept(home: Path, crew: Crew):
    crew.run("say", module="yard", text="grüße", times=2, ID="e/../1", NODE="n2/n10", ATTEMPT=3)
    crew.run("say", module="yard", text="second", times=1, ID="e/../1", NODE="n2/n9")

    logs = Logs(home).read("e/../1")

    assert [(each.node, each.attempt, each.live) for each in logs] == [
        ("n2/n9", 1, False),
        ("n2/n10", 3, False),
    ]
    assert logs[1].text == "grüße\ngrüße\nand an error\nfrom a program\n"
    assert Logs(home).read("e/../1", "n2/n9") == logs[:1]
    assert Logs(home).read("another") == []
    assert Logs(home).path("e/../1", "n2/n9", 1).resolve().is_relative_to(home / "logs")


def test_an_attempt_that_prints_nothing_leaves_no_file(home: Path, crew: Crew):
    crew.run("quick", module="yard", n=1, ID="silent")

    assert not (home / "logs" / "silent").exists()


def test_what_a_running_attempt_prints_can_be_read_meanwhile(
    home: Path, crew: Crew, tmp_path: Path
):
    one = yard("say_and_wait", text="so far so good", until=str(tmp_path / "end"))
    crew.submit(one)

    until(lambda: [each.text for each in Logs(home).read(one.id)] == ["so far so good\n"])
    assert Logs(home).read(one.id)[0].live
    (tmp_path / "end").touch()

    crew.outcome(one)
    assert [(each.text, each.live) for each in Logs(home).read(one.id)] == [
        ("so far so good\n", False)
    ]


def test_a_long_log_keeps_its_beginning_and_its_end(home: Path, crew: Crew):
    crew.run("say", module="yard", text="x" * 1023, times=2000, ID="e1")

    (log,) = Logs(home).read("e1")

    assert len(log.text) < MAX_LOG + 100
    assert "bytes left out" in log.text
    assert log.text.startswith("xxx")
    assert log.text.endswith("from a program\n")


def test_a_task_may_close_its_output(crew: Crew):
    assert crew.run("close_everything", module="yard") == Returned({"o0": 1})
    assert crew.run("quick", module="yard", n=1) == Returned({"o0": 1})


def test_every_attempt_finds_the_files_of_its_bundle_and_nothing_else(lone: Crew):
    assert lone.run("directory", module="yard") == Returned({"o0": ["shop.py", "yard.py"]})
    assert lone.run("directory", module="yard") == Returned({"o0": ["shop.py", "yard.py"]})


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


def test_attempts_whose_bundle_is_gone_are_hindered_also_many_at_once(fresh: Crew):
    jobs = [job("add", bundle="8" * 64, a=1, b=n) for n in range(100)]
    fresh.submit(*jobs)

    assert {each.code for each in fresh.outcomes(jobs)} == {"missing"}
    assert all(each.job in jobs for each in fresh.reports)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    {
        "a module that is not installed": (
            "import absent_module\n",
            "missing",
            "late.py:1: ModuleNotFoundError: No module named 'absent_module'",
        ),
        "a file": ("open('rates.csv')\n", "missing", "pack it with --include rates.csv"),
        "an older library": ("from math import absent\n", "environment", "ImportError"),
        "a variable": ("import os\nos.environ['ABSENT']\n", "environment", "late.py:2: KeyError"),
    }.values(),
)
def test_an_attempt_whose_code_cannot_be_imported_is_hindered(
    home: Path, crew: Crew, text: str, code: str, says: str
):
    bundle = write_bundle(home, digest=sha256(text.encode()).hexdigest(), late=text + SHOP)

    outcome = crew.run("add", module="late", bundle=bundle, a=1, b=2)

    assert outcome.code == code
    assert says in outcome.why


# -- questions about code --


def test_a_module_is_described_by_its_workflows(home: Path, crew: Crew):
    bundle = write_bundle(
        home,
        digest="3" * 64,
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

    found = crew.executor.describe(bundle, "flows")

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
    bundle = write_bundle(home, digest=sha256(text.encode()).hexdigest(), bad=text)

    # Only the endless loop has a short limit: on a busy machine each of the others may take seconds.
    patience = {"timeout": 2.0} if "2 s" in says else {}
    with pytest.raises(CodeError) as caught:
        crew.executor.describe(bundle, "bad", **patience)

    assert says in caught.value.message
    assert "\n" not in caught.value.message
    assert crew.run("add", a=1, b=1) == Returned({"o0": 2})


def test_a_module_that_is_not_there_is_named(crew: Crew):
    with pytest.raises(CodeError, match="no module 'absent'"):
        crew.executor.describe(BUNDLE, "absent")


def test_a_module_that_python_hides_is_named(home: Path, crew: Crew):
    bundle = write_bundle(home, digest="4" * 64, types=SHOP)

    with pytest.raises(
        CodeError, match=r"types\.py has the name of a module that Python already has"
    ):
        crew.executor.describe(bundle, "types")


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


def test_a_question_is_answered_when_the_executor_closes(fresh: Crew, home: Path, tmp_path: Path):
    began = tmp_path / "began"
    text = f"from pathlib import Path\nPath({str(began)!r}).touch()\nwhile True: pass\n"
    bundle = write_bundle(home, digest="5" * 64, endless=text)
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(fresh.executor.describe, bundle, "endless")
        until(began.exists)
        fresh.executor.close()

        with pytest.raises(CodeError, match="closed"):
            asked.result()
    with pytest.raises(CodeError, match="closed"):
        fresh.executor.describe(bundle, "endless")


def test_an_answer_is_held_against_what_its_type_alone_can_say(home: Path, crew: Crew):
    bundle = write_bundle(
        home,
        digest="6" * 64,
        kinds="""
        from pydantic import BaseModel, field_validator

        class Grade(BaseModel):
            points: int

            @field_validator("points")
            @classmethod
            def even(cls, points: int) -> int:
                if points % 2:
                    raise ValueError("must be even")
                return points

        Grades = list[Grade]
        """,
    )

    def check(name, value):
        return crew.executor.check(bundle, PythonTarget("kinds", name), value)

    assert check("Grade", {"points": 2}) == ()
    (fault,) = check("Grades", [{"points": 2}, {"points": 3}])
    assert fault.path == (1, "points")
    assert "must be even" in fault.reason
    with pytest.raises(CodeError, match="no type 'Absent'"):
        check("Absent", 1)


def test_what_an_import_prints_is_in_the_log_of_no_attempt(home: Path, fresh: Crew):
    bundle = write_bundle(home, digest="7" * 64, loud="print('imported')\n" + SHOP)

    fresh.run("add", module="loud", bundle=bundle, a=1, b=2, ID="quiet")

    assert Logs(home).read("quiet") == []


def test_an_attempt_that_prints_without_end_does_not_fill_the_disk(
    home: Path, crew: Crew, tmp_path: Path
):
    one = yard("flood", until=str(tmp_path / "end"), size=MAX_LIVE + 1)
    crew.submit(one)

    until(lambda: "bytes left out" in "".join(each.text for each in Logs(home).read(one.id)))

    assert all(
        path.stat().st_size < 2 * MAX_LOG for path in (home / "logs" / one.id).rglob("*.live")
    )
    (tmp_path / "end").touch()
    crew.outcome(one)
