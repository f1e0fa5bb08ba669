"""For every test and docstring example: no picture stays open."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_picture_stays_open() -> Iterator[None]:
    """pyplot keeps each figure until it is closed, and warns of many."""
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
