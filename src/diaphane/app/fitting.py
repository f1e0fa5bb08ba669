"""From a table to a trained model: split, columns, training, scores."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import ColumnEncoder, Table, Target, TargetScaler, choose_target, split_rows
from ..data.errors import listed
from ..engines import State
from ..graph.node import Array
from ..nn import Network
from ..optim import ScheduleError
from ..selection.metrics import Metric
from ..training import DivergenceError, History, InterruptedWarning
from .columns import Columns, encode, features, words_among_numbers
from .errors import UserError
from .linear_models import LinearFit, fit_linear_model
from .model import Model
from .networks import build_network, build_trainer, optimizer_of
from .options import Options, dashed
from .options.checks import AUTO
from .parts import WITHOUT_TEST, Part, Parts, TestFile, divide
from .resuming import kept_by
from .scoring import choose_metric
from .streams import divide_stream
from .tabular import fit_tabular, labels_of
from .thresholds import check_threshold, choose_threshold

if TYPE_CHECKING:
    from ..selection import ThresholdChoice

__all__ = ["Outcome", "fit_rows", "fit_stream", "fit_table"]


@dataclass(frozen=True)
class Trained:
    """What a training gives, whatever was trained."""

    network: Network
    state: State
    encoder: ColumnEncoder
    scaler: TargetScaler | None
    history: History
    how: str
    linear: LinearFit | None = None
    estimator: Any = None
    """That of ``tabular``, as it was fitted."""
    held_out: Array | None = None
    """Which of the rows learnt from are those of validation too."""
    held_outputs: Array | None = None
    """What was predicted for these, by networks that did not learn from them."""
    notes: Sequence[str] = ()


@dataclass
class Outcome:
    """A trained model and what there is to tell of it."""

    model: Model
    parts: Parts
    trained: Trained
    scores: dict[str, dict[str, float]]
    seconds: float
    notes: list[str] = field(default_factory=list)
    threshold: ThresholdChoice | None = None

    @property
    def target(self) -> Target:
        """What was to be predicted."""
        return self.parts.target

    @property
    def history(self) -> History:
        """The training, look by look."""
        return self.trained.history

    @property
    def linear(self) -> LinearFit | None:
        """The fit of a linear model."""
        return self.trained.linear

    @property
    def metric(self) -> str:
        """What its scores are."""
        return self.model.judge.metric.title

    @property
    def training_loss(self) -> str:
        """What the loss of training is called beside that of validation, which has nothing added."""
        facts = self.model.facts
        if facts["model"] == "tabular":
            return "training, with dropout" + " and smoothed labels" * bool(self.target.labels)
        said = facts["options"]
        penalised = facts["model"] == "mlp" and (said["alpha"] or said["l1"])
        return "training, with the penalty on weights" if penalised else "training"

    @property
    def n_parameters(self) -> int:
        """How many numbers were learnt."""
        return self.model.network.n_parameters if self.linear is None else self.linear.n_parameters


def fit_table(table: Table, options: Options, *, test: TestFile | None = None, progress: bool = True) -> Outcome:
    """Train a model on a table.

    The rows are split into 70 % to learn from, 15 % to stop by, 15 % to test on (by class where there are
    classes), or, with a file to test on, into 85 % and 15 %; columns and targets are scaled by what the first part
    shows. The parameters of the epoch with the least validation loss are kept; linear models have one best fit, and
    learn from the first part alone. The networks of ``tabular`` learn from the first two parts, each but for rows that
    it holds out by itself.
    """
    started = time.perf_counter()
    target = choose_target(table, options.target, options.task)
    metric = _refuse_before(options, target)
    if options.model in (AUTO, "tabular"):
        options = replace(options, model="tabular")
        parts, trained = _fit_tabular(table, target, options, test, progress)
    else:
        parts = divide(table, target, options.seed, test)
        trained = _fit(encode(parts, options, test), len(target.labels) or 1, options, progress)
    notes = [*table.notes, *words_among_numbers(table.drop([target.name]))]
    return _outcome(parts, trained, options, metric, notes, started)


def fit_rows(rows: Part, target: Target, options: Options) -> Model:
    """A model from all of some rows, silently; a network holds out a share of them to stop by.

    Raises
    ------
    KeyboardInterrupt
        When interrupted, whatever has been learnt by then.
    """
    metric = choose_metric(options.metric, target)
    parts = Parts(target, {"train": rows})
    if options.model == "mlp":
        kept = split_rows(rows.y, WITHOUT_TEST, stratify=bool(target.labels), random_state=options.seed)
        some = {"train": kept.train, "validation": kept.validation}
        parts = Parts(target, {k: Part(rows.features.take(v), rows.y[v]) for k, v in some.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterruptedWarning)
        if options.model == "tabular":
            trained = _trained_tabular(rows, target, options, progress=False)
        else:
            trained = _fit(encode(parts, options, None), len(target.labels) or 1, options, progress=False)
    if trained.history.stopped == "interrupted":
        raise KeyboardInterrupt
    return _model_of(parts, trained, options, metric)


def fit_stream(options: Options, *, test: TestFile | None = None, progress: bool = True) -> Outcome:
    """Train a network on a file that memory does not hold; see :func:`~diaphane.app.streams.divide_stream`."""
    started = time.perf_counter()
    parts, columns = divide_stream(options, test)
    metric = _refuse_before(options, parts.target)
    trained = _fit(columns, len(parts.target.labels) or 1, options, progress)
    return _outcome(parts, trained, options, metric, (), started)


def _fit(columns: Columns, outputs: int, options: Options, progress: bool) -> Trained:
    if options.model == "mlp":
        return _fit_network(columns, outputs, options, progress)
    return _fit_linear(columns, outputs, options)


def _fit_tabular(
    table: Table, target: Target, options: Options, test: TestFile | None, progress: bool
) -> tuple[Parts, Trained]:
    parts = divide(table, target, options.seed, test, learn_from_both=True)
    if test is not None:
        # A file that does not fit is found before the training, not after it.
        features(replace(parts, of={"test": parts.of["test"]}), ColumnEncoder.fit(parts.train.features), test)
    trained = _trained_tabular(parts.train, target, options, progress)
    assert trained.held_out is not None
    return parts.with_held_out(trained.held_out), trained


def _trained_tabular(rows: Part, target: Target, options: Options, progress: bool) -> Trained:
    fit = fit_tabular(rows, target, options, progress)
    return Trained(
        fit.network,
        fit.state,
        fit.encoder,
        fit.scaler,
        fit.history,
        fit.how,
        estimator=fit.estimator,
        held_out=fit.held_out,
        held_outputs=fit.held_outputs,
    )


def _outcome(
    parts: Parts, trained: Trained, options: Options, metric: Metric, notes: Sequence[str], started: float
) -> Outcome:
    model = _model_of(parts, trained, options, metric)
    outputs = {name: model.outputs(part.features) for name, part in parts.of.items() if name != "validation"}
    held = trained.held_outputs
    outputs["validation"] = model.outputs(parts.of["validation"].features) if held is None else held
    choice, more = _threshold(parts, outputs["validation"], options, metric)
    if choice is not None:
        model = replace(model, threshold=choice.threshold)
    scores = {
        name: {
            "score": model.judge.score(part.y, outputs[name]),
            "baseline": model.judge.baseline(part.y, parts.train.y),
        }
        for name, part in parts.of.items()
    }
    model.facts["scores"] = {
        name: {key: value if np.isfinite(value) else None for key, value in part.items()}
        for name, part in scores.items()
    }
    told = [
        *notes,
        *_left_out(trained.encoder),
        *parts.notes,
        *trained.notes,
        *more,
        *_misleading(model, parts, scores),
    ]
    return Outcome(model, parts, trained, scores, time.perf_counter() - started, told, choice)


def _refuse_before(options: Options, target: Target) -> Metric:
    """Raise for what the target does not suit, before the training; what scores are to be otherwise."""
    _refuse_task(options.model, target)
    metric = choose_metric(options.metric, target, options.threshold)
    check_threshold(options.threshold, metric, target)
    if options.model == "perceptron" and metric.needs == "probabilities":
        raise UserError(
            f"--metric {metric.name} is of probabilities, and a perceptron knows sides; take --model logistic, or "
            "--metric accuracy, say"
        )
    return metric


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
    history = result.history
    return Trained(network, result.state, columns.encoder, columns.scaler, history, _epochs_of(history))


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
    return Trained(
        fit.network, fit.state, columns.encoder, columns.scaler, fit.history, fit.how, linear=fit, notes=fit.notes
    )


def _epochs_of(history: History) -> str:
    held = history["validation_loss"]
    best = held.index(min(held)) + 1
    return f"{len(held)} epoch{'s' * (len(held) != 1)} (kept: epoch {best})"


def _model_of(parts: Parts, trained: Trained, options: Options, metric: Metric) -> Model:
    target = parts.target
    facts: dict[str, Any] = {
        "model": options.model,
        "seed": options.seed,
        "rows": parts.rows,
        "options": options.learnt_with(),
        "metric": metric.name,
    }
    labels = tuple(target.labels)
    return Model(
        target.task, target.name, labels, trained.encoder, trained.scaler, trained.network, trained.state, facts
    )


def _threshold(
    parts: Parts, outputs: Array, options: Options, metric: Metric
) -> tuple[ThresholdChoice | None, list[str]]:
    """What was chosen or given, and what there is to say of it."""
    if options.threshold is None:
        return None, []
    negative, positive = parts.target.labels
    try:
        choice = choose_threshold(options.threshold, metric, (negative, positive), parts.of["validation"].y, outputs)
    except ValueError as error:
        return None, [f"no threshold was chosen, the more probable class is said: {error}"]
    chosen = ", the best of many and so too good a score for new rows" if options.threshold == "auto" else ""
    return choice, [f"threshold: {choice}{chosen}"]


def _misleading(model: Model, parts: Parts, scores: dict[str, dict[str, float]]) -> list[str]:
    """Where accuracy was not asked for and flatters."""
    from ..selection import accuracy_misleads

    truth = parts.of["test"].y
    if model.judge.metric.name != "accuracy" or (truth < 0).any():
        return []
    said = accuracy_misleads(labels_of(parts.target, truth), scores["test"]["score"])
    return [f"{said}: --metric has them"] if said else []


def _left_out(encoder: ColumnEncoder) -> list[str]:
    columns = [f"{name} ({reason})" for name, reason in encoder.left_out]
    return [f"left out: {listed(columns, 5)}"] if columns else []
