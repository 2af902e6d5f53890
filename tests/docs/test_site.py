"""
The documentation is a site that stands alone: built without a network, opened from the disk, and nothing on it comes from elsewhere.

Method: build it, and open every page in the browser of the machine with the network off. Each request is written down.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import ARGS, browser, chromium, playwright  # noqa: F401

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
    for path in (ROOT / "docs").rglob("*.md")
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(place)],
        cwd=ROOT,
        # A proxy that is not there: whatever the build would fetch fails it.
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "https_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return place


class Reader:
    """A browser window that writes down what it was asked to load, and what went wrong."""

    def __init__(self, window: Any) -> None:
        self.outside: list[str] = []
        self.failed: list[str] = []
        self.page = window.new_page()
        self.page.on("request", lambda r: self.note(r.url))
        self.page.on("requestfailed", lambda r: self.failed.append(f"{r.url}: {r.failure}"))
        self.page.on("pageerror", lambda e: self.failed.append(f"{self.page.url}: {e}"))
        self.page.on(
            "console",
            lambda m: self.failed.append(f"{self.page.url}: {m.text}") if m.type == "error" else 0,
        )

    def note(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.outside.append(url)


@pytest.fixture(scope="module")
def reader(browser: Any) -> Iterator[Reader]:  # noqa: F811
    window = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    yield Reader(window)
    window.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_a_network_and_asks_for_nothing_that_is_not_there(
    site: Path, reader: Reader, name: str
) -> None:
    reader.outside.clear()
    reader.failed.clear()

    reader.page.goto((site / name).as_uri(), wait_until="load")

    assert reader.page.locator("h1").count() == 1
    broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)"
    assert reader.page.evaluate(broken) == []
    # Markdown that was not understood is left in the text.
    texts = reader.page.evaluate(
        "[...document.querySelectorAll('article p')].map(p => p.innerText)"
    )
    assert [text for text in texts if re.search(r"(^|\s)- \*\*|```|\]\(|^- |\n- ", text)] == []
    assert reader.outside == []
    assert reader.failed == []


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_the_screen(site: Path, reader: Reader, width: int) -> None:
    reader.page.set_viewport_size({"width": width, "height": 900})
    wide = []
    for name in PAGES:
        reader.page.goto((site / name).as_uri(), wait_until="load")
        inner = reader.page.evaluate("document.documentElement.scrollWidth")
        if inner > width:
            wide.append(f"{name}: {inner}")

    assert wide == []


def test_the_search_works_from_the_disk(site: Path, reader: Reader) -> None:
    reader.page.set_viewport_size({"width": 1280, "height": 900})
    reader.page.goto((site / PAGES[0]).as_uri(), wait_until="load")

    reader.page.get_by_role("textbox", name="Search").press_sequentially("idempotency")
    found = reader.page.locator(".md-search-result__item").first
    found.wait_for()

    assert "idempotency" in found.inner_text().lower()
    assert reader.outside == []


def test_every_page_is_in_the_navigation(site: Path) -> None:
    shown = re.findall(
        r'<a href="([^"#]+\.html)" class="md-nav__link', (site / "index.html").read_text()
    )

    assert sorted(set(PAGES) - {"index.html"} - set(shown)) == []
