"""
JSON Schema (2020-12), Tidegate's language for types, and its extensions.

Beyond the standard there are two keywords: `x-tidegate` names what a blob stands for (file, directory, ndarray, table,
pickle, bytes), `x-names` gives the names of an enum's members beside their values;
and four formats: `iso-time`, `iso-duration`, `decimal`, and `iso-date-time`, an instant that may lack its offset.
"""

from tidegate.types.flow import at_path, can_flow, kinds
from tidegate.types.validate import branches_often, faults
from tidegate.types.words import describe

__all__ = ["at_path", "branches_often", "can_flow", "describe", "faults", "kinds"]
