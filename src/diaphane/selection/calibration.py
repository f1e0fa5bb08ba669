"""One number that brings probabilities nearer to what they say."""

from __future__ import annotations

import warnings
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..data import split_rows
from ..data.errors import listed
from ..data.randomness import RandomState, as_random_state

__all__ = ["CalibrationWarning", "TemperatureScaled", "fit_temperature"]

Floats: TypeAlias = NDArray[np.float64]

LEAST_LOG, GREATEST_LOG = -10.0, 10.0
"""Of 1/T, where the logits of a row are at most 1 apart."""

LOG_OF_ZERO = float(np.log(1e-12))
"""What a probability of 0 counts as, as in scikit-learn: no temperature could mend it."""


class CalibrationWarning(UserWarning):
    """The held-out rows do not say which temperature is right."""


def fit_temperature(logits: Any, y: Any, sample_weight: Any = None) -> float:
    """T > 0 that makes the log-loss of softmax(z/T) least (Guo et al. 2017, §4.2).

    With β = 1/T the mean loss l(β) = mean[log Σ_k exp(β·z_k) − β·z_y] is convex, for

        l′(β) = mean[Σ_k p_k·z_k − z_y],    l″(β) = mean[Var_p(z)] ≥ 0,    p = softmax(β·z)

    so that T is where l′ changes its sign: found by Brent's method over log β. T > 1 takes confidence away, T < 1 adds
    some; which class is the likeliest never changes.

    Parameters
    ----------
    logits : array, shape (n, K) or (n,)
        z, up to a constant a row: log-probabilities are logits. (n,) is log-odds of two classes.
    y : array of int, shape (n,)
        Columns of the true classes.
    sample_weight : array, shape (n,), optional

    Returns
    -------
    float
        Between e⁻¹⁰ and e¹⁰ times the greatest difference of a row's logits. 1 where every row is right, since then
        the loss falls all the way to T = 0.

    Raises
    ------
    ValueError
        If shapes disagree, logits are not finite or y is no column.

    Warns
    -----
    CalibrationWarning
        If every row is right, or the logits are no better than equal ones.

    Examples
    --------
    >>> z = np.array([[4.0, 0.0]] * 4)
    >>> T = fit_temperature(z, [0, 0, 0, 1])
    >>> round(T, 4), round(4 / float(np.log(3)), 4)
    (3.641, 3.641)
    """
    from scipy.optimize import brentq

    z, columns, weights = _checked(logits, y, sample_weight)
    scale = float(np.abs(z).max())
    if scale == 0:
        return 1.0
    z /= scale
    true = z[np.arange(len(z)), columns]

    def slope(log_beta: float) -> float:
        return float(weights @ ((_softmax(np.exp(log_beta) * z) * z).sum(axis=1) - true))

    if bool(np.all(true[weights > 0] >= z[weights > 0].max(axis=1))):
        warnings.warn(
            f"all {len(z)} held-out rows are right, and the loss falls all the way to T = 0; T stays 1: hold out more "
            "rows, or harder ones",
            CalibrationWarning,
            stacklevel=2,
        )
        return 1.0
    if slope(LEAST_LOG) >= 0:
        warnings.warn(
            "on the held-out rows the classifier is no better than equal probabilities, and T as great as it may "
            "be; is it fitted, and are these rows like those that it learnt from?",
            CalibrationWarning,
            stacklevel=2,
        )
        return scale * float(np.exp(-LEAST_LOG))
    if slope(GREATEST_LOG) <= 0:
        return scale * float(np.exp(-GREATEST_LOG))
    return scale * float(np.exp(-brentq(slope, LEAST_LOG, GREATEST_LOG, xtol=1e-12, rtol=1e-13)))


