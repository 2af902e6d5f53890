"""
Check what this project is built of: that the locks are whole, agree with each other, with `pyproject.toml` and with what is installed, that
each licence is one we may ship with, and whether a service that knows of vulnerabilities knows of one here.

    python .ci/audit.py                 # all of it; exits with 1 if something is wrong, with 3 if only the service cannot be reached
    python .ci/audit.py --offline       # all but the service

All but the last needs no network.
"""

import json
import re
import sys
import tomllib
import urllib.request
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
SERVICE = "https://api.osv.dev/v1/querybatch"
PATIENCE = 20.0
UNREACHED = 3
"""The exit code where nothing is wrong that can be seen from here, and the service cannot be reached."""

LICENCES = re.compile(
    r"MIT|BSD|Apache|ISC|MPL|PSF|Python Software Foundation|Zlib|Unlicense|HPND|CC0|OFL|any-OSI|Artistic|blessing",
    re.IGNORECASE,
)
"""Licences that ask for no more than to be named, or for changes of the very files (MPL)."""

FORBIDDEN = re.compile(r"\b(A?GPL|SSPL|BUSL|Commons Clause|proprietary)\b", re.IGNORECASE)

IMPORTED = {"psycopg", "psycopg-binary"}
"""Under the LGPL, and fit for that: only imported, not changed, and not part of what we ship."""

TOLD = {"axe-playwright-python": "MIT"}
"""Licences that a package's metadata does not say; looked up in its source."""

PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(?:;\s*([^\\]+?))?\s*\\?$")
HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}\s*\\?$")

Lock = dict[str, tuple[Version, str, int]]
"""Each package: its version, the marker of where it is needed, and how many hashes it has."""


def read(path: Path) -> tuple[Lock, list[str]]:
    """Return a lock, and what is wrong with its lines."""
    lock: Lock = {}
    wrong: list[str] = []
    name = ""
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        if found := PINNED.match(words):
            name = canonicalize_name(found[1])
            if name in lock:
                wrong.append(f"{path.name}:{number}: {name} is there twice")
            lock[name] = (Version(found[2]), found[3] or "", 0)
        elif HASH.match(words) and name:
            version, marker, hashes = lock[name]
            lock[name] = (version, marker, hashes + 1)
        else:
            wrong.append(f"{path.name}:{number}: neither a version nor a hash: {words[:60]}")
    wrong += [f"{path.name}: {each} has no hash" for each, (_, _, n) in lock.items() if not n]
    return lock, wrong


def declared(extras: tuple[str, ...]) -> list[Requirement]:
    """Return what `pyproject.toml` asks for, with these extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = [Requirement(each) for each in project["dependencies"]]
    for extra in extras:
        for each in map(Requirement, project["optional-dependencies"][extra]):
            if each.name == project["name"]:
                found += declared(tuple(each.extras))
            else:
                found.append(each)
    return found


def unmet(name: str, lock: Lock, extras: tuple[str, ...]) -> list[str]:
    """Say which requirements a lock does not meet, on some Python that we support."""
    wrong = []
    for each in declared(extras):
        for python in PYTHONS:
            there = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
            if each.marker is not None and not each.marker.evaluate(there):
                continue
            pinned = lock.get(canonicalize_name(each.name))
            if pinned is None:
                wrong.append(f"{name}: {each} is not locked: make lock")
            elif not each.specifier.contains(pinned[0], prereleases=True):
                wrong.append(f"{name}: {each} is asked for, {pinned[0]} is locked: make lock")
            else:
                continue
            break
    return wrong


def disagreeing(locks: dict[str, Lock]) -> list[str]:
    """Say where a lock has another version than that of development, by which everything is tested."""
    return [
        f"{name}: {package} is {version}, and not the same in dev: make lock"
        for name, lock in locks.items()
        for package, (version, _, _) in lock.items()
        if package not in locks["dev"] or locks["dev"][package][0] != version
    ]


def installed() -> dict[str, Distribution]:
    """Return what is installed here."""
    return {canonicalize_name(each.metadata["Name"]): each for each in distributions()}


def differing(lock: Lock, there: dict[str, Distribution]) -> list[str]:
    """Say what is installed in another version than is locked."""
    return [
        f"installed: {name} {there[name].version}, locked: {version}: make check installs what is locked"
        for name, (version, _, _) in lock.items()
        if name in there and Version(there[name].version) != version
    ]


def licence(found: Distribution) -> str:
    """Return what the metadata of a package says of its licence."""
    said = found.metadata
    classes = [each for each in said.get_all("Classifier") or [] if each.startswith("License ::")]
    words = said.get("License-Expression") or " ".join(classes) or (said.get("License") or "")[:200]
    return str(words)


def unlicensed(lock: Lock, there: dict[str, Distribution]) -> list[str]:
    """Say which packages have a licence that we may not ship with, or none that is told."""
    wrong = []
    for name in lock:
        if name in there and name not in IMPORTED:
            words = TOLD.get(name) or licence(there[name])
            if not LICENCES.search(words) or (
                FORBIDDEN.search(words) and not re.search(r"\bOR\b", words)
            ):
                wrong.append(f"licence: {name}: {words.strip()[:80] or 'none is told'}")
    return wrong


def page_lock() -> list[str]:
    """Say what of the web page's lock has no hash."""
    packages = json.loads((ROOT / "ui" / "package-lock.json").read_text())["packages"]
    return [
        f"ui/package-lock.json: {name} has no hash"
        for name, entry in packages.items()
        if name and not entry.get("link") and "sha512-" not in entry.get("integrity", "")
    ]


def vulnerable(lock: Lock) -> list[str]:
    """Return the vulnerabilities that the service knows of. Errors: `OSError` if it cannot be reached, or says nothing that makes sense."""
    names = list(lock)
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": str(lock[name][0])}
        for name in names
    ]
    request = urllib.request.Request(
        SERVICE, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        try:
            results: list[dict[str, Any]] = json.loads(reply.read())["results"]
        except (ValueError, KeyError, TypeError) as error:
            raise OSError(f"the reply makes no sense: {error}") from None
    if len(results) != len(names):
        raise OSError(f"{len(results)} replies to {len(names)} questions")
    return [
        f"vulnerable: {name} {lock[name][0]}: {each['id']}"
        for name, result in zip(names, results, strict=True)
        for each in result.get("vulns", [])
    ]


def main() -> int:
    sys.path.insert(0, str(Path(__file__).parent))
    from lock import LOCKS  # noqa: PLC0415 - it stands beside this file

    locks: dict[str, Lock] = {}
    wrong = page_lock()
    for name, extras in LOCKS.items():
        locks[name], faults = read(ROOT / "locks" / f"{name}.txt")
        wrong += [*faults, *unmet(name, locks[name], extras)]
    there = installed()
    wrong += [
        *disagreeing(locks),
        *differing(locks["dev"], there),
        *unlicensed(locks["dev"], there),
    ]
    looked = sum(name in there for name in locks["dev"])
    code = 0
    if "--offline" not in sys.argv:
        try:
            wrong += vulnerable(locks["dev"])
        except OSError as error:
            print(f"known vulnerabilities were not checked: {SERVICE} cannot be reached: {error}")
            code = UNREACHED
    for each in wrong:
        print(each)
    print(
        f"{len(locks['dev'])} packages locked, {looked} of them installed here: {len(wrong)} problems"
    )
    return 1 if wrong else code


if __name__ == "__main__":
    sys.exit(main())
