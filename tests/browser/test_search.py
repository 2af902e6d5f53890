"""A search that the server gives up after some rows: the page continues with it, and says that there is nothing only when that is known."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.browser.conftest import Site, Tab

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

SOURCE = """
from tidegate import wait_for_input, workflow

@workflow
def wf() -> int:
    return wait_for_input("number", expected_type=int)
"""

THREE = "from tidegate.stores import arms\narms.GLANCE = arms.EXAMINED = 3"
"""A server that looks at three rows, and gives up."""

SECOND = re.compile(r"text=qq.*cursor=.|cursor=.+text=qq")

IDS = [*(f"a{number}" for number in range(10)), "zz", *(f"b{number}" for number in range(10))]


@pytest.fixture(scope="module")
def slow(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    source = tmp_path_factory.mktemp("source") / "few.py"
    source.write_text(SOURCE)
    made = Site(tmp_path_factory.mktemp("slow"), source, planted=THREE)
    for execution in IDS:
        made.ask("POST", "executions", {"workflow": "few.wf", "id": execution})
    made.ask("GET", f"executions/{IDS[-1]}?wait=20&until_waiting=true")
    yield made
    made.server.close()


@pytest.fixture
def tab(browser: Any, slow: Site) -> Iterator[Tab]:
    place = slow.window(browser)
    made = Tab(place, slow)
    yield made
    place.close()
    assert made.complaints == []


@contextmanager
def second_page_held(page: Any) -> Iterator[None]:
    """Have a search for `qq` come to its second page, which comes at the end of the block."""
    second: list[Any] = []

    def hold(route: Any) -> None:
        second.append(route)

    page.route(SECOND, hold, times=1)
    with page.expect_request(SECOND):
        page.get_by_role("searchbox").fill("qq")
    yield
    second[0].continue_()


def test_the_inbox_goes_on_to_the_only_request_with_a_text_and_to_the_end(tab: Tab):
    page = tab.open("/")
    expect(page.get_by_role("listitem").first).to_be_visible()
    page.get_by_role("searchbox").fill("zz")
    expect(page.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("listitem")).to_contain_text("zz")

    with second_page_held(page):
        expect(page.get_by_label("Loading", exact=True)).to_be_visible()
        expect(page.get_by_text("No question matches")).to_be_hidden()
    expect(page.get_by_text("No question matches")).to_be_visible()


def test_the_executions_go_on_to_the_only_one_with_a_text_and_to_the_end(tab: Tab):
    page = tab.open("/executions")

    page.get_by_role("searchbox").fill("zz")
    expect(page.locator("[data-execution]")).to_have_count(1)
    expect(page.locator("[data-execution]")).to_contain_text("zz")

    with second_page_held(page):
        expect(page.get_by_text("Loading", exact=True)).to_be_attached()
        expect(page.get_by_text("No execution matches.")).to_be_hidden()
    expect(page.get_by_text("No execution matches.")).to_be_visible()
    expect(page.get_by_role("button", name="Show older ones")).to_be_hidden()
