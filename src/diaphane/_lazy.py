"""Packages whose names are loaded when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(
    package: str, homes: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's ``__getattr__`` and ``__dir__``, given which of its modules has which names.

    Examples
    --------
    >>> find, names = lazy_names("diaphane.data", {"scaling": ("TargetScaler",)})
    >>> find("TargetScaler").__name__
    'TargetScaler'
    """
    home_of = {name: home for home, names in homes.items() for name in names}
    own = vars(sys.modules[package]) if package in sys.modules else vars(import_module(package))

    def find(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = own[name] = getattr(import_module(f"{package}.{home_of[name]}"), name)
        return value

    return find, lambda: sorted({*own, *home_of})
