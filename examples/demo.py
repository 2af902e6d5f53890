"""
The report example on real data: the elevations of all airports with an IATA code, from the package `airportsdata`.

    python examples/demo.py                # you are asked for the title and the review
    python examples/demo.py --unattended   # it answers itself, and kills the waiting process on the way

It only types what you could type: everything goes through the command `tidegate`. Its store is .demo/ in the clone.
"""

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import airportsdata

ROOT = Path(__file__).parents[1]
DEMO = ROOT / ".demo"
REPORT = "examples/report.py"
WORKFLOW = "report_wf"
PATIENCE = 60.0
FAILED = 1
INTERRUPTED = 130


class Terminal:
    """Types commands, in the clone, on a store of the demo."""

    def __init__(self, home: Path) -> None:
        self.home = home.relative_to(ROOT)
        self.program = os.path.relpath(Path(sys.executable).with_name("tidegate"), ROOT)

    def words(self, verb: str, *words: str) -> list[str]:
        """Return a command as it is typed."""
        return [self.program, verb, "--home", str(self.home), *words]

    def start(self, *words: str, **how: Any) -> "subprocess.Popen[str]":
        """Type a command."""
        typed = self.words(*words)
        print(f"\n$ {shlex.join(typed)}")
        return subprocess.Popen(typed, cwd=ROOT, text=True, **how)

    def ask(self, *words: str) -> Any:
        """Run a command to its end, and return the JSON that it prints."""
        with self.start(*words, "--json", stdout=subprocess.PIPE) as process:
            said, _ = process.communicate(timeout=PATIENCE)
        if process.returncode:
            sys.exit(f"the command ended with exit code {process.returncode}")
        return json.loads(said)

    def waits_for(self, name: str, process: "subprocess.Popen[str] | None" = None) -> str:
        """Look into the inbox until an execution waits for this signal, and return its id; it is `process` that runs it."""
        words = self.words("inbox", "--json")
        print(f"\n$ {shlex.join(words)}")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            # Until the run has made the store, there is no inbox to look into.
            looked = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
            for item in json.loads(looked.stdout or "[]"):
                if item["name"] == name:
                    found: str = item["execution"]
                    return found
            if process is not None and process.poll() is not None:
                sys.exit(f"the command ended with exit code {process.returncode}")
            time.sleep(0.2)
        sys.exit(f"nothing waits for {name!r} after {PATIENCE:.0f} s")


def elevations() -> Path:
    """Write the data set to a file of inputs, and return its path."""
    airports = airportsdata.load("IATA").values()
    feet = [airport["elevation"] for airport in airports]
    DEMO.mkdir(exist_ok=True)
    path = DEMO / "elevations.json"
    path.write_text(json.dumps({"data": feet}))
    print(f"{len(feet):,} airports; the report is about their elevations in feet.")
    return path.relative_to(ROOT)


def attended() -> int:
    """Let the person be asked."""
    terminal = Terminal(DEMO / "store")
    inputs = elevations()

    def typed(*words: str) -> str:
        return shlex.join(terminal.words(*words))

    print(
        f"""
The workflow in {REPORT} stops twice: for a title, and for a review.
Answer here. Or leave it: press Ctrl-C, or kill -9 its process while it waits.
It then waits in the store, and any terminal in this directory can continue it:

  {typed("inbox")}
  {typed("answer", "ID", "title", "A title")}
  {typed("resume")}

Or answer in a browser; this prints a link:

  {typed("serve")}"""
    )
    words = ["run", REPORT, WORKFLOW, "--inputs", f"@{inputs}"]
    if not sys.stdin.isatty():
        # Nobody can be asked here: come as far as it goes, and leave the rest to the commands above.
        words.append("--detach")
    process = terminal.start(*words)
    print(f"(process {process.pid})")
    try:
        code = process.wait()
    except KeyboardInterrupt:
        code = process.wait()
    if code == 0 and sys.stdin.isatty():
        print("\nThat was all. `make demo` begins a new one.")
        return 0
    if code == FAILED:
        print(f"\nIt has ended; this shows how: {typed('list')}. `make demo` begins a new one.")
        return 0
    if code not in {0, INTERRUPTED, -signal.SIGKILL}:
        return 1
    print(f"\nIt waits. Continue with:\n\n  {typed('resume')}")
    return 0


def unattended() -> int:
    """Answer by itself: stop at the title, die, come back, take both answers, finish."""
    home = DEMO / "unattended"
    shutil.rmtree(home, ignore_errors=True)
    terminal = Terminal(home)
    inputs = elevations()

    waiting = terminal.start(
        "run", REPORT, WORKFLOW, "--inputs", f"@{inputs}", stdin=subprocess.PIPE
    )
    try:
        execution = terminal.waits_for("title", waiting)
        print(f"\nIt waits for a title. Now its process is killed:\n\n$ kill -9 {waiting.pid}")
    finally:
        waiting.send_signal(signal.SIGKILL)
        waiting.wait()

    terminal.ask("answer", execution, "title", "Airport elevations, feet")
    print("\nThe answer is stored, with nothing running. Now it continues.")
    with terminal.start("resume", execution, "--detach"):
        pass
    terminal.waits_for("review")
    terminal.ask("approve", execution, "review", "--comment", "the highest is Daocheng Yading")
    with terminal.start("resume", execution):
        pass

    end = terminal.ask("show", execution)
    # A workflow with a single output calls it o0.
    print(f"\n{end['phase']}: {json.dumps(end['outputs']['o0'], indent=2)}")
    return 0 if end["phase"] == "SUCCEEDED" else 1


def main() -> int:
    """Run one of the two."""
    # What the commands say comes between what this says.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--unattended", action="store_true", help="answer by itself")
    return unattended() if parser.parse_args().unattended else attended()


if __name__ == "__main__":
    sys.exit(main())
