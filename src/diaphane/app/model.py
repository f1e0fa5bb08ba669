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
from ..selection.metrics import find_metric
from .averaged import AveragedMembers, member_of
from .errors import UserError
from .scoring import DEFAULTS, Judge, places_of

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
        Its title.
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
        What was said of the training: scores and their metric, sizes, seed.
    threshold : float or None
        Of two classes, the probability from which on the second is said; None for the more probable one.
    """

    task: str
    target: str
    labels: tuple[Any, ...]
    encoder: ColumnEncoder
    scaler: TargetScaler | None
    network: Network
    state: State
    facts: dict[str, Any]
    threshold: float | None = None

    @property
    def has_probabilities(self) -> bool:
        """Whether its outputs of classes are more than scores: a perceptron knows sides alone."""
        return self.scaler is None and self.facts.get("model") != "perceptron"

    @property
    def judge(self) -> Judge:
        """What its predictions are judged by."""
        metric = find_metric(self.facts.get("metric") or DEFAULTS[self.task])
        return Judge(metric, 0 if self.scaler is not None else len(self.labels), self.threshold)

    @property
    def n_members(self) -> int:
        """How many networks are averaged in it."""
        architecture = self.network.architecture
        return architecture.members if isinstance(architecture, AveragedMembers) else 1

    def member(self, number: int = 1) -> tuple[Network, State]:
        """One of these networks, with its values."""
        return member_of(self.network, self.state, number)

    def features(self, table: Table) -> Array:
        """What each of these networks takes, (n, n_features)."""
        x = self.encoder.transform(table)
        architecture = self.network.architecture
        return x[:, list(architecture.order)] if isinstance(architecture, AveragedMembers) else x

    def outputs(self, table: Table) -> Array:
        """Probabilities (n, classes), or numbers (n,)."""
        return self.outputs_of(self.encoder.transform(table))

    def outputs_of(self, features: Array) -> Array:
        """The same for rows that are encoded already."""
        raw = self.network.predict(self.state, features, batch_size=ROWS_AT_ONCE)
        if self.scaler is not None:
            return self.scaler.inverse(raw[:, 0])
        powers = np.exp(raw - raw.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def decide(self, outputs: Array) -> Sequence[Any]:
        """The label of each row, or the numbers as they are."""
        if self.scaler is not None:
            return [float(v) for v in outputs]
        return [self.labels[i] for i in places_of(outputs, self.threshold)]

    def score(self, table: Table, outputs: Array) -> Score | None:
        """Its metric over the rows whose target is known; None where there is none."""
        if self.target not in table.names:
            return None
        column = table[self.target]
        if self.scaler is None:
            truth = encode_labels(column, self.labels)
            known = truth > -2
            return self._scored(truth, outputs, known, int((truth == -1).sum()))
        if column.dtype == object:
            raise UserError(
                f"the target {self.target!r} is a number in the model and has text in the table; "
                "correct it, or leave that column out"
            )
        return self._scored(column, outputs, ~np.isnan(column), 0)

    def _scored(self, truth: Array, outputs: Array, known: Array, strange: int) -> Score | None:
        if not known.any():
            return None
        judge = self.judge
        return Score(judge.metric.title, judge.score(truth[known], outputs[known]), int(known.sum()), strange)


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
        "threshold": model.threshold,
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
            # Files of before there were thresholds have none.
            threshold=content.get("threshold"),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise FileError(f"{path} is no whole model: {type(error).__name__} {error}") from None
