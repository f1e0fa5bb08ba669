"""How results are printed: tables of one width, a target's verdict, and the machine in one line."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_info

__all__ = ["console", "machine", "new_table", "verdict"]

console = Console(width=150)


def new_table(title: str, *columns: str, caption: str = "") -> Table:
    """A table whose first column is text and whose others are numbers."""
    table = Table(title=title, caption=caption or None, title_justify="left", caption_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left")
    return table


def verdict(value: float, target: float, *, unit: str = "x", at_most: bool = False) -> tuple[str, str]:
    """A figure, and its target with whether it is met, as two cells."""
    met = value <= target if at_most else value >= target
    sign = "≤" if at_most else "≥"
    return f"{value:.2f}{unit}", f"{sign} {target:g}{unit} [{'green' if met else 'red'}]{'met' if met else 'missed'}[/]"


def machine(*libraries: str) -> str:
    """Processor, cores, Python, libraries, and what kernels BLAS runs: some settings keep it from its fastest ones."""
    import scipy.linalg  # noqa: F401  whose BLAS must be loaded to be asked

    versions = ", ".join(f"{name} {_version(name)}" for name in libraries)
    blas = {lib.get("architecture") for lib in threadpool_info() if lib["user_api"] == "blas"} - {None}
    kernels = f"; BLAS kernels: {', '.join(sorted(map(str, blas)))}" if blas else ""
    return f"{_processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}{kernels}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
