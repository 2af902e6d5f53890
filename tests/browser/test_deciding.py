"""What is decided is what was seen, on purpose, by who may; and nothing that was typed is lost."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.browser.conftest import LIVE_MS, Site, Tab, after_a_stroke
from tests.serving import Connection

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

TOO_SOON_MS = 250
"""In which Enter is ignored after a letter."""
LASTS_MS = 10_000
"""What is armed stays so."""


def approval(site: Site, tab: Tab) -> str:
    """Open an approval, and return its execution once it can be decided."""
    execution = site.launch("gates.approve_rows")
    tab.open(f"/?task={execution}:rows-are-right")
    tab.dialog.locator(".settled").wait_for()
    return execution


def decision(site: Site, execution: str) -> Any:
    return site.answer_of(execution, "rows-are-right")


def armed(tab: Tab) -> Any:
    return tab.dialog.locator(".an-armed")


def is_approved(tab: Tab) -> None:
    expect(tab.dialog.get_by_role("heading", name="Approved: rows-are-right")).to_be_visible()


def test_a_double_click_decides_one_question_and_leaves_what_comes_after_alone(
    site: Site, tab: Tab
) -> None:
    ids = [site.launch("gates.approve_rows") for _ in range(2)]
    tab.page.clock.install()
    page = tab.open("/")
    page.get_by_label("Search").fill("approve_rows")
    page.get_by_role("listitem").filter(has_text=ids[0]).get_by_role("link").click()
    tab.dialog.locator(".settled").wait_for()
    # The time of the page stands still, so that this machine may be as slow as it likes.
    page.clock.pause_at(page.evaluate("Date.now() + 100"))
    tab.dialog.get_by_role("button", name="Approve").click()
    following = tab.dialog.get_by_role("button", name="Open next")
    while not following.is_visible():
        page.clock.run_for(1)
    following.click(force=True)
    page.clock.run_for(20)
    expect(following).to_be_visible()
    page.clock.resume()
    tab.dialog.locator(".settled").wait_for()
    following.click()
    expect(tab.dialog).to_contain_text(ids[1])
    assert decision(site, ids[1]) is None


def test_other_questions_are_opened_on_purpose(site: Site, tab: Tab) -> None:
    ids = [site.launch("gates.approve_rows") for _ in range(3)]
    page = tab.open("/")
    page.get_by_label("Search").fill("approve_rows")
    page.get_by_role("listitem").filter(has_text=ids[0]).get_by_role("link").click()
    tab.dialog.locator(".settled").wait_for()
    expect(tab.dialog).to_contain_text(ids[0])
    page.keyboard.press("]")
    expect(tab.dialog).not_to_contain_text(ids[0])
    page.keyboard.press("[")
    expect(tab.dialog).to_contain_text(ids[0])
    tab.dialog.get_by_role("button", name="Next question").click()
    expect(tab.dialog).not_to_contain_text(ids[0])


WORDS = ["wait, ask Ann first", "a lot", "are these all?", "rather not", "aaaa", "Alright, a r a r"]


@pytest.mark.parametrize("words", WORDS)
def test_what_is_typed_in_the_wrong_place_decides_nothing(site: Site, tab: Tab, words: str) -> None:
    execution = approval(site, tab)
    tab.page.keyboard.type(words)
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Space")
    assert decision(site, execution) is None
    expect(tab.dialog.get_by_role("button", name="Reject")).to_be_enabled()


def test_a_letter_arms_enter_decides_and_the_words_say_so(site: Site, tab: Tab) -> None:
    execution = approval(site, tab)
    tab.page.keyboard.press("a")
    expect(tab.dialog.get_by_role("button", name="Approve: press Enter")).to_be_focused()
    expect(tab.dialog.get_by_role("status").filter(has_text="Approve is armed")).to_be_attached()
    assert decision(site, execution) is None
    tab.page.keyboard.press("r")
    expect(tab.dialog.get_by_role("button", name="Reject: press Enter")).to_be_focused()
    after_a_stroke(tab.page)
    tab.page.keyboard.press("Enter")
    expect(tab.dialog.get_by_role("heading", name="Rejected: rows-are-right")).to_be_visible()
    expect(tab.dialog.get_by_role("list")).to_contain_text("the execution fails")
    said = tab.page.locator("[aria-live=polite]").filter(has_text="Rejected: rows-are-right.")
    expect(said).to_contain_text("The execution fails")
    assert decision(site, execution)["value"] is False


def test_a_letter_pressed_as_the_question_appears_arms_once_it_can_be_decided(
    site: Site, tab: Tab
) -> None:
    execution = site.launch("gates.approve_rows")
    tab.page.clock.install()
    tab.open(f"/?task={execution}:rows-are-right")
    tab.dialog.locator(".settled").wait_for()
    tab.page.keyboard.press("Escape")
    expect(tab.dialog).to_have_count(0)
    # The time of the page stands still, so that this machine may be as slow as it likes.
    tab.page.clock.pause_at(tab.page.evaluate("Date.now() + 100"))
    tab.page.get_by_label("Search").fill(execution)
    row = tab.page.get_by_role("listitem").filter(has_text=execution).get_by_role("link")
    while row.count() == 0:
        tab.page.clock.run_for(20)
    row.click()
    while tab.dialog.locator(".settling").count() == 0:
        tab.page.clock.run_for(1)
    tab.page.keyboard.press("a")
    expect(armed(tab)).to_have_count(0)
    while tab.dialog.locator(".settled").count() == 0:
        tab.page.clock.run_for(20)
    expect(tab.dialog.get_by_role("button", name="Approve: press Enter")).to_be_focused()
    assert decision(site, execution) is None


def test_enter_right_after_the_letter_decides_nothing(site: Site, tab: Tab) -> None:
    execution = approval(site, tab)
    # Two events of one stroke of a hand, however slow this machine is.
    tab.page.evaluate("""() => {
        for (const key of ['a', 'Enter', 'Enter'])
            document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    }""")
    expect(armed(tab)).to_be_focused()
    assert decision(site, execution) is None


@pytest.mark.parametrize("key", ["Space", "x", "1", "Escape", "Tab"])
def test_any_other_key_disarms_and_escape_leaves_the_dialog_open(
    site: Site, tab: Tab, key: str
) -> None:
    execution = approval(site, tab)
    tab.page.keyboard.press("a")
    expect(armed(tab)).to_have_count(1)
    tab.page.keyboard.press(key)
    expect(armed(tab)).to_have_count(0)
    if key != "Tab":
        expect(tab.dialog.get_by_role("heading", name="rows-are-right")).to_be_focused()
    assert decision(site, execution) is None
    tab.page.keyboard.press("Escape")
    expect(tab.dialog).to_have_count(0)


def test_what_is_armed_is_so_for_ten_seconds_and_while_the_window_has_the_focus(
    site: Site, tab: Tab
) -> None:
    tab.page.clock.install()
    execution = approval(site, tab)
    tab.page.keyboard.press("a")
    expect(armed(tab)).to_have_count(1)
    tab.page.clock.run_for(LASTS_MS)
    expect(armed(tab)).to_have_count(0)
    tab.page.keyboard.press("r")
    expect(armed(tab)).to_have_count(1)
    tab.page.evaluate("window.dispatchEvent(new Event('blur'))")
    expect(armed(tab)).to_have_count(0)
    assert decision(site, execution) is None


def test_space_on_a_button_only_arms_it(site: Site, tab: Tab) -> None:
    execution = approval(site, tab)
    tab.dialog.get_by_role("button", name="Reject").focus()
    tab.page.keyboard.press("Space")
    expect(tab.dialog.get_by_role("button", name="Reject: press Enter")).to_be_focused()
    assert decision(site, execution) is None


def test_keys_in_the_comment_are_text(site: Site, tab: Tab) -> None:
    execution = approval(site, tab)
    tab.page.keyboard.press("c")
    field = tab.dialog.get_by_label("Comment")
    expect(field).to_be_focused()
    tab.page.keyboard.type("a r a")
    tab.page.keyboard.press("Enter")
    expect(field).to_have_value("a r a\n")
    assert decision(site, execution) is None


def test_on_a_touch_screen_the_first_tap_arms_and_the_second_decides(
    browser: Any, site: Site, tab: Tab
) -> None:
    look = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    place = browser.new_context(storage_state=site.state, reduced_motion="reduce", **look)
    finger = Tab(place, site)
    execution = approval(site, finger)
    button = finger.dialog.get_by_role("button", name="Approve")
    button.tap()
    again = finger.dialog.get_by_role("button", name="Tap again to approve")
    expect(again).to_be_visible()
    assert decision(site, execution) is None
    after_a_stroke(finger.page)
    again.tap()
    is_approved(finger)
    place.close()


def test_a_link_by_name_is_bound_to_the_question_that_it_showed(site: Site, tab: Tab) -> None:
    execution = site.launch("shapes.rounds")
    (first,) = site.ask("GET", f"executions/{execution}").body["waiting"]
    page = tab.open(f"/?task={execution}:{first['name']}")
    field = tab.dialog.get_by_role("textbox", name="Answer", exact=True)
    expect(field).to_be_visible()
    page.wait_for_function("() => decodeURIComponent(location.hash).includes('~.')")
    bound = page.url
    field.fill("7")
    site.ask("PUT", f"executions/{execution}/signals/{first['name']}", {"value": 1})
    # A question of the same name waits now, and this dialog is not that one.
    second = site.ask("GET", f"executions/{execution}?wait=20&until_waiting=true").body["waiting"]
    assert [each["name"] for each in second] == [first["name"]]
    expect(tab.dialog).to_contain_text("Already answered by you", timeout=LIVE_MS)
    expect(tab.dialog.get_by_role("button", name="Send answer")).to_have_count(0)
    expect(tab.dialog.get_by_text("7", exact=True)).to_be_visible()
    assert page.url == bound
    page.reload()
    expect(tab.dialog).to_contain_text("Already answered by you")
    expect(tab.dialog.get_by_role("button", name="Send answer")).to_have_count(0)


def test_who_loses_the_race_keeps_their_words(site: Site, tab: Tab) -> None:
    execution = approval(site, tab)
    ben = site.token("ben", "approver")
    tab.dialog.get_by_label("Comment").fill("fine with me")
    tab.page.route("**/api/v1/executions/*/signals/**", lambda route: overtaken(site, route, ben))
    tab.dialog.get_by_role("button", name="Approve").click()
    dialog = tab.dialog
    expect(dialog.get_by_role("heading", name="Already rejected by ben")).to_be_visible()
    expect(dialog).to_contain_text("Your approval was not stored.")
    expect(dialog).to_contain_text("not like this")
    expect(dialog.get_by_text("fine with me", exact=True)).to_be_visible()
    expect(dialog.get_by_role("button", name="Copy")).to_be_visible()
    assert decision(site, execution)["who"] == "ben"


def overtaken(site: Site, route: Any, token: str) -> None:
    """Let somebody else decide just before a decision arrives."""
    if route.request.method == "PUT":
        line = Connection(site.server.port, token)
        path = route.request.url.split("/api/v1/")[1]
        line("PUT", path, {"value": False, "comment": "not like this"})
        line.close()
    route.continue_()


def test_a_decision_whose_reply_is_lost_is_found_and_counted_once(site: Site, tab: Tab) -> None:
    execution = approval(site, tab)
    lost: list[str] = []

    def lose(route: Any) -> None:
        if route.request.method == "PUT" and not lost:
            lost.append(route.fetch().text())
            route.abort()
        else:
            route.continue_()

    tab.page.route("**/api/v1/executions/*/signals/**", lose)
    tab.dialog.get_by_role("button", name="Approve").click()
    is_approved(tab)
    assert len(lost) == 1
    assert decision(site, execution)["value"] is True


def test_while_the_server_is_away_people_go_on_typing_and_may_have_it_sent_later(
    site: Site, tab: Tab
) -> None:
    execution = approval(site, tab)
    field = tab.dialog.get_by_label("Comment")
    field.fill("written before")
    site.stop()
    bar = tab.dialog.get_by_role("alert").filter(has_text="No connection to the server since")
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("Nothing was sent")
    field.fill("written while it was away")
    approve = tab.dialog.get_by_role("button", name="Approve when it is back")
    expect(approve).to_be_disabled()
    tab.dialog.get_by_role("checkbox", name="Send by itself").check()
    approve.click()
    expect(tab.dialog.get_by_text("This is sent when the server is back")).to_be_visible()
    site.start()
    is_approved(tab)
    assert decision(site, execution)["comment"] == "written while it was away"


def test_nothing_is_sent_later_unless_somebody_asked_for_it(site: Site, tab: Tab) -> None:
    execution = approval(site, tab)
    site.stop()
    expect(tab.dialog.get_by_role("alert")).to_contain_text("No connection")
    tab.page.keyboard.press("a")
    tab.page.keyboard.press("Enter")
    site.start()
    expect(tab.dialog.get_by_text("No connection")).to_have_count(0)
    assert decision(site, execution) is None


@pytest.fixture
def place(browser: Any) -> Iterator[Any]:
    """A browser in which nobody is signed in."""
    made = browser.new_context(viewport={"width": 1280, "height": 850}, reduced_motion="reduce")
    yield made
    made.close()


def enter(page: Any, token: str) -> None:
    page.get_by_label("Token", exact=False).first.fill(token)
    page.keyboard.press("Enter")


def signed_in(place: Any, site: Site, token: str) -> Tab:
    tab = Tab(place, site)
    tab.page.goto(site.url)
    enter(tab.page, token)
    tab.page.get_by_role("heading", name="Inbox").wait_for()
    return tab


@pytest.mark.parametrize("who", ["ann", "bea"])
def test_an_ended_session_costs_no_word_and_sends_nothing_by_itself(
    place: Any, site: Site, who: str
) -> None:
    tokens = {name: site.token(f"{name}-{who}", "approver") for name in ("ann", "bea")}
    tab = signed_in(place, site, tokens["ann"])
    execution = approval(site, tab)
    tab.dialog.get_by_label("Comment").fill("only ann thinks so")
    place.clear_cookies()
    tab.dialog.get_by_role("button", name="Approve").click()
    tab.page.get_by_label("Token", exact=False).first.wait_for()
    assert decision(site, execution) is None
    enter(tab.page, tokens[who])
    field = tab.dialog.get_by_label("Comment")
    expect(field).to_have_value("only ann thinks so" if who == "ann" else "")
    assert decision(site, execution) is None
    tab.dialog.locator(".settled").wait_for()
    tab.dialog.get_by_role("button", name="Approve").click()
    is_approved(tab)
    answer = decision(site, execution)
    assert answer["who"].startswith(who)
    assert answer["comment"] == ("only ann thinks so" if who == "ann" else "")


def test_a_draft_says_when_it_is_of_and_can_be_discarded(site: Site, tab: Tab) -> None:
    approval(site, tab)
    tab.dialog.get_by_label("Comment").fill("half a thought")
    expect(tab.dialog.get_by_text("Draft saved in this browser")).to_be_visible()
    tab.page.reload()
    expect(tab.dialog.get_by_label("Comment")).to_have_value("half a thought")
    expect(tab.dialog.get_by_text("Your draft of")).to_be_visible()
    tab.dialog.get_by_role("button", name="Discard it").click()
    expect(tab.dialog.get_by_label("Comment")).to_have_value("")
    assert drafts(tab) == 0


def drafts(tab: Tab) -> int:
    """Return how many drafts the browser keeps."""
    keys = tab.page.evaluate("Object.keys(localStorage)")
    return sum(key.startswith("tidegate-draft:") for key in keys)


def test_a_draft_goes_when_its_question_is_decided_elsewhere(site: Site, tab: Tab) -> None:
    execution = approval(site, tab)
    tab.dialog.get_by_label("Comment").fill("half a thought")
    expect(tab.dialog.get_by_text("Draft saved in this browser")).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.dialog).to_have_count(0)
    assert drafts(tab) == 1
    site.ask("PUT", f"executions/{execution}/signals/rows-are-right", {"value": True})
    tab.page.wait_for_function(
        "() => !Object.keys(localStorage).some((key) => key.startsWith('tidegate-draft:'))",
        timeout=LIVE_MS,
    )
    tab.open(f"/?task={execution}:rows-are-right")
    expect(tab.dialog).to_contain_text("Already approved by you")
    expect(tab.dialog.get_by_text("Your draft")).to_have_count(0)


def test_a_name_that_several_questions_have_leads_to_a_choice(site: Site, tab: Tab) -> None:
    execution = site.launch("shapes.twice", x=1)
    tab.open(f"/?task={execution}:how many")
    expect(tab.dialog).to_contain_text("Several questions of this execution are called")
    tab.dialog.get_by_role("button").filter(has_text="n1/how many").click()
    expect(tab.dialog.get_by_role("textbox", name="Answer", exact=True)).to_be_visible()


def test_a_decided_question_shows_what_was_asked_and_what_was_seen(site: Site, tab: Tab) -> None:
    execution = site.launch("gates.approve_rows")
    body = {"value": False, "comment": "row b is wrong"}
    site.ask("PUT", f"executions/{execution}/signals/rows-are-right", body)
    tab.open(f"/?task={execution}:rows-are-right")
    expect(tab.dialog).to_contain_text("Already rejected by you")
    expect(tab.dialog).to_contain_text("row b is wrong")
    expect(tab.dialog).to_contain_text("Are these rows right?")
    expect(tab.dialog.get_by_role("cell", name="2.5")).to_be_visible()
    expect(tab.dialog.get_by_role("button", name="Approve")).to_have_count(0)


def test_who_may_not_decide_has_nothing_to_press_and_reads_who_may(place: Any, site: Site) -> None:
    tab = signed_in(place, site, site.token("vera", "viewer"))
    approval(site, tab)
    note = tab.dialog.get_by_role("note")
    expect(note).to_contain_text("You may read this, not decide it.")
    for name in ("Approve", "Reject"):
        expect(tab.dialog.get_by_role("button", name=name)).to_have_count(0)
    expect(tab.dialog.get_by_role("button", name="Copy link for them")).to_be_visible()
    tab.page.keyboard.press("a")
    tab.page.keyboard.press("Enter")
    expect(tab.dialog.get_by_text("Armed")).to_have_count(0)
