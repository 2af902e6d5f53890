"""Executions and workflows in the web UI: launched from the form, answered from the graph, and watched while they run."""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import LIVE_MS, PROGRAMS, settled
from tests.serving import slowed

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

expect = playwright.expect
SHAPES = PROGRAMS / "shapes.py"
PHASE = "h1 + .phase"
AT_ONCE = 1.0
"""Seconds within which a change shows."""

TRIES = 5
"""How many times this is measured at most: on a machine with much to do, one may be late by no fault of the page."""


@pytest.fixture
def page(tab: Any) -> Any:
    # Colours are read as they are in the end, not on their way there.
    tab.page.emulate_media(reduced_motion="reduce")
    tab.open("/").locator("h1").wait_for()
    return tab.page


def go(page: Any, place: str) -> None:
    page.evaluate("place => { location.hash = place }", place)


def answer(site: Any, execution: str, name: str, value: Any, comment: str = "") -> None:
    """Answer as another program would."""
    path = f"executions/{execution}/signals/{name}"
    reply = site.ask("PUT", path, {"value": value, "comment": comment})
    assert reply.status == 200, reply.body


def drawn(page: Any, name: str) -> Any:
    """Return the node of this name in the graph."""
    return page.locator(".gnode").filter(has=page.locator("b").get_by_text(name, exact=True))


def launch(page: Any, workflow: str, *numbers: str) -> str:
    """Type numbers into the form of a workflow, send it, and return the id of what it leads to."""
    go(page, f"/workflows/{workflow}")
    form = page.get_by_role("region", name="Launch")
    for place, number in enumerate(numbers, 1):
        form.get_by_role("button", name="Add one").click()
        form.get_by_role("textbox", name=f"{place}.").fill(number)
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator(PHASE)).to_be_visible()
    return str(page.evaluate("() => location.hash")).rpartition("/")[2]


def test_a_report_is_launched_from_the_form_and_its_title_given_at_the_node(
    page: Any, site: Any
) -> None:
    execution = launch(page, "seed_page.reporting_wf", "1", "2", "6.5")
    page.get_by_role("region", name="Graph").get_by_role("button", name="Answer title").click()
    settled(page).get_by_role("textbox", name="Answer").fill("Three figures")
    page.keyboard.press("Enter")
    expect(drawn(page, "finalize_report")).to_have_attribute("data-phase", "SUCCEEDED")
    (output,) = site.ask("GET", f"executions/{execution}?wait=20").body["outputs"].values()
    assert output["title"] == "Three figures"
    assert output["max"] == 6.5


def test_a_report_is_titled_in_the_inbox_and_then_approved(page: Any, site: Any) -> None:
    execution = launch(page, "seed_page.reporting_with_approval_wf", "1", "2")
    go(page, "/")
    page.get_by_role("listitem").filter(has_text=execution).get_by_role("link").first.click()
    dialog = settled(page)
    dialog.get_by_role("textbox", name="Answer").fill("Two figures")
    page.keyboard.press("Enter")
    dialog.get_by_role("heading", name="Answered: ").wait_for()
    go(page, f"/executions/{execution}")
    page.get_by_role("button", name="Approve… approve-final-report").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("Two figures")
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.locator(PHASE)).to_have_text("Succeeded")
    assert site.answer_of(execution, "approve-final-report")["via"] == "ui"


def test_a_fault_of_the_inputs_stands_at_its_field(page: Any) -> None:
    go(page, "/workflows/shapes.defaults")
    form = page.get_by_role("region", name="Launch")
    expect(form.get_by_role("textbox", name="name")).to_have_value("Nile")
    form.get_by_role("textbox", name="count").fill("several")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form.get_by_role("textbox", name="count")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_role("textbox", name="count")).to_be_focused()
    form.get_by_role("textbox", name="name").focus()
    form.get_by_role("alert").get_by_role("button", name="count").click()
    expect(form.get_by_role("textbox", name="count")).to_be_focused()
    expect(page.get_by_role("heading", name="defaults")).to_be_visible()


