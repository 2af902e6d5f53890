"""What a person does in a form reaches the task, whatever else happens meanwhile."""

from pathlib import Path
from typing import Any

import pytest
from tests.browser.test_looks import clean

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

PROGRAM = Path(__file__).parent / "programs" / "forms.py"


@pytest.fixture(scope="module", autouse=True)
def registered(site: Any) -> None:
    site.register(PROGRAM)


def asked(site: Any, tab: Any, workflow: str, gate: str, **inputs: Any) -> tuple[str, Any]:
    """Launch a workflow of `forms`, and open its question."""
    execution = site.launch(f"forms.{workflow}", **inputs)
    tab.open(f"/?task={execution}:{gate}")
    # One that was asked before may still be open.
    tab.dialog.filter(has_text=execution).get_by_role("button", name="Send").wait_for()
    return execution, tab.dialog


def field(within: Any, name: str, nth: int = 0) -> Any:
    return within.get_by_role("textbox", name=name, exact=True).nth(nth)


def choose(dialog: Any, name: str, file: Path) -> None:
    with dialog.page.expect_file_chooser() as chooser:
        dialog.get_by_role("button", name=name, exact=True).click()
    chooser.value.set_files(file)


def send(dialog: Any) -> None:
    dialog.get_by_role("button", name="Send answer").click()
    expect(dialog.get_by_role("heading", name="Answered: ")).to_be_visible()


class Held:
    """Uploads that wait until they are let go."""

    def __init__(self, page: Any) -> None:
        self.routes: list[Any] = []
        self.page = page
        for pattern in ("**/api/v1/blobs", "**/api/v1/uploads"):
            page.route(pattern, lambda route: self.routes.append(route))

    def wait_for(self, many: int) -> None:
        while len(self.routes) < many:
            self.page.wait_for_timeout(20)

    def let_go(self, *order: int) -> None:
        for each in order:
            self.routes[each].continue_()


def test_what_is_typed_while_a_file_uploads_is_sent(site: Any, tab: Any, tmp_path: Path) -> None:
    execution, dialog = asked(site, tab, "ask_claim", "claim")
    held = Held(tab.page)
    (tmp_path / "receipt.txt").write_text("12.50")
    choose(dialog, "receipt", tmp_path / "receipt.txt")
    held.wait_for(1)
    field(dialog, "title").fill("Hotel")
    field(dialog, "notes").fill("two nights")
    held.let_go(0)
    expect(dialog.get_by_text("receipt.txt")).to_be_visible()
    expect(field(dialog, "title")).to_have_value("Hotel")
    send(dialog)
    answer = site.answer_of(execution, "claim")["value"]
    assert (answer["title"], answer["notes"]) == ("Hotel", "two nights")


def test_two_files_that_are_chosen_at_once_both_arrive(site: Any, tab: Any, tmp_path: Path) -> None:
    execution, dialog = asked(site, tab, "ask_claim", "claim")
    held = Held(tab.page)
    for name in ("receipt", "more"):
        (tmp_path / f"{name}.txt").write_text(name)
        choose(dialog, name, tmp_path / f"{name}.txt")
    held.wait_for(2)
    field(dialog, "title").fill("Hotel")
    field(dialog, "notes").fill("x")
    expect(dialog.get_by_role("button", name="Send")).to_be_disabled()
    held.let_go(1, 0)
    send(dialog)
    answer = site.answer_of(execution, "claim")["value"]
    assert (answer["receipt"]["name"], answer["more"]["name"]) == ("receipt.txt", "more.txt")


