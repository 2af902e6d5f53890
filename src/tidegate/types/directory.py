"""Directories that travel with a value, under the names that flytekit gives them in `flytekit.types.directory`."""

from typing import Annotated

from tidegate.types.values import Directory, FlyteDirectory, Format

TFRecordsDirectory = Annotated[Directory, Format("tfrecords_dir")]
TensorboardLogs = Annotated[Directory, Format("tensorboard")]

__all__ = ["Directory", "FlyteDirectory", "TFRecordsDirectory", "TensorboardLogs"]