def test_the_last_inputs_are_one_click_away(page: Any, site: Any) -> None:
    site.launch("shapes.defaults", count=7, name="Rhine")
    go(page, "/workflows/shapes.defaults")
    form = page.get_by_role("region", name="Launch")
    form.get_by_role("button", name="Use the last inputs").click()
    expect(form.get_by_role("textbox", name="count")).to_have_value("7")
    expect(form.get_by_role("textbox", name="name")).to_have_value("Rhine")


def test_a_node_changes_colour_within_a_second_of_the_answer(page: Any, site: Any) -> None:
    took, execution = list[float](), ""
    page.evaluate("() => { window.untouched = true }")
    while len(took) < TRIES and min(took, default=AT_ONCE) >= AT_ONCE:
        execution = site.launch("seed_page.reporting_with_approval_wf", data=[1.0, 2.0])
        go(page, f"/executions/{execution}")
        title = drawn(page, "title")
        expect(title).to_have_attribute("data-phase", "WAITING")
        before = title.evaluate("node => getComputedStyle(node).borderColor")
        answer(site, execution, "title", "A title")
        begun = time.perf_counter()
        expect(title).to_have_attribute("data-phase", "SUCCEEDED", timeout=LIVE_MS)
        took.append(time.perf_counter() - begun)
        assert title.evaluate("node => getComputedStyle(node).borderColor") != before
    assert min(took) < slowed(AT_ONCE)
    gate = drawn(page, "approve-final-report")
    expect(gate).to_have_attribute("data-phase", "WAITING")
    answer(site, execution, "approve-final-report", True)
    expect(gate).to_have_attribute("data-phase", "SUCCEEDED", timeout=LIVE_MS)
    expect(page.locator(PHASE)).to_have_text("Succeeded")
    assert page.evaluate("() => window.untouched"), "the page was loaded again"


@pytest.mark.parametrize(
    ("choice", "taken", "left"),
    [("Yes", "finalize_report", "invalid_report"), ("No", "invalid_report", "finalize_report")],
)
def test_each_way_through_a_condition_is_taken_in_the_browser(
    page: Any, site: Any, choice: str, taken: str, left: str
) -> None:
    execution = site.launch("seed_page.conditional_wf", data=[1.0])
    answer(site, execution, "title-input", "A title")
    go(page, f"/executions/{execution}")
    page.get_by_role("button", name="Answer review-passes").first.click()
    settled(page).get_by_role("radio", name=choice).check()
    page.keyboard.press("Control+Enter")
    expect(drawn(page, taken)).to_have_attribute("data-phase", "SUCCEEDED")
    skipped = drawn(page, left)
    expect(skipped).to_have_attribute("data-phase", "SKIPPED")
    assert skipped.evaluate("node => getComputedStyle(node).borderStyle") == "dotted"
    expect(page.locator(".gedge-untaken")).not_to_have_count(0)


def test_an_open_execution_goes_on_after_its_server_was_killed(page: Any, site: Any) -> None:
    execution = site.launch("seed_page.reporting_wf", data=[1.0])
    go(page, f"/executions/{execution}")
    expect(drawn(page, "title")).to_have_attribute("data-phase", "WAITING")
    site.restart()
    expect(page.get_by_text("No connection to the server")).to_have_count(0)
    answer(site, execution, "title", "After the fall")
    expect(drawn(page, "title")).to_have_attribute("data-phase", "SUCCEEDED", timeout=LIVE_MS)
    expect(page.locator(PHASE)).to_have_text("Succeeded", timeout=LIVE_MS)


def test_another_tab_shows_at_once_what_was_answered_in_the_first(tabs: Any, site: Any) -> None:
    execution = site.launch("seed_page.reporting_with_approval_wf", data=[1.0])
    first, second = (tabs().open(f"/executions/{execution}") for _ in range(2))
    second.get_by_role("button", name="Answer title").first.click()
    settled(second).get_by_role("textbox", name="Answer").fill("Too late")
    first.get_by_role("button", name="Answer title").first.click()
    settled(first).get_by_role("textbox", name="Answer").fill("In time")
    first.keyboard.press("Enter")
    expect(second.get_by_role("dialog")).to_contain_text("Already answered by", timeout=LIVE_MS)
    expect(drawn(second, "title")).to_have_attribute("data-phase", "SUCCEEDED")
    assert site.answer_of(execution, "title")["value"] == "In time"


