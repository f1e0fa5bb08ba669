"""What a run depends on besides its position: settings and data, written down, and compared when it goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..files import FileError
from ..files.graphs import write_graph
from ..graph.record import Record
from ..graph.sizes import show
from .digests import describe_rows
from .random_states import kind_of_random

if TYPE_CHECKING:
    from .inputs import Examples
    from .run import TrainingRun
    from .trainer import Trainer

__all__ = ["OtherRunError", "check_setup", "describe_data", "describe_setup"]

PARTS = ("penalty", "clipping", "constraint", "averaging", "mixup")


class OtherRunError(ValueError):
    """A checkpoint of another training: of another network, other data or settings."""


def describe_setup(trainer: Trainer, run: TrainingRun, validation_fraction: float) -> dict[str, Any]:
    """All settings that the bits of a training depend on, but for the number of epochs."""
    network, step = trainer.network, run.step
    hyperparameters = {name: run.hyperparameter(name) for name in step.hyperparameters}
    return {
        "network": _describe(network.architecture),
        "input shape": show(network.input_shape),
        "dtype": network.dtype.name,
        "loss": _describe(trainer.loss),
        "optimizer": _describe(step.optimizer),
        **{name: _describe(getattr(trainer, name, None)) for name in PARTS},
        "batch_size": trainer.batch_size,
        "shuffle": bool(trainer.shuffle),
        "validation_fraction": float(validation_fraction),
        "random_state": kind_of_random(trainer.random_state),
        "engine": trainer.engine if isinstance(trainer.engine, str) else type(trainer.engine).__name__,
        "hyperparameters": hyperparameters,
        "formulas": _formulas(run),
    }


def describe_data(given: Examples, validation: Examples | None) -> dict[str, Any]:
    """Shape, dtype and digest of everything that is learnt from or validated with."""
    names = ("x", "y", "sample_weight")
    found = dict(zip(names, given, strict=True))
    if validation is not None:
        found |= {f"validation {name}": rows for name, rows in zip(names, validation, strict=True)}
    return {name: None if rows is None else describe_rows(rows) for name, rows in found.items()}


def check_setup(before: Mapping[str, Any], now: Mapping[str, Any], source: str) -> None:
    """Refuse to go on where something is other than it was, by the first difference.

    Raises
    ------
    OtherRunError

    Examples
    --------
    >>> try:
    ...     check_setup({"data": {"x": {"shape": [9, 4]}}}, {"data": {"x": {"shape": [9, 5]}}}, "run/checkpoint")
    ... except OtherRunError as error:
    ...     print(str(error).partition(". ")[0])
    run/checkpoint is of another training: the data's x.shape was [9, 4] and is [9, 5]
    """
    found = _first_difference(before, now, ())
    if found is None:
        return
    path, old, new = found
    name = _name_of(path)
    if path[-1] == "digest":
        what = f"{name.removesuffix('.digest')} has other values than it had"
    elif path[-1] == "formulas":
        what = "the formulas of a step are others: a function or layer of your own was changed, or diaphane was"
    else:
        what = f"{name} was {_shown(old)} and is {_shown(new)}"
    raise OtherRunError(
        f"{source} is of another training: {what}. Give what it was begun with to go on, or another folder to begin "
        "anew"
    )


def _first_difference(before: Any, now: Any, path: tuple[str, ...]) -> tuple[tuple[str, ...], Any, Any] | None:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        pairs = [(key, before.get(key), now.get(key)) for key in dict.fromkeys((*before, *now))]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now) and _has_parts(before):
        pairs = [(str(i), old, new) for i, (old, new) in enumerate(zip(before, now, strict=True))]
    else:
        return None if before == now else (path, before, now)
    return next((f for key, old, new in pairs if (f := _first_difference(old, new, (*path, key)))), None)


def _has_parts(values: Sequence[Any]) -> bool:
    return any(isinstance(v, Mapping | list) for v in values)


def _name_of(path: tuple[str, ...]) -> str:
    if path[0] == "data":
        return f"the data's {'.'.join(path[1:])}"
    return ".".join(path[1:] if path[0] in ("setup", "hyperparameters") else path)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) and "type" in value:
        return str(value["type"])
    if isinstance(value, list) and _has_parts(value):
        return f"[{', '.join(map(_shown, value))}]"
    return f"{value!r:.120}"


def _describe(value: Any) -> Any:
    """A setting as plain data: records as their fields, functions by name; a record with a function by its kind."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Record):
        try:
            return json.loads(json.dumps(value.to_json()))
        except TypeError:
            return type(value).__name__
    if isinstance(value, tuple | list):
        return [_describe(v) for v in value]
    return getattr(value, "__qualname__", type(value).__qualname__)


def _formulas(run: TrainingRun) -> str | None:
    """A digest of the graph of a step, in which functions show that have no name; None where it can't be written."""
    try:
        graph, arrays = write_graph(run.step.program.definition.wanted)
    except FileError:
        return None
    digest = hashlib.blake2b(json.dumps(graph, sort_keys=True).encode(), digest_size=16)
    for name in sorted(arrays):
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()