def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(
    site: Any, tab: Any, tmp_path: Path
) -> None:
    _, dialog = asked(site, tab, "ask_claim", "claim")
    held = Held(tab.page)
    (tmp_path / "receipt.txt").write_text("12.50")
    choose(dialog, "receipt", tmp_path / "receipt.txt")
    held.wait_for(1)
    bar = dialog.get_by_role("progressbar", name="Upload of receipt.txt")
    expect(bar).to_have_attribute("aria-valuenow", "0")
    expect(dialog.get_by_text("You can keep typing.")).to_be_visible()
    dialog.get_by_role("button", name="Cancel upload").click()
    expect(bar).to_have_count(0)
    dialog.get_by_role("button", name="Send answer").click()
    expect(dialog.get_by_text("receipt: Choose a file")).to_be_visible()


def test_an_upload_that_is_refused_says_why_and_is_tried_again(
    site: Any, tab: Any, tmp_path: Path
) -> None:
    execution, dialog = asked(site, tab, "ask_claim", "claim")
    body = '{"code": "too_large", "detail": "the file is larger than allowed"}'
    tab.page.route(
        "**/api/v1/uploads",
        lambda route: route.fulfill(status=413, content_type="application/json", body=body),
    )
    (tmp_path / "receipt.txt").write_text("12.50")
    choose(dialog, "receipt", tmp_path / "receipt.txt")
    expect(dialog.get_by_text("Not uploaded: the file is larger than allowed")).to_be_visible()
    tab.page.unroute("**/api/v1/uploads")
    dialog.get_by_role("button", name="Try again").click()
    expect(dialog.get_by_text("receipt.txt, 5 bytes")).to_be_visible()
    field(dialog, "title").fill("Hotel")
    field(dialog, "notes").fill("x")
    send(dialog)
    assert site.answer_of(execution, "claim")["value"]["receipt"]["size"] == 5


def test_enter_in_a_record_writes_no_line_break_and_sends_nothing(site: Any, tab: Any) -> None:
    execution, dialog = asked(site, tab, "ask_claim", "claim")
    field(dialog, "title").fill("Hotel")
    field(dialog, "title").press("Enter")
    expect(field(dialog, "title")).to_have_value("Hotel")
    expect(field(dialog, "title")).not_to_be_focused()
    field(dialog, "notes").fill("one")
    field(dialog, "notes").press("Shift+Enter")
    tab.page.keyboard.type("two")
    expect(field(dialog, "notes")).to_have_value("one\ntwo")
    assert site.answer_of(execution, "claim") is None


def test_a_digit_chooses_in_the_focused_group_and_sends_nothing(site: Any, tab: Any) -> None:
    execution, dialog = asked(site, tab, "ask_review", "review")
    verdict = dialog.get_by_role("radiogroup", name="verdict")
    expect(verdict.get_by_label("publish with changes")).to_be_checked()
    verdict.get_by_label("publish with changes").focus()
    tab.page.keyboard.press("3")
    expect(verdict.get_by_label("withhold")).to_be_checked()
    assert site.answer_of(execution, "review") is None


def test_what_was_suggested_is_marked_until_it_is_touched(site: Any, tab: Any) -> None:
    _, dialog = asked(site, tab, "ask_review", "review")
    marks = dialog.get_by_title("Filled in as suggested")
    before = marks.count()
    field(dialog, "confidence").fill("0.9")
    expect(marks).to_have_count(before - 1)


def test_small_records_are_rows_and_faults_of_the_server_stand_below_them(
    site: Any, tab: Any
) -> None:
    execution, dialog = asked(site, tab, "ask_review", "review")
    findings = dialog.get_by_role("group", name="findings", exact=True)
    findings.get_by_role("button", name="Add one").click()
    second = findings.get_by_role("group", name="findings 2")
    expect(field(second, "page")).to_be_focused()
    field(second, "page").fill("22")
    second.get_by_label("low").check(force=True)
    field(second, "text").fill("Figure 5")
    field(dialog, "confidence").fill("1.5")
    dialog.get_by_role("button", name="Send answer").click()
    expect(second.get_by_text("page: must be at most 14")).to_be_visible()
    expect(field(second, "page")).to_be_focused()
    expect(dialog.get_by_text("2 fields need a change")).to_be_visible()
    findings.get_by_role("button", name="Remove findings 1").click()
    expect(field(findings, "page")).to_have_value("22")
    field(findings, "page").fill("2")
    field(dialog, "confidence").fill("1")
    send(dialog)
    assert [each["page"] for each in site.answer_of(execution, "review")["value"]["findings"]] == [
        2
    ]


