"""
The shared statements are understood by Postgres too, and find there what they find in SQLite, in the same order.

Method: a cluster of the test's own, from the server's programs, in a temporary directory and on a Unix socket there; it serves nobody else.
The tables are those of SQLite, translated word by word. Without the programs the tests are skipped, and say so; with
TIDEGATE_REQUIRE_POSTGRES=1 that is a failure.
"""

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.contract.store_rows import EVERY_KIND, NOON, titled, wait, workflow

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.core.waits import NOTHING
from tidegate.ports.journal import (
    Batch,
    Counts,
    HistoryRow,
    LaunchRow,
    PhaseRow,
    Series,
    WaitEnd,
)
from tidegate.stores import statements
from tidegate.stores.rows import LAST, workflow_bindings, writes

SCHEMA = Path(__file__).parents[1] / "migration" / "schema.sql"
WANTED = ("initdb", "pg_ctl", "postgres", "psql")
DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian puts the programs, a directory for each version."""

UNPRIVILEGED = ("postgres", "nobody")
"""Whom the server may run as if these tests run as root, whom it refuses."""

FIELD, RECORD, NULL = "\x1f", "\x1e", "\x1d"


def programs() -> Path | None:
    """Return where the programs of a server are."""
    places = sorted(DEBIAN.glob("*/bin"))
    if found := shutil.which("initdb"):
        places.append(Path(found).resolve().parent)
    if config := shutil.which("pg_config"):
        said = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        places.append(Path(said.stdout.strip()))
    return next((p for p in places if all((p / name).exists() for name in WANTED)), None)


class Cluster:
    """A server that runs, and its `psql`."""

    def __init__(self, place: Path, bin_: Path) -> None:
        self._place = place
        self._bin = bin_
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            names = {entry.pw_name: entry for entry in pwd.getpwall()}
            entry = next(names[name] for name in UNPRIVILEGED if name in names)
            os.chown(place, entry.pw_uid, entry.pw_gid)
            self._as = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def start(self) -> None:
        data = self._place / "cluster"
        self._run(
            "initdb", "-D", data, "-U", "tidegate", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        options = f"-c listen_addresses= -c unix_socket_directories={self._place} -c fsync=off"
        log = self._place / "log"
        self._run("pg_ctl", "start", "-w", "-t", "60", "-D", data, "-l", log, "-o", options)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self._place / "cluster")

    def _run(self, program: str, *words: object) -> None:
        # What a server inherits it keeps: so its words go to a file.
        with (self._place / f"{program}.said").open("w+") as said:
            done = subprocess.run(
                [str(self._bin / program), *map(str, words)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self._place,
                check=False,
                **self._as,
            )
            said.seek(0)
            assert done.returncode == 0, said.read()

    def ask(self, text: str) -> list[list[str]]:
        """Run SQL in one session, and return the rows of all that it finds, as text."""
        words = [
            "-h",
            self._place,
            "-U",
            "tidegate",
            "-d",
            "postgres",
            "-qAtX",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        words += ["-F", FIELD, "-R", RECORD, "-P", f"null={NULL}", "-f", "-"]
        done = subprocess.run(
            [str(self._bin / "psql"), *map(str, words)],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            cwd=self._place,
        )
        if done.returncode:
            raise ValueError(done.stderr)
        return [row.split(FIELD) for row in done.stdout.removesuffix("\n").split(RECORD) if row]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    found = programs()
    if found is None:
        why = "there is no Postgres here (on Debian: sudo apt-get install postgresql)"
        assert os.environ.get("TIDEGATE_REQUIRE_POSTGRES") != "1", why
        pytest.skip(why)
    # Not below `tmp_path`: the path of a socket may have some 100 characters, and somebody else must be able to go there.
    place = Path(tempfile.mkdtemp(prefix="tidegate-pg-"))
    cluster = Cluster(place, found)
    try:
        cluster.start()
        try:
            cluster.ask(translated(SCHEMA.read_text()))
            yield cluster
        finally:
            cluster.stop()
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(place)


# ---- from one dialect to the other ----


def translated(schema: str) -> str:
    """Return a schema of SQLite for Postgres; search indexes and triggers are left out, for they are SQLite's own."""
    schema = re.sub(r"CREATE TRIGGER.*?END;", "", schema, flags=re.DOTALL)
    lines = [line for line in schema.splitlines() if not line.startswith("--")]
    found = []
    for statement in "\n".join(lines).split(";"):
        if not statement.strip() or "VIRTUAL TABLE" in statement:
            continue
        text = statement.replace("STRICT", "").replace("WITHOUT ROWID", "")
        text = re.sub(r"\)[\s,]*$", ")", text)
        text = re.sub(
            r"\bINTEGER PRIMARY KEY\b",
            "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            text,
        )
        text = re.sub(r"\bINTEGER\b", "bigint", text)
        text = re.sub(r"\bBLOB\b", "bytea", text)
        text = re.sub(r"\bTEXT\b", 'text COLLATE "C"', text)
        found.append(f"{text.strip()};")
    return "\n".join(found)


