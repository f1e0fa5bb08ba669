"""Seeing: the theory checked as it runs, the health of a training, and pictures of both.

Everything is loaded when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import displays, health, theory
    from .health import GradientHealth, HealthReport, gradient_health
    from .initial_variance import InitializationStudy, initialization

__all__ = [
    "GradientHealth",
    "HealthReport",
    "InitializationStudy",
    "displays",
    "gradient_health",
    "health",
    "initialization",
    "theory",
]

HOMES = {
    "GradientHealth": "health",
    "HealthReport": "health",
    "InitializationStudy": "initial_variance",
    "gradient_health": "health",
    "initialization": "initial_variance",
}


def __getattr__(name: str) -> Any:
    if name in HOMES:
        return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
