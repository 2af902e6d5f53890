"""Executions and workflows in the web UI: launched from the form, answered from the graph, and watched while they run."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.serving import Server
from tidegate.remote.client import Remote
from tidegate.remote.config import Config

SEED = Path(__file__).parents[1] / "e2e" / "seed_page.py"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AT_ONCE = 1_000
"""Milliseconds within which a change shows."""

AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDE = """
from tidegate import task, workflow


@task
def step(x: int) -> int:
    return x + 1


@workflow
def chain(x: int) -> int:
    for _ in range(5):
        x = step(x=x)
    return x


@workflow
def big(x: int) -> list[int]:
    return [step(x=step(x=step(x=step(x=x)))) for _ in range(125)]


@workflow
def nested(x: int) -> int:
    return step(x=chain(x=x))


@task(retries=1)
def breaks(x: int) -> int:
    print("about to break")
    raise ValueError(f"{x} is too little")


@workflow
def broken(x: int) -> int:
    return breaks(x=x)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("home")).ready()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def remote(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    wide = tmp_path_factory.mktemp("code") / "wide.py"
    wide.write_text(WIDE)
    found = Remote(Config.for_endpoint(f"http://127.0.0.1:{server.port}", server.token))
    found.register(SEED)
    found.register(wide)
    yield found
    found.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("there is no Chromium here; set CHROMIUM, or install one")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


def enter(browser: Browser, server: Server, **options: object) -> Page:
    """Open a page of somebody who is signed in."""
    context = browser.new_context(reduced_motion="reduce", **options)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/#token={server.token}")
    expect(page.get_by_role("link", name="Executions")).to_be_attached()
    return page


@pytest.fixture
def page(browser: Browser, server: Server, remote: Remote) -> Iterator[Page]:
    del remote
    made = enter(browser, server)
    yield made
    made.context.close()


def go(page: Page, place: str) -> None:
    page.evaluate("place => { location.hash = place }", place)


def launched(remote: Remote, workflow: str, **inputs: object) -> str:
    return remote.execute(workflow, inputs).id


def node(page: Page, name: str) -> object:
    return page.locator(".gnode").filter(has=page.get_by_text(name, exact=True))


def test_a_workflow_is_launched_from_its_form_and_answered_from_its_graph(page: Page) -> None:
    go(page, "/workflows/seed_page.reporting_with_approval_wf")
    form = page.get_by_role("region", name="Launch")
    form.get_by_text("Edit as JSON").click()
    form.get_by_role("textbox", name="Inputs").fill('{"data": [1, 2, 6]}')
    form.get_by_role("button", name="Launch", exact=True).click()
    page.get_by_role("region", name="Graph").get_by_role("button", name="Answer title").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Answer").fill("Three figures")
    page.keyboard.press("Enter")
    gate = page.locator(".gnode", has_text="approve-final-report")
    expect(gate).to_have_attribute("data-phase", "WAITING")
    expect(page.locator(".gnode", has_text="title").first).to_have_attribute(
        "data-phase", "SUCCEEDED"
    )


def test_a_node_changes_colour_within_a_second_of_the_answer(page: Page, remote: Remote) -> None:
    execution = launched(remote, "seed_page.reporting_with_approval_wf", data=[1.0, 2.0])
    go(page, f"/executions/{execution}")
    title = page.locator(".gnode", has=page.locator("b", has_text="title"))
    expect(title).to_have_attribute("data-phase", "WAITING")
    page.evaluate("() => { window.untouched = true }")
    before = title.evaluate("node => getComputedStyle(node).borderColor")
    remote.set_input("title", execution, "A title")
    expect(title).to_have_attribute("data-phase", "SUCCEEDED", timeout=AT_ONCE)
    assert title.evaluate("node => getComputedStyle(node).borderColor") != before
    gate = page.locator(".gnode", has_text="approve-final-report")
    expect(gate).to_have_attribute("data-phase", "WAITING")
    remote.approve("approve-final-report", execution)
    expect(gate).to_have_attribute("data-phase", "SUCCEEDED", timeout=AT_ONCE)
    expect(page.locator("h1 + .phase")).to_have_text("Succeeded")
    assert page.evaluate("() => window.untouched"), "the page was loaded anew"


@pytest.mark.parametrize(
    ("passes", "taken", "left"),
    [(True, "finalize_report", "invalid_report"), (False, "invalid_report", "finalize_report")],
)
def test_the_branch_that_was_not_taken_is_shown_as_such(
    page: Page, remote: Remote, passes: bool, taken: str, left: str
) -> None:
    execution = launched(remote, "seed_page.conditional_wf", data=[1.0])
    go(page, f"/executions/{execution}")
    expect(page.locator(".gnode", has_text="title-input")).to_be_visible()
    remote.set_input("title-input", execution, "A title")
    remote.set_input("review-passes", execution, passes)
    expect(page.locator(".gnode", has_text=taken)).to_have_attribute("data-phase", "SUCCEEDED")
    skipped = page.locator(".gnode", has_text=left)
    expect(skipped).to_have_attribute("data-phase", "SKIPPED")
    assert skipped.evaluate("node => getComputedStyle(node).borderStyle") == "dotted"
    expect(page.locator(".gedge-untaken")).not_to_have_count(0)


def test_the_list_shows_what_the_graph_shows(page: Page, remote: Remote) -> None:
    execution = launched(remote, "wide.nested", x=1)
    go(page, f"/executions/{execution}")
    drawn = page.locator(".gnode")
    expect(drawn).to_have_count(7)
    page.get_by_role("button", name="Fold chain").click()
    expect(drawn).to_have_count(2)
    page.get_by_role("button", name="Unfold chain").click()
    expect(drawn).to_have_count(7)
    page.get_by_role("tab", name="List").click()
    expect(page.get_by_role("region", name="Nodes").locator("tbody tr")).to_have_count(7)


def test_a_failed_task_shows_its_attempts_its_error_and_its_log(page: Page, remote: Remote) -> None:
    execution = launched(remote, "wide.broken", x=1)
    go(page, f"/executions/{execution}")
    expect(page.locator("h1 + .phase")).to_have_text("Failed")
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
    page: Page, remote: Remote
) -> None:
    execution = launched(remote, "seed_page.reporting_wf", data=[1.0])
    go(page, f"/executions/{execution}")
    page.get_by_role("button", name="title, Input, Waiting for a person").click()
    panel = page.get_by_role("complementary", name="Node title")
    panel.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    remote.set_input("title", execution, "Mine", comment="as agreed")
    answered = panel.get_by_role("region", name="Answer")
    expect(answered).to_contain_text("Mine")
    expect(answered).to_contain_text("as agreed")


