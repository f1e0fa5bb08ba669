"""How a graph is computed: programs, their state, and the engines that run them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .contract import Definition, Engine, Executable
from .program import Program
from .replay import NonFiniteError, Step
from .state import State, initial_state

if TYPE_CHECKING:
    from .native import NativeEngine

__all__ = [
    "ENGINES",
    "Definition",
    "Engine",
    "Executable",
    "NativeEngine",
    "NonFiniteError",
    "Program",
    "State",
    "Step",
    "find_engine",
    "initial_state",
]

ENGINES = {"reference": ("reference", "ReferenceEngine"), "native": ("native", "NativeEngine")}
"""Engines by name: the module here that has it, loaded when first asked for, and its class."""


def __getattr__(name: str) -> Any:
    """The native engine's class, loaded when it is first asked for."""
    if name == "NativeEngine":
        return import_module(f"{__name__}.native").NativeEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def find_engine(name: str | Engine) -> Engine:
    """The engine of a name; an engine itself as it is.

    Raises
    ------
    ValueError
        If there is none; names those there are.

    Examples
    --------
    >>> find_engine("reference").name
    'reference'
    """
    if not isinstance(name, str):
        return name
    if name not in ENGINES:
        raise ValueError(f"there is no engine {name!r}; there are: {', '.join(ENGINES)}")
    module, attribute = ENGINES[name]
    engine: Engine = getattr(import_module(f"{__name__}.{module}"), attribute)()
    return engine
