"""The network and the training that options ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..data.errors import closest
from ..graph import Node, square, stack
from ..graph import sum as sum_of
from ..nn import (
    ACTIVATIONS,
    Dense,
    Dropout,
    GaussianNoise,
    GlorotUniform,
    HeNormal,
    LabelSmoothing,
    LecunNormal,
    Network,
    Sequential,
)
from ..nn.layer import Layer
from ..nn.losses import LossLike
from ..optim import L1, OPTIMIZERS, SWA, ClipNorm, MaxNorm, Optimizer, Schedule, find_schedule
from ..optim.averaging import find_averaging
from ..training import Callback, EarlyStopping, Mixup, Trainer
from ..training.step import Penalty
from .errors import UserError
from .options import Options
from .plateau import Plateau, alone

__all__ = [
    "build_network",
    "build_trainer",
    "check_recipe",
    "extras_of",
    "loss_of",
    "optimizer_of",
    "penalty_of",
    "schedule_of",
]

INITIALIZERS = {
    "relu": HeNormal(),
    "leaky_relu": HeNormal(),
    "elu": HeNormal(),
    "gelu": HeNormal(),
    "silu": HeNormal(),
    "softplus": HeNormal(),
    "selu": LecunNormal(),
}
"""What keeps the variance through an activation (He et al. 2015; Klambauer et al. 2017); Glorot's for the rest."""


def check_recipe(options: Options) -> None:
    """Raise for what no network could be trained with, before any table is read."""
    if options.model == "mlp":
        _chosen("--activation", options.activation, ACTIVATIONS)
        optimizer_of(options)
        extras_of(options)
        _callbacks(options)


def build_network(inputs: tuple[int, ...], outputs: int, options: Options) -> Network:
    """Dense layers with one activation between them, and dropout after each where asked for."""
    rates = options.dropout if len(options.dropout) > 1 else (*options.dropout, 0.0)[:1] * len(options.hidden)
    layers: list[Layer] = []
    if options.input_noise:
        layers.append(GaussianNoise(options.input_noise))
    if options.input_dropout:
        layers.append(Dropout(options.input_dropout))
    for units, rate in zip(options.hidden, rates, strict=True):
        kernel = INITIALIZERS.get(options.activation, GlorotUniform())
        layers.append(Dense(units, options.activation, kernel))
        if rate:
            layers.append(Dropout(rate))
    return Network(Sequential([*layers, Dense(outputs)]), inputs)


def build_trainer(
    network: Network,
    options: Options,
    *,
    classify: bool,
    rows: int,
    progress: bool,
    callbacks: Sequence[Callback] = (),
    **more: Any,
) -> Trainer:
    """The training of a network, with more of a trainer's own settings as they are."""
    return Trainer(
        network,
        loss_of(options, classify),
        optimizer_of(options),
        batch_size=options.batch_size or _batch_size(rows),
        epochs=options.epochs,
        penalty=penalty_of(options),
        callbacks=[*_callbacks(options), *callbacks],
        progress=progress,
        random_state=options.seed,
        **extras_of(options),
        **more,
    )


def optimizer_of(options: Options) -> Optimizer:
    """The optimizer by its name, with what was said of its learning rate and its decay."""
    kind = _chosen("--optimizer", options.optimizer, OPTIMIZERS)
    said = {"learning_rate": options.learning_rate, "weight_decay": options.weight_decay}
    settings: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    schedule = schedule_of(options)
    if isinstance(schedule, Schedule):
        settings["schedule"] = schedule
    with _errors_of("--optimizer"):
        optimizer: Optimizer = kind(**settings)
    return optimizer


def schedule_of(options: Options) -> Schedule | Plateau | None:
    """How the learning rate changes: by the time, or by what validation shows."""
    if options.schedule is None:
        return None
    with _errors_of("--schedule"):
        return Plateau.read(options.schedule) or find_schedule(alone(options.schedule), options.epochs)


def penalty_of(options: Options) -> Penalty | None:
    """½·α·Σw²/n + λ·Σ|w| over kernels, n being the examples of a batch: scikit-learn's ``alpha``."""
    l1 = L1(options.l1) if options.l1 else None
    if not options.alpha:
        return l1

    def penalty(network: Network, examples: Node) -> Node:
        squares = [sum_of(square(p)) for p in network.parameters if p.ndim > 1]
        l2 = 0.5 * options.alpha * sum_of(stack(squares)) / examples
        return l2 if l1 is None else l2 + l1(network, examples)

    return penalty


def loss_of(options: Options, classify: bool) -> LossLike:
    """Cross-entropy of classes, ½(ŷ − y)² of a number."""
    if not classify:
        if options.label_smoothing:
            raise UserError("--label-smoothing is for classes, and the target is a number; leave it out")
        return "half_squared_error"
    if not options.label_smoothing:
        return "categorical_cross_entropy"
    return LabelSmoothing("categorical_cross_entropy", options.label_smoothing)


def extras_of(options: Options) -> dict[str, Any]:
    """What a training has only where it was asked for."""
    found: dict[str, Any] = {}
    if options.max_norm is not None:
        found["constraint"] = MaxNorm(options.max_norm)
    if options.clip_norm is not None:
        found["clipping"] = ClipNorm(options.clip_norm)
    if options.mixup is not None:
        found["mixup"] = Mixup(options.mixup)
    if options.averaging is not None:
        with _errors_of("--averaging"):
            found["averaging"] = averaging = find_averaging(options.averaging)
        if isinstance(averaging, SWA) and averaging.start_epoch > options.epochs:
            raise UserError(
                f"--averaging {options.averaging} begins after the last of {options.epochs} epochs; let it begin "
                "sooner, or raise --epochs"
            )
    return found


def _callbacks(options: Options) -> list[Callback]:
    found: list[Callback] = [EarlyStopping("validation_loss", options.patience)]
    schedule = schedule_of(options)
    if isinstance(schedule, Plateau):
        found.append(schedule.callback())
    return found


def _chosen(flag: str, name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise UserError(f"{flag} must be one of {', '.join(known)}; got {name!r}.{closest(name, known)}")
    return known[name]


@contextmanager
def _errors_of(flag: str) -> Iterator[None]:
    """What the library says of a value, under the name of the option that gave it."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise UserError(f"{flag}: {error}") from None


def _batch_size(rows: int) -> int:
    """The power of two next to a fiftieth of the rows, from 16 to 128."""
    return int(np.clip(2 ** round(np.log2(max(rows / 50, 1))), 16, 128))