def test_many_nodes_that_are_alike_are_one_until_they_are_unfolded(page: Any, site: Any) -> None:
    execution = site.ended("shapes.wide", many=1_000)
    go(page, f"/executions/{execution}")
    group = page.locator(".gnode").filter(has_text="step \N{MULTIPLICATION SIGN} 1000")
    expect(group).to_contain_text("1000 of 1000")
    expect(page.locator(".gnode")).to_have_count(3)
    page.get_by_role("button", name="Unfold step \N{MULTIPLICATION SIGN} 1000").click()
    expect(page.get_by_role("region", name="Graph")).to_have_attribute("aria-busy", "false")
    expect(
        page.get_by_role("button", name="Fold step \N{MULTIPLICATION SIGN} 1000")
    ).to_be_attached()
    expect(page.locator(".gnode").nth(20)).to_be_attached()


def test_two_gates_of_one_name_are_told_apart(page: Any, site: Any) -> None:
    execution = site.launch("shapes.twice", x=1)
    go(page, "/executions")
    row = page.locator(f"[data-execution='{execution}']")
    row.get_by_role("link", name="2 \N{MULTIPLICATION SIGN} how many").click()
    expect(page.get_by_role("region", name="Waiting for people")).to_be_visible()
    site.ask("PUT", f"executions/{execution}/signals/n1%2Fhow%20many", {"value": 5})
    go(page, "/executions")
    expect(row.get_by_role("link", name="Answer how many")).to_be_visible()


def test_what_waits_is_the_first_stop_after_the_skip_link(page: Any, site: Any) -> None:
    execution = site.launch("shapes.twice", x=1)
    go(page, f"/executions/{execution}")
    bar = page.get_by_role("region", name="Waiting for people")
    bar.wait_for()
    page.get_by_role("link", name="Skip to the page").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(bar.get_by_role("button").first).to_be_focused()


@pytest.mark.parametrize("opener", ["node", "panel", "bar"])
def test_the_focus_returns_to_what_opened_the_dialog(page: Any, site: Any, opener: str) -> None:
    execution = site.launch("seed_page.reporting_wf", data=[1.0])
    go(page, f"/executions/{execution}?node=" + ("n1" if opener == "panel" else ""))
    drawn(page, "title").wait_for()
    found = {
        "node": drawn(page, "title").get_by_role("button", name="Answer title"),
        "panel": page.get_by_role("complementary").get_by_role("button", name="Answer"),
        "bar": page.get_by_role("region", name="Waiting for people").get_by_role("button"),
    }[opener]
    found.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("textbox", name="Answer")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(found).to_be_focused()


def test_a_broken_version_leaves_what_was_there_to_be_answered(
    page: Any, site: Any, tmp_path: Path
) -> None:
    file = tmp_path / "shapes_broken.py"
    command = [sys.executable, "-m", "tidegate", "register", str(file), "--home", str(site.home)]
    file.write_text(SHAPES.read_text())
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    execution = site.launch("shapes_broken.defaults", count=1)
    file.write_text("import nothing_is_called_so\n")
    assert subprocess.run(command, check=False, capture_output=True, cwd=tmp_path).returncode != 0
    go(page, "/workflows/shapes_broken.defaults")
    expect(page.locator(".gnode")).to_have_count(1)
    expect(page.get_by_label("Version").get_by_role("option")).to_have_count(1)
    go(page, f"/executions/{execution}?task={execution}:word")
    settled(page).get_by_role("textbox", name="Answer").fill("still here")
    page.keyboard.press("Enter")
    expect(page.locator(PHASE)).to_have_text("Succeeded")


