"""What a search found, as a table on the screen and as one in a file."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as RichTable

from ..options.kinds import Kind

__all__ = ["Result", "as_csv", "furthest", "tell_results"]

SHOWN = 10


@dataclass(frozen=True)
class Result:
    """One candidate's scores.

    Attributes
    ----------
    settings : dict
        By names of options.
    epochs : int
        How many it was given.
    scores : tuple of float
        By fold, as the field writes them.
    seconds : float
        Of all folds.
    """

    settings: dict[str, Any]
    epochs: int
    scores: tuple[float, ...]
    seconds: float

    @property
    def mean(self) -> float:
        """Over the folds."""
        return float(np.mean(self.scores))

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return float(np.std(self.scores, ddof=1) / math.sqrt(len(self.scores)))


def tell_results(
    console: Console, found: Sequence[Result], baseline: Result, *, score: str, baseline_name: str
) -> None:
    """The best of them beside the baseline, each candidate once.

    Parameters
    ----------
    console : Console
    found : sequence of Result
        The best first.
    baseline : Result
    score, baseline_name : str
        What the scores are, and what the baseline says.
    """
    names = list(dict.fromkeys(name for result in found for name in result.settings))
    once = furthest(found)
    table = RichTable()
    table.add_column("", justify="right")
    for name in (*names, "epochs", f"{score} ± standard error"):
        table.add_column(name, justify="right")
    for place, result in enumerate(once[:SHOWN], start=1):
        values = [shown(result.settings[name]) if name in result.settings else "" for name in names]
        table.add_row(str(place), *values, str(result.epochs), _with_error(result))
    table.add_row("baseline", *[""] * len(names), "", _with_error(baseline), end_section=True)
    console.print(table)
    console.print(f"{len(once)} candidates; the baseline is the {baseline_name}")


def furthest(found: Sequence[Result]) -> list[Result]:
    """Of each candidate the row with the most epochs, the best first."""
    of: dict[tuple[Any, ...], Result] = {}
    for result in found:
        of.setdefault(tuple(sorted(result.settings.items())), result)
    return list(of.values())


def _with_error(result: Result) -> str:
    return f"{result.mean:.4f} ± {result.error:.4f}"


def shown(value: Any) -> str:
    """A setting as it would be typed.

    Examples
    --------
    >>> shown((64, 32)), shown(0.00123456), shown("relu")
    ('64x32', '0.00123', 'relu')
    """
    if isinstance(value, tuple):
        return "x".join(map(str, value)) or "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def as_csv(found: Sequence[Result]) -> str:
    """A line a row, all of them."""
    names = list(dict.fromkeys(name for result in found for name in result.settings))
    folds = [f"fold_{k + 1}" for k in range(len(found[0].scores))]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["place", *names, "epochs", "mean", "standard_error", *folds, "seconds"])
    for place, result in enumerate(found, start=1):
        settings = [_cell(result.settings.get(name, "")) for name in names]
        numbers = [result.mean, result.error, *result.scores]
        cells = [repr(float(number)) for number in numbers]
        writer.writerow([place, *settings, result.epochs, *cells, f"{result.seconds:.3f}"])
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    plain = Kind.plain(value.item() if isinstance(value, np.generic) else value)
    return "x".join(map(str, plain)) if isinstance(plain, list) else plain
