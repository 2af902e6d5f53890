"""What axe finds on the pages, in both schemes, and that nothing overflows a phone."""

from typing import Any

import pytest

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


@pytest.fixture(scope="module")
def ids(site: Any) -> dict[str, str]:
    return {
        name: site.launch(f"gates.{name}")
        for name in ("ask_soon", "approve_rows", "every_type", "approve_shown")
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing(tab: Any, ids: dict[str, str], place: str, scheme: str) -> None:
    tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    tab.open(PLACES[place].format(**ids))
    tab.page.locator("[role=dialog] .question, h1").first.wait_for()
    tab.page.wait_for_load_state("networkidle") if place == "nowhere" else None
    tab.page.locator(".mantine-Loader-root").first.wait_for(state="detached")
    found = axe.Axe().run(tab.page, options={"runOnly": {"type": "tag", "values": TAGS}})
    assert [
        (v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in found.response["violations"]
    ] == []


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("place", PLACES)
def test_a_phone_and_a_page_at_400_percent_scroll_in_one_direction(
    tab: Any, ids: dict[str, str], place: str, width: int
) -> None:
    tab.page.set_viewport_size({"width": width, "height": 844})
    tab.open(PLACES[place].format(**ids))
    tab.page.locator("[role=dialog] .question, h1").first.wait_for()
    assert tab.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
