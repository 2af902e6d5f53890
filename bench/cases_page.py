"""
What the page costs where there is very much: 100,000 questions in the inbox, 10,000 open gates in one execution, a graph of 10,000 nodes.

Method: a real server and a Chromium of the machine; the figures are those of the page itself. Needs `make browser`'s packages and a built page.
"""

import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import machine
from figures import Figure
from flows import CHAINED, GATES
from http_server import Server, serving
from playwright.sync_api import sync_playwright

QUESTIONS = 100_000
PRESSED = 10
ROWS, NODES = ".question .open", ".ex-nodes tbody tr"

ROW_S, KEY_MS, HEAP_MB = 2.0, 100.0, 150.0
"""What a person still calls at once, on the whole and for a key, and what a browser leaves one tab of many."""

KEY = """async (key) => {
    const from = performance.now();
    document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return performance.now() - from;
}"""
"""Milliseconds from a key to the frame that shows it."""

Sample = dict[str, float]


def figures(repeats: int) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory(dir=machine.here()) as place,
        serving(Path(place)) as (server, _),
    ):
        server.register()
        ids = [launch(server, "many_gates") for _ in range(QUESTIONS // GATES + 1)]
        chained = launch(server, "chained_gates")
        for phase in ("QUEUED", "RUNNING"):
            while server.ask("GET", f"/api/v1/executions?phase={phase}&limit=1")["items"]:
                time.sleep(0.1)
        seen = [
            (f"{QUESTIONS:,} questions in the inbox", "/?all=true", ROWS, "j"),
            (f"{GATES:,} open gates in one execution", f"/executions/{ids[0]}", NODES, "w"),
            (f"a graph of {CHAINED:,} nodes", f"/executions/{chained}", NODES, "w"),
        ]
        return [
            figure
            for what, path, rows, key in seen
            for figure in told(what, [page(server, path, rows, key) for _ in range(repeats)])
        ]


def told(what: str, samples: list[Sample]) -> list[Figure]:
    def of(name: str) -> list[float]:
        return [each[name] for each in samples]

    return [
        Figure(f"page: {what}: first rows", "s", of("rows"), aim=ROW_S, more=False),
        Figure("... a key", "ms", of("key"), aim=KEY_MS, more=False),
        Figure("... heap", "MB", of("heap"), aim=HEAP_MB, more=False),
    ]


def launch(server: Server, workflow: str) -> str:
    id_: str = server.ask("POST", "/api/v1/executions", {"workflow": f"flows.{workflow}"})["id"]
    return id_


def page(server: Server, path: str, rows: str, key: str) -> Sample:
    """Open an address in a browser that has seen nothing of it, and return what that took."""
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)))
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.goto(f"http://127.0.0.1:{server.port}/")
        tab.get_by_role("textbox", name="Token").fill(server.token)
        tab.get_by_role("button", name="Sign in").click()
        tab.get_by_role("button", name="Signed in as").wait_for()
        tab.goto("about:blank")
        begun = time.perf_counter()
        tab.goto(f"http://127.0.0.1:{server.port}/#{path}")
        tab.locator(rows).first.wait_for()
        took = time.perf_counter() - begun
        tab.wait_for_load_state("networkidle")
        pressed = [tab.evaluate(KEY, key) for _ in range(PRESSED)]
        found = {"rows": took, "key": statistics.median(pressed), "heap": heap(tab)}
        browser.close()
    return found


def heap(tab: Any) -> float:
    """Return the megabytes that are left after a collection."""
    line = tab.context.new_cdp_session(tab)
    line.send("HeapProfiler.collectGarbage")
    return float(tab.evaluate("performance.memory.usedJSHeapSize")) / 1e6
