"""Files that travel with a value, under the names that flytekit gives them in `flytekit.types.file`."""

from tidegate.types.values import File, FlyteFile

CSVFile = HTMLPage = JPEGImageFile = JoblibSerializedFile = PDFFile = File
PNGImageFile = PythonNotebook = PythonPickledFile = SVGImageFile = TFRecordFile = File

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
