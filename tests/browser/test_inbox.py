"""The inbox: by keyboard, and with ten thousand requests in it."""

import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import LIVE_MS, YARDSTICK, Site, Tab
from tests.serving import slowed

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

BUDGETS = {
    r"\.js$": (100_000, 225_000),
    r"\.css$": (5_000, 25_000),
    "/api/v1/": (500, 12_000),
    r"\.(js|css)$|/api/v1/": (100_000, 260_000),
}
"""What a first load of the inbox may cost in compressed bytes: scripts, styles, data, and all of it."""


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


def loaded(page: Any, what: str) -> int:
    """Return the compressed bytes of what the page has loaded, as far as its address matches."""
    sizes = "(what) => performance.getEntriesByType('resource').filter((each) => new RegExp(what).test(each.name)).map((each) => each.encodedBodySize)"
    return sum(page.evaluate(sizes, what))


def test_the_start_page_is_small_and_shows_the_inbox_within_a_second(crowded: Tab) -> None:
    # The best of a few: the machine does other things too.
    took: list[float] = []
    while len(took) < TRIES and min(took, default=LEAST_SECONDS) >= LEAST_SECONDS:
        begin = time.monotonic()
        crowded.page.reload()
        crowded.page.get_by_role("listitem").first.wait_for()
        took.append(time.monotonic() - begin)
    for what, (least, most) in BUDGETS.items():
        assert least < loaded(crowded.page, what) < most, what
    assert min(took) < slowed(LEAST_SECONDS)


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
    expect(page).to_have_title(f"({waiting + 1}) Inbox · Tidegate", timeout=LIVE_MS)


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
    tab.dialog.get_by_text("Cairo").first.wait_for()
    assert_in_reading_order(tab.page, "[role=dialog] .an-sub")
    order = tab.page.evaluate(PLACES, ".an-two")
    middle = tab.page.get_by_role("complementary", name="Decision").bounding_box()["x"]
    columns = [left >= middle for *_, left, _ in order]
    assert columns == sorted(columns)
    assert set(columns) == {False, True}
    tops = [top for _, top, _, left, _ in order if left >= middle]
    assert tops == sorted(tops)


def test_the_tab_order_of_a_long_form_follows_the_eye(site: Site, tab: Tab) -> None:
    tab.open(f"/?task={site.launch('gates.every_type')}:nested")
    tab.settled()
    tab.page.set_viewport_size({"width": 1280, "height": 1600})
    assert_in_reading_order(tab.page, "[role=dialog] form")
    tab.page.set_viewport_size({"width": 1280, "height": 640})
    bar = tab.dialog.locator(".bar").bounding_box()
    first = tab.dialog.get_by_role("textbox", name="name", exact=True).first
    expect(first).to_be_focused()
    first.focus()
    label = ""
    for _ in range(30):
        tab.page.keyboard.press("Tab")
        label, low = tab.page.evaluate(FOCUS)
        if "Send answer" in label:
            break
        assert low <= bar["y"], "what has the focus is hidden by the bar with the button"
    assert "Send answer" in label


def tall(page: Any) -> Any:
    """Make a window so high that every question of this file's tests has a row: those off the screen are not in the page."""
    page.set_viewport_size({"width": 1280, "height": 4_000})
    return page


def lists_asked(page: Any) -> list[str]:
    """Return what the page asks of the inbox from now on, as it grows."""
    asked: list[str] = []

    def note(request: Any) -> None:
        if "/api/v1/inbox" in request.url and request.method == "GET":
            asked.append(request.url.partition("/api/v1/")[2].partition("?")[0])

    page.on("request", note)
    return asked


def test_the_first_load_asks_for_each_list_once(site: Site, tab: Tab) -> None:
    site.launch("gates.approve_rows")
    asked = lists_asked(tab.page)
    page = tab.open("/")
    page.get_by_role("listitem").first.wait_for()
    site.ask("GET", "health")
    page.evaluate("fetch('/api/v1/health').then((each) => each.text())")
    assert sorted(asked) == ["inbox", "inbox/summary"]


def test_an_answer_and_the_next_question_cost_few_requests_and_bytes(site: Site, tab: Tab) -> None:
    for _ in range(2):
        site.launch("gates.ask_title")
    page = tab.open("/?workflow=gates.ask_title")
    page.get_by_role("listitem").first.get_by_role("link").click()
    tab.settled()
    page.wait_for_load_state("networkidle")
    page.evaluate("performance.clearResourceTimings()")
    tab.dialog.get_by_role("textbox", name="Answer", exact=True).fill("Nile")
    page.keyboard.press("Enter")
    tab.dialog.get_by_role("button", name="Open next").wait_for()
    page.keyboard.press("n")
    tab.dialog.get_by_role("button", name="Send answer").wait_for()
    tab.settled()
    page.wait_for_load_state("networkidle")
    asked = page.evaluate(
        "performance.getEntriesByType('resource').map((each) => each.name).filter((each) => each.includes('/api/'))"
    )
    # The answer, the next question, and how many are left. What the execution was given is fetched when somebody looks at it.
    assert len(asked) == 3, asked
    assert loaded(page, "/api/v1/") < 20_000


