"""Executions and workflows in the web UI: launched from the form, answered from the graph, and watched while they run."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

expect = playwright.expect
SHAPES = Path(__file__).parent / "programs" / "shapes.py"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHASE = "h1 + .phase"
AT_ONCE = 1_000
"""Milliseconds within which a change shows."""

SLOWEST_LAYOUT = 3_000


@pytest.fixture(scope="module", autouse=True)
def shapes(site: Any) -> None:
    command = [sys.executable, "-m", "tidegate", "register", str(SHAPES), "--home", str(site.home)]
    subprocess.run(command, check=True, capture_output=True, cwd=SHAPES.parent)


@pytest.fixture
def page(tab: Any) -> Any:
    playwright.expect.set_options(timeout=15_000)
    # Colours are read as they are in the end, not on their way there.
    tab.page.emulate_media(reduced_motion="reduce")
    return tab.page


def go(page: Any, place: str) -> None:
    page.evaluate("place => { location.hash = place }", place)


def ended(site: Any, workflow: str, **inputs: Any) -> str:
    """Launch a workflow that asks for nothing, and return the id once it has ended."""
    reply = site.ask("POST", "executions", {"workflow": workflow, "inputs": inputs})
    assert reply.status == 201, reply.body
    site.ask("GET", f"executions/{reply.body['id']}?wait=20")
    return str(reply.body["id"])


def answer(site: Any, execution: str, name: str, value: Any, comment: str = "") -> None:
    """Answer as another program would."""
    path = f"executions/{execution}/signals/{name}"
    reply = site.ask("PUT", path, {"value": value, "comment": comment})
    assert reply.status == 200, reply.body


def drawn(page: Any, name: str) -> Any:
    """Return the node of this name in the graph."""
    return page.locator(".gnode").filter(has=page.locator("b").get_by_text(name, exact=True))


def test_a_workflow_is_launched_from_its_form_and_answered_from_its_graph(page: Any) -> None:
    go(page, "/workflows/seed_page.reporting_with_approval_wf")
    form = page.get_by_role("region", name="Launch")
    form.get_by_role("switch", name="Edit as JSON").check(force=True)
    form.get_by_role("textbox", name="Inputs").fill('{"data": [1, 2, 6]}')
    form.get_by_role("button", name="Launch", exact=True).click()
    page.get_by_role("region", name="Graph").get_by_role("button", name="Answer title").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Answer").fill("Three figures")
    page.keyboard.press("Enter")
    gate = drawn(page, "approve-final-report")
    expect(gate).to_have_attribute("data-phase", "WAITING")
    expect(drawn(page, "title")).to_have_attribute("data-phase", "SUCCEEDED")


def test_a_node_changes_colour_within_a_second_of_the_answer(page: Any, site: Any) -> None:
    execution = site.launch("seed_page.reporting_with_approval_wf", data=[1.0, 2.0])
    go(page, f"/executions/{execution}")
    title = drawn(page, "title")
    expect(title).to_have_attribute("data-phase", "WAITING")
    page.evaluate("() => { window.untouched = true }")
    before = title.evaluate("node => getComputedStyle(node).borderColor")
    answer(site, execution, "title", "A title")
    expect(title).to_have_attribute("data-phase", "SUCCEEDED", timeout=AT_ONCE)
    assert title.evaluate("node => getComputedStyle(node).borderColor") != before
    gate = drawn(page, "approve-final-report")
    expect(gate).to_have_attribute("data-phase", "WAITING")
    answer(site, execution, "approve-final-report", True)
    expect(gate).to_have_attribute("data-phase", "SUCCEEDED", timeout=AT_ONCE)
    expect(page.locator(PHASE)).to_have_text("Succeeded")
    assert page.evaluate("() => window.untouched"), "the page was loaded anew"


@pytest.mark.parametrize(
    ("passes", "taken", "left"),
    [(True, "finalize_report", "invalid_report"), (False, "invalid_report", "finalize_report")],
)
def test_the_branch_that_was_not_taken_is_shown_as_such(
    page: Any, site: Any, passes: bool, taken: str, left: str
) -> None:
    execution = site.launch("seed_page.conditional_wf", data=[1.0])
    go(page, f"/executions/{execution}")
    expect(drawn(page, "title-input")).to_be_visible()
    answer(site, execution, "title-input", "A title")
    answer(site, execution, "review-passes", passes)
    expect(drawn(page, taken)).to_have_attribute("data-phase", "SUCCEEDED")
    skipped = drawn(page, left)
    expect(skipped).to_have_attribute("data-phase", "SKIPPED")
    assert skipped.evaluate("node => getComputedStyle(node).borderStyle") == "dotted"
    expect(page.locator(".gedge-untaken")).not_to_have_count(0)


def test_the_list_shows_what_the_graph_shows(page: Any, site: Any) -> None:
    execution = ended(site, "shapes.nested", x=1)
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
    execution = ended(site, "shapes.broken", x=1)
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


def test_the_resume_button_opens_the_dialog_and_the_panel_tells_who_answered(
    page: Any, site: Any
) -> None:
    execution = site.launch("seed_page.reporting_wf", data=[1.0])
    go(page, f"/executions/{execution}")
    page.get_by_role("button", name="title, Input, Waiting for a person").click()
    panel = page.get_by_role("complementary", name="Node title")
    panel.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    answer(site, execution, "title", "Mine", "as agreed")
    answered = panel.get_by_role("region", name="Answer")
    expect(answered).to_contain_text("Mine")
    expect(answered).to_contain_text("as agreed")


def test_executions_are_found_by_phase_and_by_text(page: Any, site: Any) -> None:
    waits = site.launch("seed_page.reporting_wf", data=[1.0])
    over = ended(site, "shapes.chain", x=1)
    go(page, "/executions")
    row = page.locator(f"[data-execution='{waits}']")
    expect(row).to_contain_text("Waiting for a person")
    expect(row.get_by_role("link", name="Answer title")).to_be_visible()
    expect(row).to_contain_text("of 3")
    page.get_by_role("group", name="Phases").get_by_text("Succeeded").click()
    expect(page.locator(f"[data-execution='{over}']")).to_be_visible()
    expect(row).to_have_count(0)
    page.get_by_role("group", name="Phases").get_by_text("Succeeded").click()
    page.get_by_role("textbox", name="Search by id or workflow").fill(waits)
    expect(page.locator("[data-execution]")).to_have_count(1)


def test_an_execution_is_terminated_and_recovered(page: Any, site: Any) -> None:
    execution = site.launch("seed_page.reporting_wf", data=[1.0])
    go(page, f"/executions/{execution}")
    page.get_by_role("button", name="Terminate").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("not needed")
    dialog.get_by_role("button", name="Terminate").click()
    expect(page.locator(PHASE)).to_have_text("Terminated")
    page.get_by_role("button", name="Run again").click()
    page.get_by_role("menuitem", name="Recover").click()
    expect(page.get_by_role("link", name=f"from {execution}")).to_be_visible()


def test_what_is_not_there_is_said_with_a_way_on(page: Any) -> None:
    go(page, "/executions/nope")
    expect(page.get_by_role("heading", name="There is no such execution")).to_be_visible()
    go(page, "/workflows/nope")
    expect(page.get_by_role("heading", name="There is no such workflow")).to_be_visible()
    page.get_by_role("link", name="To the workflows").click()
    expect(page.get_by_role("heading", name="Workflows")).to_be_visible()


def test_a_graph_of_500_nodes_is_laid_out_within_three_seconds(page: Any) -> None:
    go(page, "/workflows/shapes.big")
    graph = page.get_by_role("region", name="Graph")
    graph.wait_for(timeout=20_000)
    assert int(graph.get_attribute("data-layout-ms") or "0") < SLOWEST_LAYOUT


def test_the_graph_is_walked_by_keyboard(page: Any, site: Any) -> None:
    execution = ended(site, "shapes.chain", x=1)
    go(page, f"/executions/{execution}")
    first = page.locator("[data-focus='n0']")
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-focus='n1']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Node step")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-focus='n1']")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_clean_of_faults_that_axe_finds(page: Any, site: Any, scheme: str) -> None:
    waits = site.launch("seed_page.conditional_wf", data=[1.0, 2.0])
    failed = ended(site, "shapes.broken", x=1)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    places = {
        "/executions": "[data-execution]",
        f"/executions/{waits}?node=n2": ".gnode",
        f"/executions/{waits}?tab=timeline": ".ex-timeline li",
        f"/executions/{waits}?tab=list": ".ex-nodes",
        f"/executions/{waits}?tab=values": ".ex-values",
        f"/executions/{failed}?node=n0": ".ex-attempts",
        "/workflows": ".wf-line",
        "/workflows/seed_page.conditional_wf": ".gnode",
    }
    found = []
    for place, sign in places.items():
        go(page, place)
        page.locator(sign).first.wait_for()
        result = axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
        found += [
            f"{place}: {each['id']}: {part['html'][:160]} {part['failureSummary'][:300]}"
            for each in result.response["violations"]
            for part in each["nodes"]
        ]
    assert found == []


def test_a_phone_shows_the_list_first_and_nothing_is_cut_off(page: Any, site: Any) -> None:
    execution = site.launch("seed_page.conditional_wf", data=[1.0])
    page.set_viewport_size({"width": 390, "height": 844})
    for place in ("/executions", f"/executions/{execution}", "/workflows/seed_page.conditional_wf"):
        go(page, place)
        page.locator("h1").wait_for()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    go(page, f"/executions/{execution}")
    expect(page.get_by_role("tab", name="List")).to_have_attribute("aria-selected", "true")
