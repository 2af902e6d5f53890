"""The inbox: by keyboard, and with ten thousand requests in it."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import LIVE_MS, YARDSTICK, Site, Tab

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

CROWD = Path(__file__).parent / "programs" / "crowd.py"
MANY = 10_000
LONGEST = """
    window.longest = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((each) => { window.longest = Math.max(window.longest, each.duration); })).observe({ entryTypes: ['longtask'] });
"""
FROZEN_MS = 1_000
FROZEN_TURNS = 40
"""A page that does not react for so long is frozen: a second, or, where the machine is busy, this many turns of `YARDSTICK`."""

LEAST_SECONDS = 1.0
TRIES = 6

MOST_SCRIPT = 250_000


@pytest.fixture(scope="module")
def full(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server where ten thousand requests wait."""
    made = Site(tmp_path_factory.mktemp("full"), CROWD)
    for _ in range(MANY // 500):
        made.ask("POST", "executions", {"workflow": "crowd.crowd", "inputs": {}})
    for phase in ("QUEUED", "RUNNING"):
        while made.ask("GET", f"executions?phase={phase}&limit=1").body["items"]:
            pass
    yield made
    made.server.close()


@pytest.fixture
def crowded(browser: Any, full: Site) -> Iterator[Tab]:
    place = full.window(browser)
    tab = Tab(place, full)
    tab.page.add_init_script(LONGEST)
    tab.open("/").get_by_role("listitem").first.wait_for()
    yield tab
    place.close()
    assert tab.complaints == []


def loaded_script(page: Any) -> int:
    """Return the compressed bytes of all scripts that the page has loaded."""
    entries = "performance.getEntriesByType('resource')"
    sizes = (
        f"{entries}.filter((each) => each.name.endsWith('.js')).map((each) => each.encodedBodySize)"
    )
    return sum(page.evaluate(sizes))


def test_the_start_page_is_small_and_shows_the_inbox_within_a_second(crowded: Tab) -> None:
    # The best of a few: the machine does other things too.
    took: list[float] = []
    while len(took) < TRIES and min(took, default=LEAST_SECONDS) >= LEAST_SECONDS:
        begin = time.monotonic()
        crowded.page.reload()
        crowded.page.get_by_role("listitem").first.wait_for()
        took.append(time.monotonic() - begin)
    assert 100_000 < loaded_script(crowded.page) < MOST_SCRIPT
    assert min(took) < LEAST_SECONDS


def test_ten_thousand_requests_are_scrolled_to_the_end_followed_and_searched(
    crowded: Tab, full: Site
) -> None:
    page = crowded.page
    row = page.get_by_role("listitem").first
    while (have := row.get_attribute("aria-setsize")) != str(MANY):
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        expect(row).not_to_have_attribute("aria-setsize", have)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    last = page.get_by_role("listitem").and_(page.locator(f"[aria-posinset='{MANY}']"))
    expect(last).to_be_visible()
    assert page.get_by_role("listitem").count() < 100, "rows off the screen are in the page"
    id_ = full.ask("GET", "inbox?limit=1").body["items"][0]["execution"]
    full.ask("PUT", f"executions/{id_}/signals/ask-7", {"value": "x"})
    expect(row).to_have_attribute("aria-setsize", str(MANY - 1), timeout=LIVE_MS)
    page.get_by_label("Search").fill("ask-499")
    expect(row).to_have_attribute("aria-setsize", str(MANY // 500), timeout=LIVE_MS)
    frozen = max(FROZEN_MS, FROZEN_TURNS * page.evaluate(YARDSTICK))
    assert page.evaluate("window.longest") < frozen


def test_the_inbox_is_worked_through_by_keyboard(site: Site, tab: Tab) -> None:
    ids = [site.launch("gates.approve_rows") for _ in range(2)]
    site.launch("gates.ask_title")
    page = tab.open("/")
    rows = page.get_by_role("listitem")
    expect(rows).to_have_count(3)
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("approve_rows")
    expect(rows).to_have_count(2)
    page.keyboard.press("Enter")
    links = rows.get_by_role("link")
    expect(links.first).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.keyboard.press("Enter")
    expect(tab.dialog).to_contain_text(ids[1])
    page.keyboard.press("Escape")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="Executions")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_single_keys_can_be_switched_off(site: Site, tab: Tab) -> None:
    site.launch("gates.approve_rows")
    page = tab.open("/")
    page.get_by_role("listitem").first.wait_for()
    page.keyboard.press("?")
    tab.dialog.get_by_label("Single-key shortcuts").press("Space")
    page.keyboard.press("Escape")
    expect(tab.dialog).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("/")
    page.keyboard.press("?")
    expect(page.locator("body")).to_be_focused()
    expect(tab.dialog).to_have_count(0)


def test_the_title_of_the_tab_tells_how_many_wait(site: Site, tab: Tab) -> None:
    site.launch("gates.ask_title")
    page = tab.open("/")
    waiting = len(site.ask("GET", "inbox").body["items"])
    expect(page).to_have_title(f"({waiting}) Inbox · Tidegate")
    site.launch("gates.ask_title")
    expect(page).to_have_title(f"({waiting + 1}) Inbox · Tidegate")


def test_the_tab_order_follows_the_eye(site: Site, tab: Tab) -> None:
    site.launch("gates.approve_rows")
    page = tab.open("/")
    page.get_by_role("listitem").first.wait_for()
    assert_in_reading_order(page, "#main")
    page.get_by_role("listitem").filter(has_text="approve_rows").first.get_by_role("link").click()
    tab.dialog.get_by_role("button", name="Approve").wait_for()
    assert_in_reading_order(page, "[role=dialog]")


def test_the_tab_order_goes_down_one_column_and_then_the_other(site: Site, tab: Tab) -> None:
    tab.open(f"/?task={site.launch('gates.approve_shown')}:table-is-right")
    tab.dialog.locator(".settled").wait_for()
    assert_in_reading_order(tab.page, "[role=dialog]")
    order = tab.page.evaluate(PLACES, ".an-two")
    middle = tab.page.get_by_role("complementary", name="Decision").bounding_box()["x"]
    columns = [left >= middle for *_, left, _ in order]
    assert columns == sorted(columns)
    assert set(columns) == {False, True}


def test_the_tab_order_of_a_long_form_follows_the_eye(site: Site, tab: Tab) -> None:
    tab.open(f"/?task={site.launch('gates.every_type')}:nested")
    tab.dialog.get_by_role("button", name="Send answer").wait_for()
    tab.page.set_viewport_size({"width": 1280, "height": 1600})
    assert_in_reading_order(tab.page, "[role=dialog] form")
    tab.page.set_viewport_size({"width": 1280, "height": 640})
    bar = tab.dialog.locator(".bar").bounding_box()
    first = tab.dialog.get_by_role("textbox", name="name", exact=True).first
    expect(first).to_be_focused()
    first.focus()
    label = ""
    for _ in range(12):
        tab.page.keyboard.press("Tab")
        label, low = tab.page.evaluate(FOCUS)
        if "Send answer" in label:
            break
        assert low <= bar["y"], "what has the focus is hidden by the bar with the button"
    assert "Send answer" in label


FOCUS = "[document.activeElement.innerText, document.activeElement.getBoundingClientRect().bottom]"

PLACES = """(within) => [...document.querySelector(within).querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
    .filter((each) => !each.disabled && each.tabIndex >= 0 && each.getClientRects().length > 0)
    .map((each) => { const box = each.getBoundingClientRect(); return [each.tabIndex, Math.round(box.top), Math.round(box.bottom), Math.round(box.left), each.outerHTML.slice(0, 90)]; })"""


def assert_in_reading_order(page: Any, within: str) -> None:
    """What follows stands below what is before it, or to its right; nothing has an order of its own."""
    stops = page.evaluate(PLACES, within)
    assert len(stops) > 2
    assert {each[0] for each in stops} == {0}
    for (_, top, _, left, before), (_, _, bottom, later, after) in pairwise(stops):
        assert bottom > top, (before, after)
        assert later >= left or bottom > top + 8, (before, after)
