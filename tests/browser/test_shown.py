"""What is decided about is shown whole, or what is missing is counted; what cannot be seen is a mark; of a file counts what the server finds."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import PROGRAMS, Site, Tab
from tests.unit.types.test_marks import TEXTS, UNSEEN

from tidegate.blobs.directory import BlobDirectory
from tidegate.sdk.report import PROLOGUE, Section, page
from tidegate.types.marks import marked

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

SUBJECT = "What to approve"
HTML = b"<html><script>document.title = 'taken'</script></html>"


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("home"), PROGRAMS / "shown.py")
    yield made
    made.server.close()


def asked(site: Site, tab: Tab, value: Any) -> Any:
    """Open the question about a value, and return what is shown of the value."""
    execution = site.launch("shown.anything", v=value)
    tab.open(f"/?task={execution}:ok")
    return tab.dialog.get_by_role("region", name=SUBJECT)


def test_columns_and_rows_that_are_left_out_are_counted_and_can_be_seen(site: Site, tab: Tab):
    row = {f"c{n:02d}": n for n in range(58)} | {"pay_to": "ATTACKER IBAN", "amount": 1_000_000}

    subject = asked(site, tab, {"items": [row] * 200})

    grid = subject.get_by_role("grid")
    expect(subject).to_contain_text("Rows 1 to 200 of 200")
    expect(subject.get_by_role("button", name="Columns 40 of 60")).to_be_visible()
    expect(tab.dialog.get_by_role("note")).to_be_visible()
    tab.dialog.get_by_role("button", name="Show everything").click()
    expect(grid).to_have_attribute("aria-colcount", "60")
    expect(grid).to_have_attribute("aria-rowcount", "201")
    expect(tab.dialog.get_by_role("note")).to_have_count(0)
    grid.get_by_role("columnheader", name="c00").get_by_role("button").focus()
    tab.page.keyboard.press("End")
    expect(grid.get_by_role("columnheader", name="amount")).to_be_visible()
    tab.page.keyboard.press("ArrowLeft")
    expect(grid.get_by_role("columnheader", name="pay_to").get_by_role("button")).to_be_focused()


def test_a_column_that_only_a_row_out_of_sight_has_is_counted(site: Site, tab: Tab):
    rows: list[Any] = [{"a": n} for n in range(60)] + [{"a": 1, "pay_to": "somebody"}]

    subject = asked(site, tab, {"items": rows})

    expect(subject.get_by_role("columnheader", name="pay_to")).to_be_visible()
    expect(subject.get_by_role("columnheader", name="pay_to")).to_contain_text("60 missing")
    expect(subject).to_contain_text("Rows 1 to 61 of 61")


def test_what_is_cut_or_folded_is_said_above_the_decision_and_one_click_shows_everything(
    site: Site, tab: Tab
):
    deep = {"a": {"b": {"c": {"d": {"pay_to": "somebody"}}}}, "text": "x" * 5_000 + "the end"}

    subject = asked(site, tab, deep)

    note = tab.dialog.get_by_role("note")
    expect(note).to_contain_text("Shown: 2,000 of 5,007 characters, 1 part folded")
    expect(subject).not_to_contain_text("pay_to")
    tab.dialog.get_by_role("button", name="Show everything").click()
    expect(subject).to_contain_text("pay_to")
    expect(subject).to_contain_text("the end")
    expect(note).to_have_count(0)


def test_a_value_that_is_shown_whole_comes_without_a_warning(site: Site, tab: Tab):
    subject = asked(site, tab, {"amount": 1})

    expect(subject).to_contain_text("amount")
    expect(tab.dialog.get_by_role("note")).to_have_count(0)


def test_what_cannot_be_seen_is_a_mark_in_values_names_and_prompts(site: Site, tab: Tab):
    # A lone half of a pair cannot be sent.
    words = {f"n{n}": f"100{each}2" for n, each in enumerate(UNSEEN) if each != "\ud800"}
    key = {"k\u202eyek": 1}

    subject = asked(
        site, tab, words | key | {f"t{n}": each for n, each in enumerate(TEXTS.values())}
    )

    expect(subject).to_contain_text("100‹U+202E›2")
    text = subject.text_content()
    for value in words.values():
        assert marked(value) in text, ascii(value)
    for value in TEXTS.values():
        assert value in text, value
    assert "k‹U+202E›yek" in text
    expect(tab.dialog).to_contain_text("Pay ‹U+2066›001‹U+2069› EUR‹U+200B› to שלום עולם?")


def test_lists_and_pages_hold_no_character_that_cannot_be_seen(site: Site, tab: Tab):
    execution = site.launch("shown.named", v={"a": "\u202e1"})

    page = tab.open("/")
    expect(page.get_by_role("listitem").filter(has_text=execution)).to_contain_text("‹U+202E›1")
    tab.open(f"/?task={execution}:ok")
    expect(tab.dialog.get_by_role("region", name="sum")).to_contain_text("‹U+202E›1")
    assert not re.search("[\u200b\u202e]", page.locator("body").text_content())


def test_a_suggestion_that_holds_such_characters_says_so_below_its_field(site: Site, tab: Tab):
    execution = site.launch("shown.suggested", v="to \u202eevil")

    tab.open(f"/?task={execution}:title")

    expect(tab.dialog).to_contain_text("characters that cannot be seen: to ‹U+202E›evil")


def test_of_a_file_counts_what_the_server_finds(site: Site, tab: Tab):
    digest = BlobDirectory(site.home / "blobs").put((HTML,))
    claimed = {"$blob": digest, "size": 1, "media": "image/png", "name": "a.png"}

    subject = asked(site, tab, {"file": claimed})

    expect(subject).to_contain_text(f"{len(HTML)} bytes")
    expect(subject).to_contain_text(f"text/html, SHA-256 {sha256(HTML).hexdigest()}")
    expect(subject).to_contain_text("The value says 1 bytes, image/png. That is not so.")
    expect(subject.locator("img")).to_have_count(0)


def test_a_dict_that_looks_like_a_file_shows_everything(site: Site, tab: Tab):
    digest = BlobDirectory(site.home / "blobs").put((HTML,))

    subject = asked(
        site,
        tab,
        {
            "file": {"$blob": digest, "size": 1, "media": "a", "name": "a", "amount": 1_000_000},
            "number": {"$float": "1", "pay_to": "somebody"},
            "text": {"$float": "a million"},
        },
    )

    for words in ("1,000,000", "amount", digest, "pay_to", "somebody", "$float", "a million"):
        expect(subject).to_contain_text(words)


def test_of_a_table_in_a_file_rows_columns_and_long_cells_are_counted(site: Site, tab: Tab):
    names = ",".join(f"c{n}" for n in range(59)) + ",pay_to"
    line = ",".join(["1"] * 59) + "," + "y" * 300
    digest = BlobDirectory(site.home / "blobs").put(("\n".join([names] + [line] * 500).encode(),))

    subject = asked(
        site, tab, {"t": {"$blob": digest, "size": 1, "media": "text/csv", "name": "t.csv"}}
    )

    grid = subject.get_by_role("grid")
    expect(subject).to_contain_text("Rows 1 to 200 of 500")
    expect(subject.get_by_role("button", name="Columns 40 of 60")).to_be_visible()
    tab.dialog.get_by_role("button", name="Show everything").click()
    expect(subject).to_contain_text("Rows 1 to 500 of 500")
    grid.get_by_role("columnheader", name="c0").first.get_by_role("button").focus()
    tab.page.keyboard.press("End")
    tab.page.keyboard.press("ArrowDown")
    expect(grid.get_by_role("gridcell", name="y" * 300).first).to_be_focused()
    expect(tab.dialog.get_by_role("note")).to_have_count(0)


def test_a_deck_runs_nothing_and_loads_nothing_when_it_is_opened_from_the_disk(
    site: Site, browser: Any, tmp_path: Path
):
    hostile = b"<script>document.title = 'taken'</script><img src='%s/img'><iframe src='%s/frame'></iframe>"
    address = site.url.encode()
    pages = {
        # As a task makes it, and as somebody makes it who gets around the parser: the policy in the page holds.
        "made.html": page([Section("Deck", (hostile % (address, address)).decode())]),
        "forged.html": PROLOGUE + hostile % (address, address),
    }
    place = browser.new_context()
    for name, content in pages.items():
        (tmp_path / name).write_bytes(content)
        tab = place.new_page()
        loaded: list[str] = []
        tab.on("requestfinished", lambda request, loaded=loaded: loaded.append(request.url))
        tab.goto((tmp_path / name).as_uri())
        tab.wait_for_load_state("networkidle")
        assert tab.title() == "DeckReport"
        assert loaded == [(tmp_path / name).as_uri()]
    place.close()
