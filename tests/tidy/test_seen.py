"""
The page marks the same characters as the terminal: the pattern in `ui/src/seen/pattern.ts` is that of `tidegate.types.marks`.

To write it again: python -m tests.tidy.test_seen
"""

from pathlib import Path

from tidegate.types import marks

PATTERN = Path(__file__).parents[2] / "ui" / "src" / "seen" / "pattern.ts"
WIDTH = 110


def module() -> str:
    """Return the module with the pattern, as JavaScript spells it for the flags `g` and `u`."""
    spelled = [
        each if " " < each < "\x7f" else f"\\u{{{ord(each):x}}}"
        for each in marks._PATTERN.replace("(?P<", "(?<")
    ]
    lines, line = [], ""
    for each in spelled:
        if len(line) + len(each) > WIDTH:
            lines.append(line)
            line = ""
        line += each
    parts = "".join(f"  String.raw`{each}`,\n" for each in (*lines, line))
    return (
        "/** The characters that are drawn as marks, and in the group `seen` those that are not. Written by: python -m tests.tidy.test_seen */\n"
        f"export const PATTERN = new RegExp([\n{parts}].join(''), 'gu');\n"
    )


def test_the_page_marks_the_same_characters_as_the_terminal():
    assert PATTERN.read_text() == module()


if __name__ == "__main__":
    PATTERN.write_text(module())
