"""
Clients of a running Tidegate: over HTTP for programs, and through the local socket for commands.

    from tidegate.remote import Config, Remote
"""

from tidegate.remote.client import Remote
from tidegate.remote.config import Config
from tidegate.remote.execution import Execution, RemoteOutputs, RemoteWorkflow
from tidegate.remote.problems import StillRunning, Unreachable

FlyteRemote = Remote
"""The name used by code that comes from Flyte."""

__all__ = [
    "Config",
    "Execution",
    "FlyteRemote",
    "Remote",
    "RemoteOutputs",
    "RemoteWorkflow",
    "StillRunning",
    "Unreachable",
]
