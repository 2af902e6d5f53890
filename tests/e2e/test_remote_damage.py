"""A program that watches an execution which cannot be read back is told so, as one that looks at it is."""

from pathlib import Path

import pytest
from tests.contract.test_damage import DAMAGES
from tests.serving import Server

from tidegate.errors import StoreDamaged
from tidegate.remote import Config, Remote

SOURCE = """
from tidegate import approve, task, workflow

@task
def one() -> int:
    return 1

@workflow
def wf() -> int:
    return approve(one(), "ok")
"""


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("a byte of its last line", ["Launched", "Damaged"]),
        ("a line that is gone", ["TaskSucceeded"]),
        ("a graph that is gone", ["Launched", "TaskSucceeded"]),
    ],
)
@pytest.mark.timeout(60)
def test_watching_what_is_damaged_ends_with_that_after_what_can_be_read(
    tmp_path: Path, how: str, told: list[str]
):
    (tmp_path / "wf.py").write_text(SOURCE)
    server = Server(tmp_path / "home").ready()
    try:
        url = f"http://127.0.0.1:{server.port}"
        with Remote(Config.for_endpoint(url, server.token)) as remote:
            remote.register(tmp_path / "wf.py")
            execution = remote.execute("wf.wf", id="bad")
            phases = (each.event.details.get("phase") for each in remote.watch(execution))
            assert "WAITING" in phases
            server.kill()
            server.close()
            DAMAGES[how](server.home)
            server = Server(tmp_path / "home", port=server.port).ready()

            story: list[str] = []
            with pytest.raises(StoreDamaged, match="execution bad is damaged") as raised:
                story.extend(each.event.kind for each in remote.watch("bad"))

            assert story == told
            assert raised.value.message == remote.fetch_execution("bad").damaged
    finally:
        server.close()
