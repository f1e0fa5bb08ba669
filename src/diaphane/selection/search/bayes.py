"""Bayesian search: a tree-structured Parzen estimator proposes what to try next (Bergstra et al. 2011), by Optuna."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ...data.errors import MissingExtraError
from .spaces import Space

__all__ = ["Proposals"]

EDGE = 1e-9
"""The outermost quantiles: at 0 and 1 a distribution may be infinite."""


class Proposals:
    """What to try next, from what came of what was tried.

    A list is a choice, in order where it is of numbers that rise; a distribution is searched through its quantiles:
    x = F⁻¹(u), u in [0, 1], so that it is what is believed before anything is known.

    Parameters
    ----------
    space : list of dict
    seed : int
        The same gives the same proposals for the same scores.

    Raises
    ------
    MissingExtraError
        Without Optuna.
    TypeError
        For a distribution without ``ppf``.
    """

    def __init__(self, space: Space, seed: int) -> None:
        optuna = _optuna()
        for part in space:
            for name, values in part.items():
                if not isinstance(values, list) and not hasattr(values, "ppf"):
                    raise TypeError(
                        f"strategy='bayes' needs the quantiles of a distribution (ppf), and that of {name} has none: "
                        f"{values!r:.80}"
                    )
        self.space = space
        talk = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            # Of several candidates at once each supposes the others to be bad: Optuna calls this experimental.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        optuna.logging.set_verbosity(talk)
        self._trials: list[Any] = []

    def ask(self, count: int) -> list[dict[str, Any]]:
        """So many candidates to try at once."""
        self._trials = [self._study.ask() for _ in range(count)]
        return [self._params(trial) for trial in self._trials]

    def tell(self, scores: Iterable[float]) -> None:
        """What came of them; NaN of those that failed."""
        optuna = _optuna()
        for trial, score in zip(self._trials, scores, strict=True):
            if np.isfinite(score):
                self._study.tell(trial, float(score))
            else:
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)

    def _params(self, trial: Any) -> dict[str, Any]:
        k = trial.suggest_int("part", 0, len(self.space) - 1) if len(self.space) > 1 else 0
        return {name: _suggested(trial, f"{k}/{name}", values) for name, values in self.space[k].items()}


def _suggested(trial: Any, name: str, values: Any) -> Any:
    if not isinstance(values, list):
        value = values.ppf(trial.suggest_float(name, EDGE, 1 - EDGE))
        return int(value) if hasattr(getattr(values, "dist", values), "pmf") else float(value)
    if _rises(values):
        return values[trial.suggest_int(name, 0, len(values) - 1)]
    return values[trial.suggest_categorical(name, list(range(len(values))))]


def _rises(values: Sequence[Any]) -> bool:
    numbers = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in values)
    return numbers and len(values) > 2 and all(a < b for a, b in pairwise(values))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise MissingExtraError("strategy='bayes'", "search") from None
    return optuna
