"""
Anyone who changes a module finds its tests by name.

The tests of `src/tidegate/ROOM/MODULE.py` are in a file that is called after both: `tests/unit/ROOM/test_MODULE.py`, or, where they need
more than one area, `tests/contract/test_ROOM_MODULE.py` (`tests/e2e`, `tests/crash`). Those of `src/tidegate/MODULE.py` are in `test_MODULE.py`.

What only declares (structs, protocols, names that are passed on) has no tests. Whatever is tested elsewhere stands in `ELSEWHERE`, with the
reason; a line there goes as soon as a file of the right name is there.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "tidegate"
CARGO = ("demo", "_ui")
"""What is not a code of the package: programs that `tidegate demo` registers, and the built UI."""


class Group(NamedTuple):
    """Modules that are tested in one file, or in several whose names begin alike."""

    tests: str
    why: str
    modules: str


ELSEWHERE = (
    Group(
        "tests/simulation/test_seeds.py",
        "the machine is one thing: its parts are seen together, through seeded chaos",
        "core/waits",
    ),
    Group(
        "tests/unit/engine/test_loop.py",
        "what the one thread of the engine is made of",
        "engine/arrivals engine/backwards engine/ledger engine/memory engine/outcomes engine/programs",
    ),
    Group(
        "tests/contract/test_stores_postgres_reports.py",
        "what is told through the database; who does what is in `tests/simulation/test_replicas.py` and `tests/e2e/test_replicas_reports.py`",
        "engine/handover",
    ),
    Group(
        "tests/unit/bundles/test_sources.py",
        "what git tracks is one way to find a source",
        "bundles/tracked",
    ),
    Group(
        "tests/contract/test_stores_sqlite.py",
        "the store keeps its promises as a whole",
        "stores/access stores/audit stores/catalog stores/journal stores/listings stores/rows stores/sqlite/changes stores/sqlite/connect"
        " stores/sqlite/journal stores/sqlite/search stores/sqlite/store",
    ),
    Group(
        "tests/contract/test_stores_postgres.py",
        "the store keeps its promises as a whole",
        "stores/postgres/changes stores/postgres/connections stores/postgres/dialect stores/postgres/journal stores/postgres/ownership"
        " stores/postgres/search stores/postgres/store",
    ),
    Group(
        "tests/e2e/test_replicas.py",
        "servers that share a store are seen as several processes",
        "api/passing api/peers cli/replicas core/shards engine/news engine/sharing stores/postgres/keeping stores/postgres/notices",
    ),
    Group(
        "tests/e2e/test_replicas_logs.py",
        "what is printed at one server is read at another",
        "service/gathering",
    ),
    Group(
        "tests/e2e/test_traces.py",
        "a trace is seen where it arrives",
        "core/traces otel service/traces",
    ),
    Group(
        "tests/e2e/test_cli_postgres.py",
        "which store a command opens is seen at the terminal",
        "stores/opening stores/postgres/rebuild",
    ),
    Group(
        "tests/contract/changes_contract.py",
        "who subscribes is told, whatever the database",
        "stores/announcing",
    ),
    Group(
        "tests/migration/test_upgrade.py",
        "from the stores of earlier versions",
        "stores/rebuild stores/sqlite/upgrade",
    ),
    Group(
        "tests/contract/journal_contract.py",
        "ports, tested on adapters",
        "ports/journal ports/rows",
    ),
    Group(
        "tests/e2e/test_cli_here.py",
        "terminals that serve an execution, from one end to the other",
        "api/routes/terminals executors/layers executors/terminals remote/door remote/workers service/standstill",
    ),
    Group(
        "tests/unit/wire/test_bindings.py",
        "every request, as it travels",
        "wire/constraints wire/requests",
    ),
    Group(
        "tests/contract/executor_contract.py", "a port, tested on its adapters", "ports/executor"
    ),
    Group(
        "tests/contract/test_executors_process.py",
        "one pool of processes, seen through its port",
        "executors/backlog executors/child executors/endings executors/forker executors/frames"
        " executors/fork_server executors/pool executors/roster executors/spare executors/template executors/verdicts executors/worker",
    ),
    Group(
        "tests/unit/service/test_requests.py",
        "a store that is only read",
        "executors/idle",
    ),
    Group(
        "tests/contract/test_executors_ray.py",
        "one executor on a cluster, seen through its port",
        "executors/cluster/actor executors/cluster/boxes executors/cluster/connecting executors/cluster/executor executors/cluster/keeper"
        " executors/cluster/link executors/cluster/members executors/cluster/protocol executors/cluster/reserving executors/cluster/settings",
    ),
    Group(
        "tests/e2e/test_cli_ray.py",
        "a store whose tasks run on a cluster, from one end to the other",
        "executors/cluster/local executors/cluster/opening",
    ),
    Group("tests/e2e/test_held.py", "a disk without room", "executors/patience"),
    Group(
        "tests/contract/test_executors_environment.py",
        "distributions are looked at for what code imports",
        "executors/installed",
    ),
    Group(
        "tests/contract/test_executors_failures.py",
        "kept while pools fail, and seen by that",
        "executors/orders",
    ),
    Group(
        "tests/unit/service/test_requests.py",
        "the use cases, as every door asks for them",
        "service/executions service/gauges service/graphs service/service service/signals",
    ),
    Group("tests/unit/service/test_rounds.py", "small values, as a list shows them", "core/rounds"),
    Group("tests/unit/service/test_events.py", "read there as it is in the stream", "service/feed"),
    Group("tests/unit/service/test_inbox.py", "what a page consists of", "service/questions"),
    Group(
        "tests/contract/test_service_recovering.py",
        "what is shown of a recovery is what happens",
        "service/previews",
    ),
    Group(
        "tests/contract/test_damage.py", "what is missing is one kind of damage", "service/missing"
    ),
    Group(
        "tests/e2e/test_http_*.py",
        "a route is seen by asking it, and the door by what it lets through",
        "api/app api/backend api/door api/openapi api/problems"
        " api/routes/blobs api/routes/events api/routes/executions api/routes/inbox api/routes/sessions"
        " api/routes/signals api/routes/system api/routes/tables api/routes/tokens api/routes/uploads api/routes/workflows",
    ),
    Group("tests/unit/api/test_local.py", "both ends of the local door", "api/accept"),
    Group(
        "tests/e2e/test_cli_moving.py",
        "a store is moved at the terminal, and gone on with there",
        "moving stores/moving stores/postgres/placing",
    ),
    Group(
        "tests/contract/test_objects_opening.py",
        "one object store, seen through what runs on it",
        "executors/objects objects/broker objects/following objects/logs",
    ),
    Group(
        "tests/contract/test_objects_blobs.py",
        "what blobs and bundles are made of",
        "objects/bucket objects/cache objects/contents",
    ),
    Group(
        "tests/contract/test_tables_readers.py",
        "what a process does is seen through what asks it",
        "tables/converting tables/frames tables/profiling tables/reader tables/selecting tables/shape",
    ),
    Group(
        "tests/e2e/test_http_tables.py",
        "a pointer is followed where it is given",
        "service/tables",
    ),
    Group("tests/e2e/test_server_life.py", "a server, whole", "api/server runtime"),
    Group(
        "tests/e2e/test_backup.py",
        "copied while it is served, and restored",
        "cli/backup stores/sqlite/copying",
    ),
    Group(
        "tests/e2e/test_cli_*.py",
        "a command is tested as it is typed",
        "cli/audit cli/completing cli/deciding cli/deck cli/demo cli/doctor cli/follow cli/opening cli/options cli/register"
        " cli/serve cli/serving cli/terminal cli/token cli/values cli/way",
    ),
    Group(
        "tests/e2e/test_cli_address.py",
        "what a command reaches with nothing but the address of a store",
        "api/owners executors/terminal joining objects/elsewhere remote/fetching remote/servers wire/owning",
    ),
    Group("tests/docs/test_pages.py", "the reference is made of them", "cli/examples"),
    Group(
        "tests/e2e/test_remote_client.py",
        "the client, against a real server",
        "remote/execution remote/problems",
    ),
    Group(
        "tests/unit/sdk/test_promise.py",
        "what is passed on, and where authoring stands meanwhile",
        "sdk/bind sdk/trace",
    ),
    Group("tests/contract/test_author_types.py", "through the gate that asks", "sdk/faults"),
    Group("tests/unit/sdk/test_local.py", "what a plain call keeps", "sdk/scratch"),
    Group("tests/contract/test_gates.py", "the gates, through the sandbox", "testing"),
)


def modules() -> Iterator[Path]:
    for path in sorted(SRC.rglob("*.py")):
        name = path.relative_to(SRC)
        if name.parts[0] not in CARGO and name.name not in ("__init__.py", "__main__.py"):
            yield name


def behaves(path: Path) -> bool:
    """Whether a module has a function that does something: more than a docstring, or `...`."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not all(isinstance(each, ast.Expr) for each in node.body)
        for node in ast.walk(ast.parse(path.read_text()))
    )


