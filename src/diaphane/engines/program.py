"""A program: outputs and updates of a graph, planned once, run for any sizes.

Updates are two-phase: every next value is computed from the state as it was, then all are committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..graph import DTypeError, FeedError, Node, ShapeError, ancestors
from ..graph.backend import NumpyBackend
from ..graph.evaluation import Plan, bind_sizes, checked_feed, named_feeds
from ..graph.leaves import Placeholder, Variable
from ..graph.node import Array
from ..graph.sizes import Extent, Size, show
from .batches import gather, row_count
from .state import State, initial_state

__all__ = ["Definition", "Engine", "Executable", "NonFiniteError", "Program", "Step"]


@dataclass(frozen=True)
class Definition:
    """What is to be computed: all that an engine gets to know.

    Attributes
    ----------
    outputs : tuple of Node
    updates : tuple of (Node, Node)
        Variable and its next value.
    loss : Node or None
        Checked for NaN and infinity before the updates are committed.
    variables, placeholders : tuple of Node
        The leaves whose values are given, in the order in which they are given.
    """

    outputs: tuple[Node, ...]
    updates: tuple[tuple[Node, Node], ...]
    loss: Node | None
    variables: tuple[Node, ...]
    placeholders: tuple[Node, ...]

    @property
    def wanted(self) -> tuple[Node, ...]:
        """Everything that one step computes: outputs, next values, the loss."""
        return (*self.outputs, *(value for _, value in self.updates), *((self.loss,) if self.loss is not None else ()))


class Executable(Protocol):
    """A definition made ready by an engine. It holds no run's values, so that threads can share it."""

    def run(self, state: Sequence[Array], feeds: Sequence[Array], seed: int, step: int) -> StepResult:
        """One step."""
        ...

    def run_batches(
        self,
        state: Sequence[Array],
        feeds: Sequence[Array | None],
        data: Mapping[int, Any],
        order: Array,
        batch_size: int,
        seed: int,
        first_step: int,
    ) -> BatchesResult:
        """One step for each batch of ``order``; ``data`` gives sources of rows by the placeholder's position."""
        ...


@dataclass
class StepResult:
    """One step's outputs, and the state after it; ``finite`` is False where the updates were not committed."""

    outputs: list[Array]
    state: list[Array]
    finite: bool = True


@dataclass
class BatchesResult:
    """The outputs of each step that was committed, the state after the last, the one before, and where it stopped."""

    outputs: list[list[Array]]
    state: list[Array]
    previous: list[Array]
    failed_at: int | None = None


class Engine(Protocol):
    """How programs are computed."""

    name: str

    def prepare(self, definition: Definition) -> Executable:
        """Plan a definition."""
        ...


class NonFiniteError(FloatingPointError):
    """The loss became NaN or infinite; nothing of that step was kept.

    Attributes
    ----------
    node : Node or None
        Where NaN or infinity first appeared.
    step : int
        The step at which the loss was not finite.
    state : State
        The last state without NaN or infinity.
    outputs : list
        Those of the steps before.
    """

    def __init__(self, node: Node | None, step: int, state: State, outputs: Any) -> None:
        where = f" It first appeared in {_described(node)}." if node is not None else ""
        super().__init__(
            f"the loss became NaN or infinite at step {step}.{where} The parameters from before are kept; "
            "try a smaller learning rate, scaled inputs, or clipped gradients"
        )
        self.node, self.step, self.state, self.outputs = node, step, state, outputs


PHASES = ("forward", "backward", "update")


@dataclass(frozen=True)
class Step:
    """One node of a program as it is computed.

    Attributes
    ----------
    index : int
        Its place in the order.
    phase : {"forward", "backward", "update"}, in this order
        Whether the first output needs it, or gradients, or only the next values.
    node : Node
    value : ndarray
    """

    index: int
    phase: str
    node: Node
    value: Array


