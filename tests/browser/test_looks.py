"""What axe finds on the pages, in both schemes, and that nothing overflows a phone."""

from typing import Any

import pytest
from tests.browser.conftest import decide_selected

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PLACES = {
    "inbox": "/",
    "approve": "/?task={approve_rows}:rows-are-right",
    "choose": "/?task={every_type}:bool",
    "fill": "/?task={every_type}:dataclass",
    "directory": "/?task={every_type}:directory",
    "union": "/?task={every_type}:union",
    "table": "/?task={approve_shown}:table-is-right",
    "over": "/?task={ask_soon}:soon",
    "unknown": "/?task=nobody:nothing",
    "nowhere": "/nowhere",
}
SETTLED = "[role=dialog] .settled"
SIGNS = {
    "inbox": "h1",
    "nowhere": "h1:has-text('no such page')",
    "over": ".closed",
    "unknown": "[role=dialog] .answer-asked",
}
"""What is there once a page is as it is meant to be; a question can be decided then."""

FADES = "document.getAnimations().some((each) => each instanceof CSSTransition)"
MOVES = """() => [...document.querySelectorAll('*')].filter((each) => {
    const { animationName, transitionDuration } = getComputedStyle(each);
    return animationName !== 'none' || transitionDuration.split(', ').some((lasts) => parseFloat(lasts) > 0.001);
}).map((each) => each.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def ids(site: Any) -> dict[str, str]:
    return {
        name: site.launch(f"gates.{name}")
        for name in ("ask_soon", "approve_rows", "every_type", "approve_shown")
    }


def clean(page: Any) -> None:
    """Expect that axe finds nothing. Colours are read as they are in the end, not on their way there."""
    page.locator(".mantine-Loader-root").first.wait_for(state="detached")
    page.wait_for_function(f"() => !{FADES}")
    found = axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    faults = [
        (v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in found.response["violations"]
    ]
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing(tab: Any, ids: dict[str, str], place: str, scheme: str) -> None:
    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    tab.open(PLACES[place].format(**ids))
    tab.page.locator(SIGNS.get(place, SETTLED)).first.wait_for()
    clean(tab.page)


@pytest.mark.parametrize("place", ["inbox", "approve", "choose", "fill"])
def test_nothing_moves_for_who_wants_no_motion(tab: Any, ids: dict[str, str], place: str) -> None:
    tab.page.emulate_media(reduced_motion="reduce")
    tab.open(PLACES[place].format(**ids))
    tab.page.locator(SIGNS.get(place, SETTLED)).first.wait_for()
    assert tab.page.evaluate(MOVES) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_around_it(tab: Any, site: Any, scheme: str) -> None:
    waits = site.launch("seed_page.conditional_wf", data=[1.0, 2.0])
    failed = site.ended("shapes.broken", x=1)
    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
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
    for place, sign in places.items():
        tab.open(place).locator(sign).first.wait_for()
        clean(tab.page)


def show_faults(tab: Any, ids: dict[str, str]) -> None:
    tab.open(f"/?task={ids['every_type']}:model")
    tab.dialog.get_by_role("textbox", name="title").fill("x")
    tab.dialog.get_by_role("button", name="Send answer").click()
    tab.dialog.get_by_role("alert").wait_for()


def select_some(tab: Any, ids: dict[str, str]) -> None:
    tab.open("/").get_by_role("checkbox", name=f"of {ids['approve_rows']}").check()
    tab.page.get_by_role("region", name="Selection").wait_for()


def decide_some(tab: Any, ids: dict[str, str]) -> None:
    taken = tab.site.launch("gates.approve_rows")
    tab.open("/").get_by_role("checkbox", name=f"of {taken}").check()
    tab.page.get_by_role("checkbox", name=f"of {ids['approve_rows']}").check()
    tab.page.get_by_role("button", name="Look and decide").click()
    tab.dialog.get_by_role("radio", name="Approve").wait_for()
    clean(tab.page)
    # Refused for one of them: it has ended while it was looked at.
    tab.site.ask("POST", f"executions/{taken}/abort", {"reason": "not needed"})
    decide_selected(tab.page, "Approve", 2)
    tab.dialog.get_by_text("1 of 2 approved").wait_for()
    ids["approve_rows"] = tab.site.launch("gates.approve_rows")


def filter_all_away(tab: Any, ids: dict[str, str]) -> None:
    tab.open("/").get_by_label("Search").fill("nothing is called so")
    tab.page.get_by_text("No question matches").wait_for()


def list_keys(tab: Any, ids: dict[str, str]) -> None:
    tab.open("/").get_by_role("button", name="Keys").click()
    tab.dialog.get_by_text("Single-key shortcuts").wait_for()


def sign_in(tab: Any, ids: dict[str, str]) -> None:
    tab.page.context.clear_cookies()
    tab.open("/").get_by_role("textbox", name="Token").fill("wrong")
    tab.page.get_by_role("button", name="Sign in").click()
    tab.page.locator("[data-invalid]").first.wait_for()


STATES = [
    show_faults,
    select_some,
    decide_some,
    filter_all_away,
    list_keys,
    sign_in,
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("come_to", STATES, ids=lambda each: each.__name__)
def test_axe_finds_nothing_in_what_one_comes_to(
    tab: Any, ids: dict[str, str], come_to: Any, scheme: str
) -> None:
    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    come_to(tab, ids)
    clean(tab.page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_the_server_is_gone(
    site: Any, tab: Any, ids: dict[str, str], scheme: str
) -> None:
    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    tab.open(f"/executions/{ids['approve_rows']}").locator(".gnode").first.wait_for()
    site.server.kill()
    try:
        tab.page.get_by_text("No connection to the server").wait_for()
        clean(tab.page)
    finally:
        site.restart()


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("place", PLACES)
def test_a_phone_and_a_page_at_400_percent_scroll_in_one_direction(
    tab: Any, ids: dict[str, str], place: str, width: int
) -> None:
    tab.page.set_viewport_size({"width": width, "height": 844})
    tab.open(PLACES[place].format(**ids))
    tab.page.locator(SIGNS.get(place, SETTLED)).first.wait_for()
    assert tab.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
