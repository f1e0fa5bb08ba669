"""Training and validation error against capacity: hidden units, depth, dropout, λ, or any other parameter."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import GroupKFold, StratifiedKFold, check_cv, validation_curve
from sklearn.utils.parallel import Parallel, delayed

from ..data.errors import closest
from ..data.randomness import RandomState, as_random_state
from ..engines.program import check_whole
from ..estimators.parameters import hidden_sizes
from ..training import DivergenceError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..insight.displays import CapacityDisplay

__all__ = ["CapacityCurve", "capacity_curve"]

Floats = NDArray[np.float64]

LAYERS = "hidden_layer_sizes"
UNITS, DEPTH = "hidden_units", "depth"
MARGIN = 2.0
"""A value is worse than the best one where the paired difference is more than so many standard errors."""


@dataclass(frozen=True, eq=False)
class CapacityCurve:
    """Training and validation error of an estimator, by the value of one of its parameters.

    Attributes
    ----------
    param : str
        As asked for.
    parameter : str
        The estimator's own name of it, such as ``"mlpclassifier__hidden_layer_sizes"``.
    values : tuple
    train, validation : float64 arrays of shape (values, fits)
        A fit is a fold of a repeat; those of one column learnt from the same rows with the same seed. NaN where
        training diverged.
    error : str
        What they are, such as ``"error rate"``.
    """

    param: str
    parameter: str
    values: tuple[Any, ...]
    train: Floats
    validation: Floats
    error: str

    @property
    def train_mean(self) -> Floats:
        """Over the fits, (values,)."""
        found: Floats = self.train.mean(axis=1)
        return found

    @property
    def validation_mean(self) -> Floats:
        """Over the fits, (values,)."""
        found: Floats = self.validation.mean(axis=1)
        return found

    @property
    def train_spread(self) -> Floats:
        """Standard deviation over the fits, (values,); NaN for one."""
        return _spread(self.train)

    @property
    def validation_spread(self) -> Floats:
        """Standard deviation over the fits, (values,); NaN for one."""
        return _spread(self.validation)

    @property
    def best_index(self) -> int:
        """Where the mean validation error is least."""
        return int(np.nanargmin(self.validation_mean))

    @property
    def best(self) -> Any:
        """The value of the least mean validation error."""
        return self.values[self.best_index]

    @property
    def excess(self) -> tuple[Floats, Floats]:
        """Validation error above the best value's: mean and standard error, (values,) each; of one fit the latter is 0.

        Paired, as all values have the same folds and seeds. Folds share rows, so that the standard error is too small
        rather than too great (Bengio & Grandvalet 2004).
        """
        paired = self.validation - self.validation[self.best_index]
        fits = paired.shape[1]
        error = paired.std(axis=1, ddof=1) / np.sqrt(fits) if fits > 1 else np.zeros(len(paired))
        return paired.mean(axis=1), error

    @property
    def regimes(self) -> tuple[str, ...]:
        """A word on each value: ``"fits"``, ``"underfits"``, ``"overfits"`` or ``"diverges"``.

        A value is off where its validation error is more than two standard errors above the best one's. It underfits
        if its training error is above the best one's too, and overfits if it is not: what it learnt more of the
        training data does not hold for others.
        """
        excess, error = self.excess
        learnt = self.train_mean
        words = []
        for i in range(len(self.values)):
            if not np.isfinite(excess[i]):
                words.append("diverges")
            elif excess[i] <= MARGIN * error[i]:
                words.append("fits")
            else:
                words.append("underfits" if learnt[i] > learnt[self.best_index] else "overfits")
        return tuple(words)

    @property
    def simplest(self) -> Any:
        """Of the values that fit, that of the greatest training error: the least capacity that is enough."""
        fitting = [i for i, word in enumerate(self.regimes) if word == "fits"]
        return self.values[max(fitting, key=lambda i: self.train_mean[i])]

    @property
    def verdict(self) -> str:
        """In words, where it underfits and where it overfits."""
        b, regimes = self.best_index, self.regimes
        sentences = [
            f"Best at {self.param} = {_written(self.best)}: {self.error} {self.validation_mean[b]:.3g} on validation "
            f"data, {self.train_mean[b]:.3g} on training data."
        ]
        if self.simplest != self.best:
            sentences.append(f"{_written(self.simplest)} is simpler and within {MARGIN:g} standard errors of it.")
        meanings = {
            "underfits": "training and validation error are both higher",
            "overfits": "training error is lower, validation error higher",
            "diverges": "a training diverged; lower the learning rate",
        }
        for word, meaning in meanings.items():
            if places := [i for i, found in enumerate(regimes) if found == word]:
                listed = ", ".join(_written(self.values[i]) for i in places)
                sentences.append(f"It {word} at {listed}: {meaning}.")
        if "overfits" not in regimes and "underfits" not in regimes and len(self.values) > 1:
            sentences.append("No value tried is clearly better than another.")
        elif (b in (0, len(self.values) - 1)) and len(self.values) > 1:
            sentences.append("The best is at an end of what was tried: try values beyond it.")
        if self.validation.shape[1] == 1 and len(self.values) > 1:
            sentences.append("Of one fit a value: small differences may be chance, and n_repeats or cv would show it.")
        return " ".join(sentences)

    def table(self) -> list[dict[str, Any]]:
        """One plain record a value, as a data frame takes them."""
        columns = zip(
            self.values,
            self.train_mean,
            self.train_spread,
            self.validation_mean,
            self.validation_spread,
            self.regimes,
            strict=True,
        )
        return [
            {
                self.param: value,
                "training": float(train),
                "training_spread": float(train_spread),
                "validation": float(held),
                "validation_spread": float(spread),
                "regime": word,
            }
            for value, train, train_spread, held, spread, word in columns
        ]

    def plot(self, ax: Axes | None = None, *, bayes_error: float | None = None) -> CapacityDisplay:
        """Both errors against the value, what underfits and what overfits shaded."""
        from ..insight.displays import CapacityDisplay

        return CapacityDisplay.from_errors(
            self.param,
            self.values,
            self.train,
            self.validation,
            error=self.error,
            regimes=self.regimes,
            floor=bayes_error,
            ax=ax,
        )

    def __str__(self) -> str:
        cells = [_written(value) for value in self.values]
        width = max(len(cell) for cell in (self.param, *cells))
        lines = [f"{self.param:>{width}}  {'training':>17}  {'validation':>17}"]
        for i, (cell, word) in enumerate(zip(cells, self.regimes, strict=True)):
            pairs = ((self.train_mean[i], self.train_spread[i]), (self.validation_mean[i], self.validation_spread[i]))
            numbers = "  ".join(f"{f'{m:.4g}' if np.isnan(s) else f'{m:.4g} ± {s:.2g}':>17}" for m, s in pairs)
            lines.append(f"{cell:>{width}}  {numbers}  {'' if word == 'fits' else word}".rstrip())
        return "\n".join([*lines, self.verdict])


def capacity_curve(
    estimator: Any,
    X: Any,
    y: Any,
    param: str = UNITS,
    values: Iterable[Any] = (1, 2, 4, 8, 16, 32, 64),
    *,
    cv: Any = None,
    validation: tuple[Any, Any] | None = None,
    scoring: Any = None,
    groups: Any = None,
    n_repeats: int = 1,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> CapacityCurve:
    """Training and validation error against the value of one parameter, with a word on where it under- and overfits.

    As capacity grows the training error falls; the validation error falls with it as long as what is learnt holds for
    other data too, and rises when it does not (Geman, Bienenstock & Doursat 1992).

    Parameters
    ----------
    estimator : estimator
        Any of scikit-learn's kind, or a pipeline; it is cloned.
    X, y
        As for its ``fit``.
    param : str
        ``"hidden_units"`` (of each hidden layer there is), ``"depth"`` (hidden layers as wide as the first one), or
        any parameter: by its whole name (``"mlpclassifier__alpha"``), or the last part of it where it is the only one.
    values : iterable
        Of the parameter.
    cv : int, splitter or iterable, optional
        Folds; a number (by default 5) is of shuffled ones, classes in proportion, other ones each repeat.
    validation : (X, y), optional
        Data to judge by, in place of folds.
    scoring : str or callable, optional
        A scorer of scikit-learn's. Errors are 1 − score, or the loss of a ``"neg_…"``; by default the error rate of
        classifiers and the mean squared error of regressors.
    groups : array, shape (n,), optional
        Rows of one group stay together.
    n_repeats : int
        With other seeds, and other folds.
    random_state : None, int, RandomState or Generator
        Of folds, and of every parameter ``random_state`` of the estimator: one seed a repeat, the same for all values.
    n_jobs : int, optional
        Fits side by side, through joblib.

    Returns
    -------
    CapacityCurve
        With ``best``, ``simplest``, ``regimes``, ``verdict``, ``table()`` and ``plot()``.

    Raises
    ------
    ValueError
        If there is no such parameter or scorer (the nearest is named), no value, a value that the estimator refuses
        (it is named), a class of fewer rows than folds, or every training diverges.

    Examples
    --------
    >>> from diaphane.data import gaussians
    >>> from diaphane.estimators import MLPClassifier
    >>> rings = {"means": [[0, 0], [0, 0]], "covariance": [[[0.3, 0], [0, 0.3]], [[2, 0], [0, 2]]]}
    >>> X, y = gaussians(200, random_state=0, **rings)
    >>> model = MLPClassifier(activation="tanh", solver="lbfgs", max_iter=500)
    >>> curve = capacity_curve(model, X, y, "hidden_units", [1, 4], validation=gaussians(2000, random_state=1, **rings))
    >>> curve.best, curve.regimes
    (4, ('underfits', 'fits'))
    """
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        raise TypeError(f"expected an estimator, with get_params and fit, got {estimator!r}")
    parameter, tried, given = _settings(estimator, param, values)
    if validation is not None and (cv is not None or groups is not None):
        raise ValueError("validation data stand in place of folds: give validation, or cv and groups")
    if validation is not None and not (isinstance(validation, tuple | list) and len(validation) == 2):
        raise ValueError(f"validation is a pair (X, y), got {type(validation).__name__}")
    scorer, error = _scorer_and_error(estimator, scoring)
    random = as_random_state(random_state)
    fits: list[tuple[Any, Any]] = []
    for _ in range(check_whole("n_repeats", n_repeats)):
        seed = int(random.randint(2**31))
        seeded = clone(estimator).set_params(**_seeds(estimator, seed))
        folds = [None] if validation is not None else _folds(estimator, cv, X, y, groups, seed)
        fits += [(seeded, fold) for fold in folds]
    jobs = (
        delayed(_scores)(seeded, X, y, parameter, value, fold, validation, scorer, f"{param}={shown!r}")
        for value, shown in zip(given, tried, strict=True)
        for seeded, fold in fits
    )
    found = Parallel(n_jobs=n_jobs)(jobs)
    _say_what_did_not_converge(param, tried, [stopped for *_, stopped in found], len(fits))
    scores = np.array([pair for *pair, _ in found], np.float64).reshape(len(tried), len(fits), 2)
    errors = error.of(scores)
    if not np.isfinite(errors[..., 1].mean(axis=1)).any():
        raise ValueError(f"a training diverged at every value of {param}; lower the learning rate, or scale the inputs")
    return CapacityCurve(param, parameter, tuple(tried), errors[..., 0], errors[..., 1], error.name)


def _settings(estimator: Any, param: str, values: Any) -> tuple[str, list[Any], list[Any]]:
    """The parameter's whole name, the values as asked for, and as the parameter takes them."""
    tried = list(values) if np.iterable(values) and not isinstance(values, str) else []
    if not tried:
        raise ValueError(f"values of {param!r} are {values!r}; expected at least one, in a list")
    known = sorted(estimator.get_params(deep=True))
    shaped = param in (UNITS, DEPTH) and not _ends(known, param)
    parameter = _whole_name(estimator, LAYERS if shaped else param, known, param)
    if not shaped:
        return parameter, tried, tried
    for value in tried:
        if isinstance(value, bool) or not isinstance(value, Integral) or value < (1 if param == UNITS else 0):
            raise ValueError(f"{param} has {value!r}; expected whole numbers of {param.replace('_', ' ')}")
    now = hidden_sizes(estimator.get_params(deep=True)[parameter]) or [100]
    sizes = [(int(v),) * len(now) if param == UNITS else (now[0],) * int(v) for v in tried]
    return parameter, tried, sizes


