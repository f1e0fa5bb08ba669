"""The reference engine: NumPy, one node after another, in the graph's own order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph.backend import NumpyBackend
from ..graph.evaluation import Plan, bind_sizes, checked_feed
from ..graph.node import Array
from .batches import batches_of, gather
from .contract import BatchesResult, Definition, StepResult

__all__ = ["ReferenceEngine"]


class ReferenceEngine:
    """Truth: each operation's own ``compute``, under NumPy."""

    name = "reference"

    def prepare(self, definition: Definition) -> ReferenceExecutable:
        """Order the nodes."""
        return ReferenceExecutable(definition)


class ReferenceExecutable:
    """A definition with the order of its nodes."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.leaves = (*definition.variables, *definition.placeholders)
        self.plan = Plan(definition.wanted, self.leaves)
        self._given = [self.leaves.index(node) for node in self.plan.given]
        position = {node: i for i, node in enumerate(definition.variables)}
        self._updated = [position[variable] for variable, _ in definition.updates]

    def run(self, state: Sequence[Array], feeds: Sequence[Array], seed: int, step: int) -> StepResult:
        """One step."""
        backend = NumpyBackend(bind_sizes(self.leaves, (*state, *feeds)), seed, step)
        with np.errstate(all="ignore"):
            return self._step(backend, state, feeds)

    def run_batches(
        self,
        state: Sequence[Array],
        feeds: Sequence[Array | None],
        data: Mapping[int, Any],
        orders: Array,
        batch_size: int,
        seed: int,
        first_step: int,
    ) -> BatchesResult:
        """One step for each batch of each epoch's order."""
        placeholders = self.definition.placeholders
        result = BatchesResult([], list(state), list(state))
        backends: dict[int, NumpyBackend] = {}
        fed: list[Any] = list(feeds)
        with np.errstate(all="ignore"):
            for i, rows in enumerate(batches_of(orders, batch_size)):
                for k, source in data.items():
                    fed[k] = gather(source, rows, placeholders[k].dtype)
                backend = backends.get(len(rows))
                if backend is None:
                    fed = [checked_feed(node, value) for node, value in zip(placeholders, fed, strict=True)]
                    backend = NumpyBackend(bind_sizes(self.leaves, (*result.state, *fed)), seed)
                    backends[len(rows)] = backend
                backend.step = first_step + i
                done = self._step(backend, result.state, fed)
                if not done.finite:
                    result.failed_at = i
                    break
                result.outputs.append(done.outputs)
                result.previous, result.state = result.state, done.state
        return result

    def _step(self, backend: NumpyBackend, state: Sequence[Array], feeds: Sequence[Array]) -> StepResult:
        values = (*state, *feeds)
        results = self.plan.run(backend, [values[i] for i in self._given])
        n_outputs = len(self.definition.outputs)
        outputs = [np.asarray(value) for value in results[:n_outputs]]
        if self.definition.loss is not None and not np.isfinite(results[-1]).all():
            return StepResult(outputs, list(state), finite=False)
        committed = list(state)
        for position, value in zip(self._updated, results[n_outputs:], strict=False):
            committed[position] = np.asarray(value)
        return StepResult(outputs, committed)