def mirrors(module: Path, root: Path) -> list[Path]:
    """Return the test files that are called after a module."""
    room, name = "_".join(module.parts[:-1]), module.stem
    if not room:
        return list(root.glob(f"tests/*/test_{name}.py"))
    within = "/".join(module.parts[:-1])
    return [
        *root.glob(f"tests/*/{within}/test_{name}.py"),
        *root.glob(f"tests/*/test_{room}_{name}.py"),
    ]


def listed() -> dict[str, Group]:
    return {name: group for group in ELSEWHERE for name in group.modules.split()}


def named(module: Path) -> str:
    return module.with_suffix("").as_posix()


def without_tests(root: Path, src: Path) -> list[str]:
    return [
        named(module)
        for module in modules()
        if behaves(src / module) and not mirrors(module, root) and named(module) not in listed()
    ]


def test_every_module_has_tests_that_are_called_after_it_or_says_where_they_are() -> None:
    missing = without_tests(ROOT, SRC)

    assert not missing, f"no tests are called after {', '.join(missing)}: see the top of this file"


def stale() -> Iterator[str]:
    there = {named(module): module for module in modules()}
    for group in ELSEWHERE:
        if not list(ROOT.glob(group.tests)):
            yield f"there is no {group.tests}"
    for name in listed():
        if name not in there:
            yield f"there is no module {name}: take it off the list"
        elif found := mirrors(there[name], ROOT):
            yield f"{name} has tests of its own, {found[0].name}: take it off the list"
    names = [name for group in ELSEWHERE for name in group.modules.split()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} stands in two groups"


def test_what_is_tested_elsewhere_is_there_and_needs_to_be_said() -> None:
    problems = list(stale())

    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize(
    "text", ["def f():\n    return 1\n", "class A:\n    def f(self):\n        pass\n"]
)
def test_a_new_module_without_tests_is_found(tmp_path: Path, monkeypatch, text: str) -> None:
    for name in ("sdk/gates.py", "sdk/fresh.py", "fresh.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "ports.py").write_text("class A:\n    def f(self):\n        ...\n")
    monkeypatch.setitem(globals(), "SRC", tmp_path)

    assert without_tests(ROOT, tmp_path) == ["fresh", "sdk/fresh"]
