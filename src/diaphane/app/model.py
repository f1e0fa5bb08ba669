"""A trained model as the command keeps it: columns in, a network, labels or numbers out, all in one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data import ColumnEncoder, Table, TargetScaler, encode_labels
from ..engines import State
from ..files import FileError, checkpoint
from ..files.networks import network_content, read_network
from ..graph.node import Array
from ..nn import Network
from .errors import UserError

__all__ = ["MODEL_FILE", "Model", "load_model", "save_model"]

MODEL_FILE = "model.safetensors"
COLUMNS = "columns/"
ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Score:
    """How good predictions are, where the truth is known.

    Attributes
    ----------
    metric : str
    value : float
        NaN where it is not defined: R² of rows that are all alike.
    rows : int
    strange : int
        How many of them have a class that is none of the model's.
    """

    metric: str
    value: float
    rows: int
    strange: int = 0


@dataclass(frozen=True)
class Model:
    """Everything that a prediction needs.

    Attributes
    ----------
    task : {"classification", "regression"}
    target : str
        The target column's name.
    labels : tuple
        The classes in the outputs' order; empty for regression.
    encoder : ColumnEncoder
    scaler : TargetScaler or None
        For regression.
    network : Network
    state : State
    facts : dict
        What was said of the training: scores, sizes, seed.
    """

    task: str
    target: str
    labels: tuple[Any, ...]
    encoder: ColumnEncoder
    scaler: TargetScaler | None
    network: Network
    state: State
    facts: dict[str, Any]

    @property
    def has_probabilities(self) -> bool:
        """Whether its outputs of classes are more than scores: a perceptron knows sides alone."""
        return self.scaler is None and self.facts.get("model") != "perceptron"

    def outputs(self, table: Table) -> Array:
        """Probabilities (n, classes), or numbers (n,)."""
        raw = self.network.predict(self.state, self.encoder.transform(table), batch_size=ROWS_AT_ONCE)
        if self.scaler is not None:
            return self.scaler.inverse(raw[:, 0])
        powers = np.exp(raw - raw.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def decide(self, outputs: Array) -> Sequence[Any]:
        """The label of each row, or the numbers as they are."""
        if self.scaler is not None:
            return [float(v) for v in outputs]
        return [self.labels[i] for i in outputs.argmax(axis=1)]

    def score(self, table: Table, outputs: Array) -> Score | None:
        """Accuracy or R² over the rows whose target is known; None where there is none."""
        if self.target not in table.names:
            return None
        column = table[self.target]
        if self.scaler is None:
            truth = encode_labels(column, self.labels)
            known = truth > -2
            if not known.any():
                return None
            right = outputs.argmax(axis=1)[known] == truth[known]
            return Score("accuracy", float(right.mean()), int(known.sum()), int((truth == -1).sum()))
        if column.dtype == object:
            raise UserError(
                f"the target {self.target!r} is a number in the model and has text in the table; "
                "correct it, or leave that column out"
            )
        known = ~np.isnan(column)
        return Score("R²", r_squared(column[known], outputs[known]), int(known.sum())) if known.any() else None


def r_squared(truth: Array, predicted: Array) -> float:
    """1 − Σ (y − ŷ)² / Σ (y − ȳ)²."""
    centred = truth - truth.mean()
    # In units of the largest deviation: squares of large numbers are infinite.
    unit = float(np.abs(centred).max())
    if not unit:
        return float("nan")
    return 1 - float(np.square((truth - predicted) / unit).sum()) / float(np.square(centred / unit).sum())


def save_model(folder: Path, model: Model) -> Path:
    """Write a model into its folder."""
    network, arrays = network_content(model.network, model.state)
    columns, stored = model.encoder.to_state()
    content = {
        "kind": "model",
        "network": network,
        "columns": columns,
        "scaler": None if model.scaler is None else model.scaler.to_state(),
        "task": model.task,
        "target": model.target,
        "labels": list(model.labels),
        "facts": model.facts,
    }
    return checkpoint.write(folder / MODEL_FILE, {**arrays, **{COLUMNS + k: v for k, v in stored.items()}}, content)


def load_model(folder: Path) -> Model:
    """Read a model from its folder (or from its file)."""
    path = folder / MODEL_FILE if folder.is_dir() else folder
    if not path.exists():
        what = f"the folder {folder} holds no {MODEL_FILE}" if folder.is_dir() else f"there is no {folder}"
        raise UserError(f"{what}; give the folder that 'diaphane train … --out' wrote")
    arrays, content = checkpoint.read(path)
    if content.get("kind") != "model":
        raise FileError(
            f"{path} holds a {content.get('kind', 'file')} without columns and target: 'diaphane train' writes one"
        )
    try:
        network, state = read_network(content["network"], arrays, str(path))
        columns = {k.removeprefix(COLUMNS): v for k, v in arrays.items() if k.startswith(COLUMNS)}
        return Model(
            task=content["task"],
            target=content["target"],
            labels=tuple(content["labels"]),
            encoder=ColumnEncoder.from_state(content["columns"], columns),
            scaler=None if content["scaler"] is None else TargetScaler.from_state(content["scaler"]),
            network=network,
            state=state,
            facts=dict(content["facts"]),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise FileError(f"{path} is no whole model: {type(error).__name__} {error}") from None
