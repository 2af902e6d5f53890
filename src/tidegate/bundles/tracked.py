"""
The files that git tracks in a directory.

Rule 1: git itself is asked, in a way that runs nothing that a repository could have put into its settings; a repository of another user is
        accepted: only names are read.
Rule 2: without git, or without a repository that it can read, nothing is tracked.
"""

import os
import subprocess
from pathlib import Path

PATIENCE = 30.0
"""Seconds: a repository of a million files is listed in one."""

ASK = ("git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "ls-files", "-z", "--cached")


def tracked(root: Path) -> list[str] | None:
    """Return the files below a directory that git tracks, relative to it; None if it is in no repository."""
    if not any(os.path.exists(up / ".git") for up in (root, *root.parents)):  # noqa: PTH110 - False where nobody may look
        return None
    # Inside a hook, git's variables point to another repository.
    environment = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - nothing of it comes from outside
            ASK,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    return [os.fsdecode(each) for each in done.stdout.split(b"\0") if each]
