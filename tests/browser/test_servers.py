"""The servers of a store, as somebody looks at them: those that share it, or the one that owns it."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import LIVE_MS, Site, Tab
from tests.browser.test_looks import clean
from tests.e2e.test_replicas import Pair
from tests.postgres import emptied, running

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect


def test_servers_that_share_a_store_are_shown_with_what_each_owns(
    browser: Any, tmp_path: Path
) -> None:
    with running() as cluster, ExitStack() as stack:
        pair = Pair(tmp_path, emptied(cluster), stack)
        ask, _ = pair.start("a"), pair.start("b")
        version = ask("GET", "health").body["version"]
        names = {each["name"] for each in pair.settled(ask, "a", "b")}
        place = browser.new_context(viewport={"width": 1280, "height": 850})
        stack.callback(place.close)
        page = place.new_page()
        page.goto(f"http://127.0.0.1:{pair.servers['a'].port}/")
        page.get_by_role("textbox", name="Token").fill(pair.servers["a"].token)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Signed in as").click()
        page.get_by_role("menuitem", name="Servers").click()
        servers = page.get_by_role("list", name="Servers").get_by_role("listitem")
        expect(servers).to_have_count(2)
        assert set(page.locator(".sv-one h2").all_inner_texts()) == names
        expect(servers.filter(has_text="replies to this page")).to_have_count(1)
        for one in servers.all():
            expect(one).to_contain_text("32 of 64")
            expect(one).to_contain_text(version)
            expect(one).to_contain_text(re.compile(r"Lease renewed\s*(just now|\d+ s ago)"))
            expect(one.get_by_role("img", name="owns shards")).to_be_visible()
        clean(page)

        pair.servers["b"].stop()

        expect(servers).to_have_count(1, timeout=2 * LIVE_MS)
        expect(servers).to_contain_text("64 of 64", timeout=2 * LIVE_MS)
        expect(page.get_by_text("Nobody owns")).to_have_count(0)


def test_a_store_in_a_file_says_that_one_server_owns_it(site: Site, tab: Tab) -> None:
    page = tab.open("/servers")
    expect(page.get_by_text("One server owns this store.")).to_be_visible()
    expect(page).to_have_title(re.compile("Servers"))


def test_servers_are_not_offered_to_somebody_of_one_project(browser: Any, site: Site) -> None:
    place = browser.new_context()
    page = place.new_page()
    page.goto(site.url)
    page.get_by_role("textbox", name="Token").fill(
        site.token("of-one-project", "viewer", project="shop")
    )
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Signed in as").click()
    expect(page.get_by_role("menuitem", name="Sessions")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Servers")).to_have_count(0)
    place.close()
