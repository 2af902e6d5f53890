"""The Python client registers what the command line does: with the files that are named, and launches from its own directory; and only where its token is known."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.serving import Server

from tidegate.remote import Config, Remote, Unreachable

READ = """
from contextlib import closing
from pathlib import Path
from tidegate import current_context, task, workflow

@task
def read() -> list[str]:
    return [Path("rates.csv").read_text(), current_context().launched_from]

@workflow
def wf() -> list[str]:
    return read()
"""


def test_files_that_are_included_travel_with_the_code(tmp_path: Path, monkeypatch):
    (tmp_path / "read.py").write_text(READ)
    (tmp_path / "rates.csv").write_text("0.5")
    monkeypatch.chdir(tmp_path)
    server = Server(tmp_path / "home", workers=1).ready()
    try:
        with Remote(Config(f"http://127.0.0.1:{server.port}", token=server.token)) as remote:
            (found,) = remote.register("read.py", include=["rates.csv"])

            done = remote.execute(found, wait=True)

            assert done.outputs["o0"] == ["0.5", str(tmp_path)]
    finally:
        server.close()


def test_a_client_with_another_secret_learns_that_it_was_not_sent(tmp_path: Path):
    with closing(Server(tmp_path / "home")) as server:
        url = f"http://127.0.0.1:{server.ready().port}"
        head, id_, secret, check = server.token.split("_")
        unknown = "_".join((head, id_, secret[::-1], check))
        with (
            Remote(Config.for_endpoint(url, unknown)) as stranger,
            pytest.raises(Unreachable, match=f"{url} did not prove that it knows the token {id_}"),
        ):
            stranger.workflows()
