"""
Planted bugs: for as long as a run lasts, another function stands in the place of one of ours, wherever that is called from.

A bug is planted by what it does, not by where it stands in the text: so these tests break when a promise does, and not when a line moves.
"""

import functools
import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest


class Sabotage(NamedTuple):
    """One planted bug: `where` is a function or a method, `make` returns from the one that stands there what stands there instead."""

    name: str
    where: str
    make: Callable[[Callable[..., Any]], Callable[..., Any]]

    @contextmanager
    def planted(self, package: str) -> Iterator[None]:
        """Let it stand there, in a package, until the block ends."""
        short, *path = self.where.split(".")
        module = importlib.import_module(f"{package}.{short}")
        owner = functools.reduce(getattr, path[:-1], module)
        real = vars(owner)[path[-1]]
        instead = self.make(real)
        holders = [owner] if owner is not module else _holders(real)
        with pytest.MonkeyPatch.context() as patch:
            for each in holders:
                patch.setattr(each, path[-1], instead)
            yield

    def is_found(self, package: str, go: Callable[[], object]) -> bool:
        """Whether it breaks what is run with it. That it does not fit there, as what it stood for has changed, is not a find."""
        with self.planted(package):
            try:
                go()
            except Exception as error:
                last = traceback.extract_tb(error.__traceback__)[-1].filename
                clumsy = isinstance(error, TypeError | AttributeError | NameError)
                if clumsy and Path(last).stem.endswith("saboteurs"):
                    raise
                return True
        return False


def _holders(real: Any) -> list[Any]:
    """Return every module that has a function under its name."""
    return [
        module
        for name, module in sys.modules.items()
        if name.startswith(("tidegate.", f"{__package__}."))
        and vars(module).get(real.__name__) is real
    ]
