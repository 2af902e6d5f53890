"""
A process that outlives its engine for a moment, and ends what the engine has left behind.

It reads lines, `+PID` and `-PID`: a process group has begun, has ended. When the engine is gone, however it went, the stream ends, and the groups
that are left are killed. A worker cannot do that for itself: it may be busy in C code, or have started programs of its own.

It is run as a file, without any import of the package, to be small and quick.
"""

import os
import signal
import sys


def watch(stream: int) -> None:
    """Read the stream to its end, then kill the groups that have begun and not ended."""
    groups: set[int] = set()
    with os.fdopen(stream) as lines:
        for line in lines:
            group = int(line[1:])
            if line[0] == "+":
                groups.add(group)
            else:
                groups.discard(group)
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watch(int(sys.argv[1]))
