"""What a measurement is: a figure with its samples, beside the bare machine measured in the same run."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """
    One measured figure. `samples` are its repeats and `bare` those of the bare machine, pair by pair; both in `unit`.

    `aim` is what the project wants to reach at least (`more`) or at most (not `more`), of the figure itself or (`of_bare`) of its part of
    the bare one; None: the figure only informs.
    """

    name: str
    unit: str
    samples: list[float]
    bare: list[float] = field(default_factory=list)
    beside: str = ""
    aim: float | None = None
    more: bool = True
    of_bare: bool = False

    @property
    def value(self) -> float:
        return statistics.median(self.samples)

    @property
    def spread(self) -> str:
        return f"{number(min(self.samples))} - {number(max(self.samples))}"

    @property
    def ratio(self) -> float | None:
        """The figure as a part of the bare one: the median of the ratios of the pairs."""
        if not self.bare:
            return None
        return statistics.median(a / b for a, b in zip(self.samples, self.bare, strict=True) if b)

    @property
    def verdict(self) -> str:
        if self.aim is None:
            return ""
        reached = self.ratio if self.of_bare else self.value
        assert reached is not None, f"{self.name} has nothing to be compared with"
        return "ok" if (reached >= self.aim if self.more else reached <= self.aim) else "SHORT"

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.value,
            "samples": self.samples,
            "bare": self.bare,
            "beside": self.beside,
            "ratio": self.ratio,
            "aim": self.aim,
            "of_bare": self.of_bare,
            "verdict": self.verdict,
        }


def number(value: float) -> str:
    """`12,345`, `123`, `1.23`, `0.0123`: four figures are more than enough."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def seconds(work: Callable[[], object]) -> float:
    """How long this takes, with the garbage of before collected first."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def percentile(samples: list[float], part: float) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def show(figures: list[Figure]) -> str:
    """Lay the figures out as a Markdown table."""
    head = ("figure", "median", "spread", "bare machine", "of bare", "aim", "")
    rows = [head, tuple("---" for _ in head)]
    for f in figures:
        bare = f"{number(statistics.median(f.bare))} ({f.beside})" if f.bare else ""
        aim = "" if f.aim is None else f"{'>=' if f.more else '<='} {number(f.aim)}"
        aim += " of bare" if f.of_bare else ""
        ratio = "" if f.ratio is None else f"{f.ratio:.2f}"
        rows.append((f.name, f"{number(f.value)} {f.unit}", f.spread, bare, ratio, aim, f.verdict))
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    )
