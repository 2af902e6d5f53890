"""The place of the web UI, in an installation that has it and in one that has not."""

from pathlib import Path

from tidegate.api.pages import Pages


def test_an_installation_without_the_ui_says_so_and_where_the_api_is(tmp_path: Path) -> None:
    reply = Pages(tmp_path / "not built").find("/")

    assert reply is not None
    assert b"The web UI is not built" in reply.view
    assert b"/api/v1" in reply.view
    assert Pages(tmp_path / "not built").find("/api/v1/none") is None


def test_what_is_built_is_served_and_nothing_beside_it(tmp_path: Path) -> None:
    ui = tmp_path / "_ui"
    (ui / "assets").mkdir(parents=True)
    (ui / "index.html").write_text('<meta name="tidegate-nonce" content=""><p>the page</p>')
    (ui / "assets" / "main-1a2b.js").write_text("run()")
    (tmp_path / "secret.txt").write_text("secret")
    pages = Pages(ui)

    page, script = pages.find("/anything"), pages.find("/assets/main-1a2b.js")

    assert page is not None
    assert b"the page" in page.view
    assert script is not None
    assert script.view == b"run()"
    assert pages.find("/../secret.txt") is None
    assert pages.find("/assets/gone.js") is None