def parameters(statement: str) -> tuple[str, list[str]]:
    """Return a statement with parameters as Postgres writes them, and their names."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if match[1]:
            # Numbered ones stand in the order of their numbers.
            return f"${name}"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    text = re.sub(r"\?(\d+)|(?<![:\w]):(\w+)", number, statement)
    if not names:
        names = [
            str(n) for n in range(1, max(map(int, re.findall(r"\$(\d+)", text)), default=0) + 1)
        ]
    return text, names


def prepared(name: str) -> str:
    text, _ = parameters(statements.shared()[name])
    return f"PREPARE {name} AS {text};\n"


def executed(name: str, bindings: Mapping[str, Any] | Sequence[Any]) -> str:
    _, names = parameters(statements.shared()[name])
    if not isinstance(bindings, Mapping):
        bindings = {str(number): value for number, value in enumerate(bindings, start=1)}
    values = ", ".join(literal(bindings[each]) for each in names)
    return f"EXECUTE {name}({values});\n" if names else f"EXECUTE {name};\n"


def literal(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case bytes():
            return f"'\\x{value.hex()}'::bytea"
        case int():
            return str(int(value))
        case _:
            quoted = str(value).replace("'", "''")
            return f"'{quoted}'"


def shown(value: Any) -> str:
    """Return a value as `psql` shows it."""
    if value is None:
        return NULL
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)


# ---- the tests ----


@pytest.mark.parametrize("name", statements.shared())
def test_postgres_understands_each_shared_statement(cluster: Cluster, name: str):
    cluster.ask(prepared(name))


def test_what_only_sqlite_understands_would_be_found(cluster: Cluster):
    with pytest.raises(ValueError, match="syntax error"):
        cluster.ask("PREPARE wrong AS SELECT key FROM executions WHERE id GLOB 'a*';")
    with pytest.raises(ValueError, match="instr"):
        cluster.ask("PREPARE wrong AS SELECT key FROM executions WHERE instr(id, 'a') > 0;")
    with pytest.raises(ValueError, match="syntax error"):
        cluster.ask("PREPARE wrong AS REPLACE INTO counters (name, value) VALUES ('a', 1);")


class Both:
    """The same rows in both databases."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._sqlite = apsw.Connection(":memory:")
        for migration in statements.migrations("sqlite"):
            self._sqlite.execute(migration.sql).fetchall()
        self._sqlite.execute("DELETE FROM marks")
        self._prepared = "".join(map(prepared, statements.shared()))
        tables = "history, waits, executions, series, workflows, graphs, counters, marks, tokens, sessions, audit"
        cluster.ask(f"TRUNCATE {tables} RESTART IDENTITY")

    def write(self, changes: Sequence[tuple[str, Mapping[str, Any] | Sequence[Any]]]) -> None:
        for name, bindings in changes:
            self._sqlite.execute(statements.shared()[name], bindings).fetchall()
        self._cluster.ask(self._prepared + "".join(executed(*change) for change in changes))

    def append(self, batch: Batch) -> None:
        """Write a batch with the very statements and rows of the journal."""
        new = {row.series for row in (*batch.launches, *batch.waits)}
        self.write([("add_series", series._asdict()) for series in sorted(new)])

        def number_of(series: Series) -> int:
            bindings = series._asdict()
            found = self._sqlite.execute(statements.shared()["find_series"], bindings).get
            return int(found)

        rows = writes(batch, number_of)
        self.write([(name, row) for name, several in rows for row in several])

    def read(self, name: str, bindings: Mapping[str, Any]) -> list[list[str]]:
        """Return what a statement finds, the same in both."""
        rows = self._sqlite.execute(statements.shared()[name], bindings).fetchall()
        here = [[shown(value) for value in row] for row in rows]
        there = self._cluster.ask(self._prepared + executed(name, bindings))
        assert there == here
        return here


