"""A file of the page's sources is short enough to be read in one sitting."""

from pathlib import Path

UI = Path(__file__).parents[2] / "ui" / "src"
MAX_LINES = 400
GENERATED = {UI / "api" / "types.ts"}


def test_no_source_of_the_page_is_longer_than_its_limit() -> None:
    lines = {
        path: len(path.read_text().splitlines())
        for path in UI.rglob("*")
        if path.suffix in {".ts", ".tsx", ".css"} and path not in GENERATED
    }

    assert lines
    assert not {path.relative_to(UI).as_posix(): n for path, n in lines.items() if n > MAX_LINES}
