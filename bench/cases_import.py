"""How long `import tidegate` takes in a fresh process, beside one that starts and ends."""

import compileall
import statistics
import subprocess
import sys
from pathlib import Path

import machine
from figures import Figure

import tidegate

HEAVY = ("apsw", "click", "jsonschema_rs", "numpy", "pandas", "pydantic", "rich")


def figures(repeats: int) -> list[Figure]:
    # Without compiled bytecode the first import would measure the compiler.
    compileall.compile_dir(str(Path(tidegate.__file__).parent), quiet=2)
    machine.fresh("import tidegate")
    bare, whole = [], []
    for _ in range(4 * repeats):
        bare.append(machine.fresh("pass") * 1e3)
        whole.append(machine.fresh("import tidegate") * 1e3)
    base = statistics.median(bare)
    return [
        Figure(
            "import tidegate",
            "ms",
            [t - base for t in whole],
            bare,
            "python starts and ends",
            aim=120,
            more=False,
        ),
        Figure(
            "heavy packages that it loads", "packages", [float(len(loaded()))], aim=0, more=False
        ),
    ]


def loaded() -> list[str]:
    """Which of the heavy packages are there after `import tidegate`."""
    code = f"import tidegate, sys; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.split()
