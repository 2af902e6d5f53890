"""An execution that cannot be read back: it is shown as damaged, and everything else works."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.browser.conftest import LIVE_MS, PROGRAMS, Site, Tab
from tests.browser.test_looks import clean

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

WHAT_TO_DO = "tidegate doctor"

PAY = """
import shoplib
from tidegate import task, wait_for_input, workflow

@task
def pay(amount: float) -> float:
    return amount * shoplib.fee

@workflow
def wf() -> float:
    return pay(amount=wait_for_input("amount", expected_type=float))
"""


def damage(site: Site, execution: str) -> None:
    """Make the history of an execution unreadable while no server runs."""
    site.stop()
    store = apsw.Connection(str(site.home / "tidegate.db"))
    ((key,),) = store.execute("SELECT key FROM executions WHERE id = ?", (execution,))
    store.execute("UPDATE history SET body = x'c1' WHERE key = ?", (key,))
    store.close()
    site.start()


@pytest.fixture(scope="module")
def lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("home"), PROGRAMS / "gates.py", PROGRAMS / "shapes.py")
    yield made
    made.server.close()


@pytest.fixture(scope="module")
def broken(lab: Site) -> str:
    """An execution that waits, and is damaged; the server has noticed."""
    execution = lab.launch("gates.approve_rows")
    damage(lab, execution)
    assert lab.ask("GET", f"executions/{execution}").body["damaged"]
    return execution


@pytest.fixture
def seen(browser: Any, lab: Site, broken: str) -> Iterator[Tab]:
    window = lab.window(browser)
    tab = Tab(window, lab)
    yield tab
    window.close()
    assert tab.complaints == []


def test_a_damaged_request_is_marked_in_the_inbox_and_cannot_be_selected(
    seen: Tab, broken: str
) -> None:
    page = seen.open("/")
    row = page.get_by_role("listitem").filter(has_text=broken)
    expect(row).to_contain_text("Damaged")
    expect(row).to_contain_text(WHAT_TO_DO)
    expect(row.get_by_role("checkbox")).to_have_count(0)
    row.get_by_role("link").focus()
    page.keyboard.press("x")
    expect(page.get_by_role("region", name="Selection")).to_have_count(0)


def test_a_damaged_request_is_opened_but_not_decided(seen: Tab, lab: Site, broken: str) -> None:
    page = seen.open("/")
    page.get_by_role("listitem").filter(has_text=broken).get_by_role("link").click()
    expect(seen.dialog.get_by_role("alert")).to_contain_text(WHAT_TO_DO)
    expect(seen.dialog.get_by_role("cell", name="2.5")).to_be_visible()
    for name in ("Approve", "Reject"):
        expect(seen.dialog.get_by_role("button", name=name)).to_be_disabled()
    sent: list[str] = []
    page.on("request", lambda each: sent.append(each.method))
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    expect(seen.dialog).to_have_count(0)
    assert "PUT" not in sent


def test_a_link_to_a_damaged_request_says_what_is_wrong(seen: Tab, broken: str) -> None:
    seen.open(f"/?task={broken}:rows-are-right")
    expect(seen.dialog.get_by_role("alert")).to_contain_text(WHAT_TO_DO)
    expect(seen.dialog.get_by_role("button", name="Approve", disabled=False)).to_have_count(0)


def test_a_damaged_execution_is_marked_in_the_list_and_on_its_page(seen: Tab, broken: str) -> None:
    page = seen.open("/executions")
    row = page.locator(f"[data-execution='{broken}']")
    expect(row).to_contain_text("Damaged")
    expect(row).to_contain_text(WHAT_TO_DO)
    expect(row.get_by_role("link", name="Answer")).to_have_count(0)
    row.get_by_role("link", name=re.compile("approve_rows")).click()
    expect(page.get_by_role("alert")).to_contain_text(WHAT_TO_DO)
    expect(page.get_by_role("heading", name="approve_rows")).to_be_visible()
    expect(page.get_by_role("region", name="Waiting for people")).to_have_count(0)


def test_a_damaged_execution_stops_nothing_else(seen: Tab, lab: Site, broken: str) -> None:
    page = seen.open("/")
    rows = page.get_by_role("listitem")
    expect(rows.filter(has_text=broken)).to_be_visible()
    other = lab.launch("gates.approve_rows")
    expect(rows.filter(has_text=other)).to_be_visible(timeout=LIVE_MS)
    rows.filter(has_text=other).get_by_role("link").click()
    seen.dialog.locator(".settled").wait_for()
    seen.dialog.get_by_role("button", name="Approve").click()
    expect(rows.filter(has_text=other)).to_have_count(0, timeout=LIVE_MS)
    assert lab.answer_of(other, "rows-are-right")["value"] is True
    expect(rows.filter(has_text=broken)).to_be_visible()


def test_a_request_whose_code_is_missing_is_not_decided_until_the_code_is_back(
    seen: Tab, lab: Site
) -> None:
    execution = lab.launch("gates.approve_rows")
    bundles, elsewhere = lab.home / "bundles", lab.home / "moved"
    bundles.rename(elsewhere)
    try:
        seen.open(f"/?task={execution}:rows-are-right")
        expect(seen.dialog.get_by_role("alert")).to_contain_text("is missing")
        expect(seen.dialog.get_by_role("cell", name="2.5").first).to_be_visible()
        expect(seen.dialog.get_by_role("button", name="Approve")).to_be_disabled()
    finally:
        elsewhere.rename(bundles)
    seen.page.reload()
    seen.dialog.locator(".settled").wait_for()
    expect(seen.dialog.get_by_role("alert")).to_have_count(0)
    seen.dialog.get_by_role("button", name="Approve").click()
    expect(seen.dialog.filter(has_text=execution)).to_have_count(0)


def test_what_is_different_and_what_holds_a_task_are_said_on_the_page_of_the_execution(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "shoplib.py"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    library.write_text("fee = 0.1")
    (tmp_path / "code").mkdir()
    code = tmp_path / "code" / "pay.py"
    code.write_text(PAY)
    site = Site(tmp_path / "home", code)
    window = site.window(browser)
    try:
        execution = site.launch("pay.wf")
        site.stop()
        library.unlink()
        site.start()
        page = Tab(window, site).open(f"/executions/{execution}")
        site.ask("PUT", f"executions/{execution}/signals/amount", {"value": 10.0})
        status = page.get_by_role("status")
        expect(status.filter(has_text="A task is held")).to_contain_text("shoplib")

        library.write_text("fee = 0.5")
        expect(status.filter(has_text="The environment differs")).to_contain_text("has changed")
        expect(status.filter(has_text="A task is held")).to_have_count(0)
    finally:
        window.close()
        site.server.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_damaged_passes_axe_and_fits_a_phone(
    seen: Tab, broken: str, scheme: str, width: int
) -> None:
    seen.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    seen.page.set_viewport_size({"width": width, "height": 844})
    signs = {
        "/": "li .damaged-badge",
        "/executions": "[data-execution] .damaged-badge",
        f"/executions/{broken}": "h1 ~ .damaged-badge",
        f"/?task={broken}:rows-are-right": "[role=dialog] [role=alert]",
    }
    for place, sign in signs.items():
        seen.open(place).locator(sign).first.wait_for()
        clean(seen.page)
        assert seen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, place