def test_a_version_that_is_not_there_leads_to_the_latest(page: Any) -> None:
    go(page, "/workflows/shapes.chain?version=gone")
    expect(page.get_by_role("heading", name="There is no such workflow")).to_be_visible()
    page.get_by_role("link", name="To its latest version").click()
    expect(page.locator(".gnode").first).to_be_visible()


def test_an_execution_is_shown_and_answered_without_its_workflow(page: Any, site: Any) -> None:
    execution = site.launch("shapes.defaults", count=1)
    page.route("**/api/v1/workflows/**", lambda route: route.fulfill(status=404, json={}))
    go(page, f"/executions/{execution}")
    expect(page.get_by_text("Its workflow could not be loaded")).to_be_visible()
    drawn(page, "word").get_by_role("button", name="Answer word").click()
    expect(page.get_by_role("dialog").get_by_role("textbox", name="Answer")).to_be_focused()


def test_a_pause_counts_down(page: Any, site: Any) -> None:
    execution = site.begin("shapes.naps", x=1)
    go(page, f"/executions/{execution}")
    pause = drawn(page, "sleep")
    expect(pause).to_contain_text("9 min")
    assert pause.evaluate("node => getComputedStyle(node).borderStyle") == "dashed"
    shown = pause.text_content()
    expect(pause).not_to_have_text(shown)
    expect(page.locator(PHASE)).to_have_text("Sleeping")


def test_a_log_is_followed_while_the_task_runs(page: Any, site: Any) -> None:
    execution = site.begin("shapes.talks", lines=400)
    go(page, f"/executions/{execution}?node=n0")
    panel = page.get_by_role("complementary", name="Node talk")
    panel.get_by_role("tab", name="Logs").click()
    log = panel.get_by_label("Log of attempt 1").last
    expect(log).to_contain_text("line 30")
    expect(log).to_contain_text("line 60")
    # It grows meanwhile: what was written last is out of sight for the moment until it is scrolled to.
    page.wait_for_function(
        "box => box.scrollHeight - box.scrollTop - box.clientHeight < 40", arg=log.element_handle()
    )
    site.ask("POST", f"executions/{execution}/abort", {"reason": "seen enough"})


def test_a_report_is_shown_where_it_can_do_nothing(page: Any, site: Any) -> None:
    execution = site.launch("shapes.shown", x=3)
    go(page, f"/executions/{execution}?node=n0")
    panel = page.get_by_role("complementary", name="Node draw")
    panel.get_by_role("tab", name="Report").click()
    frame = panel.locator("iframe")
    expect(frame.content_frame.get_by_role("heading", name="3 corners")).to_be_visible()
    assert frame.get_attribute("sandbox") == ""
    expect(panel.get_by_role("link", name="Open in a new tab")).to_be_visible()
    expect(panel.get_by_role("link", name="Download")).to_be_visible()


def test_the_timeline_tells_who_answered(page: Any, site: Any) -> None:
    execution = site.launch("seed_page.reporting_wf", data=[1.0])
    answer(site, execution, "title", "A title")
    go(page, f"/executions/{execution}?tab=timeline")
    line = page.get_by_role("region", name="Timeline").get_by_role("listitem")
    wait = line.filter(has_text="title").get_by_role("img")
    expect(wait.first).to_have_accessible_name(re.compile("Waiting for people .* answered by"))


def test_the_address_says_what_is_shown(page: Any, site: Any) -> None:
    execution = site.ended("shapes.chain", x=1)
    go(page, "/executions")
    choose(page, "Workflow", "shapes.chain")
    choose(page, "Launched", "In the last hour")
    page.get_by_role("group", name="Phases").get_by_text("Succeeded").click()
    page.get_by_role("searchbox", name="Search by id or workflow").fill(execution)
    expect(page.locator("[data-execution]")).to_have_count(1)
    for part in ("workflow=shapes.chain", "launched=hour", "phase=SUCCEEDED", execution):
        page.wait_for_function("part => location.hash.includes(part)", arg=part)
    page.reload()
    expect(page.locator("[data-execution]")).to_have_count(1)
    expect(page.get_by_role("button", name="Launched In the last hour")).to_be_visible()
    page.get_by_role("group", name="Phases").get_by_text("Failed").click()
    page.get_by_role("group", name="Phases").get_by_text("Succeeded").click()
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.locator(f"[data-execution='{execution}']")).to_be_visible()


