"""What a module imports is found in milliseconds, wherever it is imported, and what has changed of it is said."""

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest

from tidegate.blobs.directory import BlobDirectory
from tidegate.executors.environment import Environment, Environments

LOOK = """
import sys, msgspec
from hashlib import sha256
from pathlib import Path
source, module = sys.argv[1:3]
sys.path[:0] = [source]
from tidegate.executors.environment import Environments, differences, observe
from tidegate.blobs.directory import BlobDirectory
__import__(module)
if sys.argv[3:4] == ["lacks"]:
    blobs = BlobDirectory(Path(sys.argv[4]))
    print(Environments(blobs, source).lacks(blobs.put([Path(sys.argv[5]).read_bytes()])))
elif len(sys.argv) > 3:
    print(differences(msgspec.json.decode(Path(sys.argv[3]).read_bytes(), type=Environment), source))
else:
    sys.stdout.buffer.write(observe(module, source).encoded())
""".replace("differences,", "Environment, differences,")


class Place:
    """A source tree, and a directory of libraries beside it, as `pip` leaves it; each look is a process of its own, as each worker is."""

    def __init__(self, place: Path) -> None:
        self.source = place / "source"
        self.site = place / "site"
        self.record = place / "record"
        for each in (self.source, self.site):
            each.mkdir()

    def write(self, name: str, text: str) -> Path:
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    def install(self, name: str, version: str, files: dict[str, str], requires: str = "") -> None:
        """Install a distribution, in place of the one that is there."""
        for old in self.site.glob(f"{name}-*.dist-info"):
            shutil.rmtree(old)
        info = self.site / f"{name}-{version}.dist-info"
        info.mkdir()
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (info / "METADATA").write_text(head + requires)
        lines = []
        for file, text in files.items():
            path = self.site / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            lines.append(f"{file},sha256={sha256(text.encode()).hexdigest()},{len(text)}")
        lines += [f"../bin/{name},sha256={id(self)},1", f"{info.name}/INSTALLER,sha256=x,1"]
        (info / "RECORD").write_text("\n".join(lines))

    def look(self, *words: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-c", LOOK, str(self.source), *words],
            env={"PYTHONPATH": str(self.site), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            check=True,
        ).stdout

    def observe(self, module: str = "flow") -> Environment:
        body = self.look(module)
        self.record.write_bytes(body)
        return msgspec.json.decode(body, type=Environment)

    def lacks(self, module: str = "flow") -> str:
        blobs = self.record.with_name("blobs")
        return self.look(module, "lacks", str(blobs), str(self.record)).decode().strip()

    def differences(self, module: str = "flow") -> str:
        return self.look(module, str(self.record)).decode().strip()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


SHOP = {"shop/__init__.py": "def fee(): return 1\n"}


class TestWhatIsFound:
    def test_distributions_that_the_bundle_s_modules_lead_to_directly_or_not(self, place: Place):
        place.install("shoplib", "1.0", {"shop/__init__.py": "import tax.rates\n"})
        place.install("tax_tables", "3.1", {"tax/rates.py": "x = 1\n", "tax/__init__.py": ""})
        place.install("unused", "1.0", {"unused.py": ""})
        place.write("flow.py", "import steps\n")
        place.write("steps.py", "from shop import __name__ as n\nimport shop\n")

        found = place.observe()

        assert {name: v for name, (v, _) in found.distributions.items()} == {
            "shoplib": "1.0",
            "tax-tables": "3.1",
        }
        assert (found.modules, found.files, found.absent) == (("flow", "steps"), {}, ())
        assert found.python.startswith(f"{sys.implementation.name} {sys.version_info[0]}.")

    def test_what_is_imported_inside_a_function_with_what_it_requires(self, place: Place):
        place.install(
            "shoplib",
            "1.0",
            SHOP,
            "Requires-Dist: Tax.Tables (>=3)\nRequires-Dist: unused ; extra == 'all'\n",
        )
        place.install("tax_tables", "3.1", {"tax.py": ""})
        place.install("unused", "1.0", {"unused.py": ""})
        place.write("flow.py", "def run():\n    import shop, orjson_of_nobody\n")

        found = place.observe()

        assert sorted(found.distributions) == ["shoplib", "tax-tables"]
        assert found.absent == ("orjson_of_nobody",)

    def test_files_of_no_distribution_and_what_they_import(self, place: Place):
        (place.site / "loose.py").write_text("import beside\ndef late():\n    import later\n")
        (place.site / "beside.py").write_text("")
        (place.site / "later.py").write_text("")
        place.write("flow.py", "def run():\n    import loose\n")

        assert sorted(place.observe().files) == ["beside", "later", "loose"]

    def test_the_parts_of_a_namespace_are_told_apart(self, place: Place):
        place.install("acme_one", "1.0", {"acme/one/__init__.py": ""})
        place.install("acme_two", "2.0", {"acme/two/__init__.py": ""})
        place.write("flow.py", "import acme.one\ndef run():\n    import acme.two.deep\n")

        found = place.observe()

        assert {name: v for name, (v, _) in found.distributions.items()} == {
            "acme-one": "1.0",
            "acme-two": "2.0",
        }

    def test_neither_tidegate_nor_what_only_it_imports_but_what_the_code_imports_as_well(
        self, place: Place
    ):
        place.write("flow.py", "import json, tidegate\n")
        assert place.observe().distributions == {}

        place.write("flow.py", "import tidegate, msgspec\n")
        found = place.observe().distributions
        assert "msgspec" in found
        assert not found.keys() & {"pydantic", "apsw", "tidegate"}

    def test_with_pandas_it_takes_less_than_50_ms(self, place: Place):
        place.write("flow.py", "import pandas\n")
        text = LOOK.replace(
            "__import__(module)\n",
            "__import__(module)\nimport time\nfrom statistics import median\nspent = []\n"
            "for _ in range(5):\n    began = time.process_time()\n    observe(module, source)\n"
            "    spent.append(time.process_time() - began)\nprint(median(spent))\nsys.exit()\n",
        )
        out = subprocess.check_output([sys.executable, "-c", text, str(place.source), "flow"])
        assert float(out) < 0.05


def change(place: Place, what: str) -> None:
    match what:
        case "another version":
            place.install("shoplib", "2.0", SHOP)
        case "other contents":
            place.install("shoplib", "1.0", {"shop/__init__.py": "def fee(): return 2\n"})
        case "another file":
            (place.site / "loose.py").write_text("x = 2\n")
        case "what was absent":
            (place.site / "absent.py").write_text("")
        case _:
            assert what == "nothing"


class TestDifferences:
    @pytest.mark.parametrize(
        ("what", "says"),
        [
            ("nothing", ""),
            ("another version", "shoplib 1.0 is now 2.0"),
            ("other contents", "shoplib 1.0 has other contents"),
            ("another file", "module loose (SITE/loose.py) has changed"),
            ("what was absent", "module absent is there now"),
        ],
    )
    def test_each_is_said_and_nothing_else(self, place: Place, what: str, says: str):
        place.install("shoplib", "1.0", SHOP)
        place.install("unused", "1.0", {"unused.py": ""})
        (place.site / "loose.py").write_text("x = 1\n")
        place.write(
            "flow.py", "import loose\nimport shop\ntry:\n    import absent\nexcept ImportError: 0\n"
        )
        place.observe()
        place.install("unused", "9.0", {"unused.py": "x = 1"})

        change(place, what)

        assert place.differences() == says.replace("SITE", str(place.site))

    def test_it_is_said_in_a_worker_that_has_imported_another_module_of_the_bundle(
        self, place: Place
    ):
        place.install("shoplib", "1.0", SHOP)
        place.install("tax_tables", "3.1", {"tax.py": ""})
        place.write("flow.py", "import shop, steps\n")
        place.write("steps.py", "import tax\n")
        place.observe()
        assert place.differences("steps") == ""

        place.install("shoplib", "2.0", SHOP)
        assert place.differences("steps") == "shoplib 1.0 is now 2.0"

    def test_something_that_a_library_imports_since_is_said(self, place: Place):
        place.install("shoplib", "1.0", {"shop.py": "try:\n    import fast\nexcept Exception: 0\n"})
        place.write("flow.py", "import shop\n")
        place.observe()

        place.install("faster", "5", {"fast.py": ""})

        assert place.differences() == "faster 5 is imported now"

    def test_a_library_that_is_gone_is_said(self, place: Place):
        place.install("shoplib", "1.0", SHOP)
        place.write("flow.py", "def run():\n    import shop\n")
        place.observe()
        (place.site / "shoplib-1.0.dist-info").rename(place.site / "aside")

        assert place.differences() == "shoplib 1.0 is not installed"

    def test_a_record_that_cannot_be_read_counts_as_a_difference_and_none_at_all_does_not(
        self, tmp_path: Path
    ):
        blobs = BlobDirectory(tmp_path)
        compared = Environments(blobs, str(tmp_path))

        assert compared.differ("") == ""
        assert "is missing" in compared.differ("0" * 64)
        assert "is missing" in compared.differ(blobs.put([b"{}"]))


class TestWhatIsMissing:
    def test_a_module_that_a_function_imports_is_missed_when_it_is_gone_and_not_before(
        self, place: Place
    ):
        place.install("shoplib", "1.0", SHOP)
        place.write("flow.py", "def run():\n    from shop import fee\n    import steps\n")
        place.write("steps.py", "import json, sys\n")
        place.observe()
        assert place.lacks() == ""

        (place.site / "shop" / "__init__.py").unlink()
        assert place.lacks() == "module shop, which the code imports, is missing: restore it"

    def test_so_is_one_of_no_distribution(self, place: Place):
        (place.site / "loose.py").write_text("")
        place.write("flow.py", "def run():\n    import loose\n")
        place.observe()
        (place.site / "loose.py").unlink()
        assert place.lacks() == "module loose, which the code imports, is missing: restore it"

    def test_so_is_what_it_requires(self, place: Place):
        place.install("shoplib", "1.0", SHOP, "Requires-Dist: tax_tables\n")
        place.install("tax_tables", "3.1", {"tax.py": ""})
        place.write("flow.py", "def run():\n    import shop\n")
        place.observe()
        assert place.lacks() == ""
        (place.site / "tax_tables-3.1.dist-info").rename(place.site / "aside")
        assert place.lacks().startswith("tax-tables, required by something that the code")

    def test_one_whose_failure_is_expected_or_that_was_absent_before_is_not(self, place: Place):
        place.install("shoplib", "1.0", SHOP)
        text = "def run():\n    import nowhere\n    try:\n        import shop\n    except ImportError: 0\n"
        place.write("flow.py", text)
        place.observe()
        (place.site / "shop" / "__init__.py").unlink()
        assert place.lacks() == ""

    def test_nor_is_anything_if_nothing_was_recorded(self, tmp_path: Path):
        compared = Environments(BlobDirectory(tmp_path), str(tmp_path))
        assert compared.lacks("") == compared.lacks("0" * 64) == ""
