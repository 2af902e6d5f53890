"""
Names used by code that comes from Flyte, as far as they have a meaning here; and what to use instead of the others.

`Echo` and `LaunchPlan` work; `ImageSpec` is accepted without effect, because tasks run in their worker's environment.
"""

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from msgspec import structs

from tidegate.errors import CompileError
from tidegate.sdk.imperative import Workflow
from tidegate.sdk.signature import Signature
from tidegate.sdk.trace import Compiled, checked_name
from tidegate.sdk.workflow import Launchable, call

_PLAN_WITHOUT_EFFECT: Final = (
    *("annotations", "auth_role", "labels", "max_parallelism", "overwrite_cache"),
    *("raw_output_data_config", "security_context"),
)

_INSTEAD: Final = {
    "map_task": "call the task for each item in a @dynamic, which returns the list",
    "array_node": "call the task for each item in a @dynamic, which returns the list",
    "eager": "use @dynamic: Python's own loops and ifs over its inputs, gates too",
    "CronSchedule": "let cron call `tidegate run --detach`",
    "FixedRate": "let cron call `tidegate run --detach`",
    "FlyteContextManager": "order nodes with >> and create_node",
    "ContainerTask": "let a task start the container",
    "ShellTask": "let a task call subprocess.run",
    "Secret": "let a task read it from the environment of the workers",
    "kwtypes": "a StructuredDataset has all its columns; let a task select some",
    "reference_task": "import the task",
    "reference_workflow": "import the workflow",
    "reference_launch_plan": "import the workflow",
}


def absent(name: str) -> NoReturn:
    """The package's `__getattr__`. Raises ImportError for a name of Flyte's that does not exist here, saying what to use instead; else AttributeError."""
    if name in _INSTEAD:
        raise ImportError(f"tidegate has no {name}: {_INSTEAD[name]}")
    raise AttributeError(f"module 'tidegate' has no attribute {name!r}")


class ImageSpec:
    """A container image, with any options that Flyte knows: they are accepted without effect, because tasks run in the environment of their worker."""

    def __init__(self, name: str = "", **options: Any) -> None:
        self.name = name
        self.options = options

    def is_container(self) -> bool:
        """Whether this process has what the image specifies: always true here."""
        return True


def Echo(name: str, inputs: Mapping[str, Any] | None = None) -> Workflow:  # noqa: N802 - a class in Flyte
    """
    Make a node that passes its inputs through as `o0`, `o1`: for a case of a conditional that has nothing to do.

    `name` is the name of the node, `inputs` are types by name. Raises CompileError for an invalid name, UnsupportedType for an unsupported type.
    """
    echo = Workflow(name)
    for i, (key, annotation) in enumerate((inputs or {}).items()):
        echo.add_workflow_output(f"o{i}", echo.add_workflow_input(key, annotation), annotation)
    return echo


class LaunchPlan:
    """
    A workflow with different defaults, or with fixed inputs: `LaunchPlan.get_or_create(wf, "name", default_inputs={...}, fixed_inputs={...})`.

    It is called like the workflow. Unlike in Flyte, calling it inside a workflow makes it part of the same execution.
    Raises TypeError for unsupported options, such as a schedule; CompileError, when called, for inputs that the workflow does not have or that are fixed.
    """

    def __init__(
        self,
        name: str,
        workflow: Launchable,
        default_inputs: Mapping[str, Any] | None,
        fixed_inputs: Mapping[str, Any] | None,
    ) -> None:
        self.name = checked_name(name, "a LaunchPlan")
        self.workflow = workflow
        self._defaults = dict(default_inputs or {})
        self._fixed = dict(fixed_inputs or {})

    @classmethod
    def get_or_create(
        cls,
        workflow: Launchable,
        name: str | None = None,
        default_inputs: Mapping[str, Any] | None = None,
        fixed_inputs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> "LaunchPlan":
        """Make a plan. Raises TypeError for what it does not support, such as a schedule."""
        if unknown := [key for key in options if key not in _PLAN_WITHOUT_EFFECT]:
            raise TypeError(
                f"LaunchPlan does not support {unknown[0]!r} here; it supports default_inputs and fixed_inputs"
            )
        return cls(name or workflow.name, workflow, default_inputs, fixed_inputs)

    @classmethod
    def create(cls, name: str, workflow: Launchable, *args: Any, **options: Any) -> "LaunchPlan":
        """Make a plan, like `get_or_create`."""
        return cls.get_or_create(workflow, name, *args, **options)

    @classmethod
    def get_default_launch_plan(cls, ctx: object, workflow: Launchable) -> "LaunchPlan":
        """Make the default plan of a workflow, which changes nothing; `ctx` is Flyte's, and has no effect."""
        del ctx
        return cls.get_or_create(workflow)

    @property
    def signature(self) -> Signature:
        """Its inputs and outputs, as Python types. Raises CompileError."""
        own = self.workflow.signature
        for key in (*self._defaults, *self._fixed):
            if key not in own.inputs:
                raise CompileError(
                    f"LaunchPlan {self.name!r}: {self.workflow.name!r} has no input {key!r}; its inputs are {', '.join(own.inputs)}"
                )
        return structs.replace(own, defaults={**own.defaults, **self._defaults, **self._fixed})

    def compiled(self) -> Compiled:
        """Return the graph of the workflow, and its tasks."""
        return self.workflow.compiled()

    def __call__(self, **inputs: Any) -> Any:
        """Inside a workflow: make it a part of that. Outside: run it immediately."""
        for key in inputs:
            if key in self._fixed:
                raise CompileError(f"LaunchPlan {self.name!r}: input {key!r} is fixed")
        return call(self, (), inputs)