def test_choices_are_whole_have_keys_and_do_not_open_by_themselves(site: Any, tab: Any) -> None:
    execution, dialog = asked(site, tab, "ask_order", "order")
    level = dialog.get_by_role("radiogroup", name="level")
    for label in ("LOWEST", "in progress"):
        expect(level.get_by_role("radio", name=label, exact=True)).to_be_visible()
    long = level.get_by_text("the level that most of the reports of this kind have")
    assert long.evaluate("node => node.scrollWidth <= node.clientWidth")
    level.get_by_role("radio", name="LOWEST").check()
    dialog.get_by_role("radiogroup", name="six").get_by_label("down").check()
    ten = dialog.get_by_role("combobox", name="ten")
    ten.focus()
    expect(dialog.page.get_by_role("listbox")).to_have_count(0)
    pick(dialog, "ten", "sev", "seven")
    ten.click()
    dialog.page.get_by_role("option", name="seven").click()
    expect(ten).to_have_value("seven")
    send(dialog)
    answer = site.answer_of(execution, "order")["value"]
    assert (answer["six"], answer["ten"], answer["kind"]) == ("down", "seven", None)


def test_a_default_that_is_cleared_is_missing_and_a_text_is_empty(site: Any, tab: Any) -> None:
    execution, dialog = asked(site, tab, "ask_order", "order")
    dialog.get_by_role("radiogroup", name="level").get_by_role("radio", name="LOWEST").check()
    dialog.get_by_role("radiogroup", name="six").get_by_role("radio", name="up").check()
    pick(dialog, "ten", "two", "two")
    field(dialog, "amount").fill("")
    field(dialog, "note").fill("")
    dialog.get_by_role("button", name="Send answer").click()
    expect(dialog.get_by_role("alert")).to_contain_text("amount: Needs a value")
    field(dialog, "amount").fill("7")
    send(dialog)
    answer = site.answer_of(execution, "order")["value"]
    assert (answer["amount"], answer["note"]) == (7, "")


def test_half_a_date_is_not_sent_as_none(site: Any, tab: Any) -> None:
    execution, dialog = asked(site, tab, "ask_review", "review")
    dialog.get_by_label("embargo_until").focus()
    tab.page.keyboard.type("11")
    dialog.get_by_role("button", name="Send answer").click()
    expect(dialog.get_by_text("This date is not complete").first).to_be_visible()
    assert site.answer_of(execution, "review") is None


def test_a_time_that_comes_twice_stays_the_one_that_it_was(browser: Any, site: Any) -> None:
    execution = site.launch("forms.ask_when", when="2026-10-25T01:30:15.123456+00:00")
    place = browser.new_context(
        storage_state=site.state, timezone_id="Europe/Berlin", reduced_motion="reduce"
    )
    page = place.new_page()
    page.goto(f"{site.url}/#/?task={execution}:when")
    dialog = page.get_by_role("dialog")
    when = dialog.get_by_label("Answer", exact=True)
    expect(when).to_have_value("2026-10-25T02:30:15")
    twice = dialog.get_by_role("radiogroup", name="This time comes twice")
    expect(twice.get_by_label("second, UTC+01:00")).to_be_checked()
    when.fill("2026-10-25T02:31:15")
    when.fill("2026-10-25T02:30:15")
    dialog.get_by_role("button", name="Send answer").click()
    expect(dialog.get_by_role("heading", name="Answered: ")).to_be_visible()
    assert site.answer_of(execution, "when")["value"].startswith("2026-10-25T01:30:15.123456")
    place.close()


