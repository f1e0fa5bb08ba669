"""The network's picture."""

from __future__ import annotations

from typing import Any

from ...graph.drawing import Drawing
from ...graph.drawing.layers import LayerBox, draw_layers
from ...graph.sizes import known_shape
from ...nn import Activation, Dense, Dropout, Network
from ..inside import network_step
from ..markup import joined, paragraph
from ..numbers import count, plural
from ..pictures import from_svg
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["NETWORK", "layer_boxes"]


def _made(subject: Subject) -> Section | None:
    model = network_step(subject.estimator)
    drawing = subject.run.network if subject.run.network is not None else _drawn(model)
    if drawing is None:
        return None
    svg = drawing.svg if isinstance(drawing, Drawing) else str(drawing)
    members = len(getattr(model, "members_", ()))
    several = (
        paragraph(f"This is one of {members} networks alike; their answers are averaged.") if members > 1 else None
    )
    size = getattr(model, "n_parameters_", None)
    learnt = paragraph(f"{count(size)} numbers are learnt in all.") if size else None
    shown = from_svg(svg, title="The network", said="Layers from input to output")
    return Section("Look at its size beside the number of rows.", joined(several, shown, learnt))


def _drawn(model: Any) -> Drawing | None:
    if hasattr(model, "_fitted_plan"):
        return draw_layers(layer_boxes(model._fitted_plan().network))
    if isinstance(getattr(model, "network_", None), Network):
        return draw_layers(layer_boxes(model.network_))
    coefs = getattr(model, "coefs_", None)
    return None if not isinstance(coefs, list) else draw_layers(_of_matrices(coefs, model.intercepts_))


def layer_boxes(network: Network) -> list[LayerBox]:
    """Layer by layer, as it is drawn."""
    (features,) = known_shape(network.input_shape, "the network")
    boxes = [LayerBox("Input", plural(features, "feature"), features, f"(N, {features})")]
    for line in network.summary():
        layer, units = line.layer, getattr(line.layer, "units", None)
        if isinstance(units, int):
            subtitle = str(getattr(layer, "activation", None) or "linear")
            name = "Dense" if isinstance(layer, Dense) else type(layer).__name__
            boxes.append(LayerBox(f"{name} {units}", subtitle, units, line.shape, line.parameters))
        elif layer is not None:
            detail = {Dropout: "rate", Activation: "function"}.get(type(layer))
            boxes.append(
                LayerBox(
                    type(layer).__name__,
                    str(getattr(layer, detail)) if detail else "",
                    None,
                    line.shape,
                    line.parameters,
                )
            )
    return boxes


def _of_matrices(coefs: list[Any], intercepts: list[Any]) -> list[LayerBox]:
    """scikit-learn's networks."""
    first = coefs[0].shape[0]
    boxes = [LayerBox("Input", plural(first, "feature"), first, f"(N, {first})")]
    for matrix, bias in zip(coefs, intercepts, strict=True):
        units = matrix.shape[1]
        boxes.append(LayerBox(f"Dense {units}", "", units, f"(N, {units})", matrix.size + bias.size))
    return boxes


NETWORK = Kind("network", "The network", _made)