class Program:
    """Outputs and updates, planned once.

    Parameters
    ----------
    outputs : Node, sequence of Node or mapping of str to Node
        What is given back, in the same structure.
    updates : mapping of Node to Node, optional
        For variables, the node that is the next value.
    loss : Node, optional
        Checked before updates are committed; see :class:`NonFiniteError`.
    engine : str
        ``"reference"``: NumPy, one node after another.

    Examples
    --------
    >>> import diaphane as dia
    >>> w = dia.variable(1.0, "w")
    >>> loss = (w - 3) ** 2
    >>> [slope] = dia.gradient(loss, [w])
    >>> descend = dia.Program(loss, {w: w - 0.25 * slope})
    >>> state = descend.initial_state()
    >>> for _ in range(3):
    ...     value, state = descend.run(state)
    ...     print(float(value), float(state[w]))
    4.0 2.0
    1.0 2.5
    0.25 2.75
    """

    def __init__(
        self,
        outputs: Node | Sequence[Node] | Mapping[str, Node],
        updates: Mapping[Node, Node] | None = None,
        *,
        loss: Node | None = None,
        engine: str = "reference",
    ) -> None:
        from . import find_engine

        self._structure = outputs
        self.engine = engine
        self.definition = _define(_flat(outputs), updates or {}, loss)
        self._executable = find_engine(engine).prepare(self.definition)

    @property
    def variables(self) -> tuple[Node, ...]:
        """The variables that a state must hold."""
        return self.definition.variables

    @property
    def placeholders(self) -> tuple[Node, ...]:
        """What must be fed at each run."""
        return self.definition.placeholders

    def initial_state(self, rng: Any = None) -> State:
        """Every variable at its first value; ``rng`` is what initialisers draw from."""
        return initial_state(self.variables, rng)

    def run(
        self,
        state: State | None = None,
        feeds: Mapping[Node | str, Any] | None = None,
        *,
        seed: int = 0,
        step: int = 0,
    ) -> tuple[Any, State]:
        """One step.

        Parameters
        ----------
        state : State, optional
            Initial values by default.
        feeds : mapping of placeholder (or its name) to array
        seed, step : int
            What random nodes draw from.

        Returns
        -------
        outputs
            In the structure given to the program.
        state : State
            After the updates.

        Raises
        ------
        NonFiniteError
            If the loss is not finite, or what it updates; the error's ``state`` is the one before.
        """
        state = self.initial_state() if state is None else state
        values, fed = self._values(state), self._fed(feeds or {})
        result = self._executable.run(values, fed, seed, step)
        if not result.finite:
            node = self.first_nonfinite(values, fed, seed, step)
            raise NonFiniteError(node, step, state, None)
        new = self._state(state, result.state)
        if self.definition.loss is not None and not new.is_finite:
            raise NonFiniteError(self.first_nonfinite(values, fed, seed, step), step + 1, state, None)
        return self._shaped(result.outputs), new

    def run_batches(
        self,
        state: State,
        data: Mapping[Node | str, Any],
        order: Array | None = None,
        batch_size: int | None = None,
        feeds: Mapping[Node | str, Any] | None = None,
        *,
        seed: int = 0,
        first_step: int = 0,
    ) -> tuple[Any, State]:
        """One step for each batch, without coming back in between.

        Parameters
        ----------
        state : State
        data : mapping of placeholder (or its name) to rows
            Arrays, memory maps or CSR matrices of as many rows each, in their own dtype: the rows of a
            batch are gathered and cast when their step comes.
        order : ndarray of int, optional
            Which rows, in which order; all of them as they lie by default.
        batch_size : int, optional
            All rows by default; the last batch may be short.
        feeds : mapping, optional
            For placeholders that are the same at each step.
        seed, first_step : int
            What random nodes draw from; the step counts on from the first.

        Returns
        -------
        outputs
            In the structure given to the program. Outputs with the batch's named size as first axis
            are joined along it, others are stacked over the steps.
        state : State
            After the last step.

        Raises
        ------
        NonFiniteError
            If the loss was not finite at some step, or the last updates were not.
        """
        rows = self._data(data)
        n = _common_rows(rows, self.placeholders)
        order = np.arange(n) if order is None else np.asarray(order)
        batch_size = max(len(order), 1) if batch_size is None else int(batch_size)
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        fed = self._fed(feeds or {}, missing=rows)
        values = self._values(state)
        result = self._executable.run_batches(values, fed, rows, order, batch_size, seed, first_step)
        new = self._state(state, result.state)
        if result.failed_at is None and (self.definition.loss is None or new.is_finite):
            return self._joined(result.outputs, rows), new
        good, done = new, len(result.outputs)
        if not new.is_finite:
            good, done = self._state(state, result.previous), max(done - 1, 0)

        def batch(i: int) -> list[Any]:
            picked = order[i * batch_size : (i + 1) * batch_size]
            return [gather(rows[k], picked, p.dtype) if k in rows else fed[k] for k, p in enumerate(self.placeholders)]

        if not good.is_finite:
            # It appeared some steps ago where the loss did not show it, as behind a rectifier.
            good, done = state, 0
            while (after := self._after(good, batch(done), seed, first_step + done)).is_finite:
                good, done = after, done + 1
        node = self.first_nonfinite(self._values(good), batch(done), seed, first_step + done)
        seen = done if new.is_finite else done + 1
        raise NonFiniteError(node, first_step + seen, good, self._joined(result.outputs[:seen], rows))

    def step_through(
        self,
        state: State | None = None,
        feeds: Mapping[Node | str, Any] | None = None,
        *,
        seed: int = 0,
        step: int = 0,
    ) -> Iterator[Step]:
        """Each node with its value as the reference engine computes it, forward then backward then update.

        Examples
        --------
        >>> import diaphane as dia
        >>> x, y = dia.variable(2.0, "x"), dia.variable(3.0, "y")
        >>> f = x * y
        >>> for s in dia.Program([f, *dia.gradient(f * f, [x])]).step_through():
        ...     print(s.phase, s.node, float(s.value))
        forward x·y 6.0
        backward x·y + x·y 12.0
        backward (x·y + x·y)·y 36.0
        """
        state = self.initial_state() if state is None else state
        values, fed = self._values(state), self._fed(feeds or {})
        phases = self._phases()
        backend = self._backend(values, fed, seed, step)
        plan, given = self._reference_plan(values, fed, sorted(phases, key=lambda node: PHASES.index(phases[node])))
        with np.errstate(all="ignore"):
            for i, (node, value) in enumerate(plan.trace(backend, given)):
                if isinstance(value, np.ndarray | np.generic):
                    yield Step(i, phases[node], node, np.asarray(value))

    def first_nonfinite(self, state: Sequence[Array], feeds: Sequence[Any], seed: int, step: int) -> Node | None:
        """Where NaN or infinity first appears when the step is replayed on the reference engine."""
        for leaf, value in zip((*self.variables, *self.placeholders), (*state, *feeds), strict=True):
            if not np.isfinite(value).all():
                return leaf
        plan, given = self._reference_plan(state, feeds)
        with np.errstate(all="ignore"):
            for node, value in plan.trace(self._backend(state, feeds, seed, step), given):
                if isinstance(value, np.ndarray | np.generic) and not np.isfinite(value).all():
                    return node
        return None

    def _reference_plan(
        self, state: Sequence[Array], feeds: Sequence[Any], nodes: Sequence[Node] | None = None
    ) -> tuple[Plan, list[Any]]:
        plan = Plan(self.definition.wanted if nodes is None else nodes)
        values = dict(zip((*self.variables, *self.placeholders), (*state, *feeds), strict=True))
        return plan, [values[node] for node in plan.given]

    def _backend(self, state: Sequence[Array], feeds: Sequence[Any], seed: int, step: int) -> NumpyBackend:
        return NumpyBackend(bind_sizes((*self.variables, *self.placeholders), (*state, *feeds)), seed, step)

    def _phases(self) -> dict[Node, str]:
        order = ancestors(self.definition.wanted)
        forward = set(ancestors(self.definition.outputs[:1]))
        updating: set[Node] = {
            n for n in order if isinstance(n.op, Variable) and n.op.role != "parameter" and n not in forward
        }
        phases: dict[Node, str] = {}
        for node in order:
            if node not in forward and any(value in updating for value in node.inputs):
                updating.add(node)
            phases[node] = "forward" if node in forward else "update" if node in updating else "backward"
        return phases

    def _after(self, state: State, feeds: Sequence[Array], seed: int, step: int) -> State:
        return self._state(state, self._executable.run(self._values(state), feeds, seed, step).state)

    def _values(self, state: State) -> list[Array]:
        return [state[node] for node in self.variables]

    def _state(self, before: State, values: Sequence[Array]) -> State:
        return State({**before, **dict(zip(self.variables, values, strict=True))})

    def _fed(self, feeds: Mapping[Node | str, Any], missing: Mapping[int, Any] | None = None) -> list[Any]:
        given = named_feeds(feeds, self.placeholders)
        unknown = [node.label() for node in given if node not in self.placeholders]
        if unknown:
            raise FeedError(f"the program has no placeholder {', '.join(unknown)}; it has: {self._names()}")
        result: list[Any] = []
        for i, node in enumerate(self.placeholders):
            if missing is not None and i in missing:
                result.append(None)
            elif node in given:
                result.append(checked_feed(node, given[node]))
            else:
                raise FeedError(f"the placeholder {node.label()} was not fed; the program needs: {self._names()}")
        return result

    def _names(self) -> str:
        return ", ".join(f"{p.label()} {show(p.shape)}" for p in self.placeholders) or "none"

    def _data(self, data: Mapping[Node | str, Any]) -> dict[int, Any]:
        given = named_feeds(data, self.placeholders)
        unknown = [node.label() for node in given if node not in self.placeholders]
        if unknown:
            raise FeedError(f"the program has no placeholder {', '.join(unknown)}; it has: {self._names()}")
        for node, source in given.items():
            no_rows = [e if isinstance(e, int) else 0 for e in node.shape]
            checked_feed(node, np.empty(no_rows, getattr(source, "dtype", node.dtype)))
        return {i: given[node] for i, node in enumerate(self.placeholders) if node in given}

    def _shaped(self, values: Sequence[Any]) -> Any:
        if isinstance(self._structure, Node):
            return values[0]
        if isinstance(self._structure, Mapping):
            return dict(zip(self._structure, values, strict=True))
        return list(values)

    def _joined(self, steps: list[list[Array]], rows: Mapping[int, Any]) -> Any:
        batch: Extent | None = next((self.placeholders[i].shape[0] for i in rows), None)
        joined = []
        for k, node in enumerate(self.definition.outputs):
            values = [outputs[k] for outputs in steps]
            along = bool(node.shape) and isinstance(batch, Size) and node.shape[0] == batch
            if not values:
                shape = [e if isinstance(e, int) else 0 for e in node.shape]
                joined.append(np.empty(shape if along else (0, *shape), node.dtype))
            elif along:
                joined.append(np.concatenate(values) if len(values) > 1 else values[0])
            else:
                joined.append(np.stack(values))
        return self._shaped(joined)


