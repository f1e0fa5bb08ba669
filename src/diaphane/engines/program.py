"""A program: outputs and updates of a graph, planned once, run for any sizes.

Updates are two-phase: every next value is computed from the state as it was, then all are committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..graph import FeedError, Node, ShapeError
from ..graph.evaluation import check_kind, checked_feed, named_feeds
from ..graph.node import Array
from ..graph.sizes import Extent, Size, show
from .batches import gather, row_count
from .contract import Engine, define
from .replay import NonFiniteError, Replay, Step
from .state import State, as_state, initial_state

if TYPE_CHECKING:
    from .native.profile import Profile

__all__ = ["Program"]


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
    engine : str or Engine
        ``"native"``: compiled loops over planned memory. ``"reference"``: NumPy, one node after another. Or an engine
        with settings of its own, such as ``NativeEngine(n_threads=1)``.

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
        engine: str | Engine = "native",
    ) -> None:
        from . import find_engine

        self._structure = outputs
        self.engine = engine
        self.definition = define(_flat(outputs), updates or {}, loss)
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
        state = self.initial_state() if state is None else as_state(state)
        values, fed = state.values_of(self.variables), self._fed(feeds or {})
        result = self._executable.run(values, fed, seed, step)
        if not result.finite:
            node = self._replay(values, fed, seed, step).first_nonfinite()
            raise NonFiniteError(node, step, state, None)
        new = self._state(state, result.state)
        if self.definition.loss is not None and not new.is_finite:
            raise NonFiniteError(self._replay(values, fed, seed, step).first_nonfinite(), step + 1, state, None)
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
        order : ndarray of int, shape (n,) or (epochs, n), optional
            Which rows, in which order; all of them as they lie by default. Of several epochs each is a row, and
            is cut into batches by itself.
        batch_size : int, optional
            All rows by default; the last batch of an epoch may be short.
        feeds : mapping, optional
            For placeholders that are the same at each step.
        seed, first_step : int
            What random nodes draw from; the step counts on from the first.

        Returns
        -------
        outputs
            In the structure given to the program. Outputs with the batch's named size as first axis
            are joined along it, others are stacked over the steps (a list where a short batch gives another shape).
        state : State
            After the last step.

        Raises
        ------
        NonFiniteError
            If the loss was not finite at some step, or the last updates were not.
        """
        state, rows = as_state(state), self._data(data)
        n = _common_rows(rows, self.placeholders)
        epochs = np.arange(n)[None] if order is None else _checked_order(order, n)
        batch_size = max(epochs.shape[1], 1) if batch_size is None else int(batch_size)
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        fed = self._fed(feeds or {}, missing=rows)
        values = state.values_of(self.variables)
        result = self._executable.run_batches(values, fed, rows, epochs, batch_size, seed, first_step)
        new = self._state(state, result.state)
        if result.failed_at is None and (self.definition.loss is None or new.is_finite):
            return self._joined(result.outputs, rows), new
        good, done = new, len(result.outputs)
        if not new.is_finite:
            good, done = self._state(state, result.previous or result.state), max(done - 1, 0)

        def batch(i: int) -> list[Any]:
            epoch, k = divmod(i, -(-epochs.shape[1] // batch_size))
            picked = epochs[epoch, k * batch_size : (k + 1) * batch_size]
            return [gather(rows[k], picked, p.dtype) if k in rows else fed[k] for k, p in enumerate(self.placeholders)]

        if not good.is_finite:
            # It appeared some steps ago where the loss did not show it, as behind a rectifier.
            good, done = state, 0
            for i in range(len(result.outputs)):
                after = self._after(good, batch(i), seed, first_step + i)
                if not after.is_finite:
                    break
                good, done = after, i + 1
        values = good.values_of(self.variables)
        node = self._replay(values, batch(done), seed, first_step + done).first_nonfinite()
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
        state = self.initial_state() if state is None else as_state(state)
        values, fed = state.values_of(self.variables), self._fed(feeds or {})
        yield from self._replay(values, fed, seed, step).steps()

    def profile(
        self,
        state: State | None = None,
        data: Mapping[Node | str, Any] | None = None,
        *,
        batch_size: int | None = None,
        feeds: Mapping[Node | str, Any] | None = None,
        steps: int = 100,
        seed: int = 0,
    ) -> Profile:
        """Where the time of a step goes: printed, a table of its instructions and what the machine does at best.

        Parameters
        ----------
        state : State, optional
            Initial values by default. It is not changed.
        data : mapping of placeholder (or its name) to rows, optional
            As for :meth:`run_batches`; each step takes the first ``batch_size`` rows.
        batch_size : int, optional
            All rows by default.
        feeds : mapping, optional
            For placeholders that are no rows of data.
        steps : int
            How many to take the mean of.
        seed : int

        Raises
        ------
        ValueError
            If the program's engine has no instructions to time, or the data have fewer rows.

        Examples
        --------
        >>> import diaphane as dia
        >>> x = dia.placeholder((dia.Dim("N"), 3), "float64", "x")
        >>> found = dia.Program(dia.tanh(x @ np.ones((3, 2)))).profile(feeds={x: np.ones((4, 3))})
        >>> [i.operation for i in found.instructions], len(found.fallbacks)
        (['matmul', 'tanh', 'tanh'], 0)
        """
        state = self.initial_state() if state is None else as_state(state)
        if not hasattr(self._executable, "profile"):
            raise ValueError(
                'profile is of a native program\'s instructions; this one runs node by node: engine="native"'
            )
        rows = self._data(data or {})
        count = _common_rows(rows, self.placeholders) if rows else 0
        size = count if batch_size is None else check_whole("batch_size", batch_size)
        if size > count and rows:
            raise ValueError(f"profile: a batch of {size} rows needs as many, the data have {count}")
        fed, values = self._fed(feeds or {}, missing=rows), state.values_of(self.variables)
        found: Profile = self._executable.profile(values, fed, rows, size, check_whole("steps", steps), seed)
        return found

    def _replay(self, state: Sequence[Array], feeds: Sequence[Any], seed: int, step: int) -> Replay:
        return Replay(self.definition, state, feeds, seed, step)

    def _after(self, state: State, feeds: Sequence[Array], seed: int, step: int) -> State:
        return self._state(state, self._executable.run(state.values_of(self.variables), feeds, seed, step).state)

    def _state(self, before: State, values: Sequence[Array]) -> State:
        return before.after(self.variables, values) if self.definition.updates else before

    def _fed(self, feeds: Mapping[Node | str, Any], missing: Mapping[int, Any] | None = None) -> list[Any]:
        given = self._given(feeds)
        result: list[Any] = []
        for i, node in enumerate(self.placeholders):
            if missing is not None and i in missing:
                result.append(None)
            elif node in given:
                result.append(checked_feed(node, given[node]))
            else:
                raise FeedError(f"the placeholder {node.label()} was not fed; the program needs: {self._names()}")
        return result

    def _given(self, feeds: Mapping[Node | str, Any]) -> dict[Node, Any]:
        given = named_feeds(feeds, self.placeholders)
        unknown = [node.label() for node in given if node not in self.placeholders]
        if unknown:
            raise FeedError(f"the program has no placeholder {', '.join(unknown)}; it has: {self._names()}")
        return given

    def _names(self) -> str:
        return ", ".join(f"{p.label()} {show(p.shape)}" for p in self.placeholders) or "none"

    def _data(self, data: Mapping[Node | str, Any]) -> dict[int, Any]:
        given = self._given(data)
        for node, source in given.items():
            if not hasattr(source, "shape") or not hasattr(source, "dtype") or not node.shape:
                raise FeedError(f"{node.label()} takes rows of data as an array, got {type(source).__name__}")
            wanted, got = node.shape[1:], source.shape[1:]
            if wanted != got and (
                len(wanted) != len(got) or any(isinstance(e, int) and e != g for e, g in zip(wanted, got, strict=True))
            ):
                raise ShapeError(f"{node.label()} has shape {show(node.shape)}, got rows of an array {source.shape}")
            check_kind(node, source.dtype)
        return {i: given[node] for i, node in enumerate(self.placeholders) if node in given}

    def _shaped(self, values: Sequence[Any]) -> Any:
        if isinstance(self._structure, Node):
            return values[0]
        if isinstance(self._structure, Mapping):
            return dict(zip(self._structure, values, strict=True))
        return list(values)

    def _joined(self, steps: list[list[Array]], rows: Mapping[int, Any]) -> Any:
        batch: Extent | None = next((self.placeholders[i].shape[0] for i in rows), None)
        joined: list[Any] = []
        for k, node in enumerate(self.definition.outputs):
            values = [outputs[k] for outputs in steps]
            along = bool(node.shape) and isinstance(batch, Size) and node.shape[0] == batch
            if not values:
                shape = [e if isinstance(e, int) else 0 for e in node.shape]
                joined.append(np.empty(shape if along else (0, *shape), node.dtype))
            elif along:
                joined.append(np.concatenate(values) if len(values) > 1 else values[0])
            elif not node.shape:
                # stack would take a third of a microsecond for each number.
                joined.append(np.array(values, node.dtype))
            elif all(value.shape == values[0].shape for value in values):
                joined.append(np.stack(values))
            else:
                joined.append(values)
        return self._shaped(joined)


def check_whole(name: str, value: Any) -> int:
    """A whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    return int(value)


def _checked_order(order: Any, rows: int) -> Array:
    """The order of each epoch's rows, (epochs, n)."""
    found = np.asarray(order)
    if found.ndim not in (1, 2) or found.dtype.kind not in "iu":
        raise FeedError(
            f"order is a row of whole numbers, or one for each epoch; got {found.dtype} of shape {found.shape}"
        )
    if found.size and not (found.min() >= 0 and found.max() < rows):
        wrong = found[(found < 0) | (found >= rows)][0]
        raise IndexError(f"order: the row {wrong} is outside 0 … {rows - 1}")
    return np.atleast_2d(found)


def _flat(outputs: Node | Sequence[Node] | Mapping[str, Node]) -> list[Node]:
    if isinstance(outputs, Node):
        return [outputs]
    return list(outputs.values()) if isinstance(outputs, Mapping) else list(outputs)


def _common_rows(rows: Mapping[int, Any], placeholders: Sequence[Node]) -> int:
    if not rows:
        raise FeedError("run_batches needs data: a mapping of placeholders to arrays of rows")
    counts = {i: row_count(source) for i, source in rows.items()}
    if len(set(counts.values())) > 1:
        named = ", ".join(f"{placeholders[i].label()} has {n}" for i, n in counts.items())
        raise ShapeError(f"the data differ in their number of rows: {named}")
    return next(iter(counts.values()))
