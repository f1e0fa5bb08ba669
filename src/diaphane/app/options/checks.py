"""What options may be: each mistake named with what was given, before any table is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import UserError
from .kinds import dashed

if TYPE_CHECKING:
    from .every import Options

__all__ = ["AUTO", "MODELS", "TABULAR", "check_options"]

AUTO = "auto"
TABULAR = ("tabular",)
MODELS = (*TABULAR, "mlp", "perceptron", "logistic", "linear")
MOST_UNITS = 1_000_000
MOST_COUNTED = 10**9
"""Epochs, or rows of a batch: so that steps can be counted in 64 bits."""
MOST_MEMBERS = 1000


def check_options(options: Options) -> None:
    """Raise for values out of their range.

    Raises
    ------
    UserError
    """
    _check_choices(options)
    _check_scores(options)
    _check_whole_numbers(options)
    _check_numbers(options)
    _check_layers(options)


def _check_choices(options: Options) -> None:
    if options.task not in ("auto", "classification", "regression"):
        raise UserError(f"--task must be auto, classification or regression, got {options.task!r}")
    if options.model not in (AUTO, *MODELS):
        from ...data.errors import closest

        known = (AUTO, *MODELS)
        raise UserError(f"--model must be {', '.join(known)}, got {options.model!r}.{closest(options.model, known)}")


def _check_scores(options: Options) -> None:
    if options.metric is not None:
        from ..scoring import metric_named

        metric_named(options.metric)
    threshold = options.threshold
    if isinstance(threshold, float) and not 0 < threshold < 1:
        raise UserError(f"--threshold must be a probability greater than 0 and less than 1, got {threshold:g}")


def _check_whole_numbers(options: Options) -> None:
    if options.members is not None and not 1 <= options.members <= MOST_MEMBERS:
        raise UserError(f"--members must be from 1 to {MOST_MEMBERS}, got {options.members}")
    for name in ("epochs", "batch_size", "patience"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UserError(f"--{dashed(name)} must be at least 1, got {value}")
        if value is not None and value > MOST_COUNTED:
            raise UserError(f"--{dashed(name)} must be at most {MOST_COUNTED}, got {value}")
    if not 0 <= options.seed < 2**32:
        raise UserError(f"--seed must be a whole number from 0 to 2³² − 1, got {options.seed}")


def _check_numbers(options: Options) -> None:
    """Comparisons are written so that NaN, for which every one is false, is refused."""
    rate = options.learning_rate
    if rate is not None and not 0 < rate < math.inf:
        raise UserError(f"--learning-rate must be a number greater than 0, got {rate}; try 0.001")
    for name in ("alpha", "l1", "weight_decay", "input_noise"):
        value = getattr(options, name)
        if value is not None and not 0 <= value < math.inf:
            raise UserError(f"--{dashed(name)} must be a number of at least 0, got {value}")
    for name in ("max_norm", "clip_norm", "mixup"):
        value = getattr(options, name)
        if value is not None and not 0 < value < math.inf:
            raise UserError(f"--{dashed(name)} must be a number greater than 0, got {value}; leave it out for none")
    for name in ("dropout", "input_dropout", "label_smoothing"):
        value = getattr(options, name)
        for share in value if isinstance(value, tuple) else (value,):
            if not 0 <= share < 1:
                raise UserError(f"--{dashed(name)} must be at least 0 and less than 1, got {share}")
    if isinstance(options.class_weight, Mapping):
        for label, weight in options.class_weight.items():
            if not 0 <= weight < math.inf:
                raise UserError(f"--class-weight: a weight must be a number of at least 0, got {weight} for {label!r}")


def _check_layers(options: Options) -> None:
    hidden, dropout = options.hidden, options.dropout
    if any(not 1 <= units <= MOST_UNITS for units in hidden):
        raise UserError(
            f"--hidden takes the units of each hidden layer, each from 1 to {MOST_UNITS}, "
            f"got {','.join(map(str, hidden))}"
        )
    if len(dropout) > 1 and len(dropout) != len(hidden):
        raise UserError(
            f"--dropout takes one number, or one for each hidden layer: there are {len(hidden)} layers "
            f"and {len(dropout)} numbers"
        )
