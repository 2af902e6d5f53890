"""From an inbox or a link to an answer."""

from typing import Any

import pytest

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
    expect(tab.dialog.get_by_role("button", name="PROD (prod)")).to_be_visible()
    tab.page.keyboard.press("2")
    expect(tab.page.get_by_role("status").filter(has_text="stage: PROD")).to_be_visible()
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
    expect(row).to_be_visible(timeout=2_000)
    site.ask("PUT", f"executions/{execution}/signals/title", {"value": "x"})
    expect(row).to_have_count(0, timeout=2_000)


def test_who_comes_second_is_told_who_was_first(site: Any, tab: Any) -> None:
    execution = site.launch("gates.ask_title")
    tab.open(f"/?task={execution}:title")
    tab.dialog.get_by_role("textbox", name="Answer", exact=True).fill("mine")
    site.ask("PUT", f"executions/{execution}/signals/title", {"value": "theirs"})
    expect(tab.dialog.get_by_text("Already answered by admin")).to_be_visible(timeout=2_000)
    expect(tab.dialog.get_by_role("button", name="Send answer")).to_be_disabled()
    assert site.answer_of(execution, "title")["value"] == "theirs"


def test_eight_tabs_are_live_at_once(site: Any, tabs: Any) -> None:
    pages = [tabs().open("/") for _ in range(8)]
    for page in pages:
        page.get_by_role("heading", name="Inbox").wait_for()
    execution = site.launch("gates.ask_title")
    for page in pages:
        expect(page.get_by_role("listitem").filter(has_text=execution)).to_be_visible(timeout=4_000)


def test_many_approvals_have_one_comment_and_a_result_each(site: Any, tab: Any) -> None:
    ids = [site.launch("gates.approve_rows") for _ in range(3)]
    page = tab.open("/")
    for each in ids:
        page.get_by_role("checkbox", name=f"of {each}").check()
    site.ask("POST", f"executions/{ids[0]}/abort", {"reason": "not needed"})
    page.get_by_label("Comment for all").fill("all good")
    page.get_by_role("button", name="Approve 3").click()
    expect(page.get_by_role("dialog")).to_contain_text("2 of 3 taken")
    expect(page.get_by_role("dialog")).to_contain_text(ids[0])
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
    port = site.server.port
    site.server.kill()
    site.server.close()
    expect(tab.page.get_by_text("No connection to the server")).to_be_visible()
    site.server = type(site.server)(site.home, port=port).ready()
    site.ask = site.server.connect()
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
