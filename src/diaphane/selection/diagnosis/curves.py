"""The curves that a fitted estimator kept, whichever it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...training import History

__all__ = ["kept_curves", "mean_curve"]

Curve = tuple[float, ...]


def kept_curves(model: Any) -> tuple[Curve, Curve]:
    """Loss by epoch, on the rows learnt from and on others; empty where it kept none.

    Of several members it is their mean, as far as all of them went.
    """
    members = getattr(model, "members_", None)
    if members and all(hasattr(member, "curve") for member in members):
        return (
            mean_curve([[look.loss for look in member.curve] for member in members]),
            mean_curve([[look.validation for look in member.curve] for member in members]),
        )
    history = getattr(model, "history_", None)
    validation = history["validation_loss"] if isinstance(history, History) and "validation_loss" in history else ()
    losses = getattr(model, "loss_curve_", ())
    return _numbers(losses), _numbers(validation)


def mean_curve(curves: Sequence[Sequence[float]]) -> Curve:
    """The mean of several, as far as the shortest goes."""
    shortest = min((len(curve) for curve in curves), default=0)
    return tuple(np.mean([list(curve)[:shortest] for curve in curves], axis=0).tolist()) if shortest else ()


def _numbers(values: Any) -> Curve:
    # Some linear models keep one curve a class.
    plain = [float(v) for v in values if np.ndim(v) == 0] if np.ndim(values) < 2 else []
    return tuple(plain) if all(map(math.isfinite, plain)) else ()
