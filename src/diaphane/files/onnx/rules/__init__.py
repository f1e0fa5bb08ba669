"""How each operation is written in ONNX: a table, with a file for each family."""

from . import elementwise, indexing, loops, reductions, shaping

__all__ = ["elementwise", "indexing", "loops", "reductions", "shaping"]
