"""
Takes pictures of every page of the web UI, in light, in dark and on a phone: `make screenshots`.

They go to .screenshots/, to be looked at; five of them also to docs/pictures/, for the README and the tutorial. The workflows are those
of `tidegate demo` and of the tutorial, on a real server.
"""

import csv
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import sync_playwright
from tests.browser.conftest import ARGS, chromium
from tests.docs.walk import blocks
from tests.serving import Server

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "src" / "tidegate" / "demo"
SHAPES = Path(__file__).parent / "programs" / "shapes.py"
OUT = ROOT / ".screenshots"
SHOWN = ROOT / "docs" / "pictures"
TUTORIAL = ROOT / "docs" / "tutorial.md"
WAITS = "core.control_flow.waiting_for_external_inputs"

SETTLED_MS = 900
"""Milliseconds in which reports and pictures in a page come in."""

WIDE = {"width": 1280, "height": 800}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": WIDE},
    "dark": {"color_scheme": "dark", "viewport": WIDE},
    "phone": {
        "color_scheme": "light",
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
    },
}
BEST = {
    ("light", "approve"): 800,
    ("light", "graph"): 560,
    ("dark", "executions"): 760,
    ("phone", "approve"): 844,
    ("light", "tutorial"): 640,
}
"""The pictures of the README and the tutorial: which look and scene, and how many pixels of it from the top."""


class Scene(NamedTuple):
    """A page: where it is, and what is there once it is drawn."""

    place: str
    sign: str
    tab: str = ""


def main() -> None:
    path = chromium()
    if path is None:
        sys.exit("error: there is no Chromium here")
    with (
        tempfile.TemporaryDirectory(prefix="tidegate-pictures-") as home,
        sync_playwright() as play,
    ):
        server = Server(Path(home)).ready()
        browser = play.chromium.launch(executable_path=path, args=ARGS)
        try:
            scenes = prepare(server)
            for look, options in LOOKS.items():
                take(browser, server, look, options, scenes)
        finally:
            browser.close()
            server.close()
    print(f"{len(LOOKS) * len(scenes)} pictures in {OUT.relative_to(ROOT)}")


def prepare(server: Server) -> dict[str, Scene]:
    """Launch what there is to see, answer some of it, and return the pages."""
    for folder, what in ((DEMO, "."), (SHAPES.parent, SHAPES.name)):
        command = [sys.executable, "-m", "tidegate", "register", what, "--home", str(server.home)]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
    ask = server.connect()
    rows = (row for row in (DEMO / "nile.csv").read_text().splitlines() if not row.startswith("#"))
    flows = [float(row["flow"]) for row in csv.DictReader(rows)]

    def launch(workflow: str, **inputs: Any) -> str:
        reply = ask("POST", "executions", {"workflow": workflow, "inputs": inputs})
        assert reply.status == 201, reply.body
        ask("GET", f"executions/{reply.body['id']}?wait=20&until_waiting=true")
        return str(reply.body["id"])

    def answer(execution: str, name: str, value: Any) -> None:
        reply = ask("PUT", f"executions/{execution}/signals/{name}", {"value": value})
        assert reply.status == 200, reply.body
        ask("GET", f"executions/{execution}?wait=20&until_waiting=true")

    failed = launch("shapes.broken", x=1)
    done = launch(f"{WAITS}.conditional_wf", data=flows)
    answer(done, "title-input", "The Nile at Aswan")
    answer(done, "review-passes", True)
    asleep = launch("shapes.naps", x=1)
    asks = launch(f"{WAITS}.reporting_wf", data=flows)
    approval = launch(f"{WAITS}.reporting_with_approval_wf", data=flows)
    answer(approval, "title", "The Nile at Aswan, 1871 to 1970")
    branch = launch(f"{WAITS}.conditional_wf", data=flows)
    (report,) = [each.body for each in blocks(TUTORIAL) if each.title == "report.py"]
    (server.home / "report.py").write_text(report)
    command = [sys.executable, "-m", "tidegate", "register", "report.py", "--home", "."]
    subprocess.run(command, check=True, capture_output=True, cwd=server.home)
    tutorial = launch("report.report_wf", data=[1, 2, 6])
    answer(tutorial, "title", "Third quarter")
    river = launch("river.change_wf", first_year=1871, flows=flows)
    return {
        "inbox": Scene("/", "h1"),
        "approve": Scene(f"/?task={river}:publish", "dialog iframe, [role=dialog] iframe"),
        "tutorial": Scene(f"/?task={tutorial}:review", "[role=dialog] h2"),
        "answer": Scene(f"/?task={asks}:title", "[role=dialog] h2"),
        "executions": Scene("/executions", "[data-execution]"),
        "graph": Scene(f"/executions/{branch}", "h1 + .phase"),
        "taken": Scene(f"/executions/{done}", "h1 + .phase"),
        "report": Scene(f"/executions/{river}?node=n0", "h1 + .phase", "Report"),
        "timeline": Scene(f"/executions/{approval}?tab=timeline", ".ex-timeline li"),
        "list": Scene(f"/executions/{branch}?tab=list", ".ex-nodes"),
        "values": Scene(f"/executions/{done}?tab=values", ".ex-values"),
        "failed": Scene(f"/executions/{failed}?node=n0", "h1 + .phase"),
        "asleep": Scene(f"/executions/{asleep}", "h1 + .phase"),
        "workflows": Scene("/workflows", ".wf-line"),
        "workflow": Scene(f"/workflows/{WAITS}.conditional_wf", "h1"),
        "missing": Scene("/executions/none", "h1"),
    }


def take(
    browser: Any, server: Server, look: str, options: dict[str, Any], scenes: dict[str, Scene]
) -> None:
    """Take a picture of each page in one look."""
    place = browser.new_context(timezone_id="UTC", reduced_motion="reduce", **options)
    page = place.new_page()
    url = f"http://127.0.0.1:{server.port}"
    page.goto(url)
    page.get_by_role("textbox", name="Token").fill(server.token)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Signed in as").wait_for()
    for name, scene in scenes.items():
        page.goto(f"{url}/#{scene.place}")
        page.locator(scene.sign).first.wait_for()
        if scene.tab:
            page.get_by_role("tab", name=scene.tab).click()
        page.wait_for_timeout(SETTLED_MS)
        page.screenshot(path=OUT / look / f"{name}.png")
        if (look, name) in BEST:
            box = {"x": 0, "y": 0, "width": page.viewport_size["width"], "height": BEST[look, name]}
            page.screenshot(path=SHOWN / f"{name}-{look}.png", clip=box)
    place.close()


if __name__ == "__main__":
    main()
