"""Where a training is between two batches: all that its rest depends on, as plain data and arrays, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engines import State
from ..files import FileError
from ..files.plain import encode_plain
from ..files.runs import StoredRun, name_values, values_by_name
from ..graph import Node
from ..graph.node import Array

if TYPE_CHECKING:
    from .callbacks import Callback
    from .history import History

__all__ = ["CallbackState", "HistoryLines", "Position", "hand_back", "pack", "unpack"]


@dataclass(frozen=True)
class CallbackState:
    """What a callback keeps, under the name of its class."""

    kind: str
    plain: dict[str, Any]
    arrays: dict[str, Array]


@dataclass(frozen=True)
class Position:
    """A moment of a training. Arrays are never changed in place, so that they need not be copied.

    Attributes
    ----------
    epoch, steps : int
        Whole epochs and steps done.
    state, last_whole : State
        The step's values, and those at the end of the last whole epoch.
    random : dict
        The generator's state, the present epoch's order being drawn.
    order : array of int, or None
        That order; None where rows are not shuffled.
    batches, losses, seconds : int, array, float
        Of an epoch in progress: how many are done, their losses, how long they took.
    records : int
        Of the history.
    stopping, stopped : bool, str
        Whether training ends after this epoch, and why.
    callbacks : tuple of CallbackState
    """

    epoch: int
    steps: int
    state: State
    last_whole: State
    random: dict[str, Any]
    order: Array | None
    records: int
    stopping: bool
    stopped: str
    callbacks: tuple[CallbackState, ...]
    batches: int = 0
    losses: Array | None = None
    seconds: float = 0.0


class HistoryLines:
    """A history as JSON Lines in bytes; each record is written once, however often it is asked for."""

    def __init__(self) -> None:
        self._text, self._ends = bytearray(), [0]

    def of(self, history: History, count: int) -> Array:
        """The first so many records, shape (bytes,), uint8."""
        for record in history.records[len(self._ends) - 1 : count]:
            self._text += json.dumps(_numbers(record)).encode() + b"\n"
            self._ends.append(len(self._text))
        return np.frombuffer(bytes(self._text[: self._ends[count]]), np.uint8)

    @staticmethod
    def read(data: Array) -> list[dict[str, Any]]:
        """The records again."""
        return [json.loads(line) for line in data.tobytes().splitlines()]


def pack(
    position: Position, variables: Sequence[Node], history: History, lines: HistoryLines
) -> tuple[dict[str, Any], dict[str, Array]]:
    """A position as plain data and arrays by name."""
    arrays = _with_prefix("state/", name_values({v: position.state[v] for v in variables}))
    if position.batches:
        arrays |= _with_prefix("last_whole/", name_values({v: position.last_whole[v] for v in variables}))
    arrays["history"] = lines.of(history, position.records)
    if position.order is not None:
        # Row numbers in as few bytes as they need, for they are most of what a small network's checkpoint has.
        arrays["order"] = position.order.astype(np.min_scalar_type(position.order.max()))
    if position.losses is not None:
        arrays["losses"] = position.losses
    for i, each in enumerate(position.callbacks):
        arrays |= _with_prefix(f"callbacks/{i}/", each.arrays)
    names = ("epoch", "steps", "random", "stopping", "stopped", "batches", "seconds")
    plain = {name: getattr(position, name) for name in names}
    return {
        **plain,
        "shuffled": position.order is not None,
        "callbacks": [{"kind": c.kind, "plain": encode_plain(c.plain, c.kind)} for c in position.callbacks],
    }, arrays


def unpack(stored: StoredRun, variables: Sequence[Node]) -> tuple[Position, list[dict[str, Any]]]:
    """The position and the history's records of a checkpoint.

    Raises
    ------
    FileError
        If the checkpoint lacks something.
    """
    # Copied: they lie in the file's bytes, wherever that is, and what is computed from them is at ease elsewhere.
    arrays, source = {name: np.array(a) for name, a in stored.arrays.items()}, str(stored.path)
    try:
        plain = dict(stored.content["position"])
        records = HistoryLines.read(arrays["history"])
        kept = plain.pop("callbacks")
        callbacks = tuple(
            CallbackState(each["kind"], each["plain"], _without_prefix(f"callbacks/{i}/", arrays))
            for i, each in enumerate(kept)
        )
        state = values_by_name(variables, _without_prefix("state/", arrays), source)
        whole = state
        if plain["batches"]:
            whole = values_by_name(variables, _without_prefix("last_whole/", arrays), source)
        order = arrays["order"].astype(np.int64) if plain.pop("shuffled") else None
        found = Position(
            **plain, state=state, last_whole=whole, order=order, losses=arrays.get("losses"), records=len(records),
            callbacks=callbacks,
        )  # fmt: skip
    except (LookupError, TypeError, AttributeError) as error:
        raise FileError(f"{source} holds no training that can be read: {type(error).__name__}: {error}") from None
    return found, records


def hand_back(kept: Sequence[CallbackState], callbacks: Sequence[Callback], source: str) -> None:
    """Give each callback what it kept, by the name of its class and its number among those of the same.

    Raises
    ------
    FileError
        If one that kept something is not there any more.
    """
    left = list(callbacks)
    for each in kept:
        found = next((c for c in left if type(c).__name__ == each.kind), None)
        if found is not None:
            left.remove(found)
        if each.plain or each.arrays:
            if found is None:
                raise FileError(
                    f"{source} holds what a callback {each.kind} kept, and there is none; give the callbacks that the "
                    "training was begun with"
                )
            found.from_state(each.plain, each.arrays)


def _with_prefix(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {prefix + name: array for name, array in arrays.items()}


def _without_prefix(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _numbers(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with Python's numbers in place of NumPy's."""
    return {
        name: value.tolist() if isinstance(value, np.generic | np.ndarray) else value for name, value in record.items()
    }
