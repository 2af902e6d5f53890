"""From an inbox or a link to an answer."""

from typing import Any

import pytest
from tests.browser.conftest import LIVE_MS, after_a_stroke, decide_selected

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect


def test_a_link_leads_to_the_value_and_two_keys_approve_it(site: Any, tab: Any) -> None:
    execution = site.launch("gates.approve_rows")
    tab.open(f"/?task={execution}:rows-are-right")
    expect(tab.dialog.get_by_role("cell", name="2.5").first).to_be_visible()
    expect(tab.dialog.locator("script")).to_have_count(0)
    by_keys(tab, "a")
    expect(tab.dialog.get_by_role("heading", name="Approved: rows-are-right")).to_be_visible()
    answer = site.answer_of(execution, "rows-are-right")
    assert (answer["value"], answer["via"]) == (True, "ui")
    assert answer["shown"].startswith("1:")


def by_keys(tab: Any, letter: str) -> None:
    """Decide by two keys, as fast as the page allows."""
    tab.dialog.locator(".settled").wait_for()
    tab.page.keyboard.press(letter)
    armed = tab.dialog.locator(".an-armed")
    expect(armed).to_be_focused()
    after_a_stroke(tab.page)
    tab.page.keyboard.press("Enter")


@pytest.mark.parametrize("begin", ["link", "inbox"])
def test_a_click_on_a_button_decides_at_once(site: Any, tab: Any, begin: str) -> None:
    execution = site.launch("gates.approve_rows")
    page = tab.open(f"/?task={execution}:rows-are-right" if begin == "link" else "/")
    if begin == "inbox":
        page.get_by_role("listitem").filter(has_text=execution).get_by_role("link").click()
    tab.dialog.locator(".settled").wait_for()
    tab.dialog.get_by_role("button", name="Approve").click()
    expect(tab.dialog.get_by_role("heading", name="Approved: rows-are-right")).to_be_visible()
    assert site.answer_of(execution, "rows-are-right")["value"] is True


def test_a_rejection_carries_its_comment(site: Any, tab: Any) -> None:
    execution = site.launch("gates.approve_rows")
    tab.open(f"/?task={execution}:rows-are-right")
    tab.dialog.get_by_label("Comment").fill("the second row is wrong: a and r are text here")
    tab.dialog.get_by_role("button", name="Reject").click()
    expect(tab.dialog.get_by_role("heading", name="Rejected: rows-are-right")).to_be_visible()
    expect(tab.dialog).to_contain_text("Your comment is stored with it.")
    answer = site.answer_of(execution, "rows-are-right")
    assert answer["value"] is False
    assert answer["comment"].startswith("the second row")


def test_from_the_inbox_it_is_two_keys_and_the_next_question_is_offered(
    site: Any, tab: Any
) -> None:
    ids = {site.launch("gates.ask_title") for _ in range(3)}
    page = tab.open("/")
    page.get_by_label("Search").fill("ask_title")
    expect(page.get_by_role("listitem")).to_have_count(3)
    page.get_by_role("listitem").first.get_by_role("link").focus()
    page.keyboard.press("Enter")
    answer = tab.dialog.get_by_role("textbox", name="Answer", exact=True)
    expect(answer).to_be_focused()
    expect(answer).to_have_value("Nile")
    first = shown_in(page)
    tab.dialog.locator(".settled").wait_for()
    page.keyboard.press("Enter")
    expect(tab.dialog.get_by_role("heading", name="Answered: title")).to_be_visible()
    expect(tab.dialog.get_by_role("button", name="Open next")).to_be_visible()
    assert site.answer_of(first, "title")["value"] == "Nile"
    assert shown_in(page) == first
    page.keyboard.press("n")
    expect(answer).to_have_value("Nile")
    second = shown_in(page)
    assert {first, second} < ids
    assert first != second
    assert site.answer_of(second, "title") is None


def shown_in(page: Any) -> str:
    """Return the execution whose question the address names."""
    return str(page.url.split("task=")[1].split("%3A")[0].split(":")[0])


def test_the_focus_comes_back_when_the_dialog_closes(site: Any, tab: Any) -> None:
    execution = site.launch("gates.ask_stage")
    page = tab.open("/")
    row = page.get_by_role("listitem").filter(has_text=execution).get_by_role("link")
    row.focus()
    page.keyboard.press("Enter")
    tab.dialog.locator(".answer-asked").wait_for()
    page.keyboard.press("Escape")
    expect(tab.dialog).to_have_count(0)
    expect(row).to_be_focused()


