"""A table of any size: searched, filtered, sorted and profiled over all of its rows, and by the keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import PROGRAMS, Site, Tab
from tests.browser.test_looks import clean

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("home"), PROGRAMS / "tables.py")
    yield made
    made.server.close()


@pytest.fixture
def grid(site: Site, tab: Tab) -> Any:
    return opened(site, tab, "value")


def opened(site: Site, tab: Tab, which: str) -> Any:
    execution = site.launch(f"tables.{which}")
    tab.open(f"/?task={execution}:ok")
    found = tab.dialog.get_by_role("grid")
    found.wait_for()
    return found


def first(grid: Any) -> Any:
    return grid.get_by_role("gridcell").first


def test_all_rows_are_searched_and_the_dialog_says_how_many_match(tab: Tab, grid: Any):
    tab.dialog.get_by_role("searchbox", name="Search all rows").fill("pay-99")

    expect(tab.dialog).to_contain_text("Rows 1 to 11 of 11 that match, of 1,000")
    expect(first(grid)).to_have_text("PAY-99")


def test_pages_are_turned_and_those_not_turned_to_are_told(tab: Tab, grid: Any):
    expect(tab.dialog).to_contain_text("Rows 1 to 200 of 1,000")
    expect(tab.dialog.get_by_role("note")).to_be_visible()

    tab.dialog.get_by_role("button", name="Next rows").click()

    expect(tab.dialog).to_contain_text("Rows 201 to 400 of 1,000")
    expect(first(grid)).to_have_text("PAY-200")


def test_the_profile_of_a_column_is_over_all_rows_and_its_values_are_filters(tab: Tab, grid: Any):
    grid.get_by_role("columnheader", name="country").get_by_role("button").click()
    card = tab.page.get_by_role("dialog", name="Profile of country")
    card.get_by_role("button", name=re.compile("IT")).click()

    expect(tab.dialog.first).to_contain_text("Rows 1 to 200 of 334 that match, of 1,000")
    expect(card).to_have_count(0)
    tab.dialog.get_by_role("button", name="Remove the filter on country").click()
    expect(tab.dialog).to_contain_text("Rows 1 to 200 of 1,000")


def test_a_column_is_sorted_over_all_rows_and_escape_closes_the_profile_only(tab: Tab, grid: Any):
    amount = grid.get_by_role("columnheader", name="amount")
    amount.get_by_role("button").click()
    card = tab.page.get_by_role("dialog", name="Profile of amount")
    expect(card).to_contain_text("749,250")
    tab.page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    expect(grid).to_be_visible()

    amount.get_by_role("button").click()
    card.get_by_role("button", name="Largest first").click()

    expect(first(grid)).to_have_text("PAY-999")
    expect(amount).to_have_attribute("aria-sort", "descending")


def test_a_filter_is_of_the_type_of_its_column(tab: Tab, grid: Any):
    tab.dialog.get_by_role("button", name="Filter", exact=True).click()
    tab.page.get_by_label("Column", exact=True).select_option("amount")
    value = tab.page.get_by_label("Value", exact=True)
    value.fill("much")
    expect(tab.page.get_by_role("button", name="Show these rows")).to_be_disabled()
    value.fill("1497")
    tab.page.keyboard.press("Enter")

    expect(tab.dialog).to_contain_text("Rows 1 to 2 of 2 that match, of 1,000")
    expect(first(grid)).to_have_text("PAY-998")


def test_the_grid_is_one_stop_of_the_keyboard_and_shows_the_focused_cell_whole(tab: Tab, grid: Any):
    grid.get_by_role("columnheader", name="id").get_by_role("button").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowDown"):
        tab.page.keyboard.press(key)

    expect(grid.get_by_role("gridcell", name="1.50", exact=True)).to_be_focused()
    expect(tab.dialog).to_contain_text("amount 1.5")
    tab.page.keyboard.press("Control+End")
    expect(grid.get_by_role("row").last).to_contain_text("PAY-199")


def test_the_rows_that_match_are_a_file(tab: Tab, grid: Any, tmp_path: Path):
    tab.dialog.get_by_role("searchbox", name="Search all rows").fill("pay-99")
    expect(tab.dialog).to_contain_text("of 11 that match")

    with tab.page.expect_download() as taken:
        tab.dialog.get_by_role("button", name="CSV").click()
    taken.value.save_as(tmp_path / "rows.csv")

    lines = (tmp_path / "rows.csv").read_text("utf-8-sig").splitlines()
    assert lines[0] == "id,amount,country,new"
    assert lines[1] == "PAY-99,148.5,IT,false"
    assert len(lines) == 12


def test_a_file_is_read_by_the_server_and_codes_keep_their_zeros(site: Site, tab: Tab):
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))

    grid = opened(site, tab, "file")

    expect(first(grid)).to_have_text("00000")
    expect(tab.dialog).to_contain_text("Rows 1 to 200 of 3,000")
    expect(tab.dialog).to_contain_text("sha256")
    expect(grid.get_by_role("columnheader", name="amount")).to_contain_text("0 to 3,748.75")
    tab.dialog.get_by_role("searchbox", name="Search all rows").fill("02999")
    expect(tab.dialog).to_contain_text("Rows 1 to 1 of 1 that match, of 3,000")
    assert not [url for url in asked if re.search(r"/blobs/[0-9a-f]{64}$", url)]


def test_what_a_head_says_is_whole_or_shortened_and_never_cut(site: Site, tab: Tab):
    for which in ("value", "file"):
        grid = opened(site, tab, which)
        expect(grid.locator(".gd-range")).to_have_count(grid.get_by_role("columnheader").count())
        cut = "all => all.filter(it => it.scrollWidth > it.clientWidth).map(it => it.textContent)"
        assert grid.locator(".gd-range").evaluate_all(cut) == []


def test_a_column_that_is_pinned_stays_in_sight(tab: Tab, grid: Any):
    tab.page.set_viewport_size({"width": 860, "height": 844})
    grid.get_by_role("columnheader", name="country").get_by_role("button").click()
    tab.page.get_by_role("dialog", name="Profile of country").get_by_role(
        "button", name="Pin"
    ).click()

    expect(grid.get_by_role("columnheader").nth(1)).to_contain_text("country")
    grid.evaluate("it => it.scrollTo({left: 1000})")
    for name in ("id", "country"):
        left = grid.get_by_role("columnheader", name=name).bounding_box()["x"]
        assert grid.bounding_box()["x"] <= left < grid.bounding_box()["x"] + 200
    grid.get_by_role("columnheader", name="country").get_by_role("button").click()
    pin = tab.page.get_by_role("dialog", name="Profile of country").get_by_role(
        "button", name="Pin"
    )
    expect(pin).to_have_attribute("aria-pressed", "true")
    pin.click()
    expect(grid.get_by_role("columnheader").nth(1)).to_contain_text("amount")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_grid_and_a_profile_pass_axe(tab: Tab, grid: Any, scheme: str, width: int):
    page = tab.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    grid.get_by_role("columnheader", name="amount").get_by_role("button").click()
    page.get_by_role("dialog", name="Profile of amount").wait_for()
    clean(page)
