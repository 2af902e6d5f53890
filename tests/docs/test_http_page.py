"""The examples of the page on HTTP run as they stand, against a server, and none of them is refused."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.serving import Server

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "http.md"
BASH = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")


def test_the_examples_run_in_their_order_and_none_is_refused(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    server = Server(tmp_path / "home").ready()
    try:
        env = {**os.environ, "TIDEGATE_HOME": str(server.home)}
        subprocess.run(
            [sys.executable, "-m", "tidegate", "register", str(tmp_path / "examples/report.py")],
            env=env,
            check=True,
            capture_output=True,
        )
        script = "\n".join(BASH.findall(PAGE.read_text())).replace(":8433", f":{server.port}")

        done = subprocess.run(
            ["bash", "-eu", "-c", script],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert done.returncode == 0, done.stdout + done.stderr
        assert "urn:tidegate:problem" not in done.stdout.replace("unknown_bundle", "")
        assert '"title":"Third quarter"' in done.stdout
        assert "tidegate_answers_total" in done.stdout
    finally:
        server.close()
