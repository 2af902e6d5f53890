"""Nothing in the package runs text as a program, or as a command line, or opens a pickle that it was not told is one."""

import ast
from collections.abc import Iterator

import pytest
from tests.tidy.test_tidy import sources

NAMES = frozenset(("eval", "exec", "compile", "__import__"))
CALLS = frozenset((("os", "system"), ("os", "popen"), ("marshal", "loads"), ("yaml", "load")))


def dangerous(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in NAMES:
                yield f"{node.lineno}: {name}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)) if (
                module,
                name,
            ) in CALLS:
                yield f"{node.lineno}: {module}.{name}"
            case ast.keyword(arg="shell"):
                yield f"{node.lineno}: shell="
            case _:
                pass


def test_no_text_is_run():
    found = [f"{path}:{each}" for path in sources("src") for each in dangerous(path.read_text())]

    assert not found


@pytest.mark.parametrize(
    "text", ["eval(x)", "exec(x)", "os.system(x)", "subprocess.run(x, shell=True)", "yaml.load(x)"]
)
def test_each_way_to_run_text_is_found(text: str):
    assert list(dangerous(text))
