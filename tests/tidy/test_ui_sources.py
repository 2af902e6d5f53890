"""A file of the page's sources is short enough to be read in one sitting, and the library's styles come with what uses them."""

import re
from pathlib import Path

UI = Path(__file__).parents[2] / "ui" / "src"
MAX_LINES = 400
GENERATED = {UI / "api" / "types.ts"}
SHARED = {
    "Input": ("TextInput", "Textarea", "NativeSelect", "FileInput", "JsonInput"),
    "Combobox": ("Select", "MultiSelect", "Autocomplete", "TagsInput"),
}
"""Components whose looks are those of another one."""
UNSTYLED = {
    "Box",
    "CopyButton",
    "FileButton",
    "FocusTrap",
    "MantineProvider",
    "Portal",
    "Transition",
}


def sources() -> dict[Path, str]:
    return {
        path: path.read_text()
        for path in UI.rglob("*")
        if path.suffix in {".ts", ".tsx", ".css"} and path not in GENERATED
    }


def test_no_source_of_the_page_is_longer_than_its_limit() -> None:
    lines = {path: len(text.splitlines()) for path, text in sources().items()}

    assert lines
    assert not {path.relative_to(UI).as_posix(): n for path, n in lines.items() if n > MAX_LINES}


def test_every_component_of_the_library_has_its_styles() -> None:
    styled = {
        name
        for file in ("mantine.ts", "mantineLater.ts")
        for name in re.findall(r"styles/(\w+)\.layer\.css", (UI / "app" / file).read_text())
    }
    styled |= {name for like, names in SHARED.items() if like in styled for name in names}
    used = {
        name
        for text in sources().values()
        for names in re.findall(r"import \{([^}]*)\} from '@mantine/core'", text)
        for name in re.findall(r"\b[A-Z]\w+", names)
        if not re.search(rf"type {name}\b", names)
    }

    assert len(used) > 20
    assert used - styled - UNSTYLED == set(), "list them in app/mantine.ts or app/mantineLater.ts"


def test_styles_of_the_library_lie_in_their_layer() -> None:
    """Outside it, they would win or lose against ours by the order in which chunks are loaded."""
    loose = {
        path.relative_to(UI).as_posix(): found
        for path, text in sources().items()
        if (found := re.findall(r"@mantine/\w+/styles(?:\.css|/\w+\.css)", text))
    }

    assert loose == {}
