"""What source imports: the files beside it, what is elsewhere, and what of that must be there."""

from pathlib import Path

import pytest

from tidegate.bundles.imports import imported, imports_of

NEEDED = [
    "import far",
    "def f():\n    import far.part",
    "def f():\n    from far import part",
    "try:\n    import far\nexcept ValueError: 0",
    "try:\n    0\nexcept ImportError: 0\nelse:\n    import far",
    "with open('x'):\n    import far",
    "if True:\n    import far",
    "import importlib\ndef f():\n    return importlib.import_module('far')",
]

NOT_NEEDED = [
    "try:\n    import far\nexcept ImportError: 0",
    "def f():\n    try:\n        import far\n    except (KeyError, ModuleNotFoundError): 0",
    "try:\n    if 1:\n        import far\nexcept: 0",
    "try:\n    import os\nexcept ImportError:\n    import far",
    "import contextlib\nwith contextlib.suppress(ImportError):\n    import far",
    "import typing\nif typing.TYPE_CHECKING:\n    import far",
    "if __name__ == '__main__':\n    import far",
    "import importlib.util as u\nif u.find_spec('far') is not None:\n    import far",
]


def names(tmp_path: Path, text: str) -> tuple[set[str], set[str]]:
    (tmp_path / "flow.py").write_text(text)
    found = imports_of(tmp_path, tmp_path / "flow")
    return (
        {each for each in found.names if each.startswith("far")},
        {each for each in found.needed if each.startswith("far")},
    )


@pytest.mark.parametrize("text", NEEDED)
def test_an_import_must_be_there_wherever_it_stands(tmp_path, text):
    there, needed = names(tmp_path, text)
    assert there
    assert needed == there


@pytest.mark.parametrize("text", NOT_NEEDED)
def test_an_import_whose_failure_is_expected_is_seen_and_need_not_be_there(tmp_path, text):
    assert names(tmp_path, text) == ({"far"}, set())


def test_what_is_imported_once_with_and_once_without_a_way_out_must_be_there(tmp_path):
    text = f"{NOT_NEEDED[0]}\ndef f():\n    import far"
    assert names(tmp_path, text) == ({"far"}, {"far"})


def test_local_modules_are_followed_and_what_they_import_counts(tmp_path):
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "__init__.py").write_text("")
    (tmp_path / "steps" / "one.py").write_text("from . import two\n")
    (tmp_path / "steps" / "two.py").write_text("def f():\n    import far\n")
    there, needed = names(tmp_path, "from steps.one import f")
    assert there == needed == {"far"}
    assert imported(tmp_path, tmp_path / "flow.py") == {
        "flow.py",
        "steps/__init__.py",
        "steps/one.py",
        "steps/two.py",
    }
