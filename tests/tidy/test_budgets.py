"""
A budget of lines for each room, with its reason, so that a door cannot eat what the core has saved.

Method: count the lines of code of every room as `test_tidy` does. Anyone who adds looks first for what can go; if a room must grow, its
line here changes in the same commit, which says why.
"""

from functools import cache
from pathlib import Path

import pytest
from tests.tidy.test_tidy import SRC, code_lines, sources

BUDGETS: dict[str, tuple[int, str]] = {
    "__init__": (60, "the names that authors import"),
    "__main__": (5, "`python -m tidegate`"),
    "api": (
        4_627,
        "HTTP, over the network and on the local socket: limits, who may have how many connections and waits in line, routes, streams, the OpenAPI document",
    ),
    "backup": (150, "a copy of a store, and a store of a copy"),
    "blobs": (
        505,
        "files by their hash, named once they are sent elsewhere, and what they are by their first bytes",
    ),
    "bundles": (
        1_040,
        "source trees: what is imported and must be there, what git tracks, what is named; packed, read block by block, checked; whether a definition has changed, and all that it refers to",
    ),
    "cli": (
        4_905,
        "every command, as it is typed, completed and answered, on 80 columns and as it changes, for one and for many, pictures as far as the terminal draws them; backups, what is packed, whose store it is",
    ),
    "core": (
        2_940,
        "the machine: step, plan, state, race table, rounds of loops, decks frozen, what a question shows, what a recovery keeps, under other code too: which node is which, and whether it is unchanged; the promises stand here",
    ),
    "disk": (
        170,
        "writing and removing so that a power cut loses nothing, a killed process leaves nothing, root's files are the store's owner's, and whether there is room",
    ),
    "engine": (
        2_130,
        "drain, decide, commit, act, hand over what runs while its shard changes hands, hold what lacks something, try one for all and store which have not begun, notice a clock set back, store what ends on a full disk; what is kept in memory, and the folds that readers share",
    ),
    "errors": (190, "the exception tree"),
    "executors": (
        6_030,
        "workers, and what their code imports from outside: a process, a directory and a process tree for each attempt, its share of the machine and its limit, what it writes, what ends with it and is left of it, decks frozen at its end; the same on the nodes of a Ray cluster: what is reserved, kept and claimed there",
    ),
    "home": (92, "where a store is, or that there can be none, and whether it may act"),
    "ir": (450, "the graph, what makes one wrong, the order of its source, amounts in words"),
    "joining": (
        60,
        "a composition root: the way to servers of a store, for who has only its address",
    ),
    "logs": (
        220,
        "what tasks print, read whole or from where one stands, and decks: published, and of earlier versions",
    ),
    "moving": (
        230,
        "a store moved into another database, its files elsewhere, compared, and the original marked",
    ),
    "objects": (
        1_180,
        "the files of a store in an object store: what may be away, local copies, workers without keys, logs that are read elsewhere; and that they are not here",
    ),
    "parts": (155, "background parts, supervised"),
    "ports": (
        880,
        "what a database, its audit log, its reports on attempts elsewhere, an executor and a place for files must give",
    ),
    "remote": (
        2_030,
        "the Python client, and the way to a server, which proves itself first; the servers of a database, and files for workers far from them",
    ),
    "runtime": (400, "the composition root, private files, and what an attempt cannot begin for"),
    "sdk": (
        3_810,
        "what authors write, traced into a graph; questions put field by field, with their prompts rendered; what a task asks of its machine; where it works in a process that goes on; decks that run and load nothing",
    ),
    "service": (
        5_138,
        "use cases, lists, views, nodes with what they were given, decks as history has them, what blobs are, what is missing, waits or is asked for for nothing, what tasks printed at other servers, and who may, who they are in a browser, and what they did",
    ),
    "stores": (
        4_240,
        "two databases for six ports: journal, listings, catalog, access, audit, changes; what is told of attempts at other servers, search, upgrades beside other versions, room set aside for a full disk; who owns what on Postgres, and what is sent together there",
    ),
    "otel": (60, "spans, as the library of OpenTelemetry has them"),
    "tables": (
        950,
        "rows of large values, in processes of their own: converted, selected, profiled; what limits and keeps them",
    ),
    "testing": (230, "the sandbox for users' tests"),
    "types": (
        3_680,
        "Python types to schemas and stored values, and back; what would come back as another one is found and refused; types that branch, in steps that are counted; what cannot be seen is marked",
    ),
    "wire": (
        1_305,
        "requests and views, constrained where they are declared; how a server proves that it knows a token, and a command that it has the database",
    ),
}
"""Room of `src/tidegate` -> the most lines it may have, and what they are for."""


def room_of(path: Path) -> str:
    parts = path.relative_to(SRC).parts
    return parts[0].removesuffix(".py") if len(parts) == 1 else parts[0]


@cache
def spent() -> dict[str, int]:
    found: dict[str, int] = {}
    for path in sources("src"):
        found[room_of(path)] = found.get(room_of(path), 0) + code_lines(path.read_text())
    return {room: lines for room, lines in found.items() if lines}


@pytest.mark.parametrize("room", BUDGETS)
def test_a_room_stays_within_its_budget(room: str) -> None:
    most, _ = BUDGETS[room]
    assert spent().get(room, 0) <= most, f"{room} may have {most} lines: delete before you add"


def test_each_budget_is_of_a_room_and_no_more_than_a_tenth_larger_than_it() -> None:
    loose = {
        room: (lines, BUDGETS[room][0])
        for room, lines in spent().items()
        if BUDGETS[room][0] > 1.1 * lines + 20
    }

    assert BUDGETS.keys() == spent().keys(), "each room has a budget, with a reason"
    assert not loose, f"(lines, budget): {loose}"