def choose(page: Any, label: str, choice: str) -> None:
    """Choose in the menu of a filter."""
    page.get_by_role("button", name=re.compile(f"^{label}")).click()
    page.get_by_role("menuitemradio", name=choice).click()


def test_how_an_execution_ended_is_told_in_the_list_and_can_be_filtered(
    page: Any, site: Any
) -> None:
    rejected = site.launch("gates.approve_rows")
    site.ask(
        "PUT",
        f"executions/{rejected}/signals/rows-are-right",
        {"value": False, "comment": "row 3 is wrong"},
    )
    failed = site.ended("shapes.broken", x=1)
    go(page, "/executions")
    rows = {each: page.locator(f"[data-execution='{each}']") for each in (rejected, failed)}
    expect(rows[rejected]).to_contain_text("Rejected")
    expect(rows[rejected]).to_contain_text("row 3 is wrong")
    expect(rows[failed]).to_contain_text("Failed")
    page.get_by_role("group", name="Phases").get_by_text("Rejected").click()
    expect(rows[failed]).to_have_count(0)
    expect(rows[rejected]).to_be_visible()


def test_many_executions_are_terminated_and_relaunched_at_once(page: Any, site: Any) -> None:
    ids = [site.launch("gates.approve_rows") for _ in range(2)]
    go(page, "/executions")
    for each in ids:
        page.get_by_role("checkbox", name=each).check()
    page.get_by_role("region", name="Selection").get_by_role("button", name="Terminate").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why").fill("not needed")
    dialog.get_by_role("button", name="Terminate 2").click()
    expect(dialog).to_contain_text("2 of 2 terminated")
    dialog.get_by_role("button", name="Close").last.click()
    for each in ids:
        expect(page.locator(f"[data-execution='{each}']")).to_contain_text("not needed")
    page.get_by_role("checkbox", name=ids[0]).check()
    page.get_by_role("button", name="Select all").click()
    page.get_by_role("region", name="Selection").get_by_role("button", name="Recover").click()
    expect(dialog.locator("li").filter(has_text=ids[0])).to_contain_text("asked again")


def test_each_version_of_a_workflow_keeps_its_graph(page: Any, site: Any, tmp_path: Path) -> None:
    code = SHAPES.read_text()
    file = tmp_path / "shapes_too.py"
    command = [sys.executable, "-m", "tidegate", "register", str(file), "--home", str(site.home)]
    file.write_text(code)
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    execution = site.begin("shapes_too.naps", x=1)
    go(page, "/workflows/shapes_too.naps")
    expect(page.locator(".gnode")).to_have_count(2)
    file.write_text(
        code.replace("pause >> last\n    return last", "pause >> last\n    return step(x=last)")
    )
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.get_by_label("Version").get_by_role("option")).to_have_count(2)
    page.reload()
    expect(page.locator(".gnode")).to_have_count(3)
    go(page, f"/executions/{execution}")
    expect(page.locator(".gnode")).to_have_count(2)
    page.get_by_role("link", name="version").click()
    expect(page.get_by_role("heading", name="naps", level=1)).to_be_visible()
    expect(page.locator(".gnode")).to_have_count(2)


def test_the_list_shows_what_the_graph_shows(page: Any, site: Any) -> None:
    execution = site.ended("shapes.nested", x=1)
    go(page, f"/executions/{execution}")
    drawn = page.locator(".gnode")
    expect(drawn).to_have_count(7)
    page.get_by_role("button", name="Fold chain").click()
    expect(drawn).to_have_count(2)
    page.get_by_role("button", name="Unfold chain").click()
    expect(drawn).to_have_count(7)
    page.get_by_role("tab", name="List").click()
    expect(page.get_by_role("region", name="Nodes").locator("tbody tr")).to_have_count(7)


