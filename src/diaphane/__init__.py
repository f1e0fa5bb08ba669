"""Neural networks you can see through, that train at the speed of the hardware.

Everything of ``diaphane.graph``, ``diaphane.engines`` and ``diaphane.files`` is here under its own name
(``diaphane.variable``, ``diaphane.Program``, ``diaphane.save``); the other packages are attributes
(``diaphane.nn.Dense``). All are loaded when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from . import app, data, engines, estimators, files, graph, insight, nn, optim, report, selection, training
    from .engines import *  # noqa: F403
    from .estimators.export import export_onnx
    from .files import ExportError, FileError, load, save
    from .graph import *  # noqa: F403

OPEN = ("graph", "engines", "files")
"""Packages whose public names stand here too."""
PACKAGES = (*OPEN, "app", "data", "estimators", "insight", "nn", "optim", "report", "selection", "training")

__all__ = ["__version__", *PACKAGES]


def __getattr__(name: str) -> Any:
    if name in PACKAGES:
        return import_module(f"{__name__}.{name}")
    if name == "export_onnx":
        # Of files there is the one for networks; this one takes estimators too.
        value = globals()[name] = import_module(f"{__name__}.estimators.export").export_onnx
        return value
    if not name.startswith("_"):
        for package in OPEN:
            module = import_module(f"{__name__}.{package}")
            if name in module.__all__:
                value = globals()[name] = getattr(module, name)
                return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    names = {name for package in OPEN for name in import_module(f"{__name__}.{package}").__all__}
    return sorted({*globals(), *PACKAGES, *names})
