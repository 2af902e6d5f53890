"""
Write the generated parts of the documentation from the code, so that the two cannot disagree.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; all other text is written by hand.
`python docs/generate.py` writes, `--check` only says which pages are out of date, and exits 1 if any is.
"""

import argparse
import ast
import enum
import inspect
import itertools
import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import click
from drawing import svg

import tidegate
from tidegate.cli.examples import examples
from tidegate.cli.main import tidegate as cli
from tidegate.core import messages
from tidegate.core.state import EXECUTION_TRANSITIONS, NODE_TRANSITIONS
from tidegate.errors import TidegateError
from tidegate.testing import Run, Sandbox

DOCS = Path(__file__).parent
Phase = typing.TypeVar("Phase", bound=enum.IntEnum)
PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def sentence(text: str | None) -> str:
    """Return the first paragraph of a docstring on one line, safe in a table."""
    first = inspect.cleandoc(text or "").split("\n\n")[0]
    return " ".join(first.split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def phases(transitions: Mapping[Phase, frozenset[Phase]], picture: str, what: str) -> str:
    """Show a transition table as a picture, and write it out for readers without pictures."""
    rows = [
        (before.name, ", ".join(a.name for a in sorted(transitions[before])) or "(the end)")
        for before in sorted(transitions)
    ]
    return f"![{what}](pictures/{picture})\n\n" + table(("from", "to"), rows)


def error_classes(root: type[TidegateError] = TidegateError) -> Iterator[type[TidegateError]]:
    yield root
    for child in sorted(root.__subclasses__(), key=lambda c: c.__name__):
        if child.__module__ == root.__module__:
            yield from error_classes(child)


def errors() -> str:
    rows = [
        (
            f"`{e.code}`",
            f"`{e.__name__}`",
            f"`{e.__bases__[0].__name__}`",
            str(e.status),
            sentence(e.__doc__),
        )
        for e in error_classes()
    ]
    return table(("code", "class", "is a", "HTTP", "meaning"), rows)


def failures() -> str:
    codes = sorted(
        value for name, value in vars(messages).items() if name.isupper() and isinstance(value, str)
    )
    return "".join(f"- `{code}`\n" for code in codes)


def option(of: click.Option) -> tuple[str, str]:
    name = ", ".join(f"`{o}`" for o in (*of.opts, *of.secondary_opts))
    value = "" if of.is_flag or of.count else f" {of.make_metavar(click.Context(cli))}"
    return name + value, sentence(of.help)


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            child = command.get_command(click.Context(command), name)
            if child is not None and not child.hidden:
                yield from commands(child, f"{path} {name}")


def exit_codes() -> str:
    codes = re.findall(r"^ +(\d+) +(.+)$", cli.epilog or "", re.MULTILINE)
    return table(("exit code", "meaning"), codes)


def command_line() -> str:
    out = []
    for path, command in commands(cli, "tidegate"):
        usage = " ".join([path, *command.collect_usage_pieces(click.Context(command))])
        text = inspect.cleandoc(command.help or "").replace("\b\n", "")
        out.append(f"### `{path}`\n\n```text\n{usage}\n```\n\n{text}\n")
        if lines := examples(path.removeprefix("tidegate ")):
            shown = "\n".join(lines)
            out.append(f"```sh\n{shown}\n```\n")
        options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
        if options:
            out.append(table(("option", "meaning"), [option(each) for each in options]))
    return "\n".join(out)


def options_of(kind: type) -> list[tuple[str, str, str]]:
    """Return each option of a TypedDict, with its type and the text that stands below it in the source."""
    module = ast.parse(inspect.getsource(sys.modules[kind.__module__]))
    classes = {each.name: each for each in module.body if isinstance(each, ast.ClassDef)}
    hints = typing.get_type_hints(kind)

    def fields(of: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
        for base in of.bases:
            if isinstance(base, ast.Name) and base.id in classes:
                yield from fields(classes[base.id])
        for field, below in itertools.zip_longest(of.body, of.body[1:]):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                name, text = field.target.id, ""
                if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                    text = str(below.value.value)
                yield name, plain(hints[name]).replace("|", "\\|"), sentence(text)

    return list(fields(classes[kind.__name__]))


def signature(name: str, thing: Callable[..., object]) -> tuple[str, str]:
    """Write a signature as a reader would, without modules, and the options of a TypedDict as a table."""
    shown, options = [], ""
    for p in inspect.signature(thing).parameters.values():
        if p.kind is p.VAR_KEYWORD and typing.get_origin(p.annotation) is typing.Unpack:
            (kind,) = typing.get_args(p.annotation)
            every = options_of(kind)
            rows = [(f"`{name}`", f"`{of}`", text) for name, of, text in every if text]
            options = "\n" + table(("option", "type", "meaning"), rows)
            if without := [f"`{name}`" for name, _, text in every if not text]:
                options += f"\nAccepted as in Flyte, without effect: {', '.join(without)}.\n"
            shown.append(f"**{p.name}")
        else:
            shown.append(plain(p))
    return f"```text\n{name}({', '.join(shown)})\n```\n", options


def plain(thing: object) -> str:
    text = (
        inspect.formatannotation(thing) if not isinstance(thing, inspect.Parameter) else str(thing)
    )
    text = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", text)
    return re.sub(r"[~*]?<class '([^']+)'>", r"\1", text).replace("~", "")


PAGES = {
    "gates": ("sleep", "wait_for_input", "approve", "review", "ask_each"),
    "tasks": ("task", "dynamic", "current_context", "TaskRun", "Resources", "Deck", "ImageSpec"),
    "workflows": (
        *("workflow", "WorkflowFailurePolicy", "conditional", "Echo", "Workflow", "ImperativeWorkflow"),
        *("create_node", "LaunchPlan"),
    ),
}  # fmt: skip
"""Each page of the reference, and what it describes; all other names are described on the page of names."""


def described(name: str) -> str:
    """Describe one importable name."""
    thing = getattr(tidegate, name)
    parts = [f"## `{name}`\n"]
    options = ""
    if inspect.isfunction(thing):
        text, options = signature(name, thing)
        parts.append(text)
    if inspect.isclass(thing) or inspect.isfunction(thing):
        parts.append(f"{inspect.getdoc(thing) or ''}\n")
    elif inspect.ismodule(thing):
        parts.append("A module with every error: see [errors](errors.md).\n")
    else:
        parts.append(f"`{plain(thing)}`\n")
    return "\n".join(parts) + options


def reference(page: str) -> str:
    return "\n".join(described(name) for name in PAGES[page] if name in tidegate.__all__)


def names() -> str:
    """List every importable name with the page that describes it, and describe the rest."""
    page_of = {name: page for page, names in PAGES.items() for name in names}
    rows, rest = [], []
    for name in sorted(tidegate.__all__, key=str.lower):
        thing = getattr(tidegate, name)
        kind = "error" if inspect.isclass(thing) and issubclass(thing, Exception) else "value"
        page = "errors.md" if kind == "error" else f"{page_of.get(name, '')}.md#{name.lower()}"
        if name not in page_of and kind == "value":
            page = f"#{name.lower()}"
            rest.append(described(name))
        is_told = inspect.isclass(thing) or inspect.isfunction(thing)
        first = sentence(inspect.getdoc(thing)) if is_told else "see below"
        rows.append((f"[`{name}`]({page})", first.split(". ")[0].rstrip(".:")))
    return table(("name", ""), rows) + "\n" + "\n".join(rest)


def methods(thing: type) -> str:
    """List what a class offers: its methods and properties, in the order of the source."""
    rows = []
    for name, member in vars(thing).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            rows.append((f"`.{name}`", sentence(member.__doc__)))
        elif inspect.isfunction(member):
            parameters = list(inspect.signature(member).parameters.values())[1:]
            shown = ", ".join(plain(p) for p in parameters)
            rows.append((f"`.{name}({shown})`", sentence(member.__doc__)))
    return f"`{thing.__name__}`: {sentence(thing.__doc__)}\n\n" + table(("", "meaning"), rows)


PARTS: dict[str, Callable[[], str]] = {
    "command-line": command_line,
    "errors": errors,
    "execution-phases": lambda: phases(
        EXECUTION_TRANSITIONS, "execution-phases.svg", "The phases of an execution"
    ),
    "exit-codes": exit_codes,
    "failures": failures,
    "gates": lambda: reference("gates"),
    "names": names,
    "node-phases": lambda: phases(NODE_TRANSITIONS, "node-phases.svg", "The phases of a node"),
    "tasks": lambda: reference("tasks"),
    "testing": lambda: methods(Sandbox) + "\n" + methods(Run),
    "workflows": lambda: reference("workflows"),
}


PICTURES: dict[str, Callable[[], str]] = {
    "pictures/execution-phases.svg": lambda: svg(
        EXECUTION_TRANSITIONS, "The phases of an execution"
    ),
    "pictures/node-phases.svg": lambda: svg(NODE_TRANSITIONS, "The phases of a node"),
}


def page(text: str) -> str:
    """Return a page with its generated parts as they should be."""
    return PART.sub(lambda m: f"{m[1]}\n{PARTS[m[2]]()}\n{m[3]}", text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a page is out of date"
    )
    check = parser.parse_args().check
    wanted = {path: page(path.read_text()) for path in sorted(DOCS.rglob("*.md"))}
    wanted |= {DOCS / name: draw() for name, draw in PICTURES.items()}
    stale = []
    for path, new in wanted.items():
        if not path.exists() or new != path.read_text():
            stale.append(path.relative_to(DOCS.parent))
            if not check:
                path.write_text(new)
    for path in stale:
        print(f"{path}: {'is out of date; run `make docs`' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