def test_executions_are_found_by_phase_and_by_text(page: Page, remote: Remote) -> None:
    waits = launched(remote, "seed_page.reporting_wf", data=[1.0])
    ended = launched(remote, "wide.chain", x=1)
    go(page, "/executions")
    row = page.locator(f"[data-execution='{waits}']")
    expect(row).to_contain_text("Waiting for a person")
    expect(row.get_by_role("link", name="Answer title")).to_be_visible()
    expect(row).to_contain_text("of 3")
    page.get_by_role("group", name="Phases").get_by_text("Succeeded").click()
    expect(page.locator(f"[data-execution='{ended}']")).to_be_visible()
    expect(row).to_have_count(0)
    page.get_by_role("group", name="Phases").get_by_text("Succeeded").click()
    page.get_by_role("textbox", name="Search by id or workflow").fill(waits)
    expect(page.locator("[data-execution]")).to_have_count(1)


def test_an_execution_is_terminated_and_recovered(page: Page, remote: Remote) -> None:
    execution = launched(remote, "seed_page.reporting_wf", data=[1.0])
    go(page, f"/executions/{execution}")
    page.get_by_role("button", name="Terminate").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("not needed")
    dialog.get_by_role("button", name="Terminate").click()
    expect(page.locator("h1 + .phase")).to_have_text("Terminated")
    page.get_by_role("button", name="Run again").click()
    page.get_by_role("menuitem", name="Recover").click()
    expect(page.get_by_role("link", name=f"from {execution}")).to_be_visible()


def test_what_is_not_there_is_said_with_a_way_on(page: Page) -> None:
    go(page, "/executions/nope")
    expect(page.get_by_role("heading", name="There is no such execution")).to_be_visible()
    go(page, "/workflows/nope")
    expect(page.get_by_role("heading", name="There is no such workflow")).to_be_visible()
    page.get_by_role("link", name="To the workflows").click()
    expect(page.get_by_role("heading", name="Workflows")).to_be_visible()


def test_a_graph_of_500_nodes_is_laid_out_within_three_seconds(page: Page) -> None:
    go(page, "/workflows/wide.big")
    graph = page.get_by_role("region", name="Graph")
    graph.wait_for(timeout=20_000)
    assert int(graph.get_attribute("data-layout-ms") or "0") < 3_000


def test_the_graph_is_walked_by_keyboard(page: Page, remote: Remote) -> None:
    execution = launched(remote, "wide.chain", x=1)
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
def test_the_pages_are_clean_of_faults_that_axe_finds(
    browser: Browser, server: Server, remote: Remote, scheme: str
) -> None:
    waits = launched(remote, "seed_page.conditional_wf", data=[1.0, 2.0])
    failed = launched(remote, "wide.broken", x=1)
    page = enter(browser, server, color_scheme=scheme)
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
        result = Axe().run(page, options={"runOnly": {"type": "tag", "values": AXE_TAGS}})
        found += [
            f"{place}: {each['id']}: {part['html'][:160]} {part['failureSummary'][:300]}"
            for each in result.response["violations"]
            for part in each["nodes"]
        ]
    page.context.close()
    assert found == []


def test_a_phone_shows_the_list_first_and_nothing_is_cut_off(
    browser: Browser, server: Server, remote: Remote
) -> None:
    execution = launched(remote, "seed_page.conditional_wf", data=[1.0])
    page = enter(browser, server, viewport={"width": 390, "height": 844})
    for place in ("/executions", f"/executions/{execution}", "/workflows/seed_page.conditional_wf"):
        go(page, place)
        page.locator("h1").wait_for()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    go(page, f"/executions/{execution}")
    expect(page.get_by_role("tab", name="List")).to_have_attribute("aria-selected", "true")
    page.context.close()
