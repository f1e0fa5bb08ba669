"""How each operation is written in ONNX: a table, with a file for each family."""

from . import columns, elementwise, indexing, loops, reductions, shaping

__all__ = ["columns", "elementwise", "indexing", "loops", "reductions", "shaping"]
