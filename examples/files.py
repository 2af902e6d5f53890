"""
Pass files and directories from task to task.

    $ tidegate run files.py pack_wf --n 3
    ...
    "part-0 part-1 part-2"

Each attempt has a working directory of its own, which is removed afterwards: what is returned stays.
"""

from pathlib import Path

from tidegate import Directory, File, task, workflow


@task
def write(n: int) -> Directory:
    """Write n files."""
    out = Path("parts")
    out.mkdir()
    for i in range(n):
        (out / f"{i}.txt").write_text(f"part-{i}")
    return Directory("parts")


@task
def merge(parts: Directory) -> File:
    """Merge them into one."""
    texts = [each.read_text() for each in sorted(Path(parts).iterdir())]
    Path("all.txt").write_text(" ".join(texts))
    return File("all.txt")


@task
def read(merged: File) -> str:
    """Read it."""
    return Path(merged).read_text()


@workflow
def pack_wf(n: int) -> str:
    """Write, merge, read."""
    return read(merged=merge(parts=write(n=n)))