def _define(outputs: Sequence[Node], updates: Mapping[Node, Node], loss: Node | None) -> Definition:
    for variable, value in updates.items():
        if not isinstance(variable.op, Variable):
            raise DTypeError(f"only variables are updated, {variable.label()} is a {variable.op.label()}")
        if (value.shape, value.dtype) != (variable.shape, variable.dtype):
            raise ShapeError(
                f"the update of {variable.label()} has shape {show(value.shape)} {value.dtype}, "
                f"the variable {show(variable.shape)} {variable.dtype}"
            )
    wanted = [*outputs, *updates.values(), *([loss] if loss is not None else [])]
    order = ancestors(wanted)
    variables = dict.fromkeys(n for n in order if isinstance(n.op, Variable))
    variables.update(dict.fromkeys(updates))
    placeholders = [n for n in order if isinstance(n.op, Placeholder)]
    return Definition(tuple(outputs), tuple(updates.items()), loss, tuple(variables), tuple(placeholders))


def _flat(outputs: Node | Sequence[Node] | Mapping[str, Node]) -> list[Node]:
    if isinstance(outputs, Node):
        return [outputs]
    return list(outputs.values()) if isinstance(outputs, Mapping) else list(outputs)


def _common_rows(rows: Mapping[int, Any], placeholders: Sequence[Node]) -> int:
    if not rows:
        raise FeedError("run_batches needs data: a mapping of placeholders to arrays of rows")
    counts = {placeholders[i].label(): row_count(source) for i, source in rows.items()}
    if len(set(counts.values())) > 1:
        raise ShapeError(
            "the data differ in their number of rows: " + ", ".join(f"{k} has {v}" for k, v in counts.items())
        )
    return next(iter(counts.values()))


def _described(node: Node | None) -> str:
    from ..graph.formula import short_formula

    if node is None:
        return "an unknown node"
    site = f" (made at {node.site[0]}:{node.site[1]})" if node.site else ""
    return f"{short_formula(node)} of shape {show(node.shape)}{site}"
