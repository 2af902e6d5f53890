"""
Durable workflows that wait: for time, for a value, for an approval.

    from tidegate import approve, conditional, dynamic, sleep, task, wait_for_input, workflow
"""

from tidegate import errors
from tidegate.errors import (
    CompileError,
    ExecutionFailed,
    InvalidValue,
    NoAnswer,
    Refused,
    TidegateError,
    UnknownThing,
    UnsupportedType,
)
from tidegate.sdk.condition import conditional
from tidegate.sdk.deck import Deck
from tidegate.sdk.flyte import Echo, ImageSpec, LaunchPlan, absent
from tidegate.sdk.gates import approve, sleep, wait_for_input
from tidegate.sdk.imperative import ImperativeWorkflow, Workflow, create_node
from tidegate.sdk.requirements import Ray, Resources
from tidegate.sdk.scratch import current_context
from tidegate.sdk.task import dynamic, task
from tidegate.sdk.trace import TaskRun
from tidegate.sdk.workflow import WorkflowFailurePolicy, workflow
from tidegate.types.structured import StructuredDataset
from tidegate.types.values import Directory, File, FlyteDirectory, FlyteFile, Pickled

__all__ = [
    "CompileError",
    "Deck",
    "Directory",
    "Echo",
    "ExecutionFailed",
    "File",
    "FlyteDirectory",
    "FlyteFile",
    "ImageSpec",
    "ImperativeWorkflow",
    "InvalidValue",
    "LaunchPlan",
    "NoAnswer",
    "Pickled",
    "Ray",
    "Refused",
    "Resources",
    "StructuredDataset",
    "TaskRun",
    "TidegateError",
    "UnknownThing",
    "UnsupportedType",
    "Workflow",
    "WorkflowFailurePolicy",
    "approve",
    "conditional",
    "create_node",
    "current_context",
    "dynamic",
    "errors",
    "sleep",
    "task",
    "wait_for_input",
    "workflow",
]

# Not with `def`: type checkers would then accept every name as existing.
globals()["__getattr__"] = absent
