"""A process that keeps something in a store, and stops when it is half written: it says so, and goes on when it is told to."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.contract.bundles_contract import archive, member

from tidegate.runtime import artifacts_in

PIECES = (b"first", b"second")
CODE = archive(member("wf.py"), body=b"x = 1")
DECK = b"<html>a deck</html>"


def stopping(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that waits for a line before it does what another does."""

    def stopped(*words: Any, **named: Any) -> Any:
        print("half written", flush=True)
        sys.stdin.readline()
        return call(*words, **named)

    return stopped


def put_a_blob(home: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield from PIECES
        os.fsync = stopping(os.fsync)

    artifacts_in(home).blobs.put(pieces())


def put_a_bundle(home: Path) -> None:
    home.joinpath("bundles").mkdir(parents=True)
    os.fsync = stopping(os.fsync)
    artifacts_in(home).bundles.put(CODE)


def put_a_bundle_back(home: Path) -> None:
    bundles = artifacts_in(home).bundles
    bundles.put(CODE)
    (bundles.tree(CODE.digest) / "wf.py").write_bytes(b"x = 2")
    shutil.rmtree = stopping(shutil.rmtree)  # type: ignore[assignment]
    bundles.put(CODE)


def keep_a_deck(home: Path) -> None:
    logs = artifacts_in(home).logs
    logs.publish_deck("e1", "n0", 1, DECK)
    os.fsync = stopping(os.fsync)
    logs.publish_deck("e1", "n0", 2, DECK)


KEEPING: dict[str, Callable[[Path], None]] = {
    "a blob": put_a_blob,
    "a bundle": put_a_bundle,
    "a bundle in place of a damaged one": put_a_bundle_back,
    "a deck": keep_a_deck,
}


if __name__ == "__main__":
    KEEPING[sys.argv[2]](Path(sys.argv[1]))
