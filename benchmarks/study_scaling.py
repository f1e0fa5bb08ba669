"""How a training step's time grows with width, depth, batch and rows, beside PyTorch eager.

Writes docs/scaling.md and docs/images/scaling.svg.

    make scaling
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from rivals import Diaphane, Torch
from tables import console, machine, new_table
from turns import Result, Turns
from works import Work

DOCS = Path(__file__).resolve().parent.parent / "docs"
CONTENDERS = {"diaphane": (Diaphane, (None,)), "PyTorch": (Torch, (1, 2))}
COLOURS = {"diaphane": "#3569d4", "PyTorch": "#b87a06"}
STYLE = {
    "axes.edgecolor": "#98a2b3",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 10,
    "mathtext.default": "regular",
    "svg.hashsalt": "scaling",
}
EPOCHS = 5
MULTIPLICATIONS = 3e9
"""In what is timed together, where 3 to 500 steps come to so many."""


@dataclass(frozen=True)
class Sampled(Work):
    """Steps on rows drawn at random from more than they need."""

    available: int = 0

    @property
    def rows(self) -> int:
        return self.available

    def order(self, epoch: int) -> np.ndarray:
        return np.random.default_rng(epoch).choice(self.available, self.batch * self.steps, replace=False)


@dataclass(frozen=True)
class Panel:
    """One quantity that grows while the others stay."""

    quantity: str
    axis: str
    what: str
    works: dict[int, Work]


def work(sizes: Sequence[int], batch: int) -> Work:
    products = batch * sum(3 * inputs * units for inputs, units in pairwise(sizes))
    return Work(tuple(sizes), batch, int(np.clip(MULTIPLICATIONS / products, 3, 500)))


def sampled(rows: int) -> Work:
    return Sampled((20, 32, 2), 32, min(rows // 32, 1000), available=rows)


PANELS = (
    Panel(
        "width",
        "units of a layer",
        "64-*w*-*w*-10, batch 128",
        {n: work((64, n, n, 10), 128) for n in (2**k for k in range(5, 13))},
    ),
    Panel(
        "depth",
        "hidden layers",
        "64-256-…-256-10, batch 128",
        {n: work((64, *[256] * n, 10), 128) for n in (1, 2, 3, 5, 8, 12, 20)},
    ),
    Panel(
        "batch", "rows of a batch", "64-256-256-10", {n: work((64, 256, 256, 10), n) for n in (4**k for k in range(7))}
    ),
    Panel(
        "rows",
        "rows of the data",
        "20-32-2, batch 32, drawn from so many rows",
        {n: sampled(n) for n in (10**k for k in range(3, 8))},
    ),
)
PAGE = """# Scaling

The time of a training step, as one quantity grows and the others stay: the width of a network, its depth, the batch,
and the rows that batches are drawn from. Beside it PyTorch's eager mode, from the same first weights on the same
batches, on one or two threads, whichever is faster. float32, ReLU, Adam; each figure is the median of {epochs} epochs,
taken in turn.

![Step time against width, depth, batch and rows, of diaphane and PyTorch](images/scaling.svg)

{finding}

Where there is much arithmetic, time follows it. Where there is little, what is left is a step's fixed cost, in which
eager execution and a compiled program differ most. More rows to draw from are no more arithmetic, but each is farther
away in memory; of a thousand, an epoch has 31 steps, and its own fixed cost shows.

| | | diaphane, µs | PyTorch, µs (threads) | PyTorch / diaphane |
| --- | ---: | ---: | ---: | ---: |
{rows}

Measured with

```console
$ make scaling
```

on {machine}.
"""


def measure() -> dict[str, dict[int, dict[str, Result]]]:
    with Turns(CONTENDERS) as turns:
        found: dict[str, dict[int, dict[str, Result]]] = {}
        for panel in PANELS:
            found[panel.quantity] = {}
            for n, work in panel.works.items():
                with console.status(f"{panel.quantity} {n}"):
                    results = turns.run(dict.fromkeys(CONTENDERS, work), EPOCHS)
                for name, result in results.items():
                    if result.missing:
                        raise SystemExit(f"{name}, {panel.quantity} {n}: {result.missing}")
                found[panel.quantity][n] = results
        return found


def ratio(results: dict[str, Result]) -> float:
    return results["PyTorch"].step / results["diaphane"].step


def cells(results: dict[str, Result]) -> tuple[str, str, str]:
    ours, theirs = results.values()
    return microseconds(ours), f"{microseconds(theirs)} ({theirs.threads})", f"{ratio(results):.2f}x"


def microseconds(result: Result) -> str:
    value = result.step * 1e6
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def finding(found: dict[str, dict[int, dict[str, Result]]]) -> str:
    """One sentence on who is faster where."""
    points = {(quantity, n): ratio(r) for quantity, points in found.items() for n, r in points.items()}
    behind = [f"{quantity} {n}" for (quantity, n), value in points.items() if value < 1]
    said = f"diaphane is faster at {len(points) - len(behind)} of {len(points)} points"
    least, most = min(points.values()), max(points.values())
    return f"{said}, {least:.2g} to {most:.2g} times as fast" + (f"; not at {', '.join(behind)}." if behind else ".")


def page(found: dict[str, dict[int, dict[str, Result]]]) -> str:
    rows = []
    for panel in PANELS:
        rows.append(f"| **{panel.quantity}**: {panel.what} | | | | |")
        rows += [f"| | {n} | {' | '.join(cells(r))} |" for n, r in found[panel.quantity].items()]
    return PAGE.format(
        epochs=EPOCHS,
        finding=finding(found).replace("diaphane", "Diaphane", 1),
        rows="\n".join(rows),
        machine=machine("numpy", "torch"),
    )


def draw(found: dict[str, dict[int, dict[str, Result]]], path: Path) -> None:
    # Here, since the contenders' processes load this file too.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure((9, 6.6), layout="constrained")
        for ax, panel in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
            points = found[panel.quantity]
            for name, colour in COLOURS.items():
                steps = [results[name].step * 1e6 for results in points.values()]
                ax.loglog(list(points), steps, "o-", color=colour, markersize=4, label=name)
            ax.set_title(panel.what.replace("*w*", "$\\mathit{w}$"), fontsize=10, loc="left")
            ax.set_xlabel(panel.axis)
            ax.set_ylabel("µs of a step")
            powers = max(points) > 1e5
            ax.set_xticks(list(points), [f"$10^{np.log10(n):.0f}$" if powers else str(n) for n in points])
            ax.set_xticks([], minor=True)
            ax.grid(which="major", color="#e4e7ec", linewidth=0.8)
        figure.axes[0].legend(frameon=False)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    found = measure()
    for panel in PANELS:
        table = new_table(
            panel.what.replace("*", ""), panel.quantity, "diaphane, µs", "PyTorch, µs (threads)", "PyTorch / diaphane"
        )
        for n, results in found[panel.quantity].items():
            table.add_row(str(n), *cells(results))
        console.print(table)
    (DOCS / "scaling.md").write_text(page(found))
    draw(found, DOCS / "images" / "scaling.svg")
    console.print("Written: docs/scaling.md, docs/images/scaling.svg")


if __name__ == "__main__":
    main()
