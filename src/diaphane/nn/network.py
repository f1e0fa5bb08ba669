"""A network: an architecture with the parameters that belong to it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from ..engines import Engine, Program, State, initial_state
from ..graph import Dim, Node, ShapeError, Size, ancestors, placeholder, substitute
from ..graph.leaves import Variable
from ..graph.node import Array
from ..graph.sizes import Extent, Shape, known_shape, show
from .layer import Context, Layer

__all__ = ["Forward", "LayerSummary", "Network"]

ROWS_AT_A_TIME = 4096


@dataclass(frozen=True)
class Forward:
    """A forward pass: the output, and the next values of what layers keep."""

    output: Node
    updates: dict[Node, Node]


@dataclass(frozen=True)
class LayerSummary:
    """One line of :meth:`Network.summary`: a layer, the shape of what comes out, how many parameters it has."""

    layer: Layer | None
    shape: str
    parameters: int


class Network:
    """An architecture for inputs of one shape, and its parameters.

    Parameters
    ----------
    architecture : Layer or callable
        A layer (:class:`Sequential` for several), or a plain function from a node of shape
        ``(N, *input_shape)`` to a node, with variables of its own. The function is called once; one of two
        arguments gets a :class:`Context` too, to call layers with, and is called for each forward pass.
    input_shape : sequence of int or Size
        Without the examples' axis; named sizes (``Dim("T")``) may stand for extents that vary from run to run.
    dtype : float32 or float64
        Of parameters and computation.

    Attributes
    ----------
    input, output : Node
        The inference graph: a placeholder ``x`` and what comes of it.
    parameters : tuple of Node
        What is learnt.
    variables : tuple of Node
        The same with what layers keep and their hyperparameters.

    Examples
    --------
    >>> import diaphane as dia
    >>> network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(3, "tanh"), dia.nn.Dense(1)]), (2,))
    >>> network.predict(network.initial_state(), [[0.0, 0.0]])
    array([[0.]], dtype=float32)

    A network from a plain function of nodes:

    >>> w = dia.variable([[1.0], [2.0]], "w")
    >>> line = dia.nn.Network(lambda x: x @ w, (2,), dtype="float64")
    >>> line.predict(line.initial_state(), [[1.0, 1.0]])
    array([[3.]])
    """

    def __init__(
        self,
        architecture: Layer | Callable[[Node], Node],
        input_shape: Sequence[Extent],
        *,
        dtype: Any = "float32",
    ) -> None:
        self.architecture = architecture
        if not isinstance(input_shape, Sequence | np.ndarray):
            raise TypeError(f"input_shape is a tuple, such as (4,) for four features, got {input_shape!r}")
        if not isinstance(architecture, Layer) and not callable(architecture):
            raise TypeError(
                f"a network is made of a layer, Sequential([…]) for several, or a function; got {architecture!r}"
            )
        self.input_shape: Shape = tuple(e if isinstance(e, Size) else int(e) for e in input_shape)
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise TypeError(f"a network computes in float32 or float64, not {self.dtype}")
        self.input = placeholder((Dim("N"), *self.input_shape), self.dtype, "x")
        self._named: dict[str, Node] = {}
        self._takes_context = isinstance(architecture, Layer) or _n_arguments(architecture) > 1
        if self._takes_context:
            self.output = self.forward(self.input).output
        else:
            self.output = architecture(self.input)  # type: ignore[call-arg]
            if not isinstance(self.output, Node):
                raise TypeError(f"the network's function must return a node, it returned {type(self.output).__name__}")
            found = [n for n in ancestors([self.output]) if isinstance(n.op, Variable)]
            for i, node in enumerate(found):
                name = node.name or f"variable_{i}"
                free = (f"{name}_{k}" if k > 1 else name for k in count(1))
                self._named[next(n for n in free if n not in self._named)] = node
        if not self.output.shape or self.output.shape[0] != Dim("N"):
            raise ShapeError(
                f"a network keeps the examples' axis N first, its output has shape {show(self.output.shape)}"
            )
        self._predictors: dict[str | Engine, Program] = {}

    @property
    def variables(self) -> tuple[Node, ...]:
        return tuple(self._named.values())

    @property
    def parameters(self) -> tuple[Node, ...]:
        return tuple(v for v in self.variables if isinstance(v.op, Variable) and v.op.role == "parameter")

    def named_variables(self) -> dict[str, Node]:
        """Every variable by its path."""
        return dict(self._named)

    def variable(self, path: str) -> Node:
        """The variable at a path such as ``"dense_1/kernel"``."""
        if path not in self._named:
            raise KeyError(f"this network has no variable {path!r}; it has: {', '.join(self._named)}")
        return self._named[path]

    @property
    def output_shape(self) -> tuple[Any, ...]:
        """Of one example's output."""
        return self.output.shape[1:]

    @property
    def n_parameters(self) -> int:
        """How many numbers are learnt."""
        return sum(math.prod(known_shape(p.shape, p.label())) for p in self.parameters)

    def forward(self, x: Node, *, training: bool = False) -> Forward:
        """The network drawn on another input, with the same parameters.

        Parameters
        ----------
        x : node, shape ``(N, *input_shape)``
        training : bool
            Whether dropout drops and batch normalisation looks at the batch.
        """
        if x.shape[1:] != self.input_shape:
            raise ShapeError(
                f"this network takes inputs of shape {show((Dim('N'), *self.input_shape))}, got {show(x.shape)}"
            )
        if not self._takes_context:
            return Forward(substitute([self.output], {self.input: x})[0], {})
        context = Context(self._named, self.dtype, training=training)
        output = self.architecture(x, context)  # type: ignore[call-arg]
        return Forward(output, context.updates)

    def initial_state(self, rng: Any = None) -> State:
        """First values of all variables, drawn from ``rng`` in the variables' order."""
        return initial_state(self.variables, rng)

    def predict(self, state: State, x: Any, *, batch_size: int | None = None, engine: str | Engine = "native") -> Array:
        """The inference output for any number of rows.

        Parameters
        ----------
        state : State
        x : array or CSR matrix, shape ``(n, *input_shape)``
        batch_size : int, optional
            Rows at a time; by default all at once of an array in memory, and some thousands of what is
            sparse or on disk, which is never made dense or read whole.
        """
        if not hasattr(x, "shape"):
            x = np.asarray(x)
        if len(x.shape) != len(self.input_shape) + 1 or any(
            isinstance(wanted, int) and wanted != got for wanted, got in zip(self.input_shape, x.shape[1:], strict=True)
        ):
            raise ShapeError(
                f"this network takes inputs of shape (n, {str(self.input_shape)[1:]}, got {tuple(x.shape)}"
            )
        program = self._predictors.get(engine)
        if program is None:
            program = self._predictors[engine] = Program(self.output, engine=engine)
        if batch_size is None and (isinstance(x, np.memmap) or not isinstance(x, np.ndarray)):
            batch_size = ROWS_AT_A_TIME
        outputs, _ = program.run_batches(state, {self.input: x}, batch_size=batch_size)
        return np.asarray(outputs)

    def summary(self) -> list[LayerSummary]:
        """A line for each layer: what it is, the shape of its output, how many parameters it has."""
        layers = getattr(self.architecture, "layers", None)
        if layers is None:
            layer = self.architecture if isinstance(self.architecture, Layer) else None
            return [LayerSummary(layer, show(self.output.shape), self.n_parameters)]
        context = Context(self._named, self.dtype, training=False)
        x, seen, lines = self.input, set[str](), []
        for layer in layers:
            x = layer(x, context)
            own = {v.name for v in ancestors([x]) if v in self.parameters and v.name} - seen
            seen |= own
            size = sum(math.prod(known_shape(self._named[name].shape, name)) for name in own)
            lines.append(LayerSummary(layer, show(x.shape), size))
        return lines

    def __repr__(self) -> str:
        lines = [f"Network of {self.n_parameters} parameters, inputs {show((Dim('N'), *self.input_shape))}"]
        lines += [f"  {s.layer or 'function'} → {s.shape}, {s.parameters} parameters" for s in self.summary()]
        return "\n".join(lines)

    def _repr_svg_(self) -> str:
        return self.output._repr_svg_()


def _n_arguments(function: Callable[..., Any]) -> int:
    """How many arguments a function takes by position without a default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty for p in parameters)
