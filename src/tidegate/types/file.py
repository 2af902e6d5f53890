"""Files that travel with a value, under the names that flytekit gives them in `flytekit.types.file`."""

from typing import Annotated

from tidegate.types.values import File, FlyteFile, Format

CSVFile = Annotated[File, Format("csv")]
HTMLPage = Annotated[File, Format("html")]
JPEGImageFile = Annotated[File, Format("jpeg")]
JoblibSerializedFile = Annotated[File, Format("joblib")]
PDFFile = Annotated[File, Format("pdf")]
PNGImageFile = Annotated[File, Format("png")]
PythonNotebook = Annotated[File, Format("ipynb")]
PythonPickledFile = Annotated[File, Format("python_pickle")]
SVGImageFile = Annotated[File, Format("svg")]
TFRecordFile = Annotated[File, Format("tfrecord")]

__all__ = [
    "CSVFile",
    "File",
    "FlyteFile",
    "HTMLPage",
    "JPEGImageFile",
    "JoblibSerializedFile",
    "PDFFile",
    "PNGImageFile",
    "PythonNotebook",
    "PythonPickledFile",
    "SVGImageFile",
    "TFRecordFile",
]
