"""A browser of the machine, and a real server with workflows that wait. Without Chromium, or without the built page, the tests are skipped."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from tests.serving import Connection, Reply, Server

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 15_000
"""Milliseconds after which what does not follow from a change elsewhere has not happened."""

LIVE_MS = 8_000
"""Milliseconds within which a page that is told shows a change, on a machine with much to do; one that asks by itself does so each ten seconds."""
YARDSTICK = "() => { const begun = performance.now(); let sum = 0; for (let i = 0; i < 2e7; i++) sum += i % 7; return performance.now() - begun; }"
"""About 25 ms of counting on an idle machine: the unit of time limits on a busy one."""

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
SEED = HERE.parent / "e2e" / "seed_page.py"


def chromium() -> str | None:
    """Return where the machine has a Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


# Each file has its own: until it is closed an event loop runs in this thread, and what comes after the file may need to run one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium here: install one, or say in CHROMIUM where it is")
    if not files("tidegate").joinpath("_ui", "index.html").is_file():
        pytest.skip("the web UI is not built: make ui")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=path, args=ARGS)
        playwright.expect.set_options(timeout=PATIENCE_MS)
        yield opened
        opened.close()


class Site:
    """A server with the workflows registered. `planted` is as of `Server`."""

    def __init__(self, home: Path, *programs: Path, planted: str = "") -> None:
        self.home = home
        self.server = Server(home, planted=planted).ready()
        self.state: Any = None
        self.port = 0
        for file in programs:
            self.register(file)

    def register(self, file: Path) -> None:
        """Register the workflows of a file."""
        command = [
            sys.executable,
            "-m",
            "tidegate",
            "register",
            str(file),
            "--home",
            str(self.home),
        ]
        subprocess.run(command, check=True, capture_output=True, cwd=file.parent)

    def window(self, browser: Any) -> Any:
        """Open a browser window of somebody who has signed in: with the owner's token, and later with what that has left."""
        look = {"viewport": {"width": 1280, "height": 850}, "timezone_id": "UTC"}
        place = browser.new_context(storage_state=self.state, reduced_motion="reduce", **look)
        if self.state is None:
            page = place.new_page()
            page.goto(self.url)
            page.get_by_role("textbox", name="Token").fill(self.server.token)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("button", name="Signed in as").wait_for()
            self.state = place.storage_state()
            page.close()
        return place

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def link(self) -> str:
        """Return a link that signs the user of this process in, once."""
        command = [sys.executable, "-m", "tidegate", "open", "--print", "--home", str(self.home)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def token(self, name: str, *roles: str, project: str = "*") -> str:
        """Make a token."""
        command = [sys.executable, "-m", "tidegate", "token", "create", name]
        command += [word for role in roles for word in ("--role", role)]
        command += ["--project", project]
        command += ["--home", str(self.home)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def ask(self, method: str, path: str, body: Any = None) -> Reply:
        """Ask as another program would, on a new connection: the server closes idle ones."""
        line = Connection(self.server.port, self.server.token)
        try:
            return line(method, path, body)
        finally:
            line.close()

    def begin(self, workflow: str, **inputs: Any) -> str:
        """Launch a workflow, and return the id at once."""
        reply = self.ask("POST", "executions", {"workflow": workflow, "inputs": inputs})
        assert reply.status == 201, reply.body
        return str(reply.body["id"])

    def launch(self, workflow: str, **inputs: Any) -> str:
        """Launch a workflow, and return the id once it waits for an answer and for nothing else."""
        execution = self.begin(workflow, **inputs)
        found = self.ask("GET", f"executions/{execution}?wait=20&until_waiting=true").body
        assert found["phase"] == "WAITING", found
        assert {each["kind"] for each in found["waiting"]} <= {"input", "approve"}, found
        return execution

    def ended(self, workflow: str, **inputs: Any) -> str:
        """Launch a workflow that asks for nothing, and return the id once it has ended."""
        execution = self.begin(workflow, **inputs)
        self.ask("GET", f"executions/{execution}?wait=20")
        return execution

    def restart(self) -> None:
        """Kill the server, and start it again where it was."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Kill the server."""
        self.port = self.server.port
        self.server.kill()
        self.server.close()

    def start(self) -> None:
        """Start a server on the port of the one that was killed."""
        self.server = Server(self.home, port=self.port).ready()

    def answer_of(self, execution: str, name: str) -> Any:
        signals = self.ask("GET", f"executions/{execution}/signals").body["items"]
        return next(each["answer"] for each in signals if each["name"] == name)


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    programs = (*(PROGRAMS / f"{name}.py" for name in ("gates", "shapes", "large")), SEED)
    made = Site(tmp_path_factory.mktemp("home"), *programs)
    yield made
    made.server.close()


def settled(page: Any, execution: str = "") -> Any:
    """Return the dialog once it takes keys: those that were meant for what was there before decide nothing. With an execution, that of its question: another may still be open."""
    dialog = page.get_by_role("dialog")
    dialog.filter(has_text=execution).locator(".settled").wait_for()
    return dialog


class Tab:
    """A tab that is signed in. What its console says against the page is kept."""

    def __init__(self, place: Any, site: Site) -> None:
        self.page = place.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.site = site
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)
        self.page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.site.url, "blob:", "data:")):
            self.foreign.append(request.url)

    def open(self, place: str = "/") -> Any:
        self.page.goto(f"{self.site.url}/#{place}")
        return self.page

    @property
    def dialog(self) -> Any:
        return self.page.get_by_role("dialog")

    def settled(self, execution: str = "") -> Any:
        return settled(self.page, execution)


@pytest.fixture
def tabs(browser: Any, site: Site) -> Iterator[Any]:
    """Make tabs, all in one browser window of somebody who has signed in."""
    made: list[Tab] = []
    place = site.window(browser)

    def make() -> Tab:
        made.append(Tab(place, site))
        return made[-1]

    yield make
    place.close()
    assert [each.complaints for each in made if each.complaints] == []
    assert [each.foreign for each in made if each.foreign] == []


@pytest.fixture
def tab(tabs: Any) -> Tab:
    return tabs()


def after_a_stroke(page: Any) -> None:
    """Let pass what Enter must wait for after a letter: after that it is no longer the same stroke of a hand."""
    now = page.evaluate("performance.now()")
    page.wait_for_function("since => performance.now() - since > 250", arg=now)


def decide_selected(page: Any, choice: str, many: int, comment: str = "") -> None:
    """Decide all that is selected in the inbox, from the look at it."""
    look = page.get_by_role("dialog")
    look.get_by_role("radio", name=choice).check()
    look.get_by_label("Comment for all").fill(comment)
    look.get_by_role("button", name=f"{choice} {many}", exact=True).click()