def _whole_name(estimator: Any, wanted: str, known: Sequence[str], param: str) -> str:
    if wanted in known:
        return wanted
    found = _ends(known, wanted)
    if len(found) == 1:
        return found[0]
    name = type(estimator).__name__
    if found:
        raise ValueError(f"{name} has {param!r} more than once; give the whole name: {', '.join(found)}")
    if wanted != param:
        raise ValueError(
            f"{name} has no {wanted}, which {param!r} sets; give a parameter that it has: {', '.join(known)}"
        )
    # Of a nested one the last part is what was meant.
    last = {k.rsplit("__", 1)[-1]: k for k in reversed(known)}
    hint = closest(param, known) or closest(param, [*last, UNITS, DEPTH])
    raise ValueError(f"{name} has no parameter {param!r}.{hint} There are: {', '.join(known)}")


def _ends(known: Sequence[str], name: str) -> list[str]:
    return [k for k in known if k == name or k.endswith(f"__{name}")]


def _seeds(estimator: Any, seed: int) -> dict[str, int]:
    return dict.fromkeys(_ends(sorted(estimator.get_params(deep=True)), "random_state"), seed)


def _folds(estimator: Any, cv: Any, X: Any, y: Any, groups: Any, seed: int) -> list[Any]:
    count = 5 if cv is None else cv
    splitter = check_cv(count, y, classifier=is_classifier(estimator))
    if isinstance(count, Integral):
        kind = type(splitter) if groups is None else GroupKFold
        splitter = kind(n_splits=int(count), shuffle=True, random_state=seed)
        if kind is StratifiedKFold:
            classes, sizes = np.unique(np.asarray(y), return_counts=True)
            if sizes.min() < count:
                rare = classes.tolist()[int(sizes.argmin())]
                raise ValueError(
                    f"class {rare!r} has {sizes.min()} rows, fewer than the {count} folds; "
                    f"give cv={max(2, sizes.min())} or fewer, validation data, or more rows of it"
                )
    return list(splitter.split(X, y, groups))


