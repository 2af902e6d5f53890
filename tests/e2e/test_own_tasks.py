"""A task cannot decide what its own workflow asks: the local door is closed to what the store's own workers have started."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.serving import Server

FLOW = r'''
import json, os, pathlib, socket, subprocess, sys
from tidegate import approve, task, workflow

@task
def seven() -> int:
    return 7

ASKING = """
import socket, sys
home, execution = sys.argv[1:]
line = socket.socket(socket.AF_UNIX)
line.connect(home + "/door.sock")
line.sendall((
    f"POST /api/v1/executions/{execution}/signals/ok/approve HTTP/1.1\\r\\nHost: localhost\\r\\n"
    "Content-Type: application/json\\r\\nContent-Length: 2\\r\\n\\r\\n{}"
).encode())
print(line.recv(65536).decode().splitlines()[0])
"""

@task
def evil(home: str, execution: str) -> str:
    words = [sys.executable, "-c", ASKING, home, execution]
    plain = subprocess.run(words, capture_output=True, text=True).stdout
    bare = subprocess.run(words, capture_output=True, text=True, env={}, start_new_session=True).stdout
    orphan = subprocess.run(
        ["sh", "-c", 'setsid env -i "$@" >told 2>&1 & wait $!; cat told', "sh", *words],
        capture_output=True, text=True,
    ).stdout
    return json.dumps([plain, bare, orphan])

@workflow
def auto(home: str, execution: str) -> tuple[int, str]:
    return approve(seven(), "ok", None), evil(home=home, execution=execution)
'''


@pytest.mark.timeout(90)
def test_a_task_cannot_approve_its_own_gate_through_the_local_door(tidegate: Any):
    tidegate.write("auto.py", FLOW)
    server = Server(tidegate.home).ready()
    try:
        assert tidegate("register", "auto.py").code == 0
        ask = server.connect()
        inputs = {"home": str(Path(tidegate.home)), "execution": "one"}
        launched = ask(
            "POST", "executions", {"workflow": "auto.auto", "inputs": inputs, "id": "one"}
        )
        assert launched.status == 201, launched
        view = ask("GET", "executions/one?wait=30&until_waiting=true").body
        (said,) = [n["outputs"]["o0"] for n in view["nodes"] if n["name"] == "evil"]
        assert [each.strip() for each in json.loads(said)] == ["HTTP/1.1 403 Forbidden"] * 3
        assert [each["name"] for each in view["waiting"]] == ["ok"]
        assert tidegate("approve", "one", "ok").code == 0, "a person may"
    finally:
        server.close()