def test_after_a_change_one_tab_asks_and_all_have_it(site: Site, tabs: Any) -> None:
    pages = [tabs().open("/?workflow=gates.ask_title") for _ in range(3)]
    for page in pages:
        page.get_by_role("heading", name="Inbox").wait_for()
        expect(page.get_by_role("group", name="Sections")).to_contain_text(re.compile("[0-9]"))
    # The first change is told to every tab; what each fetched before it counts for none of the others.
    first = site.launch("gates.ask_title")
    for page in pages:
        expect(page.get_by_role("listitem").filter(has_text=first)).to_be_visible(timeout=LIVE_MS)
    asked = [lists_asked(page) for page in pages]
    second = site.launch("gates.ask_title")
    for page in pages:
        expect(page.get_by_role("listitem").filter(has_text=second)).to_be_visible(timeout=LIVE_MS)
    changes = len(site.ask("GET", f"executions/{second}/events").body["items"])
    assert sum(map(len, asked)) <= 2 * changes, asked


def test_a_list_in_use_does_not_move_and_tells_of_new_questions(site: Site, tab: Tab) -> None:
    shown = site.launch("gates.approve_rows")
    page = tall(tab.open("/"))
    row = page.get_by_role("listitem").filter(has_text=shown)
    row.get_by_role("link").focus()
    came = site.launch("gates.ask_soon")
    new = page.get_by_role("button", name=re.compile("new question"))
    new.wait_for(timeout=LIVE_MS)
    expect(page.get_by_role("listitem").filter(has_text=came)).to_have_count(0)
    new.click()
    expect(page.get_by_role("listitem").filter(has_text=came)).to_be_visible()


def test_who_does_not_see_the_list_hears_what_is_new(site: Site, tab: Tab) -> None:
    page = tab.open("/")
    page.get_by_role("heading", name="Inbox").wait_for()
    expect(page.get_by_role("group", name="Sections")).to_contain_text(re.compile("[0-9]"))
    site.launch("gates.ask_soon")
    said = page.locator("[aria-live=polite]").filter(has_text="1 new question: ")
    expect(said).to_contain_text("left.", timeout=LIVE_MS)


def test_the_inbox_has_a_name_in_the_address_and_an_unknown_page_says_so(tab: Tab) -> None:
    page = tab.open("/inbox?all=true")
    expect(page.get_by_role("link", name=re.compile("^All"))).to_have_attribute(
        "aria-current", "page"
    )
    assert page.evaluate("location.hash") == "#/?all=true"
    tab.open("/nowhere")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    expect(page).to_have_title(re.compile("No such page"))
    page.get_by_role("link", name="To the inbox").click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_back_leads_to_the_link_that_was_followed(site: Site, tab: Tab) -> None:
    ids = [site.launch("gates.approve_rows") for _ in range(3)]
    page = tab.open("/executions")
    followed = page.locator(f"[data-execution='{ids[1]}']").get_by_role("link", name="approve_rows")
    followed.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="gates.approve_rows").wait_for()
    page.go_back()
    expect(followed).to_be_focused()


def test_only_one_workflow_is_selected_and_what_is_decided_elsewhere_leaves_the_selection(
    site: Site, tab: Tab
) -> None:
    ids = [site.launch("gates.approve_rows") for _ in range(2)]
    other = site.launch("gates.approve_shown")
    page = tall(tab.open("/"))
    box = page.get_by_role("checkbox", name=f"of {other}")
    expect(box).not_to_have_count(0)
    for each in ids:
        page.get_by_role("checkbox", name=f"of {each}").check()
    expect(box).to_have_count(0)
    expect(page.get_by_text("2 selected")).to_be_visible()
    site.ask("POST", f"executions/{ids[0]}/abort", {"reason": "not needed"})
    expect(page.get_by_text("1 selected")).to_be_visible(timeout=LIVE_MS)
    page.get_by_label("Search").fill("nothing is called so")
    expect(page.get_by_text("1 of them not in this list")).to_be_visible()


def test_filters_order_and_search_stand_in_the_address(site: Site, tab: Tab) -> None:
    execution = site.launch("gates.approve_rows")
    page = tab.open("/")
    page.get_by_role("button", name=re.compile("^Workflow")).click()
    page.get_by_role("menuitemradio", name="gates.approve_rows").click()
    page.get_by_role("button", name="Sort by Title").click()
    page.get_by_label("Search").fill(execution)
    for part in ("workflow=gates.approve_rows", "sort=title", execution):
        page.wait_for_function("part => location.hash.includes(part)", arg=part)
    page.reload()
    expect(page.get_by_role("listitem")).to_have_count(1)
    page.get_by_role("listitem").get_by_role("link").click()
    tab.dialog.wait_for()
    page.go_back()
    expect(tab.dialog).to_have_count(0)
    expect(page.get_by_label("Search")).to_have_value(execution)


def test_a_page_that_was_not_loaded_yet_comes_when_the_server_is_back(site: Site, tab: Tab) -> None:
    page = tab.open("/")
    page.get_by_role("heading", name="Inbox").wait_for()
    site.stop()
    try:
        page.get_by_text("No connection to the server").wait_for()
        page.get_by_role("link", name="Workflows").first.click()
    finally:
        site.start()
    expect(page.get_by_role("heading", name="Workflows")).to_be_visible(timeout=2 * LIVE_MS)
    page.locator(".wf-line").first.wait_for()
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.wf-line')).display") == "flex"
    ), "the page has come without its styles"


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
