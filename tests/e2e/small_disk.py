"""A store on a file system of its own, which is small and can be filled."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

BLOCK = 4096


class SmallDisk:
    """A file system of a few megabytes, with a file in it that takes room from all others."""

    def __init__(self, place: Path) -> None:
        self._filler = place / "filler"

    def fill(self, leave: int = 0) -> None:
        """Leave this much room, or none at all."""
        if leave:
            found = os.statvfs(self._filler.parent)
            self.take(found.f_bavail * found.f_frsize - leave)
            return
        with contextlib.suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(BLOCK))

    def take(self, size: int) -> None:
        self._filler.write_bytes(bytes(size))

    def free(self) -> None:
        self._filler.unlink()


@contextlib.contextmanager
def small_home(tidegate, size: int) -> Iterator[SmallDisk]:
    """Mount one for the store of a terminal; skip the test where that cannot be."""
    tidegate.home.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(tidegate.home)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("this system has no mount command")
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(tidegate.home)
    finally:
        tidegate.close()
        subprocess.run(["umount", "-l", str(tidegate.home)], check=True)