@dataclass(frozen=True)
class _Error:
    """How a scorer's scores become errors: offset − score."""

    name: str
    offset: float

    def of(self, scores: Floats) -> Floats:
        found: Floats = self.offset - scores
        return found


def _scorer_and_error(estimator: Any, scoring: Any) -> tuple[Any, _Error]:
    if scoring is None:
        if is_classifier(estimator):
            return check_scoring(estimator, "accuracy"), _Error("error rate", 1.0)
        if is_regressor(estimator):
            return check_scoring(estimator, "neg_mean_squared_error"), _Error("mean squared error", 0.0)
        return check_scoring(estimator), _Error("−score", 0.0)
    if not isinstance(scoring, str):
        return check_scoring(estimator, scoring), _Error(f"−{getattr(scoring, '__name__', 'score')}", 0.0)
    if scoring not in get_scorer_names():
        raise ValueError(
            f"there is no scorer {scoring!r}.{closest(scoring, get_scorer_names())} "
            "sklearn.metrics.get_scorer_names() lists them"
        )
    if scoring.startswith("neg_"):
        return check_scoring(estimator, scoring), _Error(scoring.removeprefix("neg_").replace("_", " "), 0.0)
    return check_scoring(estimator, scoring), _Error(f"1 − {scoring.replace('_', ' ')}", 1.0)


