"""All that a verdict rests on, gathered: scores, what-ifs, the learning curve, and what is suspect of the rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .baselines import scored_baselines
from .noise import Noise
from .refits import (
    Refit,
    as_fitted,
    averaged,
    is_network,
    is_slow,
    last_step,
    refit,
    trains_by_epochs,
    watched,
    widened,
)
from .rows import MOST_ROWS, Rows
from .scores import Parts, Scale, Scored
from .suspicions import Shift, Teller

__all__ = ["Evidence", "Suspicions", "gather", "look"]

ENOUGH_SKILL = 0.95
"""From here on nothing that is tried could be better by more than a twentieth: no what-ifs are fitted."""
SEVERAL_HALVES = 3
USUAL_RATES = {"sgd": 0.05, "momentum": 0.02, "nesterov": 0.02}
ADAPTIVE_RATE = 0.005
"""Rates that small networks on scaled inputs learn with, whatever the task."""
USUAL_EPOCHS = 60
"""… and how many epochs they then take, in which the loss mostly has settled."""
MORE_EPOCHS = {"ten times the epochs": 10, "four times the epochs": 4}
FEW_EPOCHS = 50
"""So many and fewer are made ten times as many, more four times."""
STILL_FALLING = 0.95
"""A training loss that the last quarter of the epochs made less than this share of what it was has not settled."""
SMALL_GAP = 0.1
"""Skill lost from rows learnt from to rows of the same law, below which there is nothing to be won by holding back."""


@dataclass(frozen=True, eq=False)
class Suspicions:
    """What may be wrong with the rows.

    ``repeated`` is the share of rows judged by that were learnt from, ``natural`` that of twins among the latter;
    ``apart`` says whether validation data were given.
    """

    repeated: float
    natural: float
    copied: bool
    apart: bool
    classes: bool
    teller: Teller | None
    shift: Shift | None
    noise: Noise | None


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was found.

    Attributes
    ----------
    own : Scored
        The model's, fitted to the rows learnt from.
    fit : Refit
        With health and curves.
    baselines : list of Scored
    trials : dict of str to Scored
        The model with something changed; empty where nothing was fitted again.
    rate, rates : float, dict of str to float
        Its learning rate (NaN without one), and those of the trials that change it.
    slow, short : float
        How many times less than the usual its learning rate and its number of epochs are; NaN without any.
    held_back : tuple of str
        The trials that leave it less room.
    half, quarter : Scored or None
        With fewer rows: mean errors over several draws of them.
    n_learnt, n_judged, n_given : int
        Rows looked at, and how many X had.
    folds : int
        How often other rows were held out.
    network : bool
    within : bool
        Whether the rows judged by are held out of X, as those of validation_data follow another law.
    refitted : bool
        Whether the model was fitted again, and not looked at as it is.
    """

    own: Scored
    fit: Refit
    baselines: list[Scored]
    trials: dict[str, Scored]
    rate: float
    rates: dict[str, float]
    slow: float
    short: float
    held_back: tuple[str, ...]
    half: Scored | None
    quarter: Scored | None
    suspicions: Suspicions
    n_learnt: int
    n_judged: int
    n_given: int
    folds: int
    network: bool
    within: bool
    refitted: bool

    @property
    def sampled(self) -> bool:
        """Whether X had more rows than were looked at."""
        return self.n_given > MOST_ROWS

    @property
    def rivals(self) -> list[Scored]:
        """Baselines better than a constant could be."""
        return [b for b in self.baselines if b.name != "constant"]


def gather(
    model: Any, classes: bool, parts: Parts, suspicions: Suspicions, seed: int, within: bool, given: int
) -> Evidence:
    """Fit the model, its rivals, and what the symptoms call for, to each part."""
    scale = Scale.of(classes, parts)
    fits = watched(model, parts, seed)
    fit = averaged(fits)
    own = _scored("the model", scale, fits, parts)
    asked = own.judged < ENOUGH_SKILL
    rates = _rates(model) if asked else {}
    room, held_back = (_room(model), _held_back(model, fit, own)) if asked and not fit.diverged else ({}, {})
    longer = _longer(model, fit) if asked and not fit.diverged else {}
    settings = {**{name: {"learning_rate_init": r} for name, r in rates.items()}, **longer, **room, **held_back}
    trials = {
        name: _scored(name, scale, [refit(model, learnt, seed, **changed) for learnt, _ in parts], parts)
        for name, changed in settings.items()
    }
    rate, slow, short = _pace(model)
    half = quarter = None
    if asked and not fit.diverged:
        half = _with_fewer(model, scale, parts, seed, 2)
        quarter = None if is_slow(model) else _with_fewer(model, scale, parts, seed, 4)
    return Evidence(
        own, fit, scored_baselines(scale, parts, seed), trials,
        rate, rates, slow, short, tuple(held_back),
        half, quarter, suspicions, len(parts[0][0]), sum(len(judged) for _, judged in parts), given, len(parts),
        is_network(model), within, refitted=True,
    )  # fmt: skip


def look(model: Any, classes: bool, part: tuple[Rows, Rows], suspicions: Suspicions, seed: int, given: int) -> Evidence:
    """What can be said of the model as it is fitted: it beside its rivals, and the curves that it kept."""
    learnt, judged = part
    scale, fit = Scale.of(classes, [part]), as_fitted(model)
    own = Scored.of("the model", scale, model, learnt, judged)
    if not np.isfinite(own.learnt_errors).all():
        fit = replace(fit, diverged=True)
    tail = last_step(model)
    rate, slow, short = _pace(tail)
    return Evidence(
        own, fit, scored_baselines(scale, [part], seed), {}, rate, {}, slow, short, (), None, None, suspicions,
        len(learnt), len(judged), given, 1, is_network(tail), within=False, refitted=False,
    )  # fmt: skip


