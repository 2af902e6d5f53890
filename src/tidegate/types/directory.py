"""Directories that travel with a value, under the names that flytekit gives them in `flytekit.types.directory`."""

from tidegate.types.values import Directory, FlyteDirectory

TFRecordsDirectory = TensorboardLogs = Directory

__all__ = ["Directory", "FlyteDirectory", "TFRecordsDirectory", "TensorboardLogs"]
