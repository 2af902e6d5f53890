"""Trivial tasks on a Ray cluster of this machine, from a launch to the last result stored; beside plain tasks of Ray, and those with a fork in each."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import flows
import machine
from cases_workers import fan, register
from figures import Figure

from tidegate.home import CLUSTER_TOKEN
from tidegate.runtime import open_runtime, ray_cluster

PLAIN = """
import json, os, sys, time, ray
address, count, forks = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "forks"
ray.init(address=address, log_to_driver=False, configure_logging=False)

@ray.remote
def trivial(i):
    if forks:
        process = os.fork()
        if process == 0:
            os._exit(0)
        os.waitpid(process, 0)
    return i

ray.get([trivial.remote(i) for i in range(100)])
began = time.perf_counter()
ray.get([trivial.remote(i) for i in range(count)])
print(json.dumps(count / (time.perf_counter() - began)))
"""


def figures(repeats: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=machine.here()) as place:
        home = Path(place)
        with open_runtime(home, workers=ray_cluster("", False, 1), serve_door=False) as runtime:
            register(runtime, home)
            fan(runtime, "warm")
            address = json.loads((home / "cluster.here").read_text())["address"]
            rates, plain, forked = [], [], []
            for turn in range(repeats):
                rates.append(flows.TASKS / fan(runtime, f"ray-{turn}"))
                plain.append(bare(address, home))
                forked.append(bare(address, home, "forks"))
    name = f"fan-out, {flows.TASKS:,} trivial tasks, on Ray"
    return [
        Figure(name, "/s", rates, plain, "plain tasks of Ray"),
        Figure(f"{name}, again", "/s", rates, forked, "tasks of Ray with a fork in each"),
    ]


def bare(address: str, home: Path, how: str = "") -> float:
    """Return how many plain tasks Ray runs in a second, on the cluster of a store."""
    command = [sys.executable, "-c", PLAIN, address, str(flows.TASKS), how]
    token = {"RAY_AUTH_TOKEN_PATH": str(home / CLUSTER_TOKEN), "RAY_AUTH_TOKEN": ""}
    environment = {**os.environ, "RAY_AUTH_MODE": "token", **token}
    ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(json.loads(ran.stdout))
