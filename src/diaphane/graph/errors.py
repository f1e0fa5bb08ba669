"""What can go wrong with a graph, in the words of whoever drew it."""

from __future__ import annotations

__all__ = ["DTypeError", "FeedError", "NotDifferentiableError", "ShapeError"]


class ShapeError(ValueError):
    """Shapes that do not fit each other, or an array that does not fit its placeholder."""


class DTypeError(TypeError):
    """A value of a type that an operation does not take."""


class FeedError(ValueError):
    """A value that a program needs and did not get, or got and does not know."""


class NotDifferentiableError(TypeError):
    """A gradient was asked through an operation that has none."""
