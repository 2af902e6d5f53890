"""How tests are shared out among workers: one that ends its worker is one red test, all others run once, and the run ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHARED_OUT = Path(__file__).parents[1] / "conftest.py"
FILE = "def test_first(): pass\ndef test_second(): {}\ndef test_third(): pass\n"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_test_that_ends_its_worker_is_the_only_one_that_fails(
    tmp_path: Path, workers: str
) -> None:
    place = tmp_path / "tests" / "e2e"
    place.mkdir(parents=True)
    (place.parent / "conftest.py").write_text(SHARED_OUT.read_text())
    for number in range(4):
        end = "import os; os._exit(1)" if number == 1 else "pass"
        (place / f"test_{number}.py").write_text(FILE.format(end))
    command = [sys.executable, "-m", "pytest", "-q", "-n", workers, "--import-mode=importlib"]
    alone = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}

    done = subprocess.run(
        command, cwd=tmp_path, env=alone, capture_output=True, text=True, timeout=100, check=False
    )

    assert "1 failed, 11 passed" in done.stdout, done.stdout
