"""
What a task requests from its machine: `Resources` as an author writes them, and environment variables.

Sizes are spelled as in Kubernetes and Flyte. Everything is checked where it is declared, so importing the module reveals a typo.
"""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from numbers import Real
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType, structs

from tidegate.errors import CompileError
from tidegate.ir.amounts import UNITS, size
from tidegate.ir.graph import ORDINARY, Requirements

Amount = int | float | str
Range = Amount | tuple[Amount, Amount] | list[Amount]
"""One figure, or two: the request and the limit (for `resources=` alone, as in Flyte)."""

_QUANTITY = re.compile(r"(\d{1,30}(?:\.\d{1,30})?(?:[eE]\d{1,2})?)([A-Za-z]*)")

MOST = 2**62
"""Largest amount: it fits the integers of every format that a graph is stored in."""
MAX_ENVIRONMENT: Final = 64 * 1024
"""Bytes of a task's variables, names and values together: half of Linux's limit for one of them (MAX_ARG_STRLEN)."""
RESERVED: Final = "TIDEGATE_"


class Resources(Struct, frozen=True):
    """
    What is reserved for an attempt of a task (`requests=`), or the most it may use (`limits=`).

    `cpu` is a number of processors, possibly a fraction: `2`, `0.5`, `"500m"`. `mem` is in bytes, or has a unit: `"512Mi"`, `"2Gi"`, `"1G"`.
    `gpu` is a number of GPUs, and `custom` has numbers of what nodes of a Ray cluster have under names of their own, `{"license": 1}`: only such a
    cluster counts these, elsewhere a launch says that they have no effect, as it does of Flyte's `ephemeral_storage`. Raises CompileError for an invalid amount.
    """

    cpu: Range | None = None
    mem: Range | None = None
    gpu: Any = None
    ephemeral_storage: Any = None
    custom: Mapping[str, int | float] | None = None

    def __post_init__(self) -> None:
        """Check the amounts."""
        for amount in _ends(self.cpu):
            _millis(amount)
        for amount in _ends(self.mem):
            _bytes(amount)
        _gpus(self.gpu)
        _named(self.custom)


class Ray(Struct, frozen=True):
    """
    What a task asks of Ray (`task_config=Ray(runtime_env=...)`), if its attempts run on a Ray cluster.

    `runtime_env` is Ray's description of an environment, such as `{"pip": ["pandas==2.2.3"]}`. Raises CompileError if it is not JSON.
    """

    runtime_env: Mapping[str, Any] = {}

    def __post_init__(self) -> None:
        """Check that it can be stored."""
        _environment_of(self)


def requirements_of(options: Mapping[str, Any], what: str) -> Requirements | UnsetType:
    """Return the meaning of a task's options `requests`, `limits`, `resources` and `environment`; UNSET if it has none of them. Raises CompileError, naming `what`."""
    requests, limits = _asked(options, what)
    config = options.get("task_config")
    environment = checked_environment(options.get("environment"), f"{what}: environment")
    found = Requirements(
        cpu=ORDINARY.cpu if requests.cpu is None else _millis(requests.cpu),
        mem=0 if requests.mem is None else _bytes(requests.mem),
        mem_limit=None if limits.mem is None else _bytes(limits.mem),
        environment=environment,
        uncounted=tuple(_uncounted(requests, limits)),
        gpu=_gpus(requests.gpu) or 0,
        custom=_named(requests.custom),
        runtime_env=_environment_of(config) if isinstance(config, Ray) else {},
    )
    return _consistent(found, what)


def without_effect(name: str, requires: Requirements, *, everything: bool = False) -> str:
    """Name a task's requests that nothing counts; empty if there are none. `everything`: its attempts run on a Ray cluster."""
    found = [] if everything else [*_on_ray(requires)]
    found += requires.uncounted
    if not found:
        return ""
    return f"task {name!r} has {', '.join(found)}, which nothing here counts: it has no effect"


def _on_ray(requires: Requirements) -> Iterator[str]:
    """Yield what only a Ray cluster counts."""
    if requires.gpu:
        yield "requests.gpu"
    if requires.custom:
        yield "requests.custom"
    if requires.runtime_env:
        yield "task_config.runtime_env"


