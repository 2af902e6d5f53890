"""The graph of an execution: loops as rounds, frames that tell what is inside, and a view that nothing moves but the person."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import PROGRAMS, YARDSTICK, Site
from tests.contract.yard import until

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

expect = playwright.expect
SLOWEST_LAYOUT = 3_000
SLOWEST_TURNS = 120
"""A layout takes at most this many milliseconds or, on a busy machine, this many turns of `YARDSTICK`."""
SCALE = "() => new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a"


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("home"), PROGRAMS / "loops.py", PROGRAMS / "shapes.py")
    yield made
    made.server.close()


def drawn(page: Any, name: str) -> Any:
    return page.locator(".gnode").filter(has=page.locator("b").get_by_text(name, exact=True))


def corner(page: Any, node: Any) -> tuple[float, float]:
    """Return where a node is in the graph, wherever that is on the page."""
    box, graph = node.bounding_box(), page.locator(".gcanvas").bounding_box()
    return box["x"] - graph["x"], box["y"] - graph["y"]


def test_a_loop_is_one_frame_with_a_row_for_each_round(tab: Any, site: Site) -> None:
    execution = site.launch("loops.repeats", left=12)
    page = tab.open(f"/executions/{execution}")
    loop = drawn(page, "again").first
    expect(loop).to_have_attribute("data-phase", "WAITING")
    rounds = loop.get_by_role("group", name="Rounds of again")
    expect(rounds.get_by_role("button", name="Round 1, Succeeded")).to_be_visible()
    expect(rounds).to_contain_text("Round 13")
    expect(rounds.get_by_text("Rounds 2 to 9")).to_be_visible()
    rounds.get_by_role("button", name="Rounds 2 to 9").click()
    rounds.get_by_role("button", name="Round 5, Succeeded").click()
    expect(page.locator("[data-node='n0~5/n0'], [data-node='n1~5/n0']").first).to_be_visible()
    rounds.get_by_role("button", name="Round 5, Succeeded").click()
    expect(drawn(page, "last")).to_be_visible()


def test_the_panel_leads_to_the_same_node_of_another_round(tab: Any, site: Site) -> None:
    execution = site.launch("loops.repeats", left=3)
    page = tab.open(f"/executions/{execution}?node=n0~2/n0")
    panel = page.get_by_role("complementary", name="Node step")
    expect(panel.get_by_text("round 2 of 4")).to_be_visible()
    panel.get_by_role("button", name="Same node, previous round").click()
    expect(panel.get_by_text("round 1 of 4")).to_be_visible()
    expect(panel.get_by_role("region", name="Outputs")).to_contain_text("2")


def test_calls_within_calls_are_one_frame_and_the_open_one_is_where_it_waits(
    tab: Any, site: Site
) -> None:
    execution = site.launch("loops.nested_calls", left=12)
    page = tab.open(f"/executions/{execution}")
    expect(drawn(page, "bottom")).to_be_visible()
    expect(page.locator(".gnode-container")).to_have_count(1)
    frame = page.get_by_role("group", name="Calls of nest")
    frame.get_by_role("button", name="Call 1, Not started").click()
    expect(drawn(page, "step")).to_be_visible()
    expect(drawn(page, "bottom")).to_have_count(0)
    frame.get_by_role("button", name="Call 1, Not started").click()
    expect(drawn(page, "bottom")).to_be_visible()


def test_a_frame_in_which_somebody_is_waited_for_waits(tab: Any, site: Site) -> None:
    execution = site.launch("loops.around", x=1)
    page = tab.open(f"/executions/{execution}")
    expect(drawn(page, "inner")).to_have_attribute("data-phase", "WAITING")
    page.get_by_role("tab", name="List").click()
    row = page.locator("tr[data-node=n1]")
    expect(row).to_contain_text("Waiting for people")
    expect(page.get_by_role("region", name="Timeline")).to_have_count(0)


def test_a_case_that_fails_is_drawn_and_what_follows_was_not_reached(tab: Any, site: Site) -> None:
    execution = site.ended("loops.judged", x=1)
    page = tab.open(f"/executions/{execution}")
    fails = drawn(page, "it is not good enough")
    expect(fails).to_have_attribute("data-phase", "FAILED")
    expect(page.locator(".gcase").get_by_text("else", exact=True)).to_be_visible()
    execution = site.ended("shapes.broken", x=1)
    page = tab.open(f"/executions/{execution}")
    expect(page.get_by_role("alert")).to_contain_text("ValueError: 1 is too little")


def test_choosing_a_node_leaves_the_graph_where_it_is(tab: Any, site: Site) -> None:
    execution = site.launch("loops.around", x=1)
    page = tab.open(f"/executions/{execution}")
    node = drawn(page, "step").first
    expect(node).to_be_visible()
    page.get_by_role("button", name="Zoom in").click()
    scale, place = page.evaluate(SCALE), corner(page, node)
    node.get_by_role("button").first.click()
    expect(page.get_by_role("complementary", name="Node step")).to_be_visible()
    assert page.evaluate(SCALE) == scale
    assert corner(page, node) == pytest.approx(place, abs=2)


def test_folding_keeps_what_was_clicked_under_the_pointer(tab: Any, site: Site) -> None:
    execution = site.launch("loops.around", x=1)
    page = tab.open(f"/executions/{execution}")
    frame = drawn(page, "inner")
    expect(drawn(page, "inside")).to_be_visible()
    expect(page.get_by_role("region", name="Graph")).to_have_attribute("aria-busy", "false")
    place = corner(page, frame)
    page.get_by_role("button", name="Fold inner").click()
    expect(drawn(page, "inside")).to_have_count(0)
    until(lambda: corner(page, frame) == pytest.approx(place, abs=2))


def test_a_node_is_found_by_name_and_brought_into_view(tab: Any, site: Site) -> None:
    execution = site.ended("loops.rows", x=1)
    page = tab.open(f"/executions/{execution}")
    expect(page.locator(".gnode").first).to_be_visible()
    field = page.get_by_role("searchbox", name="Find a node")
    field.fill("step")
    expect(page.get_by_text("1 of 45")).to_be_visible()
    field.press("Enter")
    expect(page.get_by_text("2 of 45")).to_be_visible()
    field.fill("nowhere")
    expect(page.get_by_text("No node matches")).to_be_visible()
    expect(page.get_by_role("img", name="Overview of the graph")).to_be_visible()


def test_the_graph_fills_the_screen_and_is_one_stop_for_tab(tab: Any, site: Site) -> None:
    execution = site.launch("loops.around", x=1)
    page = tab.open(f"/executions/{execution}")
    graph = page.get_by_role("region", name="Graph")
    expect(drawn(page, "inside")).to_be_visible()
    assert page.locator(".gname[tabindex='0']").count() == 1
    page.keyboard.press("w")
    expect(page.locator("[data-focus]:focus")).to_contain_text("inside")
    page.keyboard.press("f")
    assert graph.bounding_box()["height"] == page.viewport_size["height"]
    page.keyboard.press("Escape")
    assert graph.bounding_box()["height"] < page.viewport_size["height"]


def test_logs_of_all_tasks_are_searched_and_downloaded(
    tab: Any, site: Site, tmp_path: Path
) -> None:
    execution = site.ended("loops.rows", x=1)
    page = tab.open(f"/executions/{execution}?tab=logs")
    page.get_by_role("searchbox", name="Search in log of all tasks").fill("WARNING")
    log = page.get_by_label("Log of all tasks", exact=True)
    expect(log.locator("mark").first).to_have_text("warning")
    expect(log).not_to_contain_text("step 2")
    with page.expect_download() as waited:
        page.get_by_role("button", name="Download log of all tasks").click()
    waited.value.save_as(tmp_path / "all.log")
    assert "step 2" in (tmp_path / "all.log").read_text()
    page.get_by_role("button", name="Full width").click()
    expect(page.get_by_role("dialog")).to_contain_text("step 2")


def test_the_panel_says_what_a_node_was_given(tab: Any, site: Site) -> None:
    execution = site.launch("loops.around", x=41)
    page = tab.open(f"/executions/{execution}?node=n0")
    panel = page.get_by_role("complementary", name="Node step")
    expect(panel.get_by_role("region", name="Inputs")).to_contain_text("41")
    expect(panel.get_by_role("region", name="Outputs")).to_contain_text("42")
    panel.get_by_role("tab", name="Raw").click()
    expect(panel.get_by_label("Raw state of step")).to_contain_text('"attempts": 1')


def test_the_history_says_in_words_what_happened(tab: Any, site: Site) -> None:
    execution = site.launch("loops.around", x=1)
    page = tab.open(f"/executions/{execution}?tab=history")
    history = page.get_by_role("region", name="History")
    expect(history.get_by_text("Launched by admin")).to_be_visible()
    page.get_by_role("searchbox", name="Search the history").fill("step succ")
    expect(history.locator("tbody tr")).to_have_count(1)


def test_the_list_folds_what_is_alike(tab: Any, site: Site) -> None:
    execution = site.ended("shapes.wide", many=40)
    page = tab.open(f"/executions/{execution}?tab=list")
    rows = page.get_by_role("region", name="Nodes").locator("tbody tr")
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="step × 40").click()
    expect(rows).to_have_count(43)
    page.get_by_role("searchbox", name="Find a node").fill("add_up")
    expect(rows).to_have_count(1)


def test_a_graph_of_500_nodes_is_laid_out_within_three_seconds(tab: Any, site: Site) -> None:
    page = tab.open("/workflows/shapes.big")
    took: list[int] = []
    # The best of a few, as others may be at work on this machine; one is enough if it is good.
    while len(took) < 5 and min(took, default=SLOWEST_LAYOUT) >= SLOWEST_LAYOUT:
        page.reload()
        graph = page.locator("[data-layout-ms]")
        graph.wait_for(timeout=30_000)
        took.append(int(graph.get_attribute("data-layout-ms") or "0"))
    assert 0 < min(took) < max(SLOWEST_LAYOUT, SLOWEST_TURNS * page.evaluate(YARDSTICK))


def test_the_graph_is_walked_by_keyboard(tab: Any, site: Site) -> None:
    execution = site.ended("shapes.chain", x=1)
    page = tab.open(f"/executions/{execution}")
    first = page.locator("[data-focus='n0']")
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-focus='n1']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Node step")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-focus='n1']")).to_be_focused()