def test_what_waits_comes_and_goes_by_itself(site: Any, tab: Any) -> None:
    page = tab.open("/")
    page.get_by_role("heading", name="Inbox").wait_for()
    execution = site.launch("gates.ask_title")
    row = page.get_by_role("listitem").filter(has_text=execution)
    expect(row).to_be_visible(timeout=LIVE_MS)
    site.ask("PUT", f"executions/{execution}/signals/title", {"value": "x"})
    expect(row).to_have_count(0, timeout=LIVE_MS)


def test_who_comes_second_is_told_who_was_first(site: Any, tab: Any) -> None:
    execution = site.launch("gates.ask_title")
    tab.open(f"/?task={execution}:title")
    tab.dialog.get_by_role("textbox", name="Answer", exact=True).fill("mine")
    site.ask("PUT", f"executions/{execution}/signals/title", {"value": "theirs"})
    expect(tab.dialog.get_by_text("Already answered by you")).to_be_visible(timeout=LIVE_MS)
    expect(tab.dialog.get_by_text("mine", exact=True)).to_be_visible()
    expect(tab.dialog.get_by_role("button", name="Send answer")).to_have_count(0)
    assert site.answer_of(execution, "title")["value"] == "theirs"


def test_time_that_runs_out_under_an_open_dialog_is_told(site: Any, tab: Any) -> None:
    execution = site.launch("gates.ask_soon")
    tab.open(f"/?task={execution}:soon")
    tab.dialog.get_by_role("textbox", name="Answer", exact=True).fill("too late")
    expect(tab.dialog.get_by_text("Timed out at")).to_be_visible()
    expect(tab.dialog.get_by_role("button", name="Send answer")).to_have_count(0)
    expect(tab.dialog.get_by_text("too late", exact=True)).to_be_visible()


def test_an_execution_that_is_ended_under_an_open_dialog_is_told(site: Any, tab: Any) -> None:
    execution = site.launch("gates.approve_rows")
    tab.open(f"/?task={execution}:rows-are-right")
    tab.dialog.get_by_role("button", name="Approve").wait_for()
    site.ask("POST", f"executions/{execution}/abort", {"reason": "not needed"})
    told = tab.dialog.get_by_text("Terminated: an answer is no longer needed")
    expect(told).to_be_visible(timeout=LIVE_MS)
    expect(tab.dialog.get_by_role("button", name="Approve")).to_have_count(0)


def test_a_link_outlives_the_sign_in(browser: Any, site: Any) -> None:
    execution = site.launch("gates.ask_title")
    code = site.link().partition("#")[2]
    for place in (f"/#/?task={execution}:title", f"/#/?task={execution}:title&{code}"):
        page = browser.new_page()
        page.goto(site.url + place)
        if code not in place:
            page.get_by_role("textbox", name="Token").fill(site.server.token)
            page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("dialog").get_by_role("textbox", name="Answer")).to_be_focused()
        assert "code" not in page.url
        page.close()


def test_what_is_to_be_approved_is_shown_by_its_type(site: Any, tab: Any) -> None:
    execution = site.launch("gates.approve_shown")
    subject = tab.dialog.get_by_role("region", name="What to approve")
    seen = {
        "table-is-right": ["Cairo", "2.25"],
        "array-is-right": ["1.50", "4.00"],
        "file-is-right": ["high, and rising", "Aswan"],
    }
    for signal, cells in seen.items():
        site.ask("GET", f"executions/{execution}?wait=20&until_waiting=true")
        tab.open(f"/?task={execution}:{signal}")
        for cell in cells:
            expect(subject.get_by_text(cell, exact=True).first).to_be_visible()
    tab.open(f"/?task={execution}:span-is-right")
    expect(subject).to_contain_text("1 d 12 h")
    tab.open(f"/?task={execution}:table-is-right")
    tab.dialog.get_by_role("tab", name="Report").click()
    report = tab.dialog.frame_locator("iframe[title='Report of measure']")
    expect(report.get_by_text("The river rises")).to_be_visible()


