"""
Checks the sources of the web UI: types, lint, format, the tests of its units, and that `src/api/types.ts` is what the OpenAPI document says.

    python ui/check.py            # fails with what is to be mended
    python ui/check.py --write    # writes src/api/types.ts

It needs the package installed, and what `build.py` needs. Without Node, and without a way to get it, nothing is checked, and it says so.
"""

import json
import sys

import build

from tidegate.api.app import ROUTES
from tidegate.api.openapi import make_document

CHECKS = (
    ["npm", "exec", "--offline", "--", "tsc", "--noEmit"],
    ["npm", "exec", "--offline", "--", "oxlint", "--report-unused-disable-directives", "src"],
    ["npm", "exec", "--offline", "--", "prettier", "--check", "--log-level=warn", "."],
    ["npm", "exec", "--offline", "--", "vitest", "run"],
)


def main() -> int:
    """Check, and say what is wrong."""
    if not build.wanted():
        print("The web UI is left out (TIDEGATE_NO_UI): it is not checked.", file=sys.stderr)
        return 0
    try:
        build.get_node()
        with build.alone():
            build.install()
    except build.CannotBuild as error:
        print(f"The web UI is not checked: {error}", file=sys.stderr)
        return int(build.is_required())
    types = ["node", "scripts/types.mjs", "-"]
    document = json.dumps(make_document(ROUTES, ""))
    if "--write" in sys.argv:
        build.run(types, given=document)
        return 0
    faults = [
        *filter(None, (fault(words) for words in CHECKS)),
        fault([*types, "--check"], document),
    ]
    for each in filter(None, faults):
        print(each, file=sys.stderr)
    return int(any(faults))


def fault(words: list[str], given: str = "") -> str:
    """Run one check, and return what it found."""
    try:
        build.run(words, given=given)
    except build.CannotBuild as error:
        return str(error)
    return ""


if __name__ == "__main__":
    sys.exit(main())
