"""
The machine as the simulation sees it: the real one, or a copy of it with one line sabotaged.

A copy is made from the source of a package, with the text replaced, under the same module names, so the real one stays as it is.
"""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tidegate.core import advance, evaluate, history, plan, signals, state, step

MODULES = ("plan", "state", "evaluate", "advance", "signals", "step", "history")
"""In the order in which they import each other."""


@dataclass(frozen=True)
class Machine:
    """The modules of `tidegate.core` that decide."""

    plan: Any
    state: Any
    evaluate: Any
    step: Any
    history: Any


REAL = Machine(plan, state, evaluate, step, history)
assert {advance.__name__, signals.__name__}  # copied too, and used by `step` alone


@dataclass(frozen=True)
class Sabotage:
    """One planted bug: in which module, which text becomes which."""

    name: str
    module: str
    old: str
    new: str

    def machine(self) -> Machine:
        """Return a machine with this bug."""
        copies = self.modules("tidegate.core", MODULES)
        return Machine(*(copies[n] for n in ("plan", "state", "evaluate", "step", "history")))

    def modules(self, package: str, names: tuple[str, ...]) -> dict[str, ModuleType]:
        """Return copies of these modules of a package, one of them with the bug, which import each other."""
        parent = sys.modules[package]
        kept = {name: sys.modules.pop(f"{package}.{name}") for name in names}
        try:
            return {name: self._load(parent, name) for name in names}
        finally:
            for name, module in kept.items():
                sys.modules[f"{package}.{name}"] = module
                setattr(parent, name, module)

    def _load(self, parent: ModuleType, short: str) -> ModuleType:
        name = f"{parent.__name__}.{short}"
        path = Path(parent.__path__[0]) / f"{short}.py"
        text = path.read_text()
        if short == self.module:
            assert text.count(self.old) == 1, (
                f"{self.name}: the text to sabotage is there {text.count(self.old)} times"
            )
            text = text.replace(self.old, self.new)
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader=None))
        sys.modules[name] = module
        exec(compile(text, str(path), "exec"), module.__dict__)
        return module