def _scored(name: str, scale: Scale, fits: list[Refit], parts: Parts) -> Scored:
    return Scored.pooled([_scored_fold(name, scale, fit, *part) for fit, part in zip(fits, parts, strict=True)])


def _scored_fold(name: str, scale: Scale, fit: Refit, learnt: Rows, judged: Rows) -> Scored:
    if fit.diverged and not scale.classes:
        return Scored(name, scale, np.full(len(learnt), np.inf), np.full(len(judged), np.inf))
    return Scored.of(name, scale, fit.model, learnt, judged)


def _pace(model: Any) -> tuple[float, float, float]:
    """Learning rate, the usual one divided by it, and the usual number of epochs divided by its own."""
    if not trains_by_epochs(model) or not isinstance(model.solver, str):
        return float("nan"), float("nan"), float("nan")
    rate = float(model.learning_rate_init)
    return rate, USUAL_RATES.get(model.solver, ADAPTIVE_RATE) / rate, USUAL_EPOCHS / model.max_iter


def _rates(model: Any) -> dict[str, float]:
    """A tenth of the learning rate, ten times as much, and a usual one where that is far from it."""
    if not trains_by_epochs(model) or not isinstance(model.solver, str):
        return {}
    rate, usual = float(model.learning_rate_init), USUAL_RATES.get(model.solver, ADAPTIVE_RATE)
    found = {"a tenth of the learning rate": rate / 10, "ten times the learning rate": rate * 10}
    if not rate / 12 < usual < rate * 12:
        found[f"a learning rate of {usual:g}"] = usual
    return found


def _longer(model: Any, fit: Refit) -> dict[str, dict[str, Any]]:
    """More epochs, where it used all it had and its loss was still falling."""
    if not trains_by_epochs(model) or not fit.to_the_end or len(fit.losses) != model.max_iter:
        return {}
    # A few epochs may all be on the plateau that training starts on.
    if model.max_iter > FEW_EPOCHS and not _still_falling(fit):
        return {}
    name = list(MORE_EPOCHS)[model.max_iter > FEW_EPOCHS]
    return {name: {"max_iter": MORE_EPOCHS[name] * model.max_iter}}


def _still_falling(fit: Refit) -> bool:
    """Whether the last quarter of the epochs made the training loss clearly less, and the validation loss its least."""
    last = max(1, int(0.75 * len(fit.losses)))
    least = int(np.argmin(fit.validation)) + 1 if fit.validation else len(fit.losses)
    return least > last and fit.losses[-1] < STILL_FALLING * fit.losses[last - 1]


def _room(model: Any) -> dict[str, dict[str, Any]]:
    """Settings that leave the network more room."""
    if not is_network(model):
        return {}
    known = model.get_params(deep=False)
    free = {name: v for name, v in FREE.items() if name in known}
    wide = {"hidden_layer_sizes": tuple(max(32, units) for units in widened(model, 4)) or (64,)}
    found: dict[str, dict[str, Any]] = {"four times the units": wide}
    if any(_differs(known[name], v) for name, v in free.items()):
        found |= {"no penalties": free, "four times the units, no penalties": {**wide, **free}}
    return found


def _held_back(model: Any, fit: Refit, own: Scored) -> dict[str, dict[str, Any]]:
    """Settings that leave it less, where it loses much from the rows it learnt from to others."""
    if not is_network(model) or own.learnt - own.judged < SMALL_GAP:
        return {}
    found: dict[str, dict[str, Any]] = {
        "a quarter of the units": {"hidden_layer_sizes": widened(model, 0.25)},
        f"alpha={max(3.0, 30 * model.alpha):g}": {"alpha": max(3.0, 30 * model.alpha)},
    }
    if fit.validation and (best := int(np.argmin(fit.validation)) + 1) < len(fit.validation):
        found[f"stopping after {best} epochs"] = {"max_iter": best}
    return found


FREE: dict[str, Any] = {
    "alpha": 1e-5, "l1": 0.0, "max_norm": None, "dropout": 0.0, "weight_decay": 0.0, "input_dropout": 0.0,
    "input_noise": 0.0, "mixup": 0.0,
}  # fmt: skip


def _differs(value: Any, free: Any) -> bool:
    """Whether a penalty is one: those of scikit-learn's defaults are not worth a trial."""
    if value is None or value == free:
        return False
    return bool(np.any(np.asarray(value, float) > 1e-3))


def _with_fewer(model: Any, scale: Scale, parts: Parts, seed: int, share: int) -> Scored | None:
    draws = 1 if is_slow(model) else max(1, SEVERAL_HALVES // len(parts))
    found = [_fold_with_fewer(model, scale, part, seed, share, draws) for part in parts]
    kept = [fold for fold in found if fold is not None]
    return Scored.pooled(kept) if len(kept) == len(parts) else None


def _fold_with_fewer(
    model: Any, scale: Scale, part: tuple[Rows, Rows], seed: int, share: int, draws: int
) -> Scored | None:
    learnt, judged = part
    rng = np.random.default_rng([seed, share])
    errors: list[tuple[NDArray[Any], float]] = []
    for _ in range(draws):
        order = rng.permutation(len(learnt))
        some = learnt.take(np.sort(order[: len(learnt) // share]))
        if scale.classes and len(np.unique(some.target)) < len(np.unique(learnt.target)):
            return None
        found = refit(model, some, seed)
        if found.diverged:
            return None
        scored = Scored.of("", scale, found.model, some, judged)
        errors.append((scored.judged_errors, float(scored.learnt_errors.mean())))
    mean = np.mean([e for e, _ in errors], axis=0)
    return Scored(f"1/{share} of the rows", scale, np.array([np.mean([m for _, m in errors])]), mean)
