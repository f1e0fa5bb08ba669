"""How each operation becomes instructions: a table, with a file for each family."""

from ..registry import LOWERINGS, PLACED
from . import chances, columns, indexing, loops, products, reductions, shaping

__all__ = ["LOWERINGS", "PLACED", "chances", "columns", "indexing", "loops", "products", "reductions", "shaping"]
