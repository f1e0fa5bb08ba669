"""What first weights do to a network: the variance of activations and of gradients, layer by layer, before any step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.errors import closest
from ..engines import Engine, Program, State
from ..engines.program import check_whole
from ..graph import Node, gradient
from ..graph.leaves import Initializer
from ..graph.node import Array
from ..nn import INITIALIZERS, Network, find_loss
from ..nn.losses import LossLike
from ..optim import SGD
from ..training import TrainingStep
from ..training.inputs import examples
from .health.anatomy import LayerNodes, find_layers

if TYPE_CHECKING:
    from .displays import InitializationDisplay

__all__ = ["AS_BUILT", "InitializationStudy", "LayerVariance", "initialization"]

AS_BUILT = "as built"
SCHEMES = (AS_BUILT, *(name for name in INITIALIZERS if name not in ("zeros", "ones")))
"""All but those that give every unit the same weights, of which no variance can be promised."""


@dataclass(frozen=True)
class LayerVariance:
    """One layer under one scheme, over rows, units and draws.

    Attributes
    ----------
    scheme, layer : str
    number : int
    preactivation : float
        Var(a), a = X·W + b.
    activation : float
        Var(h), h being what the next layer takes in, or what the network gives.
    mean_square : float
        E[h²], which is what rectifiers keep: their mean is not 0.
    signal : float
        E[(∂l/∂a)²], l being one example's loss.
    gradient : float
        Var(∂l/∂W), l being the mean loss.
    """

    scheme: str
    layer: str
    number: int
    preactivation: float
    activation: float
    mean_square: float
    signal: float
    gradient: float


@dataclass(frozen=True)
class InitializationStudy:
    """Variances by scheme and layer.

    Attributes
    ----------
    layers : tuple of LayerVariance
    input_mean_square : float
        E[x²] over rows and features.
    """

    layers: tuple[LayerVariance, ...]
    input_mean_square: float

    @property
    def schemes(self) -> tuple[str, ...]:
        """Their names, in the order asked for."""
        return tuple(dict.fromkeys(layer.scheme for layer in self.layers))

    def of(self, scheme: str) -> list[LayerVariance]:
        """The layers under one scheme, the first one first.

        Raises
        ------
        ValueError
            If it is not among them.
        """
        if scheme not in self.schemes:
            raise ValueError(f"there is no {scheme!r} here; there are: {', '.join(self.schemes)}")
        return [layer for layer in self.layers if layer.scheme == scheme]

    def forward(self, scheme: str) -> float:
        """Var(a) at the last hidden layer over that at the first: 1 where the signal keeps its size."""
        hidden = self.of(scheme)[:-1] or self.of(scheme)
        return hidden[-1].preactivation / hidden[0].preactivation if hidden[0].preactivation else float("nan")

    def backward(self, scheme: str) -> float:
        """E[(∂l/∂a)²] at the first hidden layer over that at the last: 1 where the gradient keeps its size."""
        hidden = self.of(scheme)[:-1] or self.of(scheme)
        return hidden[0].signal / hidden[-1].signal if hidden[-1].signal else float("nan")

    def rows(self) -> list[dict[str, Any]]:
        """One plain record a scheme and layer, as a data frame takes them."""
        return [dict(vars(layer)) for layer in self.layers]

    def plot(self, axes: Sequence[Any] | None = None) -> InitializationDisplay:
        """Variances of preactivations and of gradients against the layer, a line a scheme."""
        from .displays import InitializationDisplay

        return InitializationDisplay.from_study(self, axes=axes)

    def __str__(self) -> str:
        width = max(len(s) for s in ("scheme", *self.schemes))
        head = f"{'scheme':<{width}}  layer    Var(a)    Var(h)    E[h²]  E[(∂l/∂a)²]  Var(∂l/∂W)"
        lines = [
            f"{v.scheme:<{width}}  {v.number:>5}  {v.preactivation:>8.2g}  {v.activation:>8.2g}  {v.mean_square:>7.2g}"
            f"  {v.signal:>11.2g}  {v.gradient:>10.2g}"
            for v in self.layers
        ]
        return "\n".join([head, *lines])


def initialization(
    network: Network,
    X: Any,
    y: Any = None,
    schemes: Sequence[str | Initializer] | Mapping[str, str | Initializer] | None = None,
    *,
    loss: LossLike | None = None,
    n_draws: int = 3,
    random_state: int | None = 0,
    engine: str | Engine = "native",
) -> InitializationStudy:
    """The variance of activations and of gradients by layer at step 0, for each scheme.

    With inputs of mean square q, N(0, 1/√d) gives Var(a) = d·(1/d)·q = q: linear layers keep it (LeCun et al. 1998).
    Backwards the factor is d_out·σ² instead of d_in·σ², and 2/(d_in + d_out) is the compromise between both (Glorot &
    Bengio 2010, equation 12). A rectifier drops half of E[a²], which 2/d_in makes up for (He et al. 2015).

    Parameters
    ----------
    network : Network
    X : array, shape (n, …)
    y : array, optional
        Without it the loss is a random weighting of the outputs, ∂l/∂output ~ N(0, 1): the gradient that the
        derivations start from.
    schemes : sequence of str or initialiser, or mapping of name to either, optional
        For kernels; biases and norms are as built. By default ``"as built"`` and every named random initialiser.
    loss : str or callable, optional
        Needed with y.
    n_draws : int
        Over so many sets of first weights.
    random_state : int or None
    engine : str or Engine

    Returns
    -------
    InitializationStudy

    Raises
    ------
    ValueError
        If a scheme is not known, or y is given without a loss or a loss without y.

    Examples
    --------
    >>> import diaphane as dia
    >>> x = np.random.default_rng(0).standard_normal((200, 100))
    >>> layers = [dia.nn.Dense(100, "relu") for _ in range(10)]
    >>> network = dia.nn.Network(dia.nn.Sequential([*layers, dia.nn.Dense(1)]), (100,), dtype="float64")
    >>> study = initialization(network, x, schemes=["he_normal", "lecun_normal"])
    >>> study.backward("he_normal") > 0.5, study.backward("lecun_normal") < 0.01
    (True, True)
    """
    if not isinstance(network, Network):
        raise TypeError(f"network must be a Network, got {type(network).__name__}; a fitted estimator has network_")
    if (y is None) != (loss is None):
        raise ValueError("y and loss go together: give both, or neither for the gradient of a random output weighting")
    known = _schemes(schemes)
    rng = np.random.default_rng(random_state)
    x, target, _ = examples(X, rng.standard_normal((np.shape(X)[0], *_output_shape(network))) if y is None else y)
    step = TrainingStep(
        network,
        _weighting if loss is None else find_loss(loss),
        SGD(),
        target_shape=target.shape[1:],
        target_dtype=target.dtype if target.dtype.kind in "iu" else network.dtype,
        engine=engine,
    )
    view = step.flat.views
    layers = find_layers(step.output, step.x, {n: view[v] for n, v in network.named_variables().items() if v in view})
    numbered = [layer for layer in layers if layer.number and layer.preactivation is not None]
    program = _program(step, numbered)
    data: dict[Node | str, Any] = {
        node: rows for node, rows in step.data(x, target).items() if node in program.placeholders
    }
    found = []
    for name, scheme in known.items():
        draws = []
        for _ in range(check_whole("n_draws", n_draws)):
            state = step.initial_state(_first_values(network, scheme, rng))
            outputs, _ = program.run_batches(state, data, batch_size=x.shape[0])
            draws.append([_moments(outputs, i, x.shape[0]) for i in range(len(numbered))])
        means = np.mean(draws, axis=0)
        found += [LayerVariance(name, n.name, n.number, *map(float, m)) for n, m in zip(numbered, means, strict=True)]
    values = np.asarray(x.toarray() if hasattr(x, "toarray") else x, np.float64)
    return InitializationStudy(tuple(found), float(np.mean(values**2)))


def _schemes(given: Any) -> dict[str, Initializer | None]:
    if given is None:
        given = SCHEMES
    if isinstance(given, str | Initializer) or (not isinstance(given, Mapping | Sequence)):
        raise ValueError(f"schemes is a list of names or initialisers, or a mapping of names to them, got {given!r}")
    pairs = given.items() if isinstance(given, Mapping) else [(s if isinstance(s, str) else repr(s), s) for s in given]
    found: dict[str, Initializer | None] = {}
    for name, scheme in pairs:
        if scheme == AS_BUILT:
            found[name] = None
        elif isinstance(scheme, str) and scheme not in INITIALIZERS:
            names = (AS_BUILT, *INITIALIZERS)
            raise ValueError(
                f"there is no initialiser {scheme!r}; there are: {', '.join(names)}.{closest(scheme, names)}"
            )
        else:
            found[name] = INITIALIZERS[scheme] if isinstance(scheme, str) else scheme
    if not found:
        raise ValueError("schemes is empty; give names of initialisers, or None for all")
    return found


def _weighting(outputs: Node, weights: Node) -> Node:
    from .. import graph

    return graph.sum(outputs * weights, axis=tuple(range(1, outputs.ndim)))


def _output_shape(network: Network) -> tuple[int, ...]:
    shape = network.output_shape
    if not all(isinstance(e, int) for e in shape):
        raise ValueError(f"without y the network's output needs a fixed shape, it has {shape}; give y and loss")
    return tuple(int(e) for e in shape)


def _first_values(network: Network, scheme: Initializer | None, rng: Any) -> State:
    state = network.initial_state(rng)
    if scheme is None:
        return state
    kernels = [p for p in network.parameters if p.ndim > 1]
    return state.replace({k: np.asarray(scheme.sample(rng, state[k].shape, k.dtype), k.dtype) for k in kernels})


def _program(step: TrainingStep, layers: Sequence[LayerNodes]) -> Program:
    kernels = [max(layer.parameters, key=lambda p: p.ndim) for layer in layers]
    arriving = [layer.preactivation for layer in layers if layer.preactivation is not None]
    slopes = gradient(step.loss, [*arriving, *kernels])
    given = [*(layer.input for layer in layers[1:] if layer.input is not None), step.output]
    parts = {"a": arriving, "h": given, "signal": slopes[: len(layers)], "gradient": slopes[len(layers) :]}
    outputs = {f"{name} {i}": node for name, nodes in parts.items() for i, node in enumerate(nodes)}
    return Program(outputs, engine=step.program.engine)


@np.errstate(all="ignore")
def _moments(outputs: Mapping[str, Array], i: int, rows: int) -> list[float]:
    a, h, signal, slope = (np.asarray(outputs[f"{n} {i}"], np.float64) for n in ("a", "h", "signal", "gradient"))
    # The mean loss's gradient is 1/n of one example's.
    return [a.var(), h.var(), np.mean(h**2), np.mean((rows * signal) ** 2), slope.var()]
