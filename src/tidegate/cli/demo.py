"""The demo: a server with example workflows on real data, which wait for the user who reads its output."""

import csv
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from tidegate.api.settings import Settings
from tidegate.bundles.archive import pack
from tidegate.bundles.sources import Sources
from tidegate.cli.render import tell
from tidegate.cli.serving import serve_store
from tidegate.cli.way import spelled
from tidegate.home import TOKEN_FILE
from tidegate.ir.expr import Value
from tidegate.runtime import Runtime, open_server
from tidegate.service.access import owner
from tidegate.service.service import Service
from tidegate.wire import (
    GetExecution,
    Launch,
    ListExecutions,
    Register,
)

HERE: Final = Path(__file__).parent.parent / "demo"
PAGE: Final = "core.control_flow.waiting_for_external_inputs"
RIVER: Final = "river.change_wf"
OPEN: Final = ["QUEUED", "RUNNING", "WAITING"]
SETTLE: Final = 10.0
"""Seconds that the workflows get to reach their questions, before the suggested commands are printed."""


def serve_demo(home: Path, settings: Settings) -> int:
    """Serve a store with the example workflows."""
    return serve_store(
        home,
        partial(open_server, home, pass_env=()),
        settings,
        partial(_prepare, home),
    )


def _prepare(home: Path, runtime: Runtime, url: str) -> Callable[[], None]:
    service = runtime.service
    files = sorted(path.relative_to(HERE).as_posix() for path in HERE.rglob("*.py"))
    archive = pack(Sources(HERE, PAGE, tuple(files)))
    service.bundles.put(archive)
    for module in (PAGE, "river"):
        service.handle(Register(bundle=archive.digest, module=module), owner(os.getuid()))
    flows = _flows()
    inputs: dict[str, dict[str, Value]] = {
        f"{PAGE}.reporting_wf": {"data": flows},
        f"{PAGE}.reporting_with_approval_wf": {"data": flows},
        f"{PAGE}.conditional_wf": {"data": flows},
        RIVER: {"first_year": 1871, "flows": flows},
    }
    ids = {name: _launched(service, name, given) for name, given in inputs.items()}
    service.handle(GetExecution(id=ids[RIVER], wait=SETTLE, until_waiting=True))
    return partial(_explain, home, url, ids)


def _launched(service: Service, workflow: str, inputs: dict[str, Value]) -> str:
    """Return an execution left from the last time, else a new one."""
    there = service.handle(ListExecutions(workflow=workflow, phases=OPEN, limit=1))
    if there.items:
        return there.items[0].id
    return service.handle(Launch(workflow=workflow, inputs=inputs), owner(os.getuid())).id


def _flows() -> list[Any]:
    text = (HERE / "nile.csv").read_text().splitlines()
    rows = csv.DictReader(row for row in text if not row.startswith("#"))
    return [float(row["flow"]) for row in rows]


def _explain(home: Path, url: str, ids: dict[str, str]) -> None:
    report, river = ids[f"{PAGE}.reporting_wf"], ids[RIVER]
    tell("\nIn another terminal:")
    for words in (
        spelled("inbox"),
        spelled("answer", report, "title", "'The Nile at Aswan, 1871 to 1970'"),
        spelled("show", report),
        spelled("deck", river, "find_change", "--open", "report.html"),
        spelled("approve", river, "publish"),
    ):
        tell(f"  {words}")
    tell(f"\nOver HTTP: {url}/api/openapi.json, with the token in {home / TOKEN_FILE}")
    tell("Ctrl-C stops it; open questions are kept.")
