"""How long `import tidegate` takes in a fresh process, beside one that starts and ends."""

import compileall
import subprocess
import sys
from pathlib import Path

import machine
from figures import Figure

import tidegate

TRIES = 5
HEAVY = ("apsw", "click", "jsonschema_rs", "numpy", "pandas", "pydantic", "rich")


def figures(repeats: int) -> list[Figure]:
    # Without compiled bytecode the first import would measure the compiler.
    compileall.compile_dir(str(Path(tidegate.__file__).parent), quiet=2)
    machine.fresh("import tidegate")
    bare, whole = [], []
    for _ in range(repeats):
        # Noise only slows, and a process start is mostly noise: each sample is the best of a few.
        pairs = [(machine.fresh("pass"), machine.fresh("import tidegate")) for _ in range(TRIES)]
        bare.append(min(b for b, _ in pairs) * 1e3)
        whole.append(min(w for _, w in pairs) * 1e3)
    return [
        Figure(
            "import tidegate",
            "ms",
            [w - b for w, b in zip(whole, bare, strict=True)],
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
