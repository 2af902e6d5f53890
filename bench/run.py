"""
Measure, and lay each figure beside the bare machine measured in the same run.

    python bench/run.py [CASE ...] [--repeats N]

Prints a table, and writes everything, with every sample, to bench/results/.
"""

import argparse
import importlib
import json
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import machine
from figures import Figure, show

HERE = Path(__file__).parent


def main() -> int:
    cases = sorted(p.stem.removeprefix("cases_") for p in HERE.glob("cases_*.py"))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("case", nargs="*", help=f"which of: {', '.join(cases)} (all)")
    parser.add_argument(
        "--repeats", type=int, default=5, help="how many times each is measured (5)"
    )
    asked = parser.parse_args()
    if unknown := set(asked.case) - set(cases):
        parser.error(f"there is no case {', '.join(sorted(unknown))}; there are {', '.join(cases)}")

    started = datetime.now(UTC)
    facts = machine.facts()
    print("\n".join(f"{k}: {v}" for k, v in facts.items()), file=sys.stderr)
    figures: list[Figure] = []
    for case in asked.case or cases:
        begun = time.perf_counter()
        figures += importlib.import_module(f"cases_{case}").figures(asked.repeats)
        print(f"{case}: measured in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    print(show(figures))

    results = HERE / "results"
    shutil.rmtree(machine.here(), ignore_errors=True)
    path = results / f"{started:%Y%m%d-%H%M%S}.json"
    body = {
        "started": started.isoformat(),
        "machine": facts,
        "figures": [f.as_json() for f in figures],
    }
    path.write_text(json.dumps(body, indent=2) + "\n")
    print(f"written to {path.relative_to(HERE.parent)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