def _checked(logits: Any, y: Any, sample_weight: Any) -> tuple[Floats, NDArray[np.int64], Floats]:
    z = np.asarray(logits, np.float64)
    if z.ndim == 1:
        z = np.column_stack([np.zeros(len(z)), z])
    columns = np.asarray(y)
    if z.ndim != 2 or z.shape[1] < 2 or columns.shape != z.shape[:1] or not len(z):
        raise ValueError(
            f"logits have shape {z.shape} and y {columns.shape}; expected (n, K) or (n,) for two classes, and (n,)"
        )
    if not np.isfinite(z).all():
        raise ValueError("some logits are not finite; a probability of 0 has none: clip log-probabilities from below")
    if columns.dtype.kind not in "iu" or columns.min() < 0 or columns.max() >= z.shape[1]:
        raise ValueError(f"y holds {columns[:3]} …; expected columns of the logits, 0 to {z.shape[1] - 1}")
    weights = np.ones(len(z)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    if weights.shape != columns.shape or not np.isfinite(weights).all() or weights.min() < 0 or weights.sum() <= 0:
        raise ValueError(f"sample_weight has shape {weights.shape}; expected ({len(z)},), none negative, some positive")
    return z - z.max(axis=1, keepdims=True), columns.astype(np.int64), weights / weights.sum()


def _softmax(z: Floats) -> Floats:
    grown = np.exp(z - z.max(axis=1, keepdims=True))
    shares: Floats = grown / grown.sum(axis=1, keepdims=True)
    return shares


def _gives_scores(self: TemperatureScaled) -> bool:
    inner = getattr(self, "estimator_", self.estimator)
    if not (hasattr(inner, "predict_proba") or hasattr(inner, "decision_function")):
        raise AttributeError(f"{type(inner).__name__} has neither predict_proba nor decision_function")
    return True


class TemperatureScaled(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier whose probabilities are softmax(z/T), T chosen on rows that it did not learn from.

    z are its log-probabilities, or its decision function where it has none; T makes the held-out log-loss least (see
    :func:`fit_temperature`). One parameter is learnt, so that a few hundred rows suffice; the predicted classes stay as
    they are (Guo et al. 2017). scikit-learn's ``CalibratedClassifierCV(method="temperature")``, from 1.8 on, is the
    same by cross-validation, with a fit a fold.

    Parameters
    ----------
    estimator : classifier
        Fitted on a copy; one in ``sklearn.frozen.FrozenEstimator`` is taken as it is, and T from all rows given to
        ``fit``, which then are to be new to it.
    validation_fraction : float
        Of the rows, for T: by class, at random.
    random_state : None, int, RandomState or Generator
        For these rows.

    Attributes
    ----------
    estimator_ : classifier
    temperature_ : float
        T; above 1 the estimator was too sure.
    classes_ : array, shape (K,)
    n_features_in_, feature_names_in_
        Where the estimator has them.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from diaphane.data import gaussians
    >>> from diaphane.selection import reliability
    >>> X, y = gaussians(3000, 0, means=[[-1, -1], [1, 1]], covariance=[[1, 0.9], [0.9, 1]])
    >>> model = GaussianNB().fit(X[:1000], y[:1000])
    >>> scaled = TemperatureScaled(FrozenEstimator(model)).fit(X[1000:2000], y[1000:2000])
    >>> scaled.temperature_ > 1.5
    True
    >>> before, after = (reliability(m, X[2000:], y[2000:]).ece for m in (model, scaled))
    >>> after < before / 2
    True
    """

    def __init__(self, estimator: Any, *, validation_fraction: float = 0.2, random_state: RandomState = None) -> None:
        self.estimator = estimator
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> TemperatureScaled:
        """Fit the estimator on most rows and T on the others, or T alone on all rows where the estimator is frozen."""
        from sklearn.frozen import FrozenEstimator
        from sklearn.utils import _safe_indexing, check_array, column_or_1d, indexable
        from sklearn.utils.multiclass import check_classification_targets

        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        X, y = indexable(X, y)
        labels = column_or_1d(check_array(y, ensure_2d=False, dtype=None, input_name="y"), warn=True)
        check_classification_targets(labels)
        if isinstance(self.estimator, FrozenEstimator):
            self.estimator_ = self.estimator
            X_held, held = X, labels
        else:
            learnt_from, held_out = self._rows(labels)
            self.estimator_ = clone(self.estimator)
            self.estimator_.fit(_safe_indexing(X, learnt_from), labels[learnt_from])
            X_held, held = _safe_indexing(X, held_out), labels[held_out]
        self.classes_ = np.asarray(self.estimator_.classes_)
        self.temperature_ = fit_temperature(self._logits(X_held), self._columns(held))
        return self

    def _rows(self, labels: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        fraction = self.validation_fraction
        if isinstance(fraction, bool) or not isinstance(fraction, int | float | np.number) or not 0 < fraction < 1:
            raise ValueError(f"validation_fraction is {fraction!r}; expected a share of the rows, within 0 and 1")
        classes = np.unique(labels)
        if len(classes) < 2:
            raise ValueError(f"y has one class, {classes.tolist()[0]!r}; expected at least 2 classes")
        codes = np.searchsorted(classes, labels)
        parts = split_rows(
            codes, (1 - fraction, fraction, 0), stratify=True, random_state=as_random_state(self.random_state)
        )
        return parts.train, parts.validation

    def _columns(self, labels: NDArray[Any]) -> NDArray[np.int64]:
        strange = np.setdiff1d(labels, self.classes_)
        if len(strange):
            raise ValueError(
                f"y has {listed([repr(label) for label in strange.tolist()], 5)}, which the estimator has not learnt; "
                f"its classes are {listed([repr(label) for label in self.classes_.tolist()], 10)}"
            )
        order = np.argsort(self.classes_)
        return order[np.searchsorted(self.classes_, labels, sorter=order)].astype(np.int64)

    def _logits(self, X: Any) -> Floats:
        """Log-probabilities, (n, K), or the decision function, (n, K) or (n,)."""
        inner = self.estimator_
        if hasattr(inner, "predict_proba"):
            with np.errstate(divide="ignore"):
                if hasattr(inner, "predict_log_proba"):
                    logs = np.asarray(inner.predict_log_proba(X), np.float64)
                else:
                    logs = np.log(np.asarray(inner.predict_proba(X), np.float64))
            return np.where(np.isneginf(logs), LOG_OF_ZERO, logs)
        scores = np.asarray(inner.decision_function(X), np.float64)
        if scores.ndim == 2 and scores.shape[1] != len(self.classes_):
            raise ValueError(f"decision_function gives {scores.shape[1]} columns for {len(self.classes_)} classes")
        return scores

    @available_if(_gives_scores)
    def predict_proba(self, X: Any) -> Floats:
        """softmax(z/T), (n, K), in the order of ``classes_``."""
        check_is_fitted(self)
        z = self._logits(X) / self.temperature_
        return _softmax(np.column_stack([np.zeros(len(z)), z]) if z.ndim == 1 else z)

    def predict(self, X: Any) -> NDArray[Any]:
        """The estimator's classes: T changes none."""
        check_is_fitted(self)
        labels: NDArray[Any] = np.asarray(self.estimator_.predict(X))
        return labels

    @property
    def n_features_in_(self) -> int:
        """How many columns the estimator learnt from."""
        if not hasattr(self, "estimator_"):
            raise AttributeError(f"{type(self).__name__} is not fitted")
        return int(self.estimator_.n_features_in_)

    @property
    def feature_names_in_(self) -> Any:
        """Their names."""
        if not hasattr(self, "estimator_"):
            raise AttributeError(f"{type(self).__name__} is not fitted")
        return self.estimator_.feature_names_in_

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import get_tags

        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        return tags
