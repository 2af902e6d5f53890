"""Example command lines: shown at the end of each subcommand's help, and in its part of the reference. They are kept in `examples.txt`."""

from pathlib import Path


def examples(name: str) -> list[str]:
    """Return the examples of a subcommand. `2ck3` in them is the beginning of an execution's id."""
    lines = Path(__file__).with_name("examples.txt").read_text().splitlines()
    return [line for line in lines if line.split()[1] == name]


def epilog(name: str) -> str:
    """Return the end of a subcommand's help."""
    lines = examples(name)
    return "\n".join(["\b", "Examples:", *(f"  {each}" for each in lines)]) if lines else ""
