"""From a table to a trained model: split, columns, network, training, scores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..data import ColumnEncoder, Table, Target, choose_target
from ..data.errors import listed
from ..engines import State
from ..nn import Network
from ..optim import ScheduleError
from ..training import DivergenceError, History
from .columns import Columns, encode
from .errors import UserError
from .linear_models import LinearFit, fit_linear_model
from .model import Model, r_squared
from .networks import build_network, build_trainer, optimizer_of
from .options import Options, dashed
from .parts import Part, Parts, TestFile, divide
from .resuming import kept_by
from .streams import divide_stream

__all__ = ["Outcome", "fit_stream", "fit_table"]


@dataclass(frozen=True)
class Trained:
    """What a training gives, whatever was trained."""

    network: Network
    state: State
    history: History
    how: str
    linear: LinearFit | None = None
    notes: Sequence[str] = ()


@dataclass
class Outcome:
    """A trained model and what there is to tell of it."""

    model: Model
    history: History
    parts: Parts
    scores: dict[str, dict[str, float]]
    metric: str
    baseline: str
    seconds: float
    how: str
    """The training in a few words: how long, and what was kept."""
    notes: list[str] = field(default_factory=list)
    linear: LinearFit | None = None

    @property
    def target(self) -> Target:
        """What was to be predicted."""
        return self.parts.target

    @property
    def n_parameters(self) -> int:
        """How many numbers were learnt."""
        return self.model.network.n_parameters if self.linear is None else self.linear.n_parameters


def fit_table(table: Table, options: Options, *, test: TestFile | None = None, progress: bool = True) -> Outcome:
    """Train a model on a table.

    The rows are split into 70 % to learn from, 15 % to stop by, 15 % to test on (by class where there are
    classes), or, with a file to test on, into 85 % and 15 %; columns and targets are scaled by what the first part
    shows. The parameters of the epoch with the least validation loss are kept; linear models have one best fit, and
    learn from the first part alone.
    """
    started = time.perf_counter()
    target = choose_target(table, options.target, options.task)
    _refuse_task(options.model, target)
    parts = divide(table, target, options.seed, test)
    return _fit(parts, encode(parts, options, test), options, table.notes, started, progress)


def fit_stream(options: Options, *, test: TestFile | None = None, progress: bool = True) -> Outcome:
    """Train a network on a file that memory does not hold; see :func:`~diaphane.app.streams.divide_stream`."""
    started = time.perf_counter()
    parts, columns = divide_stream(options, test)
    return _fit(parts, columns, options, (), started, progress)


def _fit(
    parts: Parts, columns: Columns, options: Options, notes: Sequence[str], started: float, progress: bool
) -> Outcome:
    target = parts.target
    outputs = len(target.labels) if target.labels else 1
    if options.model == "mlp":
        trained = _fit_network(columns, outputs, options, progress)
    else:
        trained = _fit_linear(columns, outputs, options)
    model = _model_of(parts, columns, trained, options)
    scores = {name: _scores(model, parts.train, part) for name, part in parts.of.items()}
    model.facts["scores"] = {
        name: {key: value if np.isfinite(value) else None for key, value in part.items()}
        for name, part in scores.items()
    }
    return Outcome(
        model,
        trained.history,
        parts,
        scores,
        metric="accuracy" if target.labels else "R²",
        baseline="majority class" if target.labels else "mean",
        seconds=time.perf_counter() - started,
        how=trained.how,
        notes=[*notes, *_left_out(columns.encoder), *parts.notes, *trained.notes],
        linear=trained.linear,
    )


def _refuse_task(model: str, target: Target) -> None:
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


def _fit_network(columns: Columns, outputs: int, options: Options, progress: bool) -> Trained:
    network = build_network(columns.x["train"].shape[1:], outputs, options)
    trainer = build_trainer(
        network,
        options,
        classify=columns.scaler is None,
        rows=columns.n_learnt,
        progress=progress,
        **kept_by(options),
    )
    try:
        result = trainer.fit(
            **columns.to_learn_from(),
            validation_data=columns.to_stop_by(),
            resume=options.resume,
        )
    except DivergenceError as error:
        raise UserError(
            f"the loss became NaN or infinite in epoch {len(error.result.history) + 1}, and no model was written; "
            f"try {_smaller(options)}"
        ) from error
    except ScheduleError as error:
        raise UserError(f"--schedule: {error}") from None
    if not len(result.history):
        # Interrupted before there was anything to keep.
        raise KeyboardInterrupt
    return Trained(network, result.state, result.history, _epochs_of(result.history))


def _smaller(options: Options) -> str:
    """What may have made a loss infinite: what was asked for by hand, and the learning rate."""
    usual = Options()
    names = ("alpha", "l1", "weight_decay", "input_noise", "class_weight")
    asked = [f"a smaller --{dashed(name)}" for name in names if getattr(options, name) != getattr(usual, name)]
    rate = f"a smaller --learning-rate than {optimizer_of(options).learning_rate:g}"
    return " or ".join([rate, *asked])


def _fit_linear(columns: Columns, outputs: int, options: Options) -> Trained:
    fit = fit_linear_model(
        options.model,
        columns.x["train"],
        columns.y["train"],
        outputs,
        options.epochs,
        options.seed,
        columns.weights_of("train"),
    )
    return Trained(fit.network, fit.state, fit.history, fit.how, fit, fit.notes)


def _epochs_of(history: History) -> str:
    held = history["validation_loss"]
    best = held.index(min(held)) + 1
    return f"{len(held)} epoch{'s' * (len(held) != 1)} (kept: epoch {best})"


def _model_of(parts: Parts, columns: Columns, trained: Trained, options: Options) -> Model:
    target = parts.target
    facts: dict[str, Any] = {
        "model": options.model,
        "seed": options.seed,
        "rows": parts.rows,
        "options": options.learnt_with(),
    }
    labels = tuple(target.labels)
    return Model(
        target.task, target.name, labels, columns.encoder, columns.scaler, trained.network, trained.state, facts
    )


def _scores(model: Model, learnt: Part, part: Part) -> dict[str, float]:
    outputs = model.outputs(part.features)
    if model.scaler is None:
        majority = np.bincount(learnt.y.astype(np.int64)).argmax()
        right = np.mean(outputs.argmax(axis=1) == part.y)
        return {"score": float(right), "baseline": float(np.mean(part.y == majority))}
    mean = np.full(len(part), learnt.y.mean())
    return {"score": r_squared(part.y, outputs), "baseline": r_squared(part.y, mean)}


def _left_out(encoder: ColumnEncoder) -> list[str]:
    columns = [f"{name} ({reason})" for name, reason in encoder.left_out]
    return [f"left out: {listed(columns, 5)}"] if columns else []