def test_what_came_before_is_fetched_once_somebody_looks_at_it(site: Any, tab: Any) -> None:
    execution = site.launch("seed_page.approval_as_promise_wf", data=[1.0, 2.5])
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url.partition("?")[0]))
    tab.open(f"/?task={execution}:title")
    dialog = tab.settled()
    tab.page.wait_for_load_state("networkidle")
    whole = f"{site.url}/api/v1/executions/{execution}"
    assert whole not in asked
    dialog.get_by_text("What came before").click()
    expect(dialog.get_by_text("Output of create_report")).to_be_visible()
    expect(dialog.get_by_text("1.75")).to_be_visible()
    dialog.get_by_text("Inputs", exact=True).click()
    expect(dialog.get_by_text("2.5", exact=True)).to_have_count(2)
    assert asked.count(whole) == 1


def test_a_list_of_images_is_shown_small_and_one_of_them_large(site: Any, tab: Any) -> None:
    tab.open(f"/?task={site.launch('gates.approve_images')}:images-are-right")
    images = tab.dialog.locator("img")
    expect(images).to_have_count(3)
    small = images.nth(1).bounding_box()["width"]
    tab.dialog.get_by_role("button", name="noon.svg").first.click()
    expect(images).to_have_count(4)
    large = tab.dialog.get_by_role("group", name="noon.svg").locator("img")
    assert large.bounding_box()["width"] > small
    expect(tab.dialog.get_by_role("button", name="Download noon.svg")).to_be_visible()


def test_eight_tabs_are_live_at_once(site: Any, tabs: Any) -> None:
    pages = [tabs().open("/") for _ in range(8)]
    for page in pages:
        page.get_by_role("heading", name="Inbox").wait_for()
    execution = site.launch("gates.ask_title")
    for page in pages:
        expect(page.get_by_role("listitem").filter(has_text=execution)).to_be_visible(
            timeout=LIVE_MS
        )


def test_many_approvals_have_one_comment_and_a_result_each(site: Any, tab: Any) -> None:
    ids = [site.launch("gates.approve_rows") for _ in range(3)]
    page = tab.open("/")
    for each in ids:
        page.get_by_role("checkbox", name=f"of {each}").check()
    page.get_by_role("button", name="Look and decide").click()
    page.get_by_role("dialog").wait_for()
    site.ask("POST", f"executions/{ids[0]}/abort", {"reason": "not needed"})
    decide_selected(page, "Approve", 3, "all good")
    expect(page.get_by_role("dialog")).to_contain_text("2 of 3 approved")
    expect(page.get_by_role("row").nth(1)).to_contain_text("no decision is needed")
    assert site.answer_of(ids[1], "rows-are-right")["comment"] == "all good"


def test_a_draft_outlives_the_page(site: Any, tab: Any) -> None:
    execution = site.launch("gates.ask_title")
    tab.open(f"/?task={execution}:title")
    tab.dialog.get_by_role("textbox", name="Answer", exact=True).fill("not yet sent")
    tab.page.reload()
    expect(tab.dialog.get_by_role("textbox", name="Answer", exact=True)).to_have_value(
        "not yet sent"
    )


def test_an_open_page_outlives_the_server(site: Any, tab: Any) -> None:
    execution = site.launch("gates.ask_title")
    tab.open(f"/?task={execution}:title")
    tab.dialog.get_by_role("textbox", name="Answer", exact=True).fill("kept")
    site.stop()
    expect(tab.dialog.get_by_text("No connection to the server")).to_be_visible()
    site.start()
    expect(tab.page.get_by_text("No connection to the server")).to_have_count(0)
    tab.dialog.get_by_role("button", name="Send answer").click()
    expect(tab.dialog.get_by_role("heading", name="Answered: title")).to_be_visible()
    assert site.answer_of(execution, "title")["value"] == "kept"


def test_what_is_not_there_says_so(tab: Any) -> None:
    page = tab.open("/nowhere")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    tab.open("/?task=nobody:nothing")
    expect(tab.dialog.get_by_text("There is no question")).to_be_visible()


def test_without_a_token_it_asks_for_one(browser: Any, site: Any) -> None:
    page = browser.new_page()
    page.goto(site.url)
    page.get_by_role("textbox", name="Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("textbox", name="Token")).to_have_attribute("data-invalid", "true")
    page.get_by_role("textbox", name="Token").fill(site.server.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    page.close()
