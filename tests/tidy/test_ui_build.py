"""The web UI is built when it must be and not otherwise, by the real script, beside a Node that only pretends; and its lock file works everywhere."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "ui"
LOCK = (UI / "package-lock.json").read_text()

NODE = "#!/bin/sh\necho v22.12.0\n"
NPM = """#!/bin/sh
echo "$1" >> npm-was-asked
[ ! -e npm-fails ] || { echo 'the registry is away'; exit 1; }
case "$1" in
    ci) mkdir -p node_modules ;;
    exec) mkdir -p "$UI_OUT_DIR"; echo page > "$UI_OUT_DIR/index.html" ;;
esac
"""


class Clone:
    """A clone with the script and some sources, and the output beside them."""

    def __init__(self, place: Path) -> None:
        self.ui = place / "ui"
        self.out = place / "src" / "tidegate" / "_ui"
        self.out.parent.mkdir(parents=True)
        self.bin = place / "bin"
        for path, text in {
            self.ui / "package.json": "{}",
            self.ui / "package-lock.json": '{"packages": {}}',
            self.ui / "src" / "main.tsx": "one",
            self.bin / "node": NODE,
            self.bin / "npm": NPM,
        }.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        shutil.copy(UI / "build.py", self.ui)

    def build(self, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the script as `make ui` does."""
        return subprocess.run(
            [sys.executable, str(self.ui / "build.py")],
            env={"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", **env},
            capture_output=True,
            text=True,
            check=False,
        )

    def asked(self) -> list[str]:
        """Return what npm was asked for since the last time."""
        note = self.ui / "npm-was-asked"
        words = note.read_text().split() if note.exists() else []
        note.unlink(missing_ok=True)
        return words


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path)
    built = made.build()
    assert (built.returncode, built.stderr) == (0, "The web UI is built.\n")
    assert made.asked() == ["ci", "exec"]
    return made


def test_nothing_is_built_when_nothing_has_changed(clone: Clone) -> None:
    assert clone.build().stderr == ""
    assert clone.asked() == []


def test_a_changed_source_is_built_without_fetching_the_packages_again(clone: Clone) -> None:
    (clone.ui / "src" / "main.tsx").write_text("two")

    assert clone.build().stderr == "The web UI is built.\n"
    assert clone.asked() == ["exec"]


def test_another_lock_file_fetches_the_packages_again(clone: Clone) -> None:
    (clone.ui / "package-lock.json").write_text('{"packages": {}} ')

    assert clone.build().stderr == "The web UI is built.\n"
    assert clone.asked() == ["ci", "exec"]


@pytest.mark.parametrize("lost", ["index.html", "build.json", "."])
def test_a_ui_that_is_gone_is_built_again(clone: Clone, lost: str) -> None:
    gone = clone.out / lost
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()

    assert clone.build().stderr == "The web UI is built.\n"
    assert (clone.out / "index.html").read_text() == "page\n"


def test_a_ui_that_cannot_be_built_is_told_and_leaves_the_old_one(clone: Clone) -> None:
    (clone.ui / "src" / "main.tsx").write_text("two")
    (clone.ui / "npm-fails").touch()

    told = clone.build()
    required = clone.build(TIDEGATE_REQUIRE_UI="1")

    assert told.returncode == 0
    assert "could not be built" in told.stderr
    assert "the registry is away" in told.stderr
    assert required.returncode == 1
    assert (clone.out / "index.html").exists()


def test_the_ui_can_be_left_out(tmp_path: Path) -> None:
    clone = Clone(tmp_path)

    left_out = clone.build(TIDEGATE_NO_UI="1")

    assert (left_out.returncode, clone.asked()) == (0, [])
    assert "left out" in left_out.stderr
    assert not clone.out.exists()


def test_the_licenses_of_what_is_built_in_come_with_it(clone: Clone) -> None:
    assert "is built from these packages" in (clone.out / "THIRD_PARTY_LICENSES.txt").read_text()


@pytest.mark.parametrize(
    "system", ["linux-x64-gnu", "linux-arm64-gnu", "darwin-arm64", "darwin-x64", "win32-x64-msvc"]
)
def test_the_lock_file_has_what_other_systems_need(system: str) -> None:
    """npm may write a lock with the binaries of the machine it was written on, and no others."""
    for package in ("@rolldown/binding", "lightningcss", "@oxlint/binding"):
        assert f'"node_modules/{package}-{system}"' in LOCK, package
    plain = system.removesuffix("-gnu").removesuffix("-msvc")
    assert f'"node_modules/@typescript/typescript-{plain}"' in LOCK


def test_the_lock_file_names_no_registry_and_proves_every_package() -> None:
    packages = json.loads(LOCK)["packages"]

    assert '"resolved"' not in LOCK
    assert not re.search(r"https?://", sans_funding(packages))
    assert [name for name, each in packages.items() if name and "integrity" not in each] == []
    assert [name for name, each in packages.items() if each.get("hasInstallScript")] == []


def sans_funding(packages: dict[str, dict[str, object]]) -> str:
    """Return what is left of the lock file without the addresses that ask for support."""
    return json.dumps(
        [{k: v for k, v in each.items() if k != "funding"} for each in packages.values()]
    )


def test_the_lock_file_is_that_of_the_package() -> None:
    wanted = json.loads((UI / "package.json").read_text())
    locked = json.loads(LOCK)["packages"][""]

    for kind in ("dependencies", "devDependencies"):
        assert locked[kind] == wanted[kind]
