"""
Write the generated parts of the documentation from the code, so that the two cannot disagree.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; all other text is written by hand.
`python docs/generate.py` writes, `--check` only says which pages are out of date, and exits 1 if any is.
"""

import argparse
import enum
import inspect
import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import click

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


def diagram(transitions: Mapping[Phase, frozenset[Phase]]) -> str:
    """Draw a transition table: every way from a phase to another one (staying in a phase is not drawn)."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> QUEUED"]
    for before in sorted(transitions):
        lines += [
            f"    {before.name} --> {a.name}" for a in sorted(transitions[before]) if a != before
        ]
        if not transitions[before]:
            lines.append(f"    {before.name} --> [*]")
    return "\n".join([*lines, "```", ""])


def phases(transitions: Mapping[Phase, frozenset[Phase]]) -> str:
    """Draw a transition table, and write it out for readers without pictures."""
    rows = [
        (before.name, ", ".join(a.name for a in sorted(transitions[before])) or "(the end)")
        for before in sorted(transitions)
    ]
    return diagram(transitions) + "\n" + table(("from", "to"), rows)


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


def command_line() -> str:
    codes = re.findall(r"^ +(\d+) +(.+)$", cli.epilog or "", re.MULTILINE)
    out = [table(("exit code", "meaning"), codes)]
    for path, command in commands(cli, "tidegate"):
        usage = " ".join([path, *command.collect_usage_pieces(click.Context(command))])
        text = inspect.cleandoc(command.help or "").replace("\b\n", "")
        out.append(f"### `{path}`\n\n```text\n{usage}\n```\n\n{text}\n")
        if lines := examples(path.removeprefix("tidegate ")):
            shown = "\n".join(f"$ {each}" for each in lines)
            out.append(f"```console\n{shown}\n```\n")
        options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
        if options:
            out.append(table(("option", "meaning"), [option(each) for each in options]))
    return "\n".join(out)


def signature(name: str, thing: Callable[..., object]) -> str:
    """Write a signature as a reader would: no modules, and the options of a TypedDict one by one."""
    shown, options = [], ""
    for p in inspect.signature(thing).parameters.values():
        if p.kind is p.VAR_KEYWORD and typing.get_origin(p.annotation) is typing.Unpack:
            (fields,) = typing.get_args(p.annotation)
            options = "".join(
                f"\n{key}: {plain(t)}" for key, t in typing.get_type_hints(fields).items()
            )
            shown.append(f"**{p.name}")
        else:
            shown.append(plain(p))
    text = f"```text\n{name}({', '.join(shown)})\n```\n"
    return text + (f"\nOptions:\n\n```text{options}\n```\n" if options else "")


def plain(thing: object) -> str:
    text = (
        inspect.formatannotation(thing) if not isinstance(thing, inspect.Parameter) else str(thing)
    )
    text = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", text)
    return re.sub(r"[~*]?<class '([^']+)'>", r"\1", text).replace("~", "")


def python() -> str:
    out = []
    for name in sorted(tidegate.__all__):
        thing = getattr(tidegate, name)
        parts = [f"### `{name}`\n"]
        if inspect.isfunction(thing):
            parts.append(signature(name, thing))
        if inspect.isclass(thing) or inspect.isfunction(thing):
            parts.append(f"{inspect.getdoc(thing) or ''}\n")
        elif inspect.ismodule(thing):
            parts.append("A module: see [the errors](errors.md).\n")
        else:
            parts.append(f"`{plain(thing)}`\n")
        out.append("\n".join(parts))
    return "\n".join(out)


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
    "execution-phases": lambda: phases(EXECUTION_TRANSITIONS),
    "failures": failures,
    "node-phases": lambda: phases(NODE_TRANSITIONS),
    "python": python,
    "testing": lambda: methods(Sandbox) + "\n" + methods(Run),
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
    stale = []
    for path in sorted(DOCS.rglob("*.md")):
        old = path.read_text()
        new = page(old)
        if new != old:
            stale.append(path.relative_to(DOCS.parent))
            if not check:
                path.write_text(new)
    for path in stale:
        print(f"{path}: {'is out of date; run `make docs`' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
