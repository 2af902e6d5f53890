"""
`--executor ray`: a store whose tasks run on a Ray cluster, of this machine alone or of others; what outlives its server, and a cluster that goes away.

Method: `watched.FLOW` on a cluster of the tests' own. Tasks and tests wait for each other by files.
"""

import json
from pathlib import Path

from tests.contract.yard import is_alive
from tests.e2e.conftest import Terminal
from tests.e2e.watched import until
from tests.ray_cluster import need_ray, running_ray

from tidegate.runtime import problems_of

GREET = """
from tidegate import task, workflow

@task
def greet(name: str) -> str:
    print("greeting", name)
    return f"Hello, {name}"

@workflow
def greeting(name: str) -> str:
    return greet(name=name)
"""


def test_a_task_outlives_a_killed_server_and_runs_again_only_if_its_cluster_is_gone(
    tmp_path: Path, watch
):
    with running_ray() as ray:
        on_ray = ("--executor", "ray", "--ray-address", ray.address)
        first = watch(*on_ray).ready()
        first.launch("lasting", "l", place=str(tmp_path))
        until((tmp_path / "began").exists)
        until(lambda: node(first, "l")["phase"] == "RUNNING")
        first.server.kill()

        second = watch(*on_ray).ready()
        until(lambda: node(second, "l")["phase"] == "RUNNING")
        (tmp_path / "end").touch()
        assert second.outputs("l") == str(tmp_path)
        assert len((tmp_path / "began").read_text().split()) == 1
        kinds = [e["kind"] for e in second.ask("GET", "executions/l/events").body["items"]]
        assert "TaskLost" not in kinds
        assert "TaskSucceeded" in kinds

        # A cluster that goes away fails nothing: what should start is held, with the reason.
        ray.stop()
        until(lambda: "ray" in degraded(second))
        second.launch("doubling", "d", x=4)
        held = until(lambda: node(second, "d").get("held"))
        assert held["code"] == "no_cluster"
        assert second.ask("GET", "executions/d").body["phase"] == "RUNNING"
        ray.start()
        assert second.outputs("d") == 8
        second.server.stop()
    assert problems_of(second.server.home)[1] == []
    assert not (second.server.home / "cluster.used").exists()


def node(watched, execution: str) -> dict:
    return watched.ask("GET", f"executions/{execution}").body["nodes"][0]


def degraded(watched) -> dict[str, str]:
    parts = watched.ask("GET", "health").body["parts"]
    return {each["name"]: each["why"] for each in parts if not each["up"]}


def test_a_cluster_that_lets_everybody_in_is_refused_unless_told_so(tidegate: Terminal):
    tidegate.write("greet.py", GREET)
    with running_ray(token=False) as ray:
        run = ("run", "--ray-address", ray.address, "greet.py", "greeting", "--name", "Ann")
        refused = tidegate(*run)
        assert refused.code == 2
        assert "lets everybody in" in refused.err
        assert "--insecure-ray" in refused.err
        assert len(refused.err.strip().splitlines()) == 1

        assert tidegate("run", "--insecure-ray", *run[1:]).out == '"Hello, Ann"\n'


def test_a_cluster_of_this_machine_is_started_and_ended_with_the_last_task(tidegate: Terminal):
    need_ray()
    tidegate.write("greet.py", GREET)
    # It needs no token of the user, and is not confused by the one of another cluster.
    tidegate.environment["HOME"] = str(tidegate.place)
    tidegate.environment["RAY_AUTH_TOKEN"] = "another"
    command = ("run", "--executor", "ray", "greet.py", "greeting", "--name", "Ann")
    running = tidegate.start(*command)
    here = tidegate.home / "cluster.here"
    process = until(lambda: here.exists() and json.loads(here.read_text())["process"])
    assert is_alive(process)

    ran = running.ends()

    assert (ran.code, ran.out) == (0, '"Hello, Ann"\n'), ran
    assert "greeting Ann" in ran.err
    assert not is_alive(process)
    assert not here.exists()


def test_what_cannot_be_meant_is_one_line(tidegate: Terminal):
    tidegate.write("greet.py", GREET)
    rest = ("greet.py", "greeting", "--name", "Ann")

    wrong = tidegate("run", "--ray-address", "nonsense", *rest)
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "--ray-address must be HOST:PORT" in wrong.err
    both = tidegate("run", "--executor", "process", "--ray-address", "a:1", *rest)
    assert both.code == 2
    assert "are for --executor ray" in both.err
    tidegate.environment["PYTHONPATH"] = str(tidegate.place / "without")
    tidegate.write(
        "without/sitecustomize.py",
        "import importlib.metadata as m\nfound = m.version\n"
        "def version(name):\n    if name == 'ray': raise m.PackageNotFoundError(name)\n    return found(name)\n"
        "m.version = version\n",
    )
    lacking = tidegate("run", "--executor", "ray", *rest)
    assert (lacking.code, lacking.err.count("\n")) == (2, 1)
    assert "pip install 'tidegate[ray]'" in lacking.err
