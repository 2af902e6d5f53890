"""
Whether an unpacked bundle is unchanged: each has a list of its files with their digests, which is checked before its code is run.

This finds changes by people, backups or the disk. Files that a task has left there belong to no source, and are ignored.
"""

import hashlib
from pathlib import Path

import msgspec

from tidegate.errors import CodeError

LIST = ".tidegate-files"
"""Hidden, so that no source tree contains it."""

CURE = "register the same source again, or restore it from a backup; held tasks then continue by themselves"


def list_of(bodies: dict[str, bytes]) -> bytes:
    """Return the list of a bundle with these files."""
    return msgspec.json.encode(
        {name: hashlib.sha256(body).hexdigest() for name, body in bodies.items()}
    )


def check_whole(path: Path) -> None:
    """
    Check that a bundle is as it was unpacked.

    Errors: `CodeError`, naming the file that was changed, or the bundle that is missing.
    """
    try:
        listed = msgspec.json.decode((path / LIST).read_bytes(), type=dict[str, str])
    except (FileNotFoundError, NotADirectoryError):
        gone = f"{path / LIST}: is missing" if path.is_dir() else f"there is no directory {path}"
        raise CodeError(f"the code of this workflow is missing: {gone}; {CURE}") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise CodeError(f"{path / LIST}: cannot be read: {error}; {CURE}") from None
    for name, digest in listed.items():
        try:
            found = hashlib.sha256((path / name).read_bytes()).hexdigest()
        except OSError as error:
            raise CodeError(f"{path / name}: cannot be read: {error.strerror}; {CURE}") from None
        if found != digest:
            raise CodeError(f"{path / name}: was changed after it was packed; {CURE}")
