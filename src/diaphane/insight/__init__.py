"""Seeing: the theory checked as it runs, and pictures of it.

Both packages, ``theory`` and ``displays``, are loaded when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import displays, theory

__all__ = ["displays", "theory"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