def _scores(
    estimator: Any, X: Any, y: Any, parameter: str, value: Any, fold: Any, validation: Any, scorer: Any, said: str
) -> tuple[float, float, bool]:
    """Score on training and on validation data, and whether the fit stopped before it converged."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            train, held = _fitted_scores(estimator, X, y, parameter, value, fold, validation, scorer)
        except DivergenceError:
            train = held = np.nan
        except (TypeError, ValueError) as error:
            kind = ValueError if isinstance(error, ValueError) else TypeError
            raise kind(f"at {said}: {error}") from error
    others = [w for w in caught if not issubclass(w.category, ConvergenceWarning)]
    for w in others:
        warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)
    return train, held, len(others) < len(caught)


def _fitted_scores(
    estimator: Any, X: Any, y: Any, parameter: str, value: Any, fold: Any, validation: Any, scorer: Any
) -> tuple[float, float]:
    if validation is not None:
        model = clone(estimator).set_params(**{parameter: value}).fit(X, y)
        return float(scorer(model, X, y)), float(scorer(model, *validation))
    train, held = validation_curve(
        estimator, X, y, param_name=parameter, param_range=[value], cv=[fold], scoring=scorer, error_score="raise"
    )
    return float(train[0, 0]), float(held[0, 0])


def _say_what_did_not_converge(param: str, values: Sequence[Any], stopped: Sequence[bool], fits: int) -> None:
    if not any(stopped):
        return
    where = [_written(v) for v, of in zip(values, np.reshape(stopped, (-1, fits)), strict=True) if of.any()]
    warnings.warn(
        f"{sum(stopped)} of {len(stopped)} fits stopped before they converged, at {param} = {', '.join(where)}: "
        "their training error may be lower with a greater max_iter",
        ConvergenceWarning,
        stacklevel=3,
    )


def _spread(table: Floats) -> Floats:
    if table.shape[1] == 1:
        return np.full(len(table), np.nan)
    found: Floats = table.std(axis=1, ddof=1)
    return found


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)
