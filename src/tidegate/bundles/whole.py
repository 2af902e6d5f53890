"""
Whether an unpacked bundle still is what was unpacked: each has a list of its files with their digests, and is compared with it before its code is run.

It tells a hand, a backup or a disk that changed something; files that a task has left there are nobody's source, and not looked at.
"""

import hashlib
from pathlib import Path

import msgspec

from tidegate.errors import CodeError

LIST = ".tidegate-files"
"""Hidden, so that no source tree holds it."""

CURE = "run or register the same source again to put it back"


def list_of(bodies: dict[str, bytes]) -> bytes:
    """Return the list of a bundle with these files."""
    return msgspec.json.encode(
        {name: hashlib.sha256(body).hexdigest() for name, body in bodies.items()}
    )


def check_whole(place: Path) -> None:
    """
    Look whether a bundle is there as it was unpacked.

    Errors: `CodeError`, naming the file that is another, or the bundle that is gone.
    """
    try:
        listed = msgspec.json.decode((place / LIST).read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        if place.is_dir():
            return  # unpacked by something that keeps no list
        raise CodeError(
            f"the code this was launched with is gone: there is no {place}; {CURE}"
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise CodeError(f"{place / LIST}: cannot be read: {error}; {CURE}") from None
    for name, digest in listed.items():
        try:
            found = hashlib.sha256((place / name).read_bytes()).hexdigest()
        except OSError as error:
            raise CodeError(f"{place / name}: cannot be read: {error.strerror}; {CURE}") from None
        if found != digest:
            raise CodeError(f"{place / name}: was changed after it was packed; {CURE}")