def test_a_failed_task_shows_its_attempts_its_error_and_its_log(page: Any, site: Any) -> None:
    execution = site.ended("shapes.broken", x=1)
    go(page, f"/executions/{execution}")
    expect(page.locator(PHASE)).to_have_text("Failed")
    page.get_by_role("button", name="Show breaks").click()
    panel = page.get_by_role("complementary", name="Node breaks")
    expect(panel.get_by_text("ValueError: 1 is too little").first).to_be_visible()
    expect(panel.get_by_text("Attempt 1")).to_be_visible()
    expect(panel.get_by_text("Attempt 2")).to_be_visible()
    panel.get_by_role("tab", name="Logs").click()
    expect(panel.get_by_text("about to break").first).to_be_visible()
    panel.get_by_role("tab", name="Report").click()
    expect(panel.get_by_text("This task wrote no report.")).to_be_visible()


def test_the_answer_button_of_the_panel_opens_the_dialog_and_the_panel_tells_who_answered(
    page: Any, site: Any
) -> None:
    execution = site.launch("seed_page.reporting_wf", data=[1.0])
    go(page, f"/executions/{execution}")
    page.get_by_role("button", name="title, Input, Waiting for people").click()
    panel = page.get_by_role("complementary", name="Node title")
    panel.get_by_role("button", name="Answer").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    answer(site, execution, "title", "Mine", "as agreed")
    answered = panel.get_by_role("region", name="Answer")
    expect(answered).to_contain_text("Mine", timeout=LIVE_MS)
    expect(answered).to_contain_text("as agreed")


def test_executions_are_found_by_phase_and_by_text(page: Any, site: Any) -> None:
    waits = site.launch("seed_page.reporting_wf", data=[1.0])
    over = site.ended("shapes.chain", x=1)
    go(page, "/executions")
    row = page.locator(f"[data-execution='{waits}']")
    expect(row).to_contain_text("Waiting for people")
    expect(row.get_by_role("link", name="Answer title")).to_be_visible()
    page.get_by_role("group", name="Phases").get_by_text("Succeeded").click()
    expect(page.locator(f"[data-execution='{over}']")).to_be_visible()
    expect(row).to_have_count(0)
    page.get_by_role("group", name="Phases").get_by_text("Succeeded").click()
    page.get_by_role("searchbox", name="Search by id or workflow").fill(waits)
    expect(page.locator("[data-execution]")).to_have_count(1)


def test_an_execution_is_terminated_and_recovered(page: Any, site: Any) -> None:
    execution = site.launch("seed_page.reporting_wf", data=[1.0])
    go(page, f"/executions/{execution}")
    page.get_by_role("button", name="Terminate").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("not needed")
    dialog.get_by_role("button", name="Terminate").click()
    expect(page.locator(PHASE)).to_have_text("Terminated")
    page.get_by_role("button", name="Recover").click()
    page.get_by_role("dialog").get_by_role("button", name="Recover").click()
    expect(page.get_by_role("link", name=f"from {execution}")).to_be_visible()
    page.get_by_role("link", name=f"from {execution}").click()
    expect(page.get_by_role("link", name="recovered by")).to_be_visible()


def test_a_recovery_says_what_it_keeps_before_it_happens(page: Any, site: Any) -> None:
    execution = site.launch("gates.approve_rows")
    site.ask("POST", f"executions/{execution}/signals/rows-are-right/reject", {})
    site.ask("GET", f"executions/{execution}?wait=20")
    go(page, f"/executions/{execution}")
    page.get_by_role("button", name="Recover").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Results are kept")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert site.ask("GET", f"executions/{execution}").body["successor"] == ""


def test_what_is_not_there_is_said_with_a_way_on(page: Any) -> None:
    go(page, "/executions/nope")
    expect(page.get_by_role("heading", name="There is no such execution")).to_be_visible()
    go(page, "/workflows/nope")
    expect(page.get_by_role("heading", name="There is no such workflow")).to_be_visible()
    page.get_by_role("link", name="To the workflows").click()
    expect(page.get_by_role("heading", name="Workflows")).to_be_visible()