@pytest.fixture
def both(cluster: Cluster) -> Both:
    """A story of executions that wait, as an engine would write it."""
    both = Both(cluster)
    report = workflow_bindings(workflow())
    both.write([(name, report) for name in ("add_graph", "add_workflow", "add_workflow")])
    names = ("Item 9", "item 10", "Übersicht", "it's", "item 1", "\\x", "Z", "a")
    for n in range(6):
        batch = Batch(counts=Counts({Phase.QUEUED: 4}, {"input": 4}))
        for key in range(4 * n + 1, 4 * n + 5):
            series = Series(("p", "P", "ä")[key % 3], "", "report")
            phase = Phase(key % 3)
            batch.launches.append(
                LaunchRow(key, f"E-{key}", 1, NOON + key // 3, "ada", series, phase)
            )
            batch.history += [HistoryRow(key, seq, b"%d\x00\xff" % seq) for seq in (1, 2)]
            due = (None, NOON + key % 5, NOON - 7)[key % 3]
            shown = titled("Τίτλος") if key % 2 else NOTHING
            batch.waits += [
                wait(
                    key,
                    node,
                    EVERY_KIND[key % 4],
                    NOON + key // 9,
                    due,
                    name=names[key % 8],
                    series=series,
                    shown=shown,
                )
                for node in ("n1", "n10", "n9", "N9")
            ]
        both.append(batch)
    both.append(
        Batch(
            history=[HistoryRow(2, 3, b"more")],
            phases=[PhaseRow(k, Phase.SUCCEEDED, NOON + 50) for k in (1, 2, 3)],
            waits=[wait(5, "n9", "retry", NOON + 60, NOON + 70)],
            ends=[WaitEnd(1, "n9"), WaitEnd(1, "n10"), WaitEnd(99, "n1")],
            counts=Counts({Phase.QUEUED: -3, Phase.SUCCEEDED: 3}, {"input": -2, "retry": 1}),
        )
    )
    return both


SPAN = {"before": 20, "least": 2, "since": NOON + 1, "until": NOON + 7}

READS = {
    "find": {"id": "E-7"},
    "recorded": {"id": "E-2", "limit": 10},
    "get": {"key": 8},
    "history": {"key": 2, "after": 1, "limit": 10},
    "last_key": {},
    "last_seq": {"key": 2},
    "active": {},
    "next_due": {},
    "counters": {},
    "executions": SPAN,
    "keys_launched_between": SPAN,
    "last_position": {},
    "waits_of_execution": {"key": 4, "after": b""},
    "nodes_that_wait": {"key": 5},
    "count_executions": {},
    "count_waits": {},
    "workflow": {"workflow": 1},
    "workflows": {},
    "versions": {"name": "report", "limit": 5},
}
UNORDERED = {"counters", "count_executions", "count_waits"}
"""What comes without an order."""


@pytest.mark.parametrize("name", sorted(READS.keys() - UNORDERED))
def test_both_find_the_same_in_the_same_order(both: Both, name: str):
    assert both.read(name, READS[name])


@pytest.mark.parametrize("kind", range(4))
def test_both_list_what_waits_in_the_same_order_page_by_page(both: Both, kind: int):
    whole = both.read("waits", {"part": kind, "after": b"", "before": LAST})

    assert len(whole) > 10
    for order, *_ in whole[::5]:
        after = bytes.fromhex(order.removeprefix("\\x"))
        rest = both.read("waits", {"part": kind, "after": after, "before": LAST})
        assert rest == whole[len(whole) - len(rest) :]
    for series in (1, 2, 3):
        both.read("waits_of_series", {"series": series, "part": kind, "after": b"", "before": LAST})


@pytest.mark.parametrize("phase", list(Phase))
def test_both_list_executions_of_a_phase_in_the_same_order(both: Both, phase: Phase):
    for series in (1, 2, 3):
        both.read("executions_of_series", {**SPAN, "series": series, "part": int(phase)})


def test_both_refuse_a_line_that_is_taken(both: Both, cluster: Cluster):
    with pytest.raises(apsw.ConstraintError):
        both.append(Batch(history=[HistoryRow(1, 2, b"again")]))
    with pytest.raises(ValueError, match="history_by_key"):
        cluster.ask(prepared("add_history") + executed("add_history", (1, 2, b"again")))


def test_both_count_the_same(both: Both):
    rows = both._sqlite.execute(statements.shared()["counters"]).fetchall()
    there = both._cluster.ask(both._prepared + executed("counters", {}))

    assert sorted(there) == sorted([name, str(value)] for name, value in rows)
