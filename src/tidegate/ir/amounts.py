"""Processors and memory in words: the units that authors write, and how figures are shown to people."""

from typing import Final

UNITS: Final = (
    {"": 1}
    | {unit: 1000**n for n, unit in enumerate("kMGTPE", 1)}
    | {f"{unit}i": 1024**n for n, unit in enumerate("KMGTPE", 1)}
)
"""Units of memory, as in Kubernetes, and how many bytes each is."""


def cpus(millis: int) -> str:
    """Return thousandths of a processor as people write them."""
    return f"{millis / 1000:.12g}"


def size(count: int) -> str:
    """Return bytes in the largest unit that is not above them, to a tenth, rounded down."""
    for unit in ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki"):
        if count >= UNITS[unit]:
            return f"{count * 10 // UNITS[unit] / 10:g}{unit}"
    return f"{count} bytes" if count != 1 else "1 byte"
