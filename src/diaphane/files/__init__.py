"""What stays: saving and loading networks, in safetensors with a checksum, without code; ONNX for other runtimes."""

from .checkpoint import FileError
from .networks import load, save
from .onnx import ExportError, export_onnx

__all__ = ["ExportError", "FileError", "export_onnx", "load", "save"]
