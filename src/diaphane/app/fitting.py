"""From a table to a trained model: split, columns, network, training, scores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..data import ColumnEncoder, Split, Table, Target, TargetScaler, choose_target, split_rows
from ..data.errors import listed
from ..engines import State
from ..graph import Node, square, stack
from ..graph import sum as sum_of
from ..graph.node import Array
from ..nn import Dense, HeNormal, Network, Sequential
from ..optim import Adam
from ..training import DivergenceError, EarlyStopping, History, Trainer
from .errors import UserError
from .linear_models import LINEAR_MODELS, LinearFit, fit_linear_model
from .model import Model, r_squared

__all__ = ["Options", "Outcome", "fit_table", "penalty_of_weights", "refuse_idle"]

FRACTIONS = (0.7, 0.15, 0.15)
MOST_UNITS = 1_000_000
ALPHA = 1e-2
"""scikit-learn's L2 penalty; chosen on validation rows of digits, adult and auto_imports, beside 1e-4 and 1e-1."""


@dataclass(frozen=True)
class Options:
    """What a person may set; checked here, so that a mistake costs no training."""

    target: str | int | None = None
    task: str = "auto"
    model: str = "mlp"
    hidden: tuple[int, ...] = (256, 128)
    epochs: int = 200
    patience: int = 20
    learning_rate: float = 1e-3
    batch_size: int | None = None
    seed: int = 0
    engine: str = "native"

    def __post_init__(self) -> None:
        if self.model != "mlp" and self.model not in LINEAR_MODELS:
            raise UserError(f"--model must be mlp, {', '.join(LINEAR_MODELS)}, got {self.model!r}")
        if any(not 1 <= units <= MOST_UNITS for units in self.hidden):
            raise UserError(
                f"--hidden takes the units of each hidden layer, each from 1 to {MOST_UNITS}, "
                f"got {_listed(self.hidden)}"
            )
        if not 0 < self.learning_rate < float("inf"):
            raise UserError(f"--learning-rate must be a number greater than 0, got {self.learning_rate}; try 0.001")
        for name, value in (("epochs", self.epochs), ("batch-size", self.batch_size), ("patience", self.patience)):
            if value is not None and value < 1:
                raise UserError(f"--{name} must be at least 1, got {value}")
        if not 0 <= self.seed < 2**32:
            raise UserError(f"--seed must be a whole number from 0 to 2³² − 1, got {self.seed}")


@dataclass
class Outcome:
    """A trained model and what there is to tell of it."""

    model: Model
    history: History
    target: Target
    split: Split
    scores: dict[str, dict[str, float]]
    metric: str
    baseline: str
    seconds: float
    how: str
    """The training in a few words: how long, and what was kept."""
    notes: list[str] = field(default_factory=list)
    linear: LinearFit | None = None

    @property
    def n_parameters(self) -> int:
        """How many numbers were learnt."""
        return self.model.network.n_parameters if self.linear is None else self.linear.n_parameters


def fit_table(table: Table, options: Options, *, progress: bool = True) -> Outcome:
    """Train a model on a table.

    The rows are split into 70 % to learn from, 15 % to stop by, 15 % to test on (by class where there are
    classes); columns and targets are scaled by what the first part shows. The parameters of the epoch with the least
    validation loss are kept; linear models have one best fit, and learn from the first part alone.
    """
    started = time.perf_counter()
    target = choose_target(table, options.target, options.task)
    features = table.drop([target.name]).take(target.rows)
    classify = target.task == "classification"
    refuse_task(options.model, target)
    split = split_rows(target.y, FRACTIONS, stratify=classify, random_state=options.seed)
    encoder = ColumnEncoder.fit(features.take(split.train), bounded=options.model == "mlp")
    if not encoder.feature_names_out:
        raise UserError(f"no column is left to learn from: {'; '.join(encoder.describe().splitlines())}")
    scaler = None if classify else TargetScaler.fit(target.y[split.train])
    parts = {name: getattr(split, name) for name in ("train", "validation", "test")}
    x = {name: encoder.transform(features.take(rows)) for name, rows in parts.items()}
    y = {name: _targets(target, scaler, rows) for name, rows in parts.items()}
    outputs = len(target.labels) if classify else 1
    linear = None
    if options.model == "mlp":
        network, state, history = _train(x, y, outputs, options, progress)
        how = _epochs_of(history)
    else:
        linear = fit_linear_model(options.model, x["train"], y["train"], outputs, options.epochs, options.seed)
        network, state, history, how = linear.network, linear.state, linear.history, linear.how
    facts = {"model": options.model, "seed": options.seed, "rows": {name: len(rows) for name, rows in parts.items()}}
    model = Model(target.task, target.name, tuple(target.labels), encoder, scaler, network, state, facts)
    scores = {name: _scores(model, target, split, features.take(rows), rows) for name, rows in parts.items()}
    facts["scores"] = {
        name: {key: value if np.isfinite(value) else None for key, value in part.items()}
        for name, part in scores.items()
    }
    return Outcome(
        model,
        history,
        target,
        split,
        scores,
        "accuracy" if classify else "R²",
        "majority class" if classify else "mean",
        time.perf_counter() - started,
        how,
        [*table.notes, *_left_out(encoder), *split.notes, *(linear.notes if linear else [])],
        linear,
    )


