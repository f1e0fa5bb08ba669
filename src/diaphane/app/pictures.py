"""The pictures that the command writes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..graph.drawing import Drawing, draw
from ..graph.drawing.layers import LayerBox, draw_layers
from ..graph.sizes import known_shape
from ..nn import Activation, Dense, Dropout
from ..nn.embeddings import TangentDense
from ..training import History
from .model import Model
from .writing import write_figure

__all__ = ["draw_learning_curves", "draw_model", "draw_model_graph"]

LONGEST_TITLE = 60


def draw_learning_curves(history: History, path: Path, *, title: str, training: str) -> Path | None:
    """Training and validation loss against the epoch, with the best one marked; None without matplotlib.

    Of several networks a line each. Linear models have one best fit, and no loss on validation rows along the way.

    Parameters
    ----------
    history : History
    path : Path
    title : str
    training : str
        What the training loss is called.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError:
        return None
    figure = Figure(figsize=(7, 4.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for number, records in enumerate(_by_member(history)):
        _draw_one(axes, records, training, first=not number)
    losses = [loss for name in ("loss", "validation_loss") if name in history for loss in history[name]]
    if min(losses) > 0 and max(losses) > 20 * min(losses):
        axes.set_yscale("log")
    axes.set(xlabel="epoch", ylabel="mean loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    # A dollar in a column's name is no formula.
    axes.set_title(_short(title), parse_math=False)
    axes.grid(visible=True, color="#e5e5e5", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(edgecolor="none")
    with warnings.catch_warnings():
        # The font has not every script's letters; a box in the title is no reason to alarm anybody.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        write_figure(path, figure)
    return path


def _by_member(history: History) -> list[list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for record in history:
        found.setdefault(record.get("member", 1), []).append(record)
    return list(found.values())


def _draw_one(axes: Any, records: list[dict[str, Any]], training: str, *, first: bool) -> None:
    """One network's lines; only those of the first one are named."""
    epochs, held = [r["epoch"] for r in records], [r["validation_loss"] for r in records if "validation_loss" in r]
    several = "member" in records[0]
    width, size = (1.2, 5) if several else (2, 7)
    # One epoch alone is a point, which a line does not show.
    marker = "." if len(epochs) == 1 else None
    line: dict[str, Any] = {"linewidth": width, "marker": marker}
    axes.plot(epochs, [r["loss"] for r in records], color="#2f6fb5", label=training if first else None, **line)
    if not held:
        return
    best = int(np.argmin(held))
    axes.plot(epochs, held, color="#d1661f", label="validation" if first else None, **line)
    kept = "kept" if several else f"kept: epoch {epochs[best]}"
    if not several:
        axes.axvline(epochs[best], color="#888888", linewidth=1, linestyle="--")
    axes.plot(epochs[best], held[best], "o", color="#d1661f", markersize=size, label=kept if first else None)


def _short(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def draw_model(model: Model) -> Drawing:
    """The network layer by layer; of several of one kind the first."""
    network, _ = model.member()
    columns = len(model.encoder.names_in)
    (features,) = known_shape(network.input_shape, "the network")
    boxes = [LayerBox("Input", f"{columns} columns", features, f"(N, {features})")]
    for line in network.summary():
        layer = line.layer
        if isinstance(layer, Dense | TangentDense):
            title, subtitle, units = f"Dense {layer.units}", str(layer.activation or "linear"), layer.units
            boxes.append(LayerBox(title, subtitle, units, line.shape, line.parameters))
        elif layer is not None:
            detail = {Dropout: "rate", Activation: "function"}.get(type(layer))
            subtitle = str(getattr(layer, detail)) if detail else ""
            boxes.append(LayerBox(type(layer).__name__, subtitle, None, line.shape, line.parameters))
    return draw_layers(boxes, title=f"{_short(model.target)}: {model.task}{_one_of(model)}")


def draw_model_graph(model: Model) -> Drawing:
    """The computational graph from a row's features to the raw outputs; of several networks that of the first."""
    network, _ = model.member()
    return draw(network.output, values=False, title=f"{_short(model.target)}: the graph of the network{_one_of(model)}")


def _one_of(model: Model) -> str:
    return f", one of {model.n_members} networks that are averaged" if model.n_members > 1 else ""
