"""``diaphane health``: how gradients reach the layers of a trained model, and what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

from .errors import UserError
from .model import load_model
from .networks import loss_of, optimizer_of
from .relearning import known_rows, options_of, targets_of
from .training import read_source
from .writing import write_figure

__all__ = ["health"]

DPI = 150


def health(folder: Path, source: str, *, header: bool, rows: int, plot: Path | None) -> None:
    """Print a table of the layers and the verdict, and draw it where asked for."""
    from ..insight import gradient_health

    if rows < 1:
        raise UserError(f"--rows must be at least 1, got {rows}")
    if plot is not None:
        _need_pictures(plot)
    model = load_model(folder)
    table = known_rows(model, read_source(source, header=header))
    y = targets_of(model, table, source)
    if not len(y):
        raise UserError(f"{source} has no row with a value of {model.target!r} that the model knows")
    x = model.features(table.drop([model.target]))
    options = options_of(model)
    network, state = model.member()
    report = gradient_health(
        network,
        x,
        y,
        state=state,
        loss=loss_of(options, model.scaler is None),
        optimizer=optimizer_of(options) if options.model == "mlp" else None,
        rows=rows,
    )
    which = f"the first of {model.n_members} networks of " if model.n_members > 1 else ""
    sys.stdout.write(f"{which}{folder} on {min(rows, len(x))} rows of {source}\n{report}\n")
    if plot is not None:
        write_figure(plot, report.plot().figure_, "--plot", dpi=DPI)
        sys.stdout.write(f"wrote {plot}\n")


def _need_pictures(path: Path) -> None:
    from ..insight.displays.style import need_matplotlib

    try:
        need_matplotlib()
    except ImportError as error:
        raise UserError(f"--plot: {error}") from None
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise UserError(f"--plot takes a file that ends in .png, .svg or .pdf, got {path}")
