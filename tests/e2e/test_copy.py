"""A backup of a store that is at work, made and restored as docs/durability.md says: it is whole, and holds what was acknowledged before."""

import re
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

from tests.e2e.http_world import at_work
from tests.serving import Server

DOCS = Path(__file__).parents[2] / "docs" / "backup.md"
TIDEGATE = f"{sys.executable} -m tidegate"


def commands(home: Path) -> str:
    typed = re.findall(
        r"^\$ (tidegate (?:backup|restore|doctor) .*)$", DOCS.read_text(), re.MULTILINE
    )
    found = "\n".join(typed[:3]).replace("backup saved", f"backup saved --home {home}")
    assert found.count("tidegate ") == 3
    return found.replace("--home restored", "--home copy").replace("tidegate ", f"{TIDEGATE} ")


def test_a_copy_made_while_the_server_works_holds_all_that_was_acknowledged_and_goes_on(tmp_path):
    with at_work(tmp_path) as world:
        answered = [world.launch("ask") for _ in range(10)]
        waiting = world.launch("ask")
        for number, id_ in enumerate(answered):
            assert world.answer(id_, "n", number).status == 200
        done = threading.Event()

        def go_on() -> None:
            line = world.server.connect()
            while not done.is_set():
                made = line("POST", "executions", {"workflow": "flows.ask"}).body["id"]
                line("PUT", f"executions/{made}/signals/n", {"value": 1})

        busy = threading.Thread(target=go_on)
        busy.start()
        typed = commands(tmp_path / "home")
        made = subprocess.run(
            ["bash", "-euc", typed], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        done.set()
        busy.join()
        assert made.returncode == 0, made.stderr
        assert "0 problems found" in made.stderr

    with closing(Server(tmp_path / "copy", "--adopt")) as copy:
        copy.ready()
        ask = copy.connect()
        for number, id_ in enumerate(answered):
            ended = ask("GET", f"executions/{id_}?wait=20").body
            assert ended["outputs"] == {"o0": 2 * number}, ended["error"]
        assert ask("PUT", f"executions/{waiting}/signals/n", {"value": 4}).status == 200
        assert ask("GET", f"executions/{waiting}?wait=20").body["outputs"] == {"o0": 8}
        copy.stop()
