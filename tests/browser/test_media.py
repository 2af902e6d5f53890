"""What people decide about is looked at where they decide: documents, recordings, images, long texts, and what is different between two."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.browser import samples
from tests.browser.conftest import PROGRAMS, Site, Tab
from tests.browser.test_looks import clean

from tidegate.blobs.directory import BlobDirectory

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("home"), PROGRAMS / "media.py")
    yield made
    made.server.close()


def kept(site: Site, content: bytes, media: str, name: str) -> dict[str, Any]:
    """Return the value of a file with this content."""
    digest = BlobDirectory(site.home / "blobs").put((content,))
    return {"$blob": digest, "size": len(content), "media": media, "name": name}


def asked(tab: Tab, workflow: str = "shown", **inputs: Any) -> Any:
    """Open the question about a value."""
    execution = tab.site.launch(f"media.{workflow}", **inputs)
    tab.open(f"/?task={execution}:ok")
    return tab.settled(execution)


def note(tab: Tab) -> Any:
    return tab.dialog.get_by_role("note")


def test_a_document_is_read_page_by_page_and_pages_not_turned_to_are_told(site: Site, tab: Tab):
    whole: list[str] = []
    tab.page.on(
        "request",
        lambda request: (
            whole.append(request.url)
            if "/blobs/" in request.url
            and "/facts" not in request.url
            and "range" not in request.headers
            else None
        ),
    )

    dialog = asked(
        tab, v={"contract": kept(site, samples.pdf(12), "application/pdf", "contract.pdf")}
    )

    page = dialog.get_by_role("group", name="Page 1 of contract.pdf")
    expect(page.locator("[data-drawn]")).to_be_visible()
    expect(page).to_contain_text("Contract, page 1")
    expect(note(tab)).to_contain_text("Shown: 1 of 12 pages")
    page.focus()
    tab.page.keyboard.press("PageDown")
    expect(dialog.get_by_role("group", name="Page 2 of contract.pdf")).to_contain_text("page 2")
    dialog.get_by_role("textbox", name="Page").fill("12")
    expect(dialog.locator(".pdf-page")).to_contain_text("Contract, page 12")
    expect(note(tab)).to_contain_text("Shown: 3 of 12 pages")
    dialog.get_by_role("button", name="Larger").click()
    view = dialog.locator(".pdf-view")
    tab.page.wait_for_function(
        "it => it.scrollWidth > it.clientWidth * 1.2", arg=view.element_handle()
    )
    expect(view.locator("[data-drawn]")).to_be_visible()
    dialog.get_by_role("button", name="Show everything").click()
    expect(dialog.locator(".pdf-page")).to_have_count(12)
    expect(note(tab)).to_have_count(0)
    assert whole == []


def test_links_of_a_document_to_the_web_are_followed_and_no_others(site: Site, tab: Tab):
    links = ("https://example.org/terms", "javascript:alert(1)", "file:///etc/passwd")
    content = samples.pdf(1, links=links)
    dialog = asked(tab, v={"contract": kept(site, content, "application/pdf", "contract.pdf")})

    link = dialog.locator(".pdf-page a")
    expect(link).to_have_count(1)
    expect(link).to_have_attribute("href", links[0])
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(link).to_have_attribute("target", "_blank")
    line = dialog.get_by_text("Clause 1.1: the supplier").bounding_box()
    box = link.bounding_box()
    assert abs(line["x"] - box["x"]) < 4
    assert box["y"] < line["y"] + line["height"]
    assert box["y"] + box["height"] > line["y"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (samples.pdf(1, locked=True), "protected by a password"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 9, "damaged, or is not a PDF"),
    ],
    ids=["locked", "broken"],
)
def test_a_document_that_cannot_be_read_says_why_and_can_be_taken_home(
    site: Site, tab: Tab, content: bytes, says: str
):
    dialog = asked(tab, v={"contract": kept(site, content, "application/pdf", "contract.pdf")})

    expect(dialog).to_contain_text(says)
    expect(note(tab)).to_contain_text("Not seen: contract.pdf")
    with tab.page.expect_download() as taken:
        dialog.get_by_role("button", name="Download contract.pdf").click()
    assert taken.value.suggested_filename == "contract.pdf"
    assert taken.value.path().read_bytes() == content


def test_a_recording_plays_when_somebody_starts_it_and_from_any_second(site: Site, tab: Tab):
    dialog = asked(tab, v={"call": kept(site, samples.sound(600), "audio/x-wav", "call.wav")})

    audio = dialog.locator("audio")
    expect(audio).to_be_visible()
    expect(audio).to_have_js_property("paused", True)
    expect(note(tab)).to_contain_text("Not seen: call.wav (not played)")
    expect(dialog).not_to_contain_text("That is not so")
    with tab.page.expect_request(lambda sent: sent.headers.get("range", "bytes=0-") != "bytes=0-"):
        audio.evaluate("it => { it.muted = true; it.currentTime = 550; }")
    at = audio.evaluate(
        "it => it.play().then(() => new Promise(done => it.addEventListener('timeupdate', () => done(it.currentTime), {once: true})))"
    )
    assert 550 <= at < 560
    expect(note(tab)).to_have_count(0)


def test_a_video_is_shown_and_what_the_browser_cannot_play_is_told(site: Site, tab: Tab):
    tab.open("/")
    film = kept(site, samples.film(tab.page), "video/webm", "film.webm")
    strange = kept(site, b"RIFF\x00\x01\x00\x00AVI LIST" + bytes(400), "video/x-msvideo", "old.avi")
    broken = kept(site, b"\x00\x00\x00\x20ftypisom" + bytes(4_000), "video/mp4", "broken.mp4")

    dialog = asked(tab, v={"film": film, "old": strange, "broken": broken})

    video = dialog.get_by_label("film.webm", exact=True)
    expect(video).to_have_js_property("videoWidth", 320)
    expect(dialog).to_contain_text("This browser cannot play it (video/x-msvideo).")
    expect(dialog).to_contain_text("This browser cannot play it (video/mp4).")
    expect(dialog.get_by_role("button", name="Download broken.mp4")).to_be_visible()


def test_images_are_turned_by_keys_and_escape_leads_back_to_all_of_them(site: Site, tab: Tab):
    images = [
        kept(site, samples.image(300, 200, f"{n}"), "image/jpeg", f"shot-{n}.jpg") for n in range(6)
    ]
    images[1] = kept(site, samples.image(300, 200, "up", turned=True), "image/jpeg", "turned.jpg")

    dialog = asked(tab, "files", files=images)
    dialog.get_by_role("button", name="Enlarge shot-0.jpg").click()

    large = dialog.get_by_role("region", name="Images")
    expect(large).to_contain_text("300 × 200 pixels")
    expect(large.get_by_role("group", name="shot-0.jpg")).to_be_focused()
    tab.page.keyboard.press("ArrowRight")
    # It lies on its side in the file: what is shown stands.
    expect(large).to_contain_text("200 × 300 pixels")
    expect(large.locator(".num")).to_have_text("2 of 6")
    box = large.locator(".pc-view img").bounding_box()
    assert box["height"] > box["width"]
    tab.page.keyboard.press("ArrowLeft")
    tab.page.keyboard.press("ArrowLeft")
    expect(large.locator(".num")).to_have_text("1 of 6")
    large.get_by_role("button", name="shot-4.jpg", exact=True).click()
    expect(large.locator(".num")).to_have_text("5 of 6")
    tab.page.keyboard.press("Escape")
    expect(dialog.get_by_role("button", name="Enlarge shot-4.jpg")).to_be_focused()
    expect(dialog).to_be_visible()


def test_a_huge_image_fits_and_scrolls_within_its_place_at_full_size(site: Site, tab: Tab):
    tab.page.set_viewport_size({"width": 390, "height": 844})
    plan = kept(site, samples.image(6_000, 500, "plan"), "image/jpeg", "plan.jpg")
    dialog = asked(tab, v={"plan": plan, "n": 1})

    expect(dialog).to_contain_text("6,000 × 500 pixels")
    view = dialog.locator(".pc-view")
    assert view.evaluate("it => it.scrollWidth <= it.clientWidth")
    dialog.get_by_text("100%").click()
    expect(view.locator("img")).to_have_js_property("width", 6_000)
    assert view.evaluate("it => it.scrollWidth") >= 6_000
    assert tab.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_an_svg_is_an_image_and_runs_nothing(site: Site, tab: Tab):
    hostile = (
        b"<svg xmlns='http://www.w3.org/2000/svg' width='40' height='40' onload='parent.document.title=1'>"
        b"<script>document.title = 'taken'</script><rect width='40' height='40'/></svg>"
    )
    dialog = asked(tab, v={"logo": kept(site, hostile, "image/svg+xml", "logo.svg")})

    expect(dialog).to_contain_text("40 × 40 pixels")
    expect(dialog.locator("svg script")).to_have_count(0)
    assert "taken" not in tab.page.title()


def test_of_a_long_text_the_beginning_is_shown_and_the_rest_on_request(site: Site, tab: Tab):
    text = "".join(f"{n} some words of a long log\n" for n in range(40_000)) + "the very end"
    dialog = asked(tab, v={"log": kept(site, text.encode(), "text/plain", "run.log")})

    expect(dialog).to_contain_text("Shown: 200.0 kB of 1.2 MB")
    expect(note(tab)).to_contain_text("200.0 kB of 1.2 MB")
    expect(dialog).not_to_contain_text("the very end")
    dialog.get_by_role("button", name="Show everything").click()
    expect(dialog).to_contain_text("the very end")
    expect(note(tab)).to_have_count(0)


def test_markdown_and_json_are_shown_as_what_they_mean_and_as_they_are_written(
    site: Site, tab: Tab
):
    readme = kept(site, b"# Plan\n\nFirst **this**, see https://example.org/a.", "", "plan.md")
    config = kept(site, json.dumps({"rate": 0.25, "name": "x"}).encode(), "", "config.json")
    dialog = asked(tab, v={"plan": readme, "config": config})

    expect(dialog.locator(".tx-prose strong", has_text="this")).to_be_visible()
    expect(dialog.get_by_role("rowheader", name="rate")).to_be_visible()
    dialog.get_by_role("radiogroup", name="How plan.md is shown").get_by_text("As written").click()
    expect(dialog).to_contain_text("First **this**")


def test_numbers_are_written_in_the_readers_language_and_raw_on_request(tab: Tab):
    dialog = asked(tab, v={"amount": 1234567.5, "rate": 0.1 + 0.2, "year": 2026})

    expect(dialog).to_contain_text("1,234,567.5")
    subject = dialog.get_by_role("region", name="What to approve")
    expect(subject.get_by_text("0.3", exact=True)).to_have_attribute("title", "0.30000000000000004")
    expect(subject.get_by_text("2026", exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Show the value as JSON").click()
    expect(dialog).to_contain_text('"amount": 1234567.5')
    expect(dialog).to_contain_text("0.30000000000000004")


def test_two_texts_are_compared_with_what_is_equal_folded(tab: Tab):
    lines = [f"Clause {n} stays." for n in range(1, 80)]
    old = "\n".join([*lines[:30], "Churn rose to 4.8 % in May.", *lines[30:]])
    new = "\n".join([*lines[:30], "Churn rose to 4.6 % in May.", *lines[30:], "One more clause."])
    dialog = asked(tab, "compared", old=old, new=new)

    dialog.get_by_role("tab", name="Changes").click()
    changes = dialog.get_by_role("region", name="Changes from before to To approve")
    expect(changes.get_by_role("status")).to_have_text("2 changes")
    expect(changes.locator("del")).to_have_text(["4.8"])
    expect(changes.locator("ins").first).to_have_text("4.6")
    expect(changes.get_by_role("button", name="27 unchanged lines")).to_be_visible()
    view = changes.get_by_role("group", name="Changes")
    view.focus()
    tab.page.keyboard.press("Alt+ArrowDown")
    tab.page.keyboard.press("Alt+ArrowDown")
    expect(changes.get_by_role("status")).to_have_text("Change 2 of 2")
    changes.get_by_role("button", name="27 unchanged lines").focus()
    tab.page.keyboard.press("Enter")
    expect(changes).to_contain_text("Clause 12 stays.")
    changes.get_by_text("Unified").click()
    expect(changes.get_by_role("row", name=re.compile("removed: Churn rose to"))).to_be_visible()


def test_fields_that_changed_are_told_whatever_order_they_are_in(tab: Tab):
    old = {"replicas": 3, "region": "eu", "limits": {"cpu": 2, "memory": 4}}
    new = {"limits": {"memory": 8, "cpu": 2}, "region": "eu", "replicas": 3}
    dialog = asked(tab, "settings", old=old, new=new)

    dialog.get_by_text("Changes", exact=True).click()
    changes = dialog.get_by_role("region", name="Changes from current to To approve")
    expect(changes.get_by_role("status")).to_have_text("1 change")
    expect(changes.locator("del")).to_have_text(["4"])
    expect(changes.locator("ins")).to_have_text(["8"])


def test_what_a_loop_shows_is_compared_with_its_round_before(site: Site, tab: Tab):
    execution = site.launch("media.rounds", done=False)
    site.ask("PUT", f"executions/{execution}/signals/good", {"value": False})
    site.ask("GET", f"executions/{execution}?wait=20&until_waiting=true")
    tab.open(f"/?task={execution}:good")

    tab.settled().get_by_role("tab", name="Changes").click()
    changes = tab.dialog.get_by_role("region", name="Changes from report, round 1 to report")
    expect(changes.get_by_role("status")).to_have_text("2 changes")
    expect(changes.locator("ins").first).to_have_text("4.8")


def test_large_texts_are_compared_off_the_main_thread(tab: Tab):
    rows = [f"row {n} of a table that has many" for n in range(9_000)]
    old = "\n".join(rows)
    new = "\n".join("changed" if n % 1_000 == 500 else each for n, each in enumerate(rows))
    dialog = asked(tab, "compared", old=old, new=new)
    with tab.page.expect_event("worker"):
        dialog.get_by_role("tab", name="Changes").click()

    expect(dialog.get_by_text("9 changes")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_viewers_pass_axe_and_do_not_scroll_sideways(site: Site, tab: Tab, scheme: str, width: int):
    page = tab.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    picture = kept(site, samples.image(300, 200, "a"), "image/jpeg", "a.jpg")
    dialog = asked(
        tab,
        v={
            "contract": kept(site, samples.pdf(2), "application/pdf", "contract.pdf"),
            "call": kept(site, samples.sound(2), "audio/wav", "call.wav"),
            "log": kept(site, b"a line\n" * 90, "text/plain", "run.log"),
            "shots": [picture, picture],
        },
    )
    expect(dialog.locator(".pdf-page[data-drawn]")).to_be_visible()
    dialog.get_by_role("button", name="Enlarge a.jpg").first.click()
    expect(dialog).to_contain_text("300 × 200 pixels")
    clean(page)
    dialog = asked(tab, "compared", old="one line\n" * 40, new="one line\n" * 20 + "two\n" * 20)
    dialog.get_by_text("Changes", exact=True).click()
    dialog.locator(".df-table").wait_for()
    clean(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
