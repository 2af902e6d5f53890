"""Whether a stored value matches the author's own type, which may require more than its schema can express."""

import sys
from typing import Any

from tidegate.errors import CodeError, Fault, InvalidValue, UnsupportedType
from tidegate.ir.expr import Value
from tidegate.ir.graph import PythonTarget
from tidegate.sdk.failures import one_line
from tidegate.types.registry import codec
from tidegate.types.values import FileStore


def faults_of(target: PythonTarget, value: Value, blobs: FileStore) -> tuple[Fault, ...]:
    """Return what is wrong with a stored value according to the Python type at a target, whose module has been imported. Raises CodeError."""
    found: Any = sys.modules.get(target.module)
    for part in target.name.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise CodeError(f"module {target.module!r} has no type {target.name!r}")
    try:
        codec(found, where=str(target)).decode(value, blobs)
    except InvalidValue as error:
        return error.faults or (Fault((), error.message),)
    except UnsupportedType as error:
        raise CodeError(error.message) from None
    except Exception as error:  # noqa: BLE001 - a validator is the author's code
        return (Fault((), one_line(error)),)
    return ()
