"""What keeps a network from learning its training rows by heart, as an estimator's parameters say it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..nn import Dropout, GaussianNoise, Layer
from ..nn.losses import LabelSmoothing, Loss
from ..optim import L1, ClipNorm, ClipValue, MaxNorm
from ..optim.averaging import Averaging, find_averaging
from ..optim.checking import numbers_of, with_default_numbers
from ..optim.clipping import Clipping
from ..training.mixup import Mixup
from .parameters import check_number

__all__ = ["Regularisation", "regularisation_of"]


@dataclass(frozen=True)
class Regularisation:
    """The parts of a training step that were asked for; None, and 0, for what was not.

    Attributes
    ----------
    l1 : L1 or None
    constraint : MaxNorm or None
    clipping : ClipNorm, ClipValue or None
    averaging : EMA, SWA or None
    mixup : Mixup or None
    label_smoothing : float
    input_dropout, input_noise : float
        Layers before the first.
    """

    l1: L1 | None = None
    constraint: MaxNorm | None = None
    clipping: Clipping | None = None
    averaging: Averaging | None = None
    mixup: Mixup | None = None
    label_smoothing: float = 0.0
    input_dropout: float = 0.0
    input_noise: float = 0.0

    @property
    def acts_on_steps(self) -> bool:
        """Whether there is anything that only a training by steps has."""
        return any((self.constraint, self.clipping, self.averaging, self.mixup, self.l1))

    def numbers(self) -> dict[str, float]:
        """What the hyperparameters of a step are set to, by name."""
        found: dict[str, float] = {}
        for part in (self.l1, self.constraint, self.clipping, self.averaging, self.mixup):
            found |= {} if part is None else numbers_of(part)
        return found | ({"label_smoothing": self.label_smoothing} if self.label_smoothing else {})

    def with_default_numbers(self) -> Regularisation:
        """The same parts with their classes' own numbers: they are inputs of a step, and do not change its plan."""
        names = ("l1", "constraint", "clipping", "averaging", "mixup")
        parts: dict[str, Any] = {n: with_default_numbers(p) for n in names if (p := getattr(self, n)) is not None}
        return replace(self, **parts, label_smoothing=0.1 if self.label_smoothing else 0.0)

    def layers(self) -> list[Layer]:
        """What is done to the inputs of a step."""
        noise = [GaussianNoise(self.input_noise)] if self.input_noise else []
        return [*noise, *([Dropout(self.input_dropout)] if self.input_dropout else [])]

    def loss(self, loss: Loss) -> Loss:
        """The loss of smoothed labels, where that was asked for."""
        return LabelSmoothing(loss, self.label_smoothing) if self.label_smoothing else loss


def regularisation_of(estimator: Any) -> Regularisation:
    """The parts that an estimator's parameters name.

    Raises
    ------
    ValueError
        For a number out of its range, or two kinds of clipping at once.
    """
    l1 = check_number("l1", estimator.l1, 0)
    limits = {
        name: None
        if (limit := getattr(estimator, name)) is None
        else check_number(name, _above_zero(name, limit), 0, low_open=True)
        for name in ("max_norm", "clip_norm", "clip_value")
    }
    if limits["clip_norm"] is not None and limits["clip_value"] is not None:
        raise ValueError("clip_norm and clip_value are two ways to clip a gradient: give one of them")
    mixup = check_number("mixup", estimator.mixup, 0)
    smoothing = check_number("label_smoothing", getattr(estimator, "label_smoothing", 0.0), 0, 1, high_open=True)
    clipping: Clipping | None = None
    if limits["clip_norm"] is not None:
        clipping = ClipNorm(limits["clip_norm"])
    elif limits["clip_value"] is not None:
        clipping = ClipValue(limits["clip_value"])
    return Regularisation(
        L1(l1) if l1 else None,
        None if limits["max_norm"] is None else MaxNorm(limits["max_norm"]),
        clipping,
        find_averaging(estimator.averaging),
        Mixup(mixup) if mixup else None,
        smoothing,
        check_number("input_dropout", estimator.input_dropout, 0, 1, high_open=True),
        check_number("input_noise", estimator.input_noise, 0),
    )


def _above_zero(name: str, limit: Any) -> Any:
    if not isinstance(limit, bool) and limit == 0:
        raise ValueError(f"{name}=0 would hold everything at 0; give a number greater than 0, or None for no limit")
    return limit
