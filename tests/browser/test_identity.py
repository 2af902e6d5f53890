"""Who somebody is in a browser: nobody changes it in silence, and nothing stays when they leave."""

import getpass
import re
from collections.abc import Iterator
from typing import Any

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

ME = getpass.getuser()
PATIENCE_MS = 15_000
WHO = "fetch('/api/v1/session').then(r => r.json()).then(j => j.name ?? j.status)"


@pytest.fixture
def place(browser: Any) -> Iterator[Any]:
    """A browser in which nobody is signed in."""
    made = browser.new_context(viewport={"width": 1280, "height": 850}, reduced_motion="reduce")
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


@pytest.fixture(scope="module")
def people(site: Any) -> dict[str, str]:
    return {name: site.token(name, "approver") for name in ("ada", "bob")}


def signed_in(place: Any, site: Any, token: str) -> Any:
    page = place.new_page()
    page.goto(site.url)
    page.get_by_role("textbox", name="Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Signed in as").wait_for()
    return page


def sign_out(page: Any) -> None:
    page.get_by_role("button", name="Signed in as").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_role("textbox", name="Token").wait_for()


def test_a_link_signs_in_who_is_nobody_yet_and_leaves_no_code_in_the_address(
    place: Any, site: Any
) -> None:
    link, page = site.link(), place.new_page()
    page.goto(link)
    expect(page.get_by_role("button", name=f"Signed in as {ME}")).to_be_visible()
    assert "code" not in page.url

    sign_out(page)
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_text("run `tidegate open` for a new one")).to_be_visible()


def test_a_link_changes_who_is_signed_in_only_when_they_say_so(
    place: Any, site: Any, people: dict[str, str]
) -> None:
    first = signed_in(place, site, people["ada"])
    second = place.new_page()
    link = site.link()
    second.goto(link)
    expect(second.get_by_role("heading", name=f"Sign in as {ME}?")).to_be_visible()
    expect(second.get_by_role("button", name="Stay ada")).to_be_focused()
    assert first.evaluate(WHO) == "ada"
    second.keyboard.press("Enter")
    expect(second.get_by_role("button", name="Signed in as ada")).to_be_visible()
    assert second.evaluate(WHO) == "ada"

    second.goto("about:blank")
    second.goto(link)
    second.get_by_role("button", name=f"Sign in as {ME}").click()
    expect(second.get_by_role("button", name=f"Signed in as {ME}")).to_be_visible()
    expect(first.get_by_role("button", name=f"Signed in as {ME}")).to_be_visible()


def test_a_token_in_an_address_signs_nobody_in(
    place: Any, site: Any, people: dict[str, str]
) -> None:
    page = place.new_page()
    page.goto(f"{site.url}/#token={people['bob']}")
    expect(page.get_by_role("textbox", name="Token")).to_be_visible()
    assert people["bob"] not in page.url
    page = signed_in(place, site, people["ada"])
    page.evaluate(f"location.hash = 'token={people['bob']}'")
    page.wait_for_function("!location.hash.includes('token')")
    expect(page.get_by_role("button", name="Signed in as ada")).to_be_visible()


def test_who_signs_out_leaves_no_draft_no_copy_and_no_other_tab(
    place: Any, site: Any, people: dict[str, str]
) -> None:
    execution = site.launch("gates.ask_title")
    page = signed_in(place, site, people["ada"])
    page.goto(f"{site.url}/#/?task={execution}:title")
    answer = page.get_by_role("dialog").get_by_role("textbox", name="Answer")
    answer.fill("what only ada may read")
    page.wait_for_function("Object.values(localStorage).some(each => each.includes('only ada'))")
    other = place.new_page()
    other.goto(site.url)
    expect(other.get_by_role("button", name="Signed in as ada")).to_be_visible()
    page.keyboard.press("Escape")

    sign_out(page)
    expect(other.get_by_role("textbox", name="Token")).to_be_visible()
    assert "only ada" not in page.evaluate("JSON.stringify(localStorage)")
    for path in (f"executions/{execution}", "inbox"):
        assert page.evaluate(f"fetch('/api/v1/{path}').then(r => r.status)") == 401
    page.go_back()
    assert "only ada" not in page.content()


