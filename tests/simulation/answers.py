"""What the simulated database answers to each of our statements, by name. A statement that is not here is one that the simulation does not use."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from tidegate.core.shards import SHARDS
from tidegate.stores.postgres.dialect import SCHEMA, translated
from tidegate.stores.postgres.pipeline import PLAIN

from .tables import Row, Tables, Transaction

Answer = Callable[[Tables, Transaction, Mapping[str, Any]], list[Row]]


@cache
def names() -> Mapping[str, str]:
    """Return the names of statements by their texts."""
    return {text: name for name, text in translated().items()}


def _row(t: Tables, key: int) -> Row:
    e = t.executions[key]
    project, domain, _ = next(names for names, number in t.series.items() if number == e["series"])
    _, name, version, *_ = t.workflows[e["workflow"]]
    first = (key, e["id"], e["workflow"], name, version, e["phase"], e["launched"], e["changed"])
    return (*first, e["who"], project, domain, e["ending"])


def _line(t: Tables, shard: int, position: int, key: int, seq: int, body: bytes) -> Row:
    e = t.executions[key]
    project, domain, workflow = next(n for n, number in t.series.items() if number == e["series"])
    return (shard, position, key, seq, body, e["id"], workflow, project, domain)


def _changes(t: Tables, _: Transaction, b: Mapping[str, Any]) -> list[Row]:
    found = t.after(b["positions"])[: b["limit"]]
    return [_line(t, shard, p, k, s, body) for _, shard, p, k, s, body in found]


def _recorded(t: Tables, _: Transaction, b: Mapping[str, Any]) -> list[Row]:
    key = t.ids.get(b["id"])
    if key is None:
        return []
    row = _row(t, key)
    head = (key, row[2], row[9], row[10])
    return [(*head, body) for body in t.history.get(key, [])[: b["limit"]]]


def _touched(t: Tables, _: Transaction, b: Mapping[str, Any]) -> list[Row]:
    positions = [2**63] * SHARDS
    for shard, position in zip(b["shards"], b["positions"], strict=True):
        positions[shard] = position
    keys = {line[3] for line in t.after(positions)[: b["limit"]]}
    return [(key, t.executions[key]["phase"]) for key in sorted(keys)]


def _active(t: Tables, _: Transaction, b: Mapping[str, Any]) -> list[Row]:
    shards = set(b["shards"])
    found = [k for k, e in t.executions.items() if e["part"] in (0, 1) and k % SHARDS in shards]
    return [(key,) for key in sorted(found)]


def _held(t: Tables, _: Transaction, b: Mapping[str, Any]) -> list[Row]:
    shards = set(b["shards"])
    found = [row for (key, _), row in t.held.items() if key % SHARDS in shards]
    return sorted(found, key=lambda row: (row[5], row[0], row[1]))


def _due(t: Tables, _: Transaction, b: Mapping[str, Any]) -> list[Row]:
    shards = set(b["shards"])
    found = [
        (row[8], key, node)
        for (key, node), row in t.waits.items()
        if key % SHARDS in shards and row[8] is not None and row[8] <= b["until"]
    ]
    return [(key, node) for _, key, node in sorted(found)[: b["limit"]]]


def _next_due(t: Tables, _: Transaction, b: Mapping[str, Any]) -> list[Row]:
    shards = set(b["shards"])
    found = [r[8] for (key, _), r in t.waits.items() if key % SHARDS in shards and r[8] is not None]
    return [(min(found, default=None),)]


def _latest_instants(t: Tables, _: Transaction, __: Mapping[str, Any]) -> list[Row]:
    return [(shard, lines[-1][4] if lines else None) for shard, lines in enumerate(t.places)]


def _set_phase(t: Tables, of: Transaction, b: Mapping[str, Any]) -> list[Row]:
    def write() -> None:
        for key, phase, changed, part, ending in zip(*_columns(b), strict=True):
            new = {"phase": phase, "changed": changed, "part": part, "ending": ending}
            t.executions[key] |= new

    of.writes.append(write)
    return []


def _put(table: str) -> Answer:
    """Rows whose first two columns are their key."""

    def answer(t: Tables, of: Transaction, b: Mapping[str, Any]) -> list[Row]:
        rows = {row[:2]: row for row in zip(*_columns(b), strict=True)}
        of.writes.append(lambda: getattr(t, table).update(rows))
        t.number(of)
        return []

    return answer


def _end(table: str) -> Answer:
    def answer(t: Tables, of: Transaction, b: Mapping[str, Any]) -> list[Row]:
        gone = list(zip(*_columns(b), strict=True))
        of.writes.append(lambda: [getattr(t, table).pop(each, None) for each in gone])
        t.number(of)
        return []

    return answer


def _count(t: Tables, of: Transaction, b: Mapping[str, Any]) -> list[Row]:
    names, values, shard = _columns(b)

    def write() -> None:
        for name, value in zip(names, values, strict=True):
            t.counters[shard, name] = t.counters.get((shard, name), 0) + value

    of.writes.append(write)
    return []


def _columns(b: Mapping[str, Any]) -> list[Any]:
    return list(b.values())


def _series(t: Tables, _: Transaction, b: Mapping[str, Any]) -> list[Row]:
    t.series.setdefault((b["project"], b["domain"], b["workflow"]), len(t.series) + 1)
    return []


def _history(t: Tables, of: Transaction, b: Mapping[str, Any]) -> list[Row]:
    *columns, at = _columns(b)
    t.add_history(of, columns, at)
    return []


def _launches(t: Tables, of: Transaction, b: Mapping[str, Any]) -> list[Row]:
    t.add_executions(of, _columns(b))
    return []


def _of_history(t: Tables, _: Transaction, b: Mapping[str, Any]) -> list[Row]:
    bodies = t.history.get(b["key"], [])[b["after"] :]
    return [(body,) for body in bodies[: b["limit"]]]


def _body(t: Tables, _: Transaction, b: Mapping[str, Any]) -> list[Row]:
    return [(body,) for body in t.history.get(b["key"], [])[b["seq"] - 1 : b["seq"]]]


def _report(t: Tables, of: Transaction, b: Mapping[str, Any]) -> list[Row]:
    attempt = (b["key"], b["node"], b["attempt"])
    return t.report(of, attempt, b["owner"], (b["ended"], b["body"]))


def _reports_in(t: Tables, _: Transaction, b: Mapping[str, Any]) -> list[Row]:
    shards = set(b["shards"])
    return [
        (*attempt, has_ended or t.is_there(keeper))
        for attempt, (keeper, has_ended, _) in t.reports.items()
        if attempt[0] % SHARDS in shards
    ]


def _reports_awaited(t: Tables, _: Transaction, b: Mapping[str, Any]) -> list[Row]:
    wanted = zip(b["keys"], b["nodes"], b["attempts"], strict=True)
    there = [(attempt, t.reports[attempt]) for attempt in wanted if attempt in t.reports]
    return [(*attempt, *said, t.is_there(keeper)) for attempt, (keeper, *said) in there]


def _known(b: Mapping[str, Any]) -> dict[str, Any]:
    """The bindings without the schema: all hosts have the version of the database."""
    return {name: value for name, value in b.items() if name != "schema"}


def _nothing(_: Tables, __: Transaction, ___: Mapping[str, Any]) -> list[Row]:
    return []


ANSWERS: dict[str, Answer] = {
    "fence": lambda t, of, b: t.fence(of, b["shards"], b["epochs"]),
    "take": lambda t, of, b: t.take(of, **_known(b)),
    "renew": lambda t, of, b: t.renew(of, **_known(b)),
    "let_go": lambda t, of, b: t.let_go(of, **b),
    "attend": lambda t, of, b: t.attend(of, **_known(b)),
    "depart": lambda t, of, b: t.depart(of, **b),
    "attending": lambda t, _, __: t.attending(),
    "owners": lambda t, _, __: t.all_owners(),
    "holders": lambda t, _, __: t.holders(),
    "least": lambda _, __, ___: [(SCHEMA,)],
    "clock": lambda t, _, __: [(t.clock(),)],
    "number": lambda _, __, ___: [("0000", b"secret")],
    "access_mark": lambda _, __, ___: [("", "")],
    "commit_status": lambda t, _, b: t.commit_status(b["number"]),
    "line": _body,
    "active_in": _active,
    "held_in": _held,
    "due": _due,
    "next_due": _next_due,
    "touched": _touched,
    "changes": _changes,
    "recorded": _recorded,
    "last_positions": lambda t, _, __: [(s, t.last_position(s)) for s in range(SHARDS)],
    "latest_instants": _latest_instants,
    "last_key": lambda t, _, __: [(max(t.executions, default=0),)],
    "last_seq": lambda t, _, b: [(t.last_seq(b["key"]),)],
    "history": _of_history,
    "find": lambda t, _, b: [_row(t, t.ids[b["id"]])] if b["id"] in t.ids else [],
    "get": lambda t, _, b: [_row(t, b["key"])] if b["key"] in t.executions else [],
    "add_series": _series,
    "find_series": lambda t, _, b: [(t.series[b["project"], b["domain"], b["workflow"]],)],
    "workflow": lambda t, _, b: [t.workflows[b["workflow"]]],
    "latest_workflow": lambda t, _, b: [w for w in t.workflows.values() if w[1] == b["name"]],
    "many_add_execution": _launches,
    "many_add_history": _history,
    "many_set_phase": _set_phase,
    "many_add_wait": _put("waits"),
    "many_end_wait": _end("waits"),
    "many_hold": _put("held"),
    "many_release": _end("held"),
    "many_hand_over": lambda t, of, b: t.hand_over(of, zip(*_columns(b), strict=True)),
    "many_end_report": lambda t, of, b: t.end_reports(of, zip(*_columns(b), strict=True)),
    "report": _report,
    "reports_in": _reports_in,
    "reports_of": lambda t, _, b: [
        a for a, row in t.reports.items() if row[:2] == (b["owner"], False)
    ],
    "reports_awaited": _reports_awaited,
    "many_add_audit": _nothing,
    "many_count": _count,
}


def plain(t: Tables, of: Transaction, text: str) -> list[Row]:
    """Answer what is not in our files of statements."""
    match text:
        case "SELECT pg_current_xact_id()":
            t.number(of)
            return [(of.number,)]
        case _ if text == PLAIN["transaction"].text:
            return [(None if of.number is None else str(of.number), str(t.since))]
        case _:
            raise AssertionError(f"the simulated database does not know: {text}")
