"""What the looks at a training add up to: a table, a picture, and a verdict in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .looks import LayerHealth, Look
from .verdict import Finding, judge

if TYPE_CHECKING:
    from ..displays import HealthDisplay

__all__ = ["HealthReport"]


@dataclass(frozen=True)
class HealthReport:
    """The health of a network at one moment, or over a training.

    Attributes
    ----------
    looks : tuple of Look
        In the order of time.
    diverged : bool
        Whether training ended at a loss of NaN or infinity.
    """

    looks: tuple[Look, ...]
    diverged: bool = False

    def verdict(self) -> list[Finding]:
        """What is wrong, causes first; empty for a healthy network."""
        return judge(self.looks, diverged=self.diverged)

    @property
    def healthy(self) -> bool:
        """Whether nothing was found.

        Raises
        ------
        ValueError
            If no look was taken.
        """
        if not self.looks:
            raise ValueError("no look was taken, so nothing is known: train with the callback first")
        return not self.verdict()

    def table(self) -> list[dict[str, Any]]:
        """The last look: one record a layer, as a data frame takes them."""
        return self.looks[-1].rows() if self.looks else []

    def rows(self) -> list[dict[str, Any]]:
        """Every look: one record a layer and look."""
        return [row for look in self.looks for row in look.rows()]

    def plot(self, axes: Sequence[Any] | None = None) -> HealthDisplay:
        """Gradient, update and idle units by layer: over time, or over the layers for a single look."""
        from ..displays import HealthDisplay

        return HealthDisplay.from_report(self, axes=axes)

    def __str__(self) -> str:
        if not self.looks:
            return "no look was taken: train, or give rows"
        last = self.looks[-1]
        lines = [_head(last), *_table(last.layers), ""]
        findings = self.verdict()
        if not findings:
            return "\n".join([*lines, "healthy: nothing was found that keeps this network from learning"])
        return "\n".join([*lines, *(f"{finding.kind}: {finding.words}" for finding in findings)])


def _compared(explained: float) -> str:
    percent = round(100 * abs(explained))
    if not percent:
        return "no better than a constant output"
    return f"{percent} % better than a constant output" if explained > 0 else "worse than a constant output"


COLUMNS = ("layer", "gradient", "at units", "weights", "update", "saturated", "dead")


def _head(look: Look) -> str:
    explained = look.explained
    share = "" if math.isnan(explained) else f", {_compared(explained)}"
    return f"epoch {look.epoch}, step {look.steps}: loss {look.loss:.4g}{share}"


def _table(layers: Sequence[LayerHealth]) -> list[str]:
    rows = [COLUMNS, *(_cells(layer) for layer in layers)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    return [
        "  ".join(cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]


def _cells(layer: LayerHealth) -> tuple[str, ...]:
    norms = [_number(v) for v in (layer.gradient, layer.signal, layer.weights, layer.update_ratio)]
    shares = ["" if math.isnan(v) else f"{100 * v:.0f} %" for v in (layer.saturated, layer.dead)]
    return (f"{layer.number or '':>2} {layer.name}", *norms, *shares)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2g}"
