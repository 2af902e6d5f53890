"""The examples run from beginning to end, as the README says."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_demo_survives_a_kill_and_finishes_by_itself() -> None:
    run = subprocess.run(
        [sys.executable, "examples/demo.py", "--unattended"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "$ kill -9" in run.stdout
    assert '"title": "Airport elevations, feet"' in run.stdout
