"""
Only the composition root knows what lies in the home of a store; everybody else is handed a port, or a thing that owns its paths.

Method: find each `home / name`, and each `Path(home, name)`, in the package.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "tidegate"

MAY_JOIN = {
    "runtime.py": "the composition root",
    "testing.py": "the composition root of a sandbox",
    "executors/objects.py": "the files of a worker, which is another process",
    "objects/opening.py": "owns the record of where the files are, and the local copies",
    "stores/folder.py": "closes what lies there to others, and removes drafts",
    "stores/opening.py": "tells the home of a store from others",
    "joining.py": "a composition root, for commands without a home of the store",
    "moving.py": "moves all that lies there",
    "objects/elsewhere.py": "stands for what does not lie there",
    "objects/broker.py": "owns the socket for workers",
    "executors/process.py": "scratch files are the pool's alone",
    "executors/pool.py": "scratch files are the pool's alone",
    "executors/cluster/keeper.py": "an entry of its own: a node of a cluster is another process, with a home of its own",
    "executors/cluster/local.py": "where its cluster is, is its alone",
    "executors/cluster/opening.py": "by what nodes recognize a store, and that it has attempts there",
    "executors/roster.py": "scratch files are the pool's alone",
    "backup.py": "copies all that lies there",
    "home.py": "owns the mark of a restored store",
    "logs.py": "owns the paths of logs and decks",
    "api/local.py": "the address of the local door",
    "remote/config.py": "a client on the same machine reads the owner's token",
    "cli/demo.py": "says where the owner's token is",
    "cli/serving.py": "makes the owner's token",
}


def joins(text: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.BinOp(left=left, op=ast.Div()) if is_home(left):
                yield node.lineno
            case ast.Call(func=ast.Name(id="Path"), args=[first, _, *_]) if is_home(first):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=value, attr="joinpath")) if is_home(value):
                yield node.lineno
            case _:
                pass


def is_home(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.lstrip("_") == "home"
        case _:
            return False


def test_nobody_else_joins_a_name_to_the_home_of_a_store() -> None:
    found = {
        path.relative_to(SRC).as_posix(): list(joins(path.read_text()))
        for path in SRC.rglob("*.py")
        if "demo" not in path.relative_to(SRC).parts[:-1]
    }

    joining = {name for name, lines in found.items() if lines}
    assert joining - MAY_JOIN.keys() == set(), "hand out a port instead, or what owns the path"
    assert MAY_JOIN.keys() - joining == set(), "take it off the list"


@pytest.mark.parametrize(
    "line",
    [
        "x = home / 'blobs'",
        "x = self._home / 'blobs'",
        "x = Path(self.home, 'a')",
        "home.joinpath('a')",
    ],
)
def test_each_way_to_join_is_found(line: str) -> None:
    assert list(joins(line)) == [1]
