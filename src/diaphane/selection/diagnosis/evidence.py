"""All that a verdict rests on, gathered: scores, what-ifs, the learning curve, and what is suspect of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .baselines import scored_baselines
from .refits import Refit, is_network, refit, trains_by_epochs, watched, widened
from .rows import Rows
from .scores import Scale, Scored
from .suspicions import Noise, Shift, Teller

__all__ = ["Evidence", "Suspicions", "gather"]

ENOUGH_SKILL = 0.95
"""From here on nothing that is tried could be better by more than a twentieth: no what-ifs are fitted."""
SEVERAL_HALVES = 3
USUAL_RATES = {"sgd": 0.05, "momentum": 0.02, "nesterov": 0.02}
ADAPTIVE_RATE = 0.005
"""Rates that small networks on scaled inputs learn with, whatever the task."""
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
        The model with something changed.
    rate, rates : float, dict of str to float
        Its learning rate (NaN without one), and those of the trials that change it.
    held_back : tuple of str
        The trials that leave it less room.
    half, quarter : Scored or None
        With fewer rows: mean errors over several draws of them.
    network : bool
    within : bool
        Whether the rows judged by are held out of X, as those of validation_data follow another law.
    """

    own: Scored
    fit: Refit
    baselines: list[Scored]
    trials: dict[str, Scored]
    rate: float
    rates: dict[str, float]
    held_back: tuple[str, ...]
    half: Scored | None
    quarter: Scored | None
    suspicions: Suspicions
    n_learnt: int
    n_judged: int
    network: bool
    within: bool

    @property
    def rivals(self) -> list[Scored]:
        """Baselines better than a constant could be."""
        return [b for b in self.baselines if b.name != "constant"]


def gather(
    model: Any, classes: bool, learnt: Rows, judged: Rows, suspicions: Suspicions, seed: int, within: bool
) -> Evidence:
    """Fit the model, its rivals, and what the symptoms call for."""
    scale = Scale.of(classes, learnt, judged)
    fit = watched(model, learnt, judged, seed)
    own = _scored("the model", scale, fit, learnt, judged)
    asked = own.judged < ENOUGH_SKILL
    rates = _rates(model) if asked else {}
    room, held_back = (_room(model), _held_back(model, fit, own)) if asked and not fit.diverged else ({}, {})
    settings = {**{name: {"learning_rate_init": r} for name, r in rates.items()}, **room, **held_back}
    trials = {
        name: _scored(name, scale, refit(model, learnt, seed, **changed), learnt, judged)
        for name, changed in settings.items()
    }
    half = quarter = None
    if asked and not fit.diverged:
        half, quarter = (_with_fewer(model, scale, learnt, judged, seed, share) for share in (2, 4))
    return Evidence(
        own, fit, scored_baselines(scale, learnt, judged, seed), trials,
        float(model.learning_rate_init) if trains_by_epochs(model) else float("nan"), rates, tuple(held_back),
        half, quarter, suspicions, len(learnt), len(judged), is_network(model), within,
    )  # fmt: skip


def _scored(name: str, scale: Scale, fit: Refit, learnt: Rows, judged: Rows) -> Scored:
    if fit.diverged and not scale.classes:
        return Scored(name, scale, np.full(len(learnt), np.inf), np.full(len(judged), np.inf))
    return Scored.of(name, scale, fit.model, learnt, judged)


def _rates(model: Any) -> dict[str, float]:
    """A tenth of the learning rate, ten times as much, and a usual one where that is far from it."""
    if not trains_by_epochs(model) or not isinstance(model.solver, str):
        return {}
    rate, usual = float(model.learning_rate_init), USUAL_RATES.get(model.solver, ADAPTIVE_RATE)
    found = {"a tenth of the learning rate": rate / 10, "ten times the learning rate": rate * 10}
    if not rate / 12 < usual < rate * 12:
        found[f"a learning rate of {usual:g}"] = usual
    return found


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


def _with_fewer(model: Any, scale: Scale, learnt: Rows, judged: Rows, seed: int, share: int) -> Scored | None:
    rng = np.random.default_rng([seed, share])
    errors: list[tuple[NDArray[Any], float]] = []
    for _ in range(SEVERAL_HALVES):
        order = rng.permutation(len(learnt))
        part = learnt.take(np.sort(order[: len(learnt) // share]))
        if scale.classes and len(np.unique(part.target)) < len(np.unique(learnt.target)):
            return None
        found = refit(model, part, seed)
        if found.diverged:
            return None
        scored = Scored.of("", scale, found.model, part, judged)
        errors.append((scored.judged_errors, float(scored.learnt_errors.mean())))
    mean = np.mean([e for e, _ in errors], axis=0)
    return Scored(f"1/{share} of the rows", scale, np.array([np.mean([m for _, m in errors])]), mean)
