"""What a person does in a form reaches the task, whatever else happens meanwhile."""

from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

PROGRAM = Path(__file__).parent / "programs" / "forms.py"


@pytest.fixture(scope="module", autouse=True)
def registered(site: Any) -> None:
    site.register(PROGRAM)


def asked(site: Any, tab: Any, workflow: str, gate: str, **inputs: Any) -> tuple[str, Any]:
    """Launch a workflow of `forms`, and open its question."""
    execution = site.launch(f"forms.{workflow}", **inputs)
    tab.open(f"/?task={execution}:{gate}")
    tab.dialog.get_by_role("button", name="Send").wait_for()
    return execution, tab.dialog


def field(within: Any, name: str, nth: int = 0) -> Any:
    return within.get_by_role("textbox", name=name, exact=True).nth(nth)


def choose(dialog: Any, name: str, file: Path) -> None:
    with dialog.page.expect_file_chooser() as chooser:
        dialog.get_by_role("button", name=name, exact=True).click()
    chooser.value.set_files(file)


def send(dialog: Any) -> None:
    dialog.get_by_role("button", name="Send answer").click()
    expect(dialog.page.get_by_text("sent.")).to_be_visible()


class Held:
    """Uploads that wait until they are let go."""

    def __init__(self, page: Any) -> None:
        self.routes: list[Any] = []
        self.page = page
        for pattern in ("**/api/v1/blobs", "**/api/v1/uploads"):
            page.route(pattern, lambda route: self.routes.append(route))

    def wait_for(self, many: int) -> None:
        while len(self.routes) < many:
            self.page.wait_for_timeout(20)

    def let_go(self, *order: int) -> None:
        for each in order:
            self.routes[each].continue_()


def test_what_is_typed_while_a_file_uploads_is_sent(site: Any, tab: Any, tmp_path: Path) -> None:
    execution, dialog = asked(site, tab, "ask_claim", "claim")
    held = Held(tab.page)
    (tmp_path / "receipt.txt").write_text("12.50")
    choose(dialog, "receipt", tmp_path / "receipt.txt")
    held.wait_for(1)
    field(dialog, "title").fill("Hotel")
    field(dialog, "notes").fill("two nights")
    held.let_go(0)
    expect(dialog.get_by_text("receipt.txt")).to_be_visible()
    expect(field(dialog, "title")).to_have_value("Hotel")
    send(dialog)
    answer = site.answer_of(execution, "claim")["value"]
    assert (answer["title"], answer["notes"]) == ("Hotel", "two nights")
