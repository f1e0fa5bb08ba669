"""The program that looks: a training step's loss, gradients and update on some rows, with nothing committed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ...engines import Program, State
from ...graph import Node, broadcast_to, constant, gradient, mean, substitute
from ...graph.node import Array
from ...training import TrainingStep
from .anatomy import LayerNodes, find_layers
from .looks import NONE, LayerHealth, Look

__all__ = ["SATURATED", "Probe", "probe_of"]

SATURATED = 0.01
"""A sigmoid or tanh is saturated where φ′ is below this share of its greatest value: |tanh a| > 0.995, |a| > 3 (6 for
a sigmoid). There a gradient loses two orders of magnitude in one layer, and the unit is all but a constant of ±1."""

_PROBES: WeakKeyDictionary[TrainingStep, Probe] = WeakKeyDictionary()


class Probe:
    """What is looked at in one training step's graph.

    Parameters
    ----------
    step : TrainingStep
        It is not kept, nor changed: the program is another one on the same variables.
    """

    def __init__(self, step: TrainingStep) -> None:
        views = step.flat.views
        paths = {path: views[v] for path, v in step.network.named_variables().items() if v in views}
        self.layers = find_layers(step.output, step.x, paths)
        self._vector = step.flat.vector
        places = dict(zip(views.values(), step.flat.places().values(), strict=True))
        self._places = [[places[p] for p in layer.parameters] for layer in self.layers]
        self._reached = [layer for layer in self.layers if layer.number and layer.preactivation is not None]
        arriving = [layer.preactivation for layer in self._reached if layer.preactivation is not None]
        slopes = gradient(step.loss, [*views.values(), *arriving])
        next_values = dict(step.program.definition.updates)
        outputs = {
            "loss": step.loss,
            "gradient": step.flat.gradient(slopes[: len(views)]),
            "next": next_values[self._vector],
            **dict(zip(("zero", "level"), _constant_losses(step), strict=True)),
            **{f"signal {layer.name}": s for layer, s in zip(self._reached, slopes[len(views) :], strict=True)},
            **{f"a {layer.name}": a for layer, a in zip(self._reached, arriving, strict=True)},
        }
        for layer in self.layers:
            outputs.update({f"{kind} {layer.name} {i}": node for i, (kind, node) in enumerate(layer.activations)})
        self.program = Program(outputs, engine=step.program.engine)

    def look(
        self,
        state: State,
        data: Mapping[Node | str, Any],
        rows: Array,
        *,
        epoch: int = 0,
        steps: int = 0,
        updates: bool = True,
    ) -> Look:
        """A look at some rows of the data, under a step's values.

        Parameters
        ----------
        state : State
        data : mapping of placeholder to rows
        rows : array of int
        epoch, steps : int
            Done so far; random nodes draw as at that step.
        updates : bool
            Whether the step's optimizer is the one that trains.
        """
        found, _ = self.program.run_batches(state, self._fed(data), rows, len(rows), first_step=steps)
        # What has no examples' axis comes once a batch, and there is one.
        once = {name: found[name][0] for name in ("loss", "gradient", "next", "zero", "level")}
        weights = np.asarray(state[self._vector])
        layers = [
            self._layer(layer, places, weights, once, found, updates)
            for layer, places in zip(self.layers, self._places, strict=True)
        ]
        zero, level = float(once["zero"]), float(once["level"])
        return Look(epoch, steps, float(once["loss"]), min(zero, level), zero, tuple(layers))

    def _layer(
        self,
        layer: LayerNodes,
        places: list[tuple[int, int]],
        weights: Array,
        once: Mapping[str, Array],
        found: Mapping[str, Array],
        updates: bool,
    ) -> LayerHealth:
        own, slope = _picked(weights, places), _picked(once["gradient"], places)
        signal, a = found.get(f"signal {layer.name}"), found.get(f"a {layer.name}")
        saturated, dead, units = _units(layer, found)
        return LayerHealth(
            layer.name,
            layer.number,
            _norm(slope),
            _norm(own),
            _norm(_picked(once["next"], places) - own) if updates else NONE,
            NONE if signal is None else _norm(signal),
            saturated,
            dead,
            units,
            "+".join(dict.fromkeys(kind for kind, _ in layer.activations)),
            _not_finite(own, slope, *(() if a is None else (a,))),
        )

    def _fed(self, data: Mapping[Node | str, Any]) -> dict[Node | str, Any]:
        return {node: rows for node, rows in data.items() if node in self.program.placeholders}


def probe_of(step: TrainingStep) -> Probe:
    """The probe of a step, planned once."""
    found = _PROBES.get(step)
    if found is None:
        found = _PROBES.setdefault(step, Probe(step))
    return found


def _constant_losses(step: TrainingStep) -> list[Node]:
    """The loss of outputs of 0, and of the network's mean output for every row."""
    level = broadcast_to(mean(step.output, 0, keepdims=True), step.output.shape)
    zero = broadcast_to(constant(0.0, dtype=step.output.dtype), step.output.shape)
    return [substitute([step.loss], {step.output: other})[0] for other in (zero, level)]


def _units(layer: LayerNodes, found: Mapping[str, Array]) -> tuple[float, float, int]:
    """Shares of saturated values and of dead rectifiers, and how many rectifiers there are."""
    values, low, units, idle = 0, 0, 0, 0
    for i, (kind, _) in enumerate(layer.activations):
        h = found[f"{kind} {layer.name} {i}"]
        if kind == "relu":
            zero = (h == 0).all(axis=tuple(range(h.ndim - 1)))
            units, idle = units + zero.size, idle + int(zero.sum())
        else:
            slope = 1 - h * h if kind == "tanh" else 4 * h * (1 - h)
            values, low = values + h.size, low + int((slope < SATURATED).sum())
    return low / values if values else NONE, idle / units if units else NONE, units


def _picked(vector: Array, places: list[tuple[int, int]]) -> Array:
    """A layer's own stretches of a vector of all parameters."""
    (first, stop), *others = places
    for start, end in others:
        if start != stop:
            return np.concatenate([vector[a:b] for a, b in places])
        stop = end
    return vector[first:stop]


@np.errstate(all="ignore")
def _norm(values: Array) -> float:
    """In float64: the squares of what explodes are beyond float32."""
    flat = np.asarray(values, np.float64).ravel()
    return math.sqrt(float(np.einsum("i,i->", flat, flat)))


def _not_finite(*arrays: Array) -> float:
    sizes = sum(a.size for a in arrays)
    return sum(a.size - int(np.isfinite(a).sum()) for a in arrays) / sizes if sizes else 0.0
