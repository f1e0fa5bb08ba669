"""Networks for other runtimes: an ONNX model, operation by operation."""

from .model import ExportedGraph, export_onnx, write_model
from .registry import ExportError, exports
from .writing import Writer

__all__ = ["ExportError", "ExportedGraph", "Writer", "export_onnx", "exports", "write_model"]
