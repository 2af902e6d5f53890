"""What an open page fetches: what has changed, when it has changed, and nothing else."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.cable import Cable
from tests.browser.conftest import LIVE_MS, PROGRAMS, Site, Tab
from tests.serving import Server

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

SHAPES = PROGRAMS / "shapes.py"
PHASE = "h1 + .phase"
WIDE = 150
IDLE_MS = 120_000
SHORT_MS = 2_500
"""A break of the stream that is not an outage: the server ends each stream after some minutes."""

NO_LOCKS = "delete Navigator.prototype.locks"


class Asked:
    """Records the requests of a page."""

    def __init__(self, page: Any) -> None:
        self.requests: list[Any] = []
        self._page = page
        self._over: list[Any] = []
        page.on("request", lambda each: self.requests.append(each))
        page.on("requestfinished", lambda each: self._over.append(each))
        page.on("requestfailed", lambda each: self._over.append(each))

    def of(self, path: str) -> list[Any]:
        return [each for each in self.requests if f"/api/v1/{path}" in each.url]

    def streams(self) -> list[Any]:
        return [each for each in self.requests if each.url.endswith("/api/v1/events")]

    def settle(self) -> None:
        """Return once the stream is open and every request has ended."""
        while not self.streams():
            self._page.wait_for_event("request")
        assert self.streams()[-1].response().ok
        self._page.evaluate("fetch('/api/v1/health').then((each) => each.text())")
        ends = self.streams()
        while any(each not in self._over and each not in ends for each in self.of("")):
            self._page.wait_for_event("requestfinished")

    def resume(self) -> None:
        """Return once a stream is open after those that failed."""
        while not self.streams() or self.streams()[-1].response() is None:
            self._page.wait_for_event("request")


def views(asked: Asked, execution: str) -> list[Any]:
    """Return the views of an execution that the server has sent."""
    path = f"executions/{execution}"
    found = [each for each in asked.of(path) if each.url.split("?")[0].endswith(path)]
    return [json.loads(each.response().text()) for each in found if each.failure is None]


@pytest.mark.parametrize("tab_shown", ["graph", "list"])
def test_a_change_of_one_node_fetches_only_what_changed(
    site: Site, tab: Tab, tab_shown: str
) -> None:
    execution = site.launch("shapes.wide_and_asks", many=WIDE)
    asked = Asked(tab.page)
    page = tab.open(f"/executions/{execution}?tab={tab_shown}")
    gate = page.locator("[data-phase='WAITING'][data-node]")
    expect(gate.first).to_be_visible()
    asked.settle()
    first = max(views(asked, execution), key=lambda each: len(each["nodes"]))
    assert len(first["nodes"]) > WIDE
    asked.requests.clear()
    site.ask("PUT", f"executions/{execution}/signals/sooner", {"value": 1})
    expect(page.locator(f"[data-node='{gate_id(first, 'sooner')}']")).to_have_attribute(
        "data-phase", "SUCCEEDED", timeout=LIVE_MS
    )
    later = views(asked, execution)
    assert later
    assert sum(len(each["nodes"]) for each in later) < 5
    site.ask("PUT", f"executions/{execution}/signals/later", {"value": 1})
    expect(page.locator(PHASE)).to_have_text("Succeeded", timeout=LIVE_MS)
    page.get_by_role("tab", name="Inputs and outputs").click()
    expect(page.get_by_label("Copy inputs")).to_be_visible()
    expect(page.locator(".ex-values dt").get_by_text("many", exact=True)).to_be_visible()


def gate_id(view: Any, name: str) -> str:
    return str(next(each["id"] for each in view["nodes"] if each["name"] == name))


def test_nodes_that_unfold_appear_on_an_open_page(site: Site, tab: Tab) -> None:
    execution = site.launch("shapes.unfolds_later")
    page = tab.open(f"/executions/{execution}?tab=list")
    rows = page.get_by_role("region", name="Nodes").locator("tbody tr")
    before = len(site.ask("GET", f"executions/{execution}").body["nodes"])
    expect(rows).to_have_count(before)
    site.ask("PUT", f"executions/{execution}/signals/many", {"value": 4})
    expect(page.locator(PHASE)).to_have_text("Waiting for people", timeout=LIVE_MS)
    expect(rows).to_have_count(before + 5, timeout=LIVE_MS)
    bar = page.get_by_role("region", name="Waiting for people")
    expect(bar).to_contain_text("inside")
    bar.get_by_role("button").click()
    tab.settled().get_by_role("textbox", name="Answer", exact=True).fill("1")
    page.keyboard.press("Enter")
    expect(page.locator(PHASE)).to_have_text("Succeeded", timeout=LIVE_MS)
    phases = page.evaluate(
        "[...document.querySelectorAll('tr[data-node]')].map(e => e.dataset.phase)"
    )
    assert set(phases) == {"SUCCEEDED"}


def test_an_open_page_shows_each_round_of_a_loop_as_the_server_does(site: Site, tab: Tab) -> None:
    execution = site.launch("shapes.rounds")
    page = tab.open(f"/executions/{execution}?tab=list")
    bar = page.get_by_role("region", name="Waiting for people")
    for said in (1, 1, 0):
        expect(bar).to_be_visible(timeout=LIVE_MS)
        bar.get_by_role("button").click()
        tab.settled().get_by_role("textbox", name="Answer", exact=True).fill(str(said))
        page.keyboard.press("Enter")
        tab.dialog.get_by_role("button", name="Back").click()
        expect(tab.dialog).to_have_count(0)
        there = site.ask("GET", f"executions/{execution}?wait=20&until_waiting=true").body["nodes"]
        shown = sorted((each["id"], look(each, there)) for each in there)
        page.wait_for_function(f"(nodes) => JSON.stringify({NODES}) === nodes", arg=as_json(shown))
    expect(page.locator(PHASE)).to_have_text("Succeeded", timeout=LIVE_MS)


def look(node: Any, nodes: Any) -> str:
    """Return how the page shows a node: a loop waits while anything in it waits, and what has had no attempt has not started."""
    if any(each["parent"] == node["id"] and each["phase"] == "WAITING" for each in nodes):
        return "WAITING"
    never = node["phase"] == "QUEUED" and not node["attempts"]
    return "NOT_STARTED" if never else str(node["phase"])


NODES = "[...document.querySelectorAll('tr[data-node]')].map((each) => [each.dataset.node, each.dataset.phase]).sort()"


def as_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


@pytest.fixture
def own(browser: Any, tmp_path: Path) -> Iterator[Site]:
    """A server for one test."""
    made = Site(tmp_path / "home", SHAPES)
    yield made
    made.server.close()


def test_an_older_copy_of_the_store_is_shown_as_it_is(
    browser: Any, own: Site, tmp_path: Path
) -> None:
    execution = own.launch("shapes.wide_and_asks", many=2)
    window = own.window(browser)
    own.stop()
    shutil.copytree(own.home, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock"))
    own.start()
    page = Tab(window, own).open(f"/executions/{execution}?tab=list")
    bar = page.get_by_role("region", name="Waiting for people")
    expect(bar).to_contain_text("sooner")
    own.ask("PUT", f"executions/{execution}/signals/sooner", {"value": 1})
    expect(bar).not_to_contain_text("sooner", timeout=LIVE_MS)
    own.stop()
    page.get_by_text("No connection to the server").wait_for()
    shutil.rmtree(own.home)
    shutil.copytree(tmp_path / "copy", own.home)
    # The copy gets as many lines of history as the page has seen, but other ones.
    elsewhere = Server(own.home).ready()
    elsewhere.connect()("PUT", f"executions/{execution}/signals/later", {"value": 1})
    elsewhere.kill()
    elsewhere.close()
    own.start()
    expect(bar).to_contain_text("sooner")
    expect(bar).not_to_contain_text("later")
    own.ask("PUT", f"executions/{execution}/signals/sooner", {"value": 1})
    expect(page.locator(PHASE)).to_have_text("Succeeded", timeout=LIVE_MS)
    window.close()


IDLE = {
    "inbox": ("/", "h1"),
    "executions": ("/executions", "[data-execution]"),
    "execution": ("/executions/{id}", ".gnode"),
    "question": ("/?task={id}:word", ".settled"),
    "workflows": ("/workflows", ".wf-line"),
    "workflow": ("/workflows/shapes.defaults", ".gnode"),
}


@pytest.mark.parametrize("scripts", [[], [NO_LOCKS]], ids=["one_stream", "stream_of_its_own"])
@pytest.mark.parametrize("place", IDLE)
def test_an_idle_page_sends_no_requests(
    site: Site, tab: Tab, place: str, scripts: list[str]
) -> None:
    execution = site.launch("shapes.defaults", count=1)
    for each in scripts:
        tab.page.add_init_script(each)
    tab.page.clock.install()
    path, sign = IDLE[place]
    asked = Asked(tab.page)
    page = tab.open(path.format(id=execution))
    page.locator(sign).first.wait_for()
    page.clock.run_for(1_000)
    asked.settle()
    asked.requests.clear()
    # Run all timers of the next minutes at once.
    page.clock.run_for(IDLE_MS)
    page.evaluate("fetch('/api/v1/health').then((each) => each.text())")
    assert [each.url for each in asked.of("") if "/health" not in each.url] == []


def test_a_visible_tab_is_live_without_locks(site: Site, tab: Tab) -> None:
    tab.page.add_init_script(NO_LOCKS)
    page = tab.open("/")
    page.get_by_role("heading", name="Inbox").wait_for()
    execution = site.launch("shapes.defaults", count=1)
    row = page.get_by_role("listitem").filter(has_text=execution)
    expect(row).to_be_visible(timeout=LIVE_MS)
    site.ask("PUT", f"executions/{execution}/signals/word", {"value": "x"})
    expect(row).to_have_count(0, timeout=LIVE_MS)


def test_newly_registered_workflows_appear_when_the_window_gets_focus(
    site: Site, tab: Tab, tmp_path: Path
) -> None:
    page = tab.open("/workflows")
    page.locator(".wf-line").first.wait_for()
    file = tmp_path / "shapes_new.py"
    file.write_text(SHAPES.read_text())
    command = [sys.executable, "-m", "tidegate", "register", str(file), "--home", str(site.home)]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    # A headless browser never gains or loses focus by itself.
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.get_by_role("link", name="shapes_new.chain", exact=True)).to_be_visible()


def test_a_short_break_of_the_stream_loses_nothing_and_shows_no_banner(
    browser: Any, own: Site
) -> None:
    cable = Cable(own.server.port)
    port, own.server.port = own.server.port, cable.port
    window = own.window(browser)
    tab = Tab(window, own)
    asked = Asked(tab.page)
    tab.page.clock.install()
    page = tab.open("/")
    own.server.port = port
    page.get_by_role("heading", name="Inbox").wait_for()
    asked.settle()  # so that the first comes through the stream, with its id
    first = own.launch("shapes.asks_twice")
    expect(page.get_by_role("listitem").filter(has_text=first)).to_be_visible(timeout=LIVE_MS)
    page.evaluate(NOTE_COMPLAINTS)
    asked.settle()
    asked.requests.clear()
    # The time of the page stands still, so that this machine may be as slow as it likes.
    page.clock.pause_at(page.evaluate("Date.now() + 100"))
    cable.pull()
    second = own.launch("shapes.asks_twice")
    while not asked.streams():
        page.wait_for_event("request")
    page.clock.run_for(SHORT_MS)
    cable.plug()
    asked.resume()
    page.clock.resume()
    expect(page.get_by_role("listitem").filter(has_text=second)).to_be_visible(timeout=LIVE_MS)
    assert asked.streams()[-1].all_headers()["last-event-id"]
    assert page.evaluate("window.complained") is False
    assert not asked.of("session"), "everything was asked for again"
    window.close()
    cable.close()


NOTE_COMPLAINTS = """() => {
    window.complained = false;
    new MutationObserver(() => { window.complained ||= document.querySelector('.gone') !== null; }).observe(document.body, { childList: true, subtree: true });
}"""
