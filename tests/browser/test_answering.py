"""From an inbox or a link to an answer."""

from typing import Any

import pytest
from tests.browser.conftest import LIVE_MS, decide_selected

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect


def test_a_link_leads_to_the_value_and_one_key_approves_it(site: Any, tab: Any) -> None:
    execution = site.launch("gates.approve_rows")
    tab.open(f"/?task={execution}:rows-are-right")
    expect(tab.dialog.get_by_role("cell", name="2.5").first).to_be_visible()
    expect(tab.dialog.locator("script")).to_have_count(0)
    tab.page.keyboard.press("a")
    expect(
        tab.page.get_by_role("status").filter(has_text="rows-are-right: approved.")
    ).to_be_visible()
    answer = site.answer_of(execution, "rows-are-right")
    assert (answer["value"], answer["via"]) == (True, "ui")
    assert answer["shown"].startswith("1:")


class Hand:
    """Somebody who counts what they do."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.actions = 0

    def press(self, key: str) -> None:
        self.actions += 1
        self.page.keyboard.press(key)

    def click(self, thing: Any) -> None:
        self.actions += 1
        thing.click()


ONE_ACTION = {
    "approve_rows": ("rows-are-right", "a", "Approve", True),
    "ask_flag": ("flag", "2", "No", False),
    "ask_stage": ("stage", "1", "dev", "dev"),
}


@pytest.mark.parametrize("way", ["key", "click"])
@pytest.mark.parametrize("begin", ["link", "inbox"])
@pytest.mark.parametrize("workflow", ONE_ACTION)
def test_from_a_link_it_is_one_action_and_from_the_inbox_two(
    site: Any, tab: Any, workflow: str, begin: str, way: str
) -> None:
    signal, key, label, value = ONE_ACTION[workflow]
    execution = site.launch(f"gates.{workflow}")
    page = tab.open(f"/?task={execution}:{signal}" if begin == "link" else "/")
    hand = Hand(page)
    row = page.get_by_role("listitem").filter(has_text=execution).get_by_role("link")
    if begin == "inbox" and way == "key":
        row.focus()
        hand.press("Enter")
    elif begin == "inbox":
        hand.click(row)
    button = tab.dialog.get_by_role("button", name=label)
    button.wait_for()
    if way == "key":
        hand.press(key)
    else:
        hand.click(button)
    expect(tab.dialog.filter(has_text=execution)).to_have_count(0)
    assert site.answer_of(execution, signal)["value"] == value
    assert hand.actions == {"link": 1, "inbox": 2}[begin]


def test_a_rejection_carries_its_comment(site: Any, tab: Any) -> None:
    execution = site.launch("gates.approve_rows")
    tab.open(f"/?task={execution}:rows-are-right")
    tab.dialog.get_by_label("Comment").fill("the second row is wrong: a and r are text here")
    tab.dialog.get_by_role("button", name="Reject").click()
    expect(tab.page.get_by_role("status").filter(has_text="rejected.")).to_be_visible()
    answer = site.answer_of(execution, "rows-are-right")
    assert answer["value"] is False
    assert answer["comment"].startswith("the second row")


def test_a_choice_is_one_key(site: Any, tab: Any) -> None:
    execution = site.launch("gates.ask_stage")
    tab.open(f"/?task={execution}:stage")
    expect(tab.dialog.get_by_role("button", name="prod")).to_be_visible()
    tab.page.keyboard.press("2")
    expect(tab.page.get_by_role("status").filter(has_text="stage: prod")).to_be_visible()
    assert site.answer_of(execution, "stage")["value"] == "prod"


def test_from_the_inbox_it_is_two_keys_and_the_next_request_opens(site: Any, tab: Any) -> None:
    ids = {site.launch("gates.ask_title") for _ in range(3)}
    page = tab.open("/")
    page.get_by_label("Search").fill("ask_title")
    expect(page.get_by_role("listitem")).to_have_count(3)
    page.get_by_role("listitem").first.get_by_role("link").focus()
    page.keyboard.press("Enter")
    answer = tab.dialog.get_by_role("textbox", name="Answer", exact=True)
    expect(answer).to_be_focused()
    expect(answer).to_have_value("Nile")
    first = page.url.split("task=")[1].split("%3A")[0].split(":")[0]
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="This is the next request.")).to_be_visible()
    second = page.url.split("task=")[1].split("%3A")[0].split(":")[0]
    assert {first, second} < ids
    assert first != second
    assert site.answer_of(first, "title")["value"] == "Nile"
    expect(tab.dialog.get_by_role("textbox", name="Answer", exact=True)).to_have_value("Nile")


def test_a_double_click_decides_only_what_was_seen(site: Any, tab: Any) -> None:
    ids = [site.launch("gates.approve_rows") for _ in range(2)]
    tab.page.clock.install()
    page = tab.open("/")
    page.get_by_label("Search").fill("approve_rows")
    page.get_by_role("listitem").filter(has_text=ids[0]).get_by_role("link").click()
    tab.dialog.locator(".settled").wait_for()
    # The time of the page stands still, so that this machine may be as slow as it likes.
    page.clock.pause_at(page.evaluate("Date.now() + 100"))
    tab.dialog.get_by_role("button", name="Approve").click()
    following = tab.dialog.filter(has_text=ids[1]).get_by_role("button", name="Approve")
    while not following.is_visible():
        page.clock.run_for(1)
    following.click(force=True)
    page.keyboard.press("a")
    page.clock.run_for(20)
    assert site.answer_of(ids[0], "rows-are-right")["value"] is True
    assert site.answer_of(ids[1], "rows-are-right") is None
    page.clock.resume()
    tab.dialog.locator(".settled").wait_for()
    page.keyboard.press("a")
    expect(tab.dialog.filter(has_text=ids[1])).to_have_count(0)
    assert site.answer_of(ids[1], "rows-are-right")["value"] is True


def test_the_focus_comes_back_when_the_dialog_closes(site: Any, tab: Any) -> None:
    execution = site.launch("gates.ask_stage")
    page = tab.open("/")
    row = page.get_by_role("listitem").filter(has_text=execution).get_by_role("link")
    row.focus()
    page.keyboard.press("Enter")
    tab.dialog.locator(".question").wait_for()
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
    expect(tab.dialog.get_by_text("Already answered by admin")).to_be_visible(timeout=LIVE_MS)
    expect(tab.dialog.get_by_role("button", name="Send answer")).to_be_disabled()
    assert site.answer_of(execution, "title")["value"] == "theirs"


def test_time_that_runs_out_under_an_open_dialog_is_told(site: Any, tab: Any) -> None:
    execution = site.launch("gates.ask_soon")
    tab.open(f"/?task={execution}:soon")
    tab.dialog.get_by_role("textbox", name="Answer", exact=True).fill("too late")
    expect(tab.dialog.get_by_text("The time for this ran out at")).to_be_visible()
    expect(tab.dialog.get_by_role("button", name="Send answer")).to_be_disabled()
    expect(tab.dialog.get_by_role("textbox", name="Answer", exact=True)).to_have_value("too late")


def test_an_execution_that_is_ended_under_an_open_dialog_is_told(site: Any, tab: Any) -> None:
    execution = site.launch("gates.approve_rows")
    tab.open(f"/?task={execution}:rows-are-right")
    tab.dialog.get_by_role("button", name="Approve").wait_for()
    site.ask("POST", f"executions/{execution}/abort", {"reason": "not needed"})
    expect(tab.dialog.get_by_text("The execution was ended.")).to_be_visible()
    expect(tab.dialog.get_by_role("button", name="Approve")).to_be_disabled()


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
        "array-is-right": ["1.5", "4"],
        "file-is-right": ["high, and rising", "Aswan"],
    }
    for signal, cells in seen.items():
        site.ask("GET", f"executions/{execution}?wait=20&until_waiting=true")
        tab.open(f"/?task={execution}:{signal}")
        for cell in cells:
            expect(subject.get_by_role("cell", name=cell, exact=True)).to_be_visible()
    tab.open(f"/?task={execution}:span-is-right")
    expect(subject).to_contain_text("1 d 12 h")
    tab.open(f"/?task={execution}:table-is-right")
    report = tab.dialog.frame_locator("iframe[title='Report of measure']")
    expect(report.get_by_text("The river rises")).to_be_visible()


def test_a_list_of_images_is_shown_small_and_one_of_them_large(site: Any, tab: Any) -> None:
    tab.open(f"/?task={site.launch('gates.approve_images')}:images-are-right")
    images = tab.dialog.locator("img")
    expect(images).to_have_count(3)
    small = images.nth(1).bounding_box()["width"]
    tab.dialog.get_by_role("button", name="noon.svg").first.click()
    expect(images).to_have_count(4)
    assert images.nth(3).bounding_box()["width"] > small
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
    expect(page.get_by_role("row").nth(1)).to_contain_text("aborted already")
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
    expect(tab.page.get_by_text("No connection to the server")).to_be_visible()
    site.start()
    expect(tab.page.get_by_text("No connection to the server")).to_have_count(0)
    tab.dialog.get_by_role("button", name="Send answer").click()
    expect(tab.page.get_by_role("status").filter(has_text="title: sent.")).to_be_visible()
    assert site.answer_of(execution, "title")["value"] == "kept"


def test_what_is_not_there_says_so(tab: Any) -> None:
    page = tab.open("/nowhere")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    tab.open("/?task=nobody:nothing")
    expect(tab.dialog.get_by_text("There is no request")).to_be_visible()


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
