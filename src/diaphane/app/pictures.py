"""The pictures that the command writes."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from ..graph.drawing import Drawing, draw
from ..graph.drawing.layers import LayerBox, draw_layers
from ..graph.sizes import known_shape
from ..nn import Activation, Dense, Dropout
from ..training import History
from .model import Model
from .writing import write_figure

__all__ = ["draw_learning_curves", "draw_model", "draw_model_graph"]

LONGEST_TITLE = 60


def draw_learning_curves(history: History, path: Path, *, title: str) -> Path | None:
    """Training and validation loss against the epoch, with the best one marked; None without matplotlib.

    Linear models have one best fit, and no loss on validation rows along the way.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError:
        return None
    epochs, loss, held = history["epoch"], history["loss"], []
    if "validation_loss" in history:
        held = history["validation_loss"]
    figure = Figure(figsize=(7, 4.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    # One epoch alone is a point, which a line does not show.
    marker = "." if len(epochs) == 1 else None
    name = "training, with the penalty on weights" if held else "training"
    axes.plot(epochs, loss, color="#2f6fb5", linewidth=2, marker=marker, label=name)
    if held:
        best = int(np.argmin(held))
        axes.plot(epochs, held, color="#d1661f", linewidth=2, marker=marker, label="validation")
        axes.axvline(epochs[best], color="#888888", linewidth=1, linestyle="--")
        axes.plot(epochs[best], held[best], "o", color="#d1661f", markersize=7, label=f"kept: epoch {epochs[best]}")
    if min(*loss, *held) > 0 and max(*loss, *held) > 20 * min(*loss, *held):
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


def _short(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def draw_model(model: Model) -> Drawing:
    """The network layer by layer."""
    columns = len(model.encoder.names_in)
    (features,) = known_shape(model.network.input_shape, "the network")
    boxes = [LayerBox("Input", f"{columns} columns", features, f"(N, {features})")]
    for line in model.network.summary():
        layer = line.layer
        if isinstance(layer, Dense):
            title, subtitle, units = f"Dense {layer.units}", str(layer.activation or "linear"), layer.units
            boxes.append(LayerBox(title, subtitle, units, line.shape, line.parameters))
        elif layer is not None:
            detail = {Dropout: "rate", Activation: "function"}.get(type(layer))
            subtitle = str(getattr(layer, detail)) if detail else ""
            boxes.append(LayerBox(type(layer).__name__, subtitle, None, line.shape, line.parameters))
    return draw_layers(boxes, title=f"{_short(model.target)}: {model.task}")


def draw_model_graph(model: Model) -> Drawing:
    """The computational graph from a row's features to the raw outputs."""
    return draw(model.network.output, values=False, title=f"{_short(model.target)}: the graph of the network")