def not_kept_here(name: str, requires: Requirements) -> Iterator[str]:
    """Yield the requests of a task that cannot be honored when it runs in the caller's process."""
    if requires.mem_limit is not None:
        limit = size(requires.mem_limit)
        yield f"the memory limit {limit} of task {name!r} is not enforced: it runs in this process"
    if said := without_effect(name, requires):
        yield said


def changed(
    requires: Requirements | UnsetType, option: str, value: Any, what: str
) -> Requirements | UnsetType:
    """Return requirements with another value for one option. Raises CompileError."""
    old = ORDINARY if requires is UNSET else requires
    given = requirements_of({option: value}, what)
    new = ORDINARY if given is UNSET else given
    if option == "environment":
        found = structs.replace(old, environment=new.environment)
    elif option == "task_config":
        found = structs.replace(old, runtime_env=new.runtime_env)
    else:
        sides = ("requests", "limits") if option == "resources" else (option,)
        kept = tuple(each for each in old.uncounted if each.partition(".")[0] not in sides)
        asks = new if "requests" in sides else old
        found = Requirements(
            cpu=asks.cpu,
            mem=asks.mem,
            mem_limit=(new if "limits" in sides else old).mem_limit,
            environment=old.environment,
            uncounted=kept + new.uncounted,
            gpu=asks.gpu,
            custom=asks.custom,
            runtime_env=old.runtime_env,
        )
    return _consistent(found, what)


