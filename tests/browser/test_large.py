"""Large values: a list truncates them and says so, and they are loaded whole before anybody decides."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.browser.conftest import after_a_stroke, decide_selected
from tests.browser.test_looks import clean

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

WORDS = 1_500
"""A letter of 7.5 kB: more than a list shows of all values of a question together, and less than a text in an answer may have."""

END = "and so it ends."
QUESTION = "**/api/v1/executions/*/signals/**"


class Held:
    """Holds requests for whole questions until they are let through."""

    def __init__(self, page: Any) -> None:
        self._routes: list[Any] = []
        self._is_open = False
        page.route(QUESTION, self._hold)

    def _hold(self, route: Any) -> None:
        if self._is_open or route.request.method != "GET":
            route.continue_()
        else:
            self._routes.append(route)

    def let_through(self) -> None:
        self._is_open = True
        for route in self._routes:
            route.continue_()


def row_of(page: Any, execution: str) -> Any:
    return page.get_by_role("listitem").filter(has_text=execution)


def problem(route: Any) -> None:
    if route.request.method != "GET":
        route.continue_()
        return
    facts = {"status": 503, "title": "Unavailable", "code": "store_error", "detail": "disk is slow"}
    route.fulfill(status=503, json=facts, content_type="application/problem+json")


def test_the_inbox_shows_the_beginning_of_a_large_value_and_its_size(site: Any, tab: Any) -> None:
    execution = site.launch("large.approve_ledger")
    row = row_of(tab.open("/"), execution)
    expect(row).to_contain_text("entry 0")
    expect(row).to_contain_text("truncated")
    expect(row).to_contain_text("kB")
    assert len(row.text_content()) < 1_000


def test_a_small_value_is_shown_whole_in_the_inbox(site: Any, tab: Any) -> None:
    execution = site.launch("large.approve_letter", words=3)
    row = row_of(tab.open("/"), execution)
    expect(row).to_contain_text(END)
    assert "truncated" not in row.text_content()


def approve(page: Any) -> None:
    page.keyboard.press("a")
    after_a_stroke(page)
    page.keyboard.press("Enter")


def choose(page: Any) -> None:
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")


CLOSED: dict[str, Callable[[Any], None]] = {
    "large.approve_letter": approve,
    "large.choose": choose,
    "large.rewrite_letter": lambda page: page.keyboard.press("Control+Enter"),
}
DECIDES = {
    "large.approve_letter": "Approve",
    "large.choose": "Send",
    "large.rewrite_letter": "Send",
}


@pytest.mark.parametrize("workflow", CLOSED)
def test_nothing_is_decided_before_the_whole_question_has_loaded(
    site: Any, tab: Any, workflow: str
) -> None:
    execution = site.launch(workflow, words=WORDS)
    page = tab.open("/")
    held = Held(page)
    row_of(page, execution).get_by_role("link").click()
    expect(tab.dialog.get_by_text("Dear reader").first).to_be_visible()
    expect(tab.dialog.get_by_text(END)).to_have_count(0)
    expect(tab.dialog.get_by_role("status").filter(has_text="Loading")).to_contain_text("kB")
    decides = tab.dialog.get_by_role("button", name=DECIDES[workflow])
    expect(decides).to_be_disabled()
    CLOSED[workflow](page)
    held.let_through()
    tab.dialog.locator(".settled").wait_for()
    expect(decides).to_be_enabled()
    (signal,) = site.ask("GET", f"executions/{execution}/signals").body["items"]
    assert signal["answer"] is None
    CLOSED[workflow](page)
    expect(tab.dialog.filter(has_text=execution)).to_have_count(0)
    (signal,) = site.ask("GET", f"executions/{execution}/signals").body["items"]
    assert signal["answer"]["via"] == "ui"


def test_a_large_suggestion_fills_the_form_whole(site: Any, tab: Any) -> None:
    execution = site.launch("large.rewrite_letter", words=WORDS)
    row_of(tab.open("/"), execution).get_by_role("link").click()
    field = tab.dialog.get_by_role("textbox", name="Answer", exact=True)
    expect(field).to_be_focused()
    assert field.input_value().endswith(END)
    tab.dialog.locator(".settled").wait_for()
    tab.page.keyboard.press("Control+Enter")
    expect(tab.dialog.filter(has_text=execution)).to_have_count(0)
    assert site.answer_of(execution, "letter")["value"].endswith(END)


def test_a_question_that_fails_to_load_cannot_be_decided_and_says_why(site: Any, tab: Any) -> None:
    execution = site.launch("large.approve_letter", words=WORDS)
    page = tab.open("/")
    page.route(QUESTION, problem)
    row_of(page, execution).get_by_role("link").click()
    alert = tab.dialog.get_by_role("alert")
    expect(alert).to_contain_text("disk is slow")
    for name in ("Approve", "Reject"):
        expect(tab.dialog.get_by_role("button", name=name)).to_be_disabled()
    page.unroute(QUESTION)
    alert.get_by_role("button", name="Try again").click()
    tab.dialog.get_by_role("button", name="Reject").click()
    expect(tab.dialog.get_by_role("heading", name="Rejected: ")).to_be_visible()


def test_a_question_of_900_kb_opens_and_is_approved(site: Any, tab: Any) -> None:
    execution = site.launch("large.approve_ledger")
    row_of(tab.open("/"), execution).get_by_role("link").click()
    subject = tab.dialog.get_by_role("region", name="What to approve")
    expect(subject).to_contain_text("Rows 1 to 200 of 11,500")
    tab.dialog.get_by_role("button", name="Approve").click()
    expect(tab.dialog.filter(has_text=execution)).to_have_count(0)
    assert site.answer_of(execution, "ledger-is-right")["value"] is True


@pytest.fixture
def picked(site: Any, tab: Any) -> tuple[str, str]:
    """Look at one question that the inbox shows whole and one that it truncates."""
    small, large = (site.launch("large.approve_letter", words=words) for words in (3, WORDS))
    page = tab.open("/")
    for each in (small, large):
        page.get_by_role("checkbox", name=f"of {each}").check()
    page.get_by_role("button", name="Look and decide").click()
    expect(tab.dialog.get_by_role("status")).to_contain_text("1 of 2 is not shown in full here")
    return small, large


def answers(site: Any, picked: tuple[str, str]) -> list[Any]:
    found = [site.answer_of(each, "letter-is-right") for each in picked]
    return [None if each is None else each["value"] for each in found]


def test_what_is_truncated_can_be_left_out_of_a_bulk_decision(
    site: Any, tab: Any, picked: tuple[str, str]
) -> None:
    tab.dialog.get_by_role("button", name="leave it out").click()
    decide_selected(tab.page, "Approve", 1)
    expect(tab.dialog).to_contain_text("1 of 1 approved")
    assert answers(site, picked) == [True, None]


def test_a_bulk_decision_lists_everything_and_needs_a_choice(
    site: Any, tab: Any, picked: tuple[str, str]
) -> None:
    expect(tab.dialog.get_by_role("button", name="Choose a decision")).to_be_disabled()
    tab.page.keyboard.press("a")
    tab.page.keyboard.press("Enter")
    tab.dialog.get_by_role("button", name="Cancel").click()
    expect(tab.dialog).to_have_count(0)
    assert answers(site, picked) == [None, None]


def test_truncated_questions_can_be_decided_in_bulk_on_purpose(
    site: Any, tab: Any, picked: tuple[str, str]
) -> None:
    decide_selected(tab.page, "Reject", 2)
    expect(tab.dialog).to_contain_text("2 of 2 rejected")
    assert answers(site, picked) == [False, False]


def test_a_bulk_decision_links_to_the_whole_of_what_is_truncated(
    site: Any, tab: Any, picked: tuple[str, str]
) -> None:
    with tab.page.context.expect_page() as opened:
        tab.dialog.get_by_title(re.compile(f"Open .* of {picked[1]}")).click()
    subject = opened.value.get_by_role("dialog")
    subject.get_by_role("button", name="Show all").click()
    expect(subject).to_contain_text(END)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_truncated_values_pass_axe_and_fit_a_phone(
    tab: Any, picked: tuple[str, str], scheme: str, width: int
) -> None:
    page = tab.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    clean(page)
    tab.dialog.get_by_role("button", name="Cancel").click()
    clean(page)
    page.route(QUESTION, problem)
    row_of(page, picked[1]).get_by_role("link").click()
    tab.dialog.get_by_role("alert").wait_for()
    clean(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