def pick(dialog: Any, name: str, typed: str, option: str) -> None:
    box = dialog.get_by_role("combobox", name=name)
    box.fill(typed)
    expect(dialog.page.get_by_role("option", name=option)).to_be_visible()
    box.press("Enter")
    expect(box).to_have_value(option)


def launching(tab: Any, place: str) -> Any:
    page = tab.open(place)
    form = page.get_by_role("region", name="aunch")
    form.get_by_role("button", name="aunch", exact=False).last.wait_for()
    return form


def test_a_launch_takes_none_and_an_empty_list_as_they_are(site: Any, tab: Any) -> None:
    form = launching(tab, "/workflows/forms.optional_launch")
    expect(form.get_by_role("radiogroup", name="level").get_by_label("the level")).to_be_checked()
    form.get_by_role("button", name="Launch", exact=True).click()
    tab.page.wait_for_url("**/executions/*")
    execution = tab.page.url.rpartition("/")[2]
    inputs = site.ask("GET", f"executions/{execution}").body["inputs"]
    assert (inputs["limit"], inputs["tags"], inputs["name"]) == (None, [], "Nile")


def test_a_launch_whose_reply_is_lost_is_one_launch_also_after_a_reload(
    site: Any, tab: Any
) -> None:
    form = launching(tab, "/workflows/forms.optional_launch")
    lost: list[str] = []

    def lose(route: Any) -> None:
        lost.append(route.request.post_data_json["id"])
        route.fetch()
        route.abort()

    tab.page.route("**/api/v1/executions", lose)
    field(form, "name").fill("Ebro")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form.get_by_text("Your input is kept")).to_be_visible()
    tab.page.unroute("**/api/v1/executions")
    tab.page.reload()
    expect(field(form, "name")).to_have_value("Ebro")
    form.get_by_role("button", name="Launch", exact=True).click()
    tab.page.wait_for_url("**/executions/*")
    assert tab.page.url.rpartition("/")[2] == lost[0]


def test_an_execution_is_launched_again_with_other_inputs(site: Any, tab: Any) -> None:
    first = site.launch("forms.optional_launch", limit=3, tags=["a"], name="Rhine")
    page = tab.open(f"/executions/{first}")
    page.get_by_role("button", name="Relaunch…").click()
    page.get_by_role("menuitem", name="Relaunch with other inputs").click()
    form = page.get_by_role("region", name="Relaunch")
    expect(field(form, "name")).to_have_value("Rhine")
    field(form, "limit").fill("4")
    form.get_by_role("button", name="Relaunch", exact=True).click()
    page.wait_for_url("**/executions/*")
    again = page.url.rpartition("/")[2]
    inputs = site.ask("GET", f"executions/{again}").body["inputs"]
    assert again != first
    assert (inputs["limit"], inputs["tags"], inputs["name"]) == (4, ["a"], "Rhine")


def test_who_may_not_launch_is_not_offered_to(browser: Any, site: Any) -> None:
    page = browser.new_page()
    page.goto(f"{site.url}/#/workflows/forms.optional_launch")
    page.get_by_role("textbox", name="Token").fill(site.token("only-looks", "viewer"))
    page.get_by_role("button", name="Sign in").click()
    launch = page.get_by_role("region", name="Launch")
    expect(launch.get_by_text("may look at this workflow, but not launch it")).to_be_visible()
    expect(launch.get_by_role("button")).to_have_count(0)
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_form_with_faults_and_an_upload(
    site: Any, tab: Any, tmp_path: Path, scheme: str
) -> None:
    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    _, dialog = asked(site, tab, "ask_review", "review")
    findings = dialog.get_by_role("group", name="findings", exact=True)
    findings.get_by_role("button", name="Add one").click()
    field(dialog, "confidence").fill("1.5")
    dialog.get_by_role("button", name="Send answer").click()
    expect(dialog.get_by_text("Needs a value").first).to_be_visible()
    held = Held(tab.page)
    (tmp_path / "notes.txt").write_text("12.50")
    choose(dialog, "annotated", tmp_path / "notes.txt")
    held.wait_for(1)
    clean(tab.page)