def refuse_task(model: str, target: Target) -> None:
    """Classes for a model of numbers, or the other way round."""
    numbers = target.task == "regression"
    if model == "linear" and not numbers:
        raise UserError(
            f"--model linear is least squares for a number, and the target {target.name!r} has {len(target.labels)} "
            "classes; take --model logistic or perceptron, or --task regression where they are numbers"
        )
    if model in ("perceptron", "logistic") and numbers:
        raise UserError(
            f"--model {model} tells classes apart, and the target {target.name!r} is a number; take --model linear, or "
            "--task classification"
        )


def refuse_idle(model: str, given: frozenset[str]) -> None:
    """Settings that were asked for, of which a linear model would take no notice."""
    idle = {"hidden", "patience", "learning_rate", "batch_size", *(("epochs",) if model == "linear" else ())}
    found = sorted(idle & given) if model != "mlp" else []
    if found:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in found)
        raise UserError(f"--model {model} has no use for {names}; leave out what is for networks, or take --model mlp")


def _epochs_of(history: History) -> str:
    held = history["validation_loss"]
    best = held.index(min(held)) + 1
    return f"{len(held)} epoch{'s' * (len(held) != 1)} (kept: epoch {best})"


def _train(
    x: dict[str, Array], y: dict[str, Array], outputs: int, options: Options, progress: bool
) -> tuple[Network, State, History]:
    hidden = [Dense(units, "relu", HeNormal()) for units in options.hidden]
    network = Network(Sequential([*hidden, Dense(outputs)]), x["train"].shape[1:])
    rows = len(y["train"])
    trainer = Trainer(
        network,
        "categorical_cross_entropy" if outputs > 1 or y["train"].dtype.kind == "i" else "half_squared_error",
        Adam(options.learning_rate),
        batch_size=options.batch_size or _batch_size(rows),
        epochs=options.epochs,
        penalty=penalty_of_weights,
        callbacks=[EarlyStopping("validation_loss", options.patience)],
        progress=progress,
        random_state=options.seed,
        engine=options.engine,
    )
    try:
        result = trainer.fit(x["train"], y["train"], validation_data=(x["validation"], y["validation"]))
    except DivergenceError as error:
        raise UserError(
            f"the loss became NaN or infinite in epoch {len(error.result.history) + 1}, and no model was written; "
            f"try a smaller --learning-rate than {options.learning_rate:g}"
        ) from error
    if not len(result.history):
        # Interrupted before there was anything to keep.
        raise KeyboardInterrupt
    return network, result.state, result.history


def penalty_of_weights(network: Network, examples: Node) -> Node:
    """½·α·Σ‖W‖² / n over kernels."""
    squares = [sum_of(square(p)) for p in network.parameters if p.ndim > 1]
    return 0.5 * ALPHA * sum_of(stack(squares)) / examples


def _batch_size(rows: int) -> int:
    """The power of two next to a fiftieth of the rows, from 16 to 128."""
    return int(np.clip(2 ** round(np.log2(max(rows / 50, 1))), 16, 128))


def _targets(target: Target, scaler: TargetScaler | None, rows: Array) -> Array:
    if scaler is None:
        return np.asarray(target.y[rows], np.int64)
    return np.asarray(scaler.transform(target.y[rows]), np.float32)[:, None]


def _scores(model: Model, target: Target, split: Split, table: Table, rows: Array) -> dict[str, float]:
    truth, learnt = target.y[rows], target.y[split.train]
    outputs = model.outputs(table)
    if model.scaler is None:
        majority = np.bincount(learnt.astype(np.int64)).argmax()
        return {"score": float(np.mean(outputs.argmax(axis=1) == truth)), "baseline": float(np.mean(truth == majority))}
    return {"score": r_squared(truth, outputs), "baseline": r_squared(truth, np.full(len(truth), learnt.mean()))}


def _left_out(encoder: ColumnEncoder) -> list[str]:
    columns = [f"{name} ({reason})" for name, reason in encoder.left_out]
    return [f"left out: {listed(columns, 5)}"] if columns else []


def _listed(sizes: Sequence[int]) -> str:
    return ",".join(map(str, sizes))
