"""
Build the wheel, install it into an empty environment, and use it as a newcomer does.

    python .ci/try_wheel.py

It checks what is in the wheel and what comes with it, starts `tidegate demo`, and types, beside it, what the demo and the README say.
It needs a package index, and so is not part of the tests.
"""

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0

HEAVY = "apsw click httpx jsonschema_rs litestar numpy pandas pydantic rich uvicorn uvloop"
"""What must not be loaded by `import tidegate`."""

ALLOWED = (
    "annotated-types anyio apsw certifi click h11 httpcore httptools httpx idna jsonschema-rs lxml markdown-it-py mdurl msgspec"
    " pathspec pip platformdirs pydantic pydantic-core pygments rich setuptools sniffio tidegate typing-extensions"
    " typing-inspection uvicorn uvloop"
)
"""What an installation may consist of. Anyone who adds to it should know that everybody downloads it."""

CLIENT = """
from tidegate.remote import Config, Remote
with Remote(Config.for_sandbox()) as remote:
    ended = [each for each in remote.recent_executions() if each.is_done]
    print(len(ended))
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tidegate-wheel-") as place:
        wheel = build(Path(place))
        check_contents(wheel)
        newcomer = Newcomer(Path(place), wheel)
        newcomer.check_installation()
        newcomer.use()
    print("the wheel is fine")


def step(words: str) -> None:
    print(f"== {words}", flush=True)


def build(place: Path) -> Path:
    step("build")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    # From a copy without what is not committed, as a release is.
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            copy = place / "source" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", str(place), str(place / "source")], check=True
    )
    (wheel,) = place.glob("*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    """All of src/tidegate that is committed is in the wheel, and nothing else but what describes it."""
    step(f"contents of {wheel.name}")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    source = wheel.parent / "source" / "src"
    wanted = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    # The web UI is built into the source, not committed; where it cannot be built, the package goes without it.
    built = {name for name in names if name.startswith("tidegate/_ui/")}
    assert not built or "tidegate/_ui/index.html" in built, "half a web UI"
    there = {name for name in names if ".dist-info/" not in name}
    assert there == wanted, f"not as in src: {sorted(there ^ wanted)}"
    for needed in ("py.typed", "stores/shared.sql", "stores/sqlite/migrations/0001_initial.sql"):
        assert f"tidegate/{needed}" in names, f"without {needed}"
    assert any(name.startswith("tidegate/demo/") and name.endswith(".csv") for name in names)
    bad = [name for name in names if re.search(r"test_|conftest|__pycache__|\.pyc|\.db$", name)]
    assert bad == [], f"does not belong there: {bad}"
    assert any(name.endswith("licenses/LICENSE") for name in names)


class Newcomer:
    """Somebody with an empty environment, an empty directory, and a terminal or two."""

    def __init__(self, place: Path, wheel: Path) -> None:
        step("install into an empty environment")
        self.bin = place / "venv" / "bin"
        self.place = place / "work"
        self.place.mkdir()
        self.env = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "TIDEGATE_HOME": str(place / "home"),
            "NO_COLOR": "1",
        }
        subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
        pip = [str(self.bin / "python"), "-m", "pip", "--disable-pip-version-check"]
        # As the documents say for a server: every file by its hash, and then the wheel alone.
        locked = ["--require-hashes", "--requirement", str(ROOT / "locks" / "server.txt")]
        subprocess.run([*pip, "install", "--quiet", *locked], check=True)
        subprocess.run([*pip, "install", "--quiet", "--no-deps", str(wheel)], check=True)
        subprocess.run([*pip, "check"], check=True)
        listed = subprocess.run([*pip, "list", "--format=json"], stdout=subprocess.PIPE, check=True)
        self.packages = {
            re.sub(r"[-_.]+", "-", each["name"]).lower() for each in json.loads(listed.stdout)
        }

    def types(self, *words: str) -> str:
        """Type a command, and return what it prints."""
        print(f"$ {shlex.join(words)}", flush=True)
        done = subprocess.run(
            words,
            cwd=self.place,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"exit code {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def check_installation(self) -> None:
        """Look at what was downloaded, and at what is loaded."""
        step("what was installed")
        more = self.packages - set(ALLOWED.split())
        assert more == set(), f"not needed: {sorted(more)}"
        assert "run" in self.types("tidegate", "--help")
        loaded = "import sys, tidegate; print(*sys.modules)"
        heavy = set(HEAVY.split()) & set(self.types("python", "-c", loaded).split())
        assert heavy == set(), f"loaded at once: {sorted(heavy)}"

    def use(self) -> None:
        """Start the demo in one terminal, and work in another."""
        step("tidegate demo, and beside it what it says")
        log = self.place / "demo.txt"
        with (
            log.open("w") as said,
            subprocess.Popen(
                ["tidegate", "demo"], cwd=self.place, env=self.env, stdout=said, stderr=said
            ) as demo,
        ):
            try:
                for words in advice(log, demo):
                    self.types(*words)
                step("what the README says")
                self.follow_readme()
                step("the client")
                assert int(self.types("python", "-c", CLIENT)) > 0
                self.types("tidegate", "doctor")
            finally:
                demo.terminate()
            assert demo.wait(PATIENCE) == 0, log.read_text()
        self.types("tidegate", "list")

    def follow_readme(self) -> None:
        """Save the README's example, and type its commands; an execution's id stands for ID."""
        text = (ROOT / "README.md").read_text()
        blocks = re.findall(r"```(python|console)[^\n]*\n(.*?)```", text, re.DOTALL)
        example = next(code for kind, code in blocks if kind == "python" and "report_wf" in code)
        (self.place / "report.py").write_text(example)
        lines = itertools.chain(*(code.splitlines() for kind, code in blocks if kind == "console"))
        id_, typed = "", 0
        for line in lines:
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[:1] != ["tidegate"] or words[1] in {"serve", "demo"}:
                continue
            printed = self.types(*(id_ if word == "ID" else word for word in words)).strip()
            id_ = printed if words[1] == "run" else id_
            typed += 1
        assert typed >= 5, "the README says hardly anything"


def advice(log: Path, demo: "subprocess.Popen[bytes]") -> list[list[str]]:
    """Return the commands that the demo suggests, once it has."""
    until = time.monotonic() + PATIENCE
    while "Ctrl-C" not in (text := log.read_text()):
        assert demo.poll() is None, text
        assert time.monotonic() < until, text
        time.sleep(0.1)
    found = [shlex.split(line) for line in text.splitlines() if line.startswith("  tidegate ")]
    assert found, text
    return found


if __name__ == "__main__":
    main()