@pytest.mark.parametrize("width", [320, 768])
def test_a_form_with_long_words_does_not_scroll_sideways(site: Any, tab: Any, width: int) -> None:
    tab.page.set_viewport_size({"width": width, "height": 700})
    _, dialog = asked(site, tab, "ask_claim", "claim")
    field(dialog, "title").fill("Donaudampfschifffahrt" * 20)
    dialog.get_by_role("button", name="Send answer").click()
    _, dialog = asked(site, tab, "ask_order", "order")
    wide = dialog.evaluate(
        "d => [...d.querySelectorAll('.form, .form *')].filter(e => e.scrollWidth > e.clientWidth + 1"
        " && getComputedStyle(e).overflowX !== 'visible' && !e.matches('.vh, .vh *, input')).map(e => e.className)"
    )
    assert wide == []


def test_a_value_that_is_too_large_is_said_before_it_is_sent(site: Any, tab: Any) -> None:
    sent: list[str] = []
    _, dialog = asked(site, tab, "ask_when", "when", when="2026-01-01T00:00:00+00:00")
    limit = site.ask("GET", "limits").body["value_bytes"]
    execution = site.launch("forms.optional_launch", limit=None, tags=[])
    tab.page.on("request", lambda request: sent.append(request.method))
    tab.open(f"/?task={execution}:word")
    tab.settled(execution)
    field(dialog, "Answer").fill("x" * (limit + 1))
    dialog.get_by_role("button", name="Send answer").click()
    expect(dialog.get_by_text("are allowed: shorten it").first).to_be_visible()
    assert "PUT" not in sent


def test_every_field_is_read_in_the_direction_of_its_text(site: Any, tab: Any) -> None:
    _, dialog = asked(site, tab, "ask_claim", "claim")
    title = field(dialog, "title")
    title.fill("\u0645\u0631\u062d\u0628\u0627")
    assert title.evaluate("node => getComputedStyle(node).direction") == "rtl"
    title.fill("Hotel")
    assert title.evaluate("node => getComputedStyle(node).direction") == "ltr"


def test_what_only_the_server_knows_is_said_before_a_launch(site: Any, tab: Any) -> None:
    form = launching(tab, "/workflows/forms.launch_finding")
    launches: list[str] = []
    tab.page.on("request", lambda request: launches.append(request.url.rpartition("/")[2]))
    field(form, "page").fill("22")
    field(form, "text").focus()
    expect(form.get_by_text("must be at most 14")).to_be_visible()
    expect(form.get_by_text("Needs a value")).to_have_count(0)
    expect(form.get_by_text("Not sent")).to_have_count(0)
    field(form, "page").fill("2")
    expect(form.get_by_text("must be at most 14")).to_have_count(0)
    assert "executions" not in launches


def test_a_check_that_comes_late_takes_no_fault_away(tab: Any) -> None:
    held: list[Any] = []
    page = tab.open("/workflows/shapes.defaults")
    page.route("**/check", lambda route: held.append(route))
    form = page.get_by_role("region", name="Launch")
    count = form.get_by_role("textbox", name="count")
    with page.expect_request("**/check"):
        count.fill("several")
        form.get_by_role("textbox", name="name").focus()
    with page.expect_request("**/check"):
        form.get_by_role("button", name="Launch", exact=True).click()
    expect(count).to_have_attribute("aria-invalid", "true")
    # The first one, asked before the fault was found, is answered last.
    for each in reversed(held):
        with page.expect_response("**/check") as reply:
            each.continue_()
        reply.value.finished()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    expect(count).to_have_attribute("aria-invalid", "true")
