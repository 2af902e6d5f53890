"""The unit of the page on systemd is one that systemd understands, and its command starts a server that stops within its grace."""

import configparser
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.walk import READY, blocks

ROOT = Path(__file__).parents[2]
(UNIT,) = [each.body for each in blocks(ROOT / "docs" / "systemd.md") if each.language == "ini"]
PROGRAM = "/srv/tidegate/venv/bin/tidegate"
HERE = str(Path(sys.executable).with_name("tidegate"))


def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string(UNIT)
    return parser["Service"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    unit = tmp_path / "tidegate.service"
    unit.write_text(UNIT.replace(PROGRAM, HERE).replace("User=tidegate\n", ""))

    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "tidegate.service" not in run.stderr, run.stderr


def test_its_command_starts_a_server_that_ends_in_good_order(tmp_path: Path) -> None:
    name, _, home = service()["Environment"].partition("=")
    command = shlex.split(service()["ExecStart"].replace(PROGRAM, HERE))
    assert (name, home) == ("TIDEGATE_HOME", f"/var/lib/{service()['StateDirectory']}")

    with subprocess.Popen(
        [*command, "--port", "0"],
        env={**os.environ, name: str(tmp_path / "state")},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        while not READY.search(line := server.stderr.readline()):
            assert line, "it has not begun to serve"
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)

    assert server.returncode == 0


def test_systemd_waits_longer_than_the_server_does() -> None:
    words = shlex.split(service()["ExecStart"])
    grace = int(words[words.index("--grace") + 1])

    assert int(service()["TimeoutStopSec"]) > grace
    # SIGTERM to workers would end the tasks that may still finish.
    assert service()["KillMode"] == "mixed"
