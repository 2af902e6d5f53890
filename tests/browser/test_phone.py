"""On a phone: nothing is cut off, and what it takes to answer is in sight."""

from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

LONG = "gates.ask_for_a_word_in_a_workflow_whose_name_is_longer_than_a_phone_is_wide"
TOO_FAR = """(dialog) => {
    const walker = document.createTreeWalker(dialog, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        if ([...range.getClientRects()].some((each) => each.right > innerWidth + 1)) found.push(walker.currentNode.textContent);
    }
    return found;
}"""


@pytest.fixture(params=[390, 320])
def phone(tab: Any, request: pytest.FixtureRequest) -> Any:
    tab.page.set_viewport_size({"width": request.param, "height": 780})
    return tab


def test_a_long_list_leaves_the_field_and_the_button_in_sight(site: Any, phone: Any) -> None:
    phone.open(f"/?task={site.launch(LONG)}:word")
    field = phone.dialog.get_by_role("textbox", name="Answer", exact=True)
    expect(field).to_be_focused()
    phone.dialog.get_by_text("lines", exact=True).wait_for()
    expect(field).to_be_in_viewport(ratio=1)
    expect(phone.dialog.get_by_role("button", name="Send answer")).to_be_in_viewport(ratio=1)
    assert phone.page.locator(".an-flow").evaluate("each => each.scrollTop") == 0
    phone.dialog.get_by_text("lines", exact=True).click()
    expect(phone.dialog.get_by_text("line 7", exact=True)).to_be_visible()


def test_no_text_of_the_dialog_is_cut_off(site: Any, phone: Any) -> None:
    phone.open(f"/?task={site.launch(LONG)}:word")
    phone.dialog.get_by_text(LONG).wait_for()
    assert phone.dialog.evaluate(TOO_FAR) == []


def test_the_buttons_that_decide_stay_in_sight_below_a_long_value(site: Any, phone: Any) -> None:
    phone.open(f"/?task={site.launch('gates.approve_images')}:images-are-right")
    phone.dialog.get_by_role("button", name="noon.svg").first.wait_for()
    for name in ("Approve", "Reject"):
        expect(phone.dialog.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    assert phone.dialog.evaluate(TOO_FAR) == []


# What lies in a line that is scrolled sideways is not cut off.
CUT_OFF = """() => [...document.querySelectorAll('button, a, h1, h2, code, .phase')].filter(each => {
  const box = each.getBoundingClientRect();
  let above = each.parentElement;
  while (above && !(['auto', 'scroll'].includes(getComputedStyle(above).overflowX) && above.scrollWidth > above.clientWidth)) above = above.parentElement;
  if (above && above !== document.documentElement && above !== document.body) return false;
  const isSeen = box.width > 1 && box.height > 1 && box.bottom > 0 && !each.closest('.react-flow, .skip, .mantine-AppShell-navbar');
  return isSeen && (box.right > innerWidth + 1 || box.left < -1 || (each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX === 'hidden'));
}).map(each => each.outerHTML.slice(0, 120))"""


def test_on_a_phone_nothing_is_cut_off_and_the_list_is_first(site: Any, phone: Any) -> None:
    execution = site.launch("seed_page.conditional_wf", data=[1.0])
    failed = site.ended("shapes.broken", x=1)
    page = phone.page
    for place, sign in {
        "/executions": "[data-execution]",
        f"/executions/{execution}": ".ex-nodes",
        f"/executions/{execution}?tab=timeline": ".ex-timeline li",
        f"/executions/{execution}?tab=values": ".ex-values",
        f"/executions/{failed}?node=n0": ".ex-attempts",
        "/workflows": ".wf-line",
        "/workflows/seed_page.conditional_wf": ".gnode",
    }.items():
        phone.open(place).locator(sign).first.wait_for()
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, place
        assert page.evaluate(CUT_OFF) == [], place
    phone.open(f"/executions/{execution}")
    expect(page.get_by_role("tab", name="List")).to_have_attribute("aria-selected", "true")


CLIPPED = """() => [...document.querySelectorAll('.mantine-Button-label')].filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.textContent)"""


def test_a_bulk_decision_is_read_and_pressed_on_a_phone(site: Any, phone: Any) -> None:
    ids = [site.launch("gates.approve_rows") for _ in range(2)]
    page = phone.open("/?workflow=gates.approve_rows")
    page.get_by_role("button", name="Select", exact=True).click()
    for each in ids:
        page.get_by_role("checkbox", name=f"of {each}").check()
    look = page.get_by_role("button", name="Look and decide")
    expect(look).to_be_in_viewport(ratio=1)
    assert page.evaluate(CLIPPED) == []
    look.click()
    phone.dialog.get_by_role("radio", name="Approve").check()
    expect(phone.dialog.get_by_role("button", name="Approve 2")).to_be_in_viewport(ratio=1)
    assert page.evaluate(CLIPPED) == []
    site.ask("PUT", f"executions/{ids[0]}/signals/rows-are-right", {"value": False})
    phone.dialog.get_by_role("button", name="Approve 2").click()
    expect(phone.dialog).to_contain_text("1 of 2 approved")
    expect(phone.dialog.get_by_text("Already decided by")).to_be_in_viewport(ratio=1)
    assert phone.dialog.evaluate(TOO_FAR) == []
    assert page.evaluate(CLIPPED) == []
