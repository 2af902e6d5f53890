"""
Write the locks: every package that an environment consists of, by its version and the hashes of its files, for Python 3.11 and later.

    python .ci/lock.py              # keep the versions that are locked, add what is missing
    python .ci/lock.py --upgrade    # take the newest that fit

A lock names no index: installing with it takes the files from where their pip is told to, and the hashes say whether they are the right ones.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

LOCKS: dict[str, tuple[str, ...]] = {
    "server": (),
    "demo": ("demo", "build"),
    "dev": ("dev", "build"),
}
"""Each lock, and the extras that are in it."""


def main() -> None:
    for name, extras in LOCKS.items():
        words = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--universal"]
        words += ["--python-version", "3.11", "--generate-hashes", "--no-emit-index-url"]
        words += ["--custom-compile-command", "make lock", "--quiet", *sys.argv[1:]]
        words += [word for each in extras for word in ("--extra", each)]
        subprocess.run([*words, "--output-file", f"locks/{name}.txt"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
