"""
What a power cut may leave of files, by the letter of POSIX: the file system of a test, recorded while code of ours works in it.

A file's content is safe once the file is synced; a name, new, moved or removed, once the directory that holds it is.
What is not safe may be there or not, each name and each content by itself: a content may be the old one, cut, zeros, or whole.
(ext4 keeps some more of it. Other file systems, and other settings of ext4, do not.)

`Recorder` watches a directory while something runs: every call that syncs or changes names is a moment before which the power may go.
`Moment.leave` makes one of the directories that may be found afterwards.
"""

import copy
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHANGES = ("mkdir", "rename", "replace", "link", "symlink", "unlink", "remove", "rmdir", "truncate")
"""Functions of `os` that change names. That a file is made is seen by its being there."""


@dataclass(eq=False)
class _Node:
    """A file or a directory: what a program sees, and what is safe. A name leads to a node, and a node knows no name."""

    seen: "bytes | dict[str, _Node]"
    safe: "bytes | dict[str, _Node]"


@dataclass
class Moment:
    """The power goes here: before `before`, or at the end, when everything had returned."""

    before: str
    is_end: bool
    _root: _Node = field(repr=False)

    def leave(self, target: Path, chance: random.Random, keep: float) -> Path:
        """Make what is left of the directory: of what is not safe, each part is kept with this probability."""
        _leave(self._root, target, chance, keep)
        return target


class Recorder:
    """Watches a directory. What is in it at first is safe."""

    def __init__(self, root: Path) -> None:
        self.moments: list[Moment] = []
        self._path = root
        self._nodes: dict[int, _Node] = {}
        self._root = self._look(root)
        self._settle_all()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Record what happens in a block. At its end everything has returned."""
        with pytest.MonkeyPatch.context() as patch:
            for name in CHANGES:
                patch.setattr(os, name, self._changing(name, getattr(os, name)))
            patch.setattr(os, "fsync", self._syncing(os.fsync))
            patch.setattr(os, "fdatasync", self._syncing(os.fdatasync))
            patch.setattr(os, "sync", self._syncing_all(os.sync))
            yield
        self._note("the end", is_end=True)

    def _changing(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*words: Any, **named: Any) -> Any:
            self._note(f"{name} {' '.join(str(word) for word in words[:2])}")
            done = call(*words, **named)
            self._refresh()
            return done

        return changed

    def _syncing(self, call: Callable[[int], None]) -> Callable[[Any], None]:
        def synced(file: Any) -> None:
            self._note("sync")
            call(file)
            number = file if isinstance(file, int) else file.fileno()
            node = self._nodes.get(os.fstat(number).st_ino)
            if node is not None:
                node.safe = copy.copy(node.seen)

        return synced

    def _syncing_all(self, call: Callable[[], None]) -> Callable[[], None]:
        def synced() -> None:
            self._note("sync of everything")
            call()
            self._refresh()
            self._settle_all()

        return synced

    def _note(self, before: str, *, is_end: bool = False) -> None:
        self._refresh()
        self.moments.append(Moment(before, is_end, copy.deepcopy(self._root)))

    def _settle_all(self) -> None:
        for node in _all(self._root):
            node.safe = copy.copy(node.seen)

    def _refresh(self) -> None:
        there: set[int] = set()
        self._root = self._look(self._path, there)
        # The number of what is gone may be given to another file.
        self._nodes = {number: node for number, node in self._nodes.items() if number in there}

    def _look(self, path: Path, there: set[int] | None = None) -> _Node:
        number = path.stat(follow_symlinks=False).st_ino
        if there is not None:
            there.add(number)
        is_directory = path.is_dir()
        node = self._nodes.setdefault(number, _Node({}, {}) if is_directory else _Node(b"", b""))
        if is_directory:
            node.seen = {each.name: self._look(each, there) for each in path.iterdir()}
        else:
            node.seen = path.read_bytes()
        return node


def _all(node: _Node) -> Iterator[_Node]:
    yield node
    if isinstance(node.seen, dict):
        for each in node.seen.values():
            yield from _all(each)


def _leave(node: _Node, target: Path, chance: random.Random, keep: float) -> None:
    if isinstance(node.seen, bytes):
        assert isinstance(node.safe, bytes)
        target.write_bytes(_content(node.seen, node.safe, chance, keep))
        return
    assert isinstance(node.safe, dict)
    target.mkdir()
    for name in sorted(node.seen.keys() | node.safe.keys()):
        one, other = node.seen.get(name), node.safe.get(name)
        left = one if one is other or chance.random() < keep else other
        if left is not None:
            _leave(left, target / name, chance, keep)


def _content(seen: bytes, safe: bytes, chance: random.Random, keep: float) -> bytes:
    if seen == safe or chance.random() >= keep:
        return safe
    match chance.randrange(4):
        case 0:
            return seen[: chance.randrange(len(seen) + 1)]
        case 1:
            return bytes(len(seen))
        case _:
            return seen