def checked_environment(given: object, what: str) -> dict[str, str]:
    """Return the variables of a task. Raises CompileError for invalid ones."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise CompileError(f'{what} must be a dict, such as {{"MODE": "fast"}}; it is {given!r}')
    for name, value in given.items():
        if not isinstance(name, str) or not name or "=" in name or not _is_text(name):
            raise CompileError(f"{what}: {name!r} is not a valid variable name")
        if name.startswith(RESERVED):
            raise CompileError(
                f"{what}: names that start with {RESERVED} are reserved for Tidegate: {name}"
            )
        if not isinstance(value, str) or not _is_text(value):
            raise CompileError(
                f"{what}: the value of {name} must be a string, such as '1'; it is {value!r}"
            )
    size = sum(len(name.encode()) + len(value.encode()) for name, value in given.items())
    if size > MAX_ENVIRONMENT:
        raise CompileError(
            f"{what} has {size:,} bytes; at most {MAX_ENVIRONMENT:,} are allowed: pass long values as an input"
        )
    return dict(given)


def _consistent(found: Requirements, what: str) -> Requirements | UnsetType:
    if found.mem_limit is not None and found.mem > found.mem_limit:
        raise CompileError(
            f"{what}: it requests more memory ({found.mem:,} bytes) than its limit ({found.mem_limit:,})"
        )
    return UNSET if found == ORDINARY else found


def _asked(options: Mapping[str, Any], what: str) -> tuple[Resources, Resources]:
    """Return requests and limits."""
    given = {}
    for name in ("requests", "limits", "resources"):
        value = options.get(name)
        if value is not None and not isinstance(value, Resources):
            raise CompileError(
                f'{what}: {name} must be Resources, such as Resources(cpu=1, mem="512Mi"); it is {value!r}'
            )
        given[name] = value
    both = given["resources"]
    if both is not None:
        if given["requests"] or given["limits"]:
            raise CompileError(f"{what}: give either resources or requests and limits")
        return _side(both, 0), _side(both, -1)
    requests, limits = given["requests"] or Resources(), given["limits"] or Resources()
    for amount in (requests.cpu, requests.mem, limits.cpu, limits.mem):
        if isinstance(amount, tuple | list):
            raise CompileError(f"{what}: a range such as {amount!r} is for resources= alone")
    return requests, limits


def _side(both: Resources, which: int) -> Resources:
    cpu, mem = (each if each is None else _ends(each)[which] for each in (both.cpu, both.mem))
    return Resources(cpu, mem, both.gpu, both.ephemeral_storage, both.custom)


def _uncounted(requests: Resources, limits: Resources) -> list[str]:
    said = [
        f"{name}.{each}"
        for name, resources in (("requests", requests), ("limits", limits))
        for each in ("gpu", "ephemeral_storage", "custom")
        if getattr(resources, each) is not None and not _is_counted(name, each, resources)
    ]
    return [*said, "limits.cpu"] if limits.cpu is not None else said


def _is_counted(side: str, option: str, resources: Resources) -> bool:
    """Return whether a Ray cluster counts a request. It has no limits, and a GPU's type (Flyte's "A100:1") is not a number."""
    if side == "limits" or option == "ephemeral_storage":
        return False
    return option == "custom" or _gpus(resources.gpu) is not None


def _gpus(amount: Any) -> int | None:
    """Return thousandths of GPUs; None if that is not a number. Raises CompileError if the number is invalid."""
    if amount is None or isinstance(amount, bool):
        return None
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        return None
    return _thousandths(number, "gpu", amount)


def _named(custom: Mapping[str, Any] | None) -> dict[str, int]:
    """Return thousandths of other resources. Raises CompileError."""
    found = {}
    for name, amount in (custom or {}).items():
        if name.lower() in {"", "cpu", "gpu", "mem", "memory"}:
            raise CompileError(f"Resources: custom has a name of its own for each, not {name!r}")
        if not isinstance(amount, Real) or isinstance(amount, bool):
            raise CompileError(f"Resources: custom {name!r} must be a number; it is {amount!r}")
        found[name] = _thousandths(Decimal(str(amount)), f"custom {name!r}", amount)
    return found


def _thousandths(number: Decimal, what: str, given: Any) -> int:
    # Ray has whole ones above 1, and fractions below.
    if not (number.is_finite() and 0 < number < 2**40) or number * 1000 != int(number * 1000):
        raise CompileError(f"Resources: {what} must be a positive number; it is {given!r}")
    if number > 1 and number != int(number):
        raise CompileError(f"Resources: {what} must be whole above 1; it is {given!r}")
    return int(number * 1000)


def _environment_of(config: Ray) -> dict[str, Any]:
    """Return the environment that Ray prepares. Raises CompileError."""
    try:
        found = json.loads(json.dumps(config.runtime_env))
    except (TypeError, ValueError) as error:
        raise CompileError(f"Ray: runtime_env must be JSON: {error}") from None
    if not isinstance(found, dict):
        raise CompileError(f"Ray: runtime_env must be a dict; it is {config.runtime_env!r}")
    return found


def _ends(amount: Range | None) -> tuple[Any, ...]:
    if amount is None:
        return ()
    if not isinstance(amount, tuple | list):
        return (amount,)
    if len(amount) != 2:
        raise CompileError(
            f"Resources: a range has two figures, request and limit; it is {amount!r}"
        )
    return tuple(amount)


def _millis(amount: Any) -> int:
    number, unit = _quantity(amount, "cpu", 'a number of processors, such as 2, 0.5 or "500m"')
    if unit not in {"", "m"}:
        raise CompileError(f"Resources: cpu has no unit {unit!r}: {amount!r}")
    millis = number if unit else number * 1000
    if not 1 <= millis <= MOST or millis != int(millis):
        raise CompileError(
            f"Resources: cpu must be a whole number of thousandths of a processor, from 1 to 2**62; it is {amount!r}"
        )
    return int(millis)


def _bytes(amount: Any) -> int:
    number, unit = _quantity(amount, "mem", 'bytes, or a number with a unit, such as "512Mi"')
    if unit not in UNITS:
        hint = f"; {unit[:-1]} or {unit[:-1]}i" if unit[:-1] in UNITS and unit[-1] in "Bb" else ""
        raise CompileError(f"Resources: mem has no unit {unit!r}: {amount!r}{hint or _units()}")
    size = number * UNITS[unit]
    if not 1 <= size <= MOST:
        raise CompileError(f"Resources: mem must be positive, and at most 4Ei; it is {amount!r}")
    return int(size)


def _units() -> str:
    return f"; the units are {', '.join(unit for unit in UNITS if unit)}"


def _quantity(amount: Any, name: str, what: str) -> tuple[Decimal, str]:
    """Return a number and its unit. Raises CompileError."""
    # NumPy's numbers count, too.
    text = str(amount) if isinstance(amount, Real | str) else ""
    found = None if isinstance(amount, bool) else _QUANTITY.fullmatch(text.strip())
    if found is None:
        raise CompileError(f"Resources: {name} must be {what}; it is {amount!r}")
    return Decimal(found[1]), found[2]


def _is_text(value: str) -> bool:
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False
