"""What is loaded when, and what the package promises to hold."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import diaphane as dia

HEAVY = ("matplotlib", "pandas", "polars", "sklearn", "jax", "torch", "numba", "skrub", "igraph", "starlette")


@pytest.mark.parametrize(
    "code", ["import diaphane", "import diaphane; diaphane.variable; diaphane.nn; diaphane.training"]
)
def test_importing_loads_no_heavy_library(code: str) -> None:
    check = f"{code}; import sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_documented() -> None:
    packages = [dia.graph, dia.engines, dia.files, dia.nn, dia.optim, dia.training, dia.estimators, dia.data]
    for package in [*packages, dia.selection, dia.insight.theory, dia.insight.displays]:
        for name in package.__all__:
            value = getattr(package, name)
            assert value is not None
            if inspect.isclass(value) or inspect.isfunction(value):
                assert value.__doc__, f"{package.__name__}.{name} has no docstring"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'varaible'"):
        dia.varaible  # noqa: B018