def test_a_draft_is_of_the_person_who_wrote_it(
    place: Any, site: Any, people: dict[str, str]
) -> None:
    execution = site.launch("gates.ask_title")
    page = signed_in(place, site, people["ada"])
    page.goto(f"{site.url}/#/?task={execution}:title")
    page.get_by_role("dialog").get_by_role("textbox", name="Answer").fill("ada's own")
    page.wait_for_function("Object.values(localStorage).some(each => each.includes('own'))")
    # The session ends elsewhere, and nobody has signed out here.
    place.clear_cookies()
    page.goto("about:blank")
    page = signed_in(place, site, people["bob"])
    page.goto(f"{site.url}/#/?task={execution}:title")
    answer = page.get_by_role("dialog").get_by_role("textbox", name="Answer")
    expect(answer).to_be_visible()
    expect(answer).to_have_value("Nile")  # as the workflow suggests


def test_sessions_are_seen_and_ended_by_their_owner(
    browser: Any, place: Any, site: Any, people: dict[str, str]
) -> None:
    page = signed_in(place, site, people["ada"])
    elsewhere = browser.new_context()
    other = signed_in(elsewhere, site, people["ada"])
    page.get_by_role("button", name="Signed in as").click()
    page.get_by_role("menuitem", name="Sessions").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("This browser")).to_be_visible()
    while (ends := dialog.get_by_role("button", name="End", exact=True)).count():
        before = ends.count()
        ends.first.click()
        expect(ends).to_have_count(before - 1)

    assert other.evaluate(WHO) == 401
    assert page.evaluate(WHO) == "ada"
    elsewhere.close()


def test_an_ended_session_asks_over_the_page_and_loses_no_word(tab: Any, site: Any) -> None:
    execution = site.launch("gates.ask_title")
    page = tab.open(f"/?task={execution}:title")
    field = tab.dialog.get_by_role("textbox", name="Answer", exact=True)
    field.fill("half a title")
    page.context.clear_cookies()
    tab.dialog.get_by_role("button", name="Send answer").click()
    asked = page.get_by_role("dialog", name="Your session has ended")
    expect(asked).to_be_visible()
    page.keyboard.press("Escape")
    expect(field).to_have_value("half a title")
    asked.get_by_role("textbox", name="Token").fill(site.server.token)
    asked.get_by_role("button", name="Sign in").click()
    expect(asked).to_have_count(0)
    expect(field).to_have_value("half a title")
    assert site.answer_of(execution, "title") is None, "nothing is sent by itself"
    site.state = page.context.storage_state()


def test_who_may_answer_nothing_sees_what_waits_and_cannot_select_it(
    browser: Any, site: Any
) -> None:
    execution = site.launch("gates.approve_rows")
    page = browser.new_page()
    page.goto(site.url)
    page.get_by_role("textbox", name="Token").fill(site.token("watcher", "viewer"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    expect(page.locator(".count")).to_have_count(0)
    page.get_by_role("link", name="show all").click()
    row = page.get_by_role("listitem").filter(has_text=execution)
    expect(row).to_contain_text("not yours to answer")
    expect(row.get_by_role("checkbox")).to_have_count(0)
    page.get_by_role("button", name="Signed in as watcher").click()
    expect(page.get_by_role("menu")).to_contain_text("viewer")
    page.close()


def test_a_viewer_is_offered_nothing_that_would_be_refused_and_told_who_may(
    browser: Any, site: Any
) -> None:
    execution = site.launch("gates.approve_rows")
    page = signed_in(browser, site, site.token("onlooker", "viewer"))
    for place in (
        "executions",
        f"executions/{execution}",
        "workflows",
        "workflows/gates.ask_title",
    ):
        page.goto(f"{site.url}/#/{place}")
        expect(page.get_by_text("operator").first).to_be_visible()
        offered = re.compile(
            r"^(Launch|Relaunch|Recover|Terminate|Approve|Answer|Actions for|Select)\b"
        )
        for role in ("button", "link", "checkbox"):
            expect(page.get_by_role(role, name=offered)).to_have_count(0)
    page.goto(f"{site.url}/#/executions/{execution}")
    expect(page.get_by_role("region", name="Waiting for people")).to_contain_text("may answer")
    page.get_by_role("button", name="Signed in as onlooker").click()
    expect(page.get_by_role("menu")).to_contain_text("Signed in until")
    page.close()
