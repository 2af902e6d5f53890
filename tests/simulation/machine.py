"""
The machine as the simulation sees it: the real one, or a copy of it with one line sabotaged.

A copy is made from the source of `tidegate.core`, with the text replaced, under the same module names, so the real one stays as it is.
"""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import tidegate.core
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
        names = [f"tidegate.core.{name}" for name in MODULES]
        kept = {name: sys.modules.pop(name) for name in names}
        try:
            copies = {short: self._load(short) for short in MODULES}
        finally:
            sys.modules.update(kept)
            for short in MODULES:
                setattr(tidegate.core, short, kept[f"tidegate.core.{short}"])
        return Machine(*(copies[n] for n in ("plan", "state", "evaluate", "step", "history")))

    def _load(self, short: str) -> ModuleType:
        name = f"tidegate.core.{short}"
        path = Path(tidegate.core.__path__[0]) / f"{short}.py"
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
