"""Logistic regression: the probabilities of classes by maximum likelihood."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model._base import LinearClassifierMixin, SparseCoefMixin
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted

from ...data.streams import Stream
from ...engines.state import all_finite
from ...graph.node import Array
from ...optim import DescentResult, minimize_newton
from ...training.streaming import refuse_beside_stream
from ..inputs import rows_to_predict
from ..parameters import check_choice, check_flag, check_integer, check_number
from .inference import MOST_PARAMETERS, Inference, covariance_of
from .inputs import LARGEST, check_rows_and_labels, checked_weights, chosen, compute_dtype, refuse_nonfinite
from .objective import Objective
from .separation import is_separated
from .solving import SOLVERS, Settings, solve, warn_unless_converged
from .streamed import classes_of, note_columns
from .streamed_objective import StreamObjective

__all__ = ["LogisticRegression", "SeparationWarning"]

SAME_OPTIMUM = {"newton-cg": "newton", "newton-cholesky": "newton", "sag": "lbfgs", "saga": "lbfgs"}
"""scikit-learn's names of other ways to the same optimum."""

PENALTIES = ("l2", "l1", "elasticnet", "deprecated")


class SeparationWarning(ConvergenceWarning):
    """The likelihood has no maximum: a hyperplane separates the classes, and nothing keeps the coefficients finite."""


class LogisticRegression(LinearClassifierMixin, SparseCoefMixin, BaseEstimator):
    """Logistic regression by maximum likelihood (Cox 1958), penalised by default as in scikit-learn.

    p(y = 1 | x) = σ(wᵀx + b) for two classes, softmax(xᵀW + b) for more. What is minimised is the mean of the examples'
    −log p(yᵢ | xᵢ), weighted where weights are given, plus ½·‖W‖²/(C·Σᵢ sᵢ): scikit-learn's objective divided by
    C·Σᵢ sᵢ, with the same optimum.

    Parameters, defaults, attributes and meanings are those of :class:`sklearn.linear_model.LogisticRegression`. Further
    ones come last.

    Parameters
    ----------
    penalty : {"l2", "l1", "elasticnet", None}
        By default told by ``C`` and ``l1_ratio``: infinite C is no penalty, l1_ratio 0 is L2, 1 is L1.
    C : float, default 1
        The inverse of the penalty's strength; ``np.inf`` for none, which is plain maximum likelihood.
    l1_ratio : float, default 0
        The penalty is (l1_ratio·Σ|W| + (1 − l1_ratio)·½·Σ W²) / C.
    tol : float, default 1e-4
        L-BFGS and Newton end where no component of the gradient is larger, of columns as they are and of columns of one
        size; ``"sgd"`` where the loss is above its minimum by no more, which is looked at every five epochs.
    fit_intercept, class_weight, random_state, warm_start, verbose
        As in scikit-learn.
    solver : {"lbfgs", "newton", "gd", "sgd"}, default "lbfgs"
        ``"lbfgs"``, over many more rows than parameters, is helped on by Newton steps with a sample's second
        derivatives where it is not soon at its end. ``"newton"``: few steps, each with all rows' second derivatives.
        ``"gd"``: gradient descent on all the data, θ ← θ − ε·∇l until |l_{t+1} − l_t| ≤ δ or t = max_iter. ``"sgd"``:
        mini-batches in random order, ε divided by 4 where the loss of all rows has not fallen for five epochs. Only
        ``"lbfgs"`` takes L1 penalties. scikit-learn's names ``"newton-cg"`` and ``"newton-cholesky"`` mean
        ``"newton"``, ``"sag"`` and ``"saga"`` mean ``"lbfgs"``: the optimum is the same.
    max_iter : int, default 100
        Iterations; epochs for ``"sgd"``.
    dual, intercept_scaling, n_jobs
        Accepted as there; only liblinear, which is not here, uses the first two.
    learning_rate : float, "exact", callable or None
        ε of ``"gd"``: a number, ``"exact"`` for the best one along each gradient (the default), or a function of the
        iteration; a number for ``"sgd"``, 0.1 by default.
    delta : float, default 1e-6
        δ of ``"gd"``.
    batch_size : int, default 32
        Of ``"sgd"``.
    keep_path : bool, default False
        Whether ``"gd"`` keeps the parameters of each iteration in ``path_``.
    engine : str or Engine, default "native"
    dtype : float32, float64 or None
        Of the computation; by default float64 for float64 and for whole numbers of 32 and 64 bits, else float32.

    Attributes
    ----------
    classes_, coef_, intercept_, n_features_in_, feature_names_in_, n_iter_
        As in scikit-learn.
    loss_curve_ : list of float
        What is minimised, after each iteration.
    log_likelihood_ : float
        Σᵢ sᵢ·log p(yᵢ | xᵢ) of the fit, without the penalty.
    ended_ : {"delta", "n_iter"}
        Which of the two ended ``solver="gd"``.
    path_ : ndarray, shape (n_iter + 1, parameters)
        With ``keep_path``: (coef_.T.ravel(), intercept_) before the first and after each iteration.
    standard_errors_, wald_, p_values_ : ndarray, shape of coef_
        √ of the diagonal of I⁻¹, I being the observed information (Fisher 1925); θ̂/se; and P(|z| at least as large) if
        θ were 0. Of unpenalised fits (``C=np.inf``) with up to 2000 parameters. With more than two classes they are of
        the coefficients that add up to 0 over the classes. Weights count as repetitions.
    inference_ : Inference
        The same with the intercept, and with covariance and intervals.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LogisticRegression().fit(scale(X), y)
    >>> print(f"{model.score(scale(X), y):.3f}, log-likelihood {model.log_likelihood_:.1f}")
    0.988, log-likelihood -30.4
    """

    def __init__(
        self,
        penalty: Any = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float = 0.0,
        dual: bool = False,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        random_state: Any = None,
        solver: str = "lbfgs",
        max_iter: int = 100,
        verbose: Any = 0,
        warm_start: bool = False,
        n_jobs: Any = None,
        learning_rate: Any = None,
        delta: float = 1e-6,
        batch_size: int = 32,
        keep_path: bool = False,
        engine: Any = "native",
        dtype: Any = None,
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.learning_rate = learning_rate
        self.delta = delta
        self.batch_size = batch_size
        self.keep_path = keep_path
        self.engine = engine
        self.dtype = dtype

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> LogisticRegression:
        """Learn from rows and their classes.

        Parameters
        ----------
        X : array, frame or sparse matrix, shape (n, n_features)
            Or a :class:`~diaphane.data.Stream` of rows that memory does not hold: ``"lbfgs"`` and ``"newton"`` then
            both take Newton's steps to the same optimum, each of which is a pass over it.
        y : array, shape (n,)
            Not beside a stream.
        sample_weight : array, shape (n,), optional
            At least 0, not all 0.

        Raises
        ------
        ValueError
            For NaN or infinity in the data, labels that are all alike or no classes, parameters out of their range; and
            where the loss is not finite, the features being too large.
        """
        if isinstance(X, Stream):
            refuse_beside_stream(y=y, sample_weight=sample_weight, class_weight=self.class_weight)
            return self._fit_stream(X)
        settings, l2 = self._checked_settings()
        x, self.classes_, target = check_rows_and_labels(self, X, y)
        weights = self._row_weights(x, y, target, sample_weight)
        several = len(self.classes_) > 2
        objective = Objective(
            "categorical_cross_entropy" if several else "binary_cross_entropy",
            x,
            target,
            weights,
            outputs=len(self.classes_) if several else 1,
            fit_intercept=self.fit_intercept,
            dtype=compute_dtype(self.dtype, x),
            engine=self.engine,
        )
        strength = 1 / objective.total_weight
        objective.l2, settings = l2 * strength, settings.with_l1(strength)
        start = self._start(objective)
        if not self._is_finite_at(objective, start):
            refuse_nonfinite(self, x)
        result = solve(objective, start, settings)
        if not np.isfinite(result.parameters).all() or not np.isfinite(result.loss):
            refuse_nonfinite(self, x)
        if several:
            result = replace(result, parameters=_balanced(objective, result.parameters, coefs=not settings.l1))
        self._keep(objective, result, penalised=bool(l2 or settings.l1))
        if self.verbose:
            print(f"{settings.solver}: {result.n_iterations} iterations, loss = {result.loss:.8f}. {result.message}")  # noqa: T201
        if not (l2 or settings.l1) and self._inference is not None and is_separated(objective, result.parameters):
            warnings.warn(
                "The likelihood has no maximum: a hyperplane separates the classes (of those rows that it does not put "
                "on itself), so the coefficients grow for as long as max_iter lets them, and their standard errors "
                "mean nothing. Take a penalty (a finite C), or leave out the features that tell the classes apart.",
                SeparationWarning,
                stacklevel=2,
            )
            return self
        warn_unless_converged(result, settings, stacklevel=3)
        return self

    def _fit_stream(self, stream: Stream) -> LogisticRegression:
        settings, l2 = self._checked_settings()
        if settings.solver not in ("lbfgs", "newton") or settings.l1:
            raise ValueError(
                "a stream is fitted by Newton's steps, solver='lbfgs' or 'newton' and an L2 penalty or none, not "
                f"solver={self.solver!r}, l1_ratio={self.l1_ratio!r}; one pass, example after example, is "
                "LinearClassifier('logistic', max_iter=1)"
            )
        note_columns(self, stream)
        self.classes_ = classes_of(stream)
        several = len(self.classes_) > 2
        objective = StreamObjective(
            "categorical_cross_entropy" if several else "binary_cross_entropy",
            stream,
            self.classes_,
            l2=l2,
            outputs=len(self.classes_) if several else 1,
            fit_intercept=self.fit_intercept,
            dtype=compute_dtype(self.dtype, np.empty(0, stream.dtype)),
            engine=self.engine,
        )
        if objective.size > MOST_PARAMETERS:
            raise ValueError(
                f"Newton's steps on a stream are for up to {MOST_PARAMETERS} parameters, with their square matrix, "
                f"got {objective.size}: LinearClassifier('logistic')"
            )
        precision = float(np.finfo(objective.dtype).eps)
        start = self._start(objective)
        if not self._is_finite_at(objective, start):
            raise ValueError("the loss or its gradient is not finite, the features being too large: scale them")
        result: Any = minimize_newton(
            objective,
            objective.hessian,
            start,
            max_iterations=settings.max_iter,
            tolerance=settings.tol,
            precision=precision,
        )
        if several:
            result = replace(result, parameters=_balanced(objective, result.parameters, coefs=True))
        self._keep(objective, result, penalised=bool(l2))
        warn_unless_converged(result, settings, stacklevel=4)
        return self

    def predict(self, X: Any) -> Array:
        """The most probable class of each row."""
        return chosen(self.decision_function(X), self.classes_)

    def decision_function(self, X: Any) -> Array:
        """XᵀW + b: the logit of the second class, (n,), or the scores that go into the softmax, (n, n_classes)."""
        check_is_fitted(self)
        rows = rows_to_predict(self, X)
        scores = np.asarray(safe_sparse_dot(rows, self.coef_.T, dense_output=True) + self.intercept_)
        return scores.ravel() if scores.shape[1] == 1 else scores

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, n_classes), in the order of ``classes_``."""
        from scipy.special import expit, softmax

        scores = self.decision_function(X)
        if scores.ndim > 1:
            return np.asarray(softmax(scores, axis=1))
        return np.column_stack([expit(-scores), expit(scores)])

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the probabilities, exact where those round to 0."""
        from scipy.special import log_expit, log_softmax

        scores = self.decision_function(X)
        if scores.ndim > 1:
            return np.asarray(log_softmax(scores, axis=1))
        return np.column_stack([log_expit(-scores), log_expit(scores)])

    @property
    def inference_(self) -> Inference:
        """Standard errors and what follows from them."""
        check_is_fitted(self)
        if self._inference is None:
            raise AttributeError(self._why_no_inference)
        return self._inference

    @property
    def standard_errors_(self) -> Array:
        return self.inference_.standard_errors[:, : self.n_features_in_]

    @property
    def wald_(self) -> Array:
        return self.inference_.statistics[:, : self.n_features_in_]

    @property
    def p_values_(self) -> Array:
        return self.inference_.p_values[:, : self.n_features_in_]

    def summary(self) -> str:
        """The fit as text: likelihood, and for each coefficient its standard error, z, p-value and interval.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> print(LogisticRegression(C=np.inf, solver="newton", tol=1e-8).fit(X[50:, 2:], y[50:]).summary())
        Logistic regression by maximum likelihood: 100 rows, classes 1 and 2, log-likelihood -10.28
                           coef     std err           z       P>|z|      [0.025      0.975]
        x0                5.755       2.306       2.496     0.01258       1.235       10.27
        x1                10.45       3.756       2.782    0.005409       3.086       17.81
        intercept        -45.27       13.61      -3.326    0.000881      -71.95      -18.59
        """
        check_is_fitted(self)
        classes = [str(c) for c in self.classes_]
        named = f"{', '.join(classes[:-1])} and {classes[-1]}"
        title = (
            f"Logistic regression {'with a penalty' if self._is_penalised else 'by maximum likelihood'}: "
            f"{self._rows} rows, classes {named}, log-likelihood {self.log_likelihood_:.2f}"
        )
        names = [*getattr(self, "feature_names_in_", [f"x{j}" for j in range(self.n_features_in_)])]
        names += ["intercept"] * self.fit_intercept
        outputs = [""] if len(self.classes_) == 2 else [f"class {c}" for c in classes]
        if self._inference is not None:
            return self._inference.text([title], names, outputs)
        coef = self.coef_.toarray() if hasattr(self.coef_, "toarray") else self.coef_
        rows = np.column_stack([coef, *([self.intercept_[:, None]] if self.fit_intercept else [])])
        blank = Inference(rows, np.full(rows.shape, np.nan), np.zeros((0, 0)))
        return blank.text([title, self._why_no_inference], names, outputs)

    def _checked_settings(self) -> tuple[Settings, float]:
        """What the solver is told, and the L2 penalty's strength times the sum of weights; the L1's likewise."""
        solver = SAME_OPTIMUM.get(self.solver, self.solver) if isinstance(self.solver, str) else self.solver
        if solver == "liblinear":
            raise ValueError(
                "solver='liblinear' is not here: it penalises the intercept. "
                f"Take one of {', '.join(SOLVERS)}; 'lbfgs' takes L1 penalties too"
            )
        check_choice("solver", solver, SOLVERS)
        if self.penalty is not None and not (isinstance(self.penalty, str) and self.penalty in PENALTIES):
            raise ValueError(f"penalty must be l2, l1, elasticnet or None, got {self.penalty!r}")
        if not (isinstance(self.C, float | np.floating) and np.isposinf(self.C)):
            check_number("C", self.C, 0, low_open=True)
        ratio = check_number("l1_ratio", 0.0 if self.l1_ratio is None else self.l1_ratio, 0, 1)
        check_number("tol", self.tol, 0)
        check_number("delta", self.delta, 0)
        check_integer("max_iter", self.max_iter)
        check_integer("batch_size", self.batch_size)
        for flag in ("fit_intercept", "warm_start", "keep_path", "dual"):
            check_flag(flag, getattr(self, flag))
        if self.dual:
            raise ValueError("dual=True is for liblinear, which is not here: take dual=False")
        ratio = {"l1": 1.0, "l2": 0.0}.get(str(self.penalty), ratio)
        total = 0.0 if self.penalty is None or np.isposinf(self.C) else 1 / float(self.C)
        settings = Settings(
            solver,
            int(self.max_iter),
            float(self.tol),
            self.learning_rate,
            float(self.delta),
            int(self.batch_size),
            check_random_state(self.random_state) if solver == "sgd" else None,
            total * ratio,
            self.keep_path,
        )
        return settings, total * (1 - ratio)

    def _row_weights(self, x: Any, y: Any, target: Array, sample_weight: Any) -> Array | None:
        weights = checked_weights(sample_weight, x)
        if self.class_weight is None:
            return weights
        # The classes stand for the labels, which are encoded already.
        labels = self.classes_[target]
        by_class = compute_class_weight(self.class_weight, classes=self.classes_, y=labels, sample_weight=weights)
        rows = by_class[target]
        return rows if weights is None else rows * weights

    def _start(self, objective: Objective) -> Array:
        """Zeros, or what the last fit found where it is gone on with."""
        shape = (objective.outputs, objective.inputs)
        if self.warm_start and getattr(self, "coef_", np.zeros(0)).shape == shape:
            return objective.pack(self.coef_.T, self.intercept_)
        return np.zeros(objective.size)

    def _is_finite_at(self, objective: Objective, start: Array) -> bool:
        # A row that is not finite makes the gradient so: no look at the data of its own is needed.
        loss, slope = objective(start)
        # Second derivatives have the features' squares in them.
        with np.errstate(over="ignore"):
            square = np.square(slope * objective.total_weight).sum()
        return bool(np.isfinite(loss)) and all_finite(slope) and bool(square <= LARGEST)

    def _keep(self, objective: Objective, result: Any, penalised: bool) -> None:
        coef, intercept = objective.unpack(result.parameters)
        self.coef_, self.intercept_ = coef.T.astype(objective.dtype), np.array(intercept, objective.dtype)
        self.n_iter_ = np.array([result.n_iterations], np.int32)
        self.loss_curve_ = result.losses
        self._rows = objective.rows
        penalty = 0.5 * objective.l2 * float(np.square(coef).sum())
        self.log_likelihood_ = -(objective.value(result.parameters) - penalty) * objective.total_weight
        self._why_no_inference = (
            "Standard errors are those of an unpenalised fit, and a penalty pulls coefficients from the maximum of the "
            "likelihood: fit with C=np.inf for them."
        )
        self._inference, self._is_penalised = None, penalised
        if objective.size > MOST_PARAMETERS:
            self._why_no_inference = (
                f"Standard errors are for up to {MOST_PARAMETERS} parameters, whose square matrix they need; "
                f"got {objective.size}."
            )
        elif not penalised:
            self._inference = _inference(objective, result.parameters)
        if isinstance(result, DescentResult):
            self.ended_ = result.ended
            if result.path is not None:
                self.path_ = result.path

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _balanced(objective: Objective, parameters: Array, coefs: bool) -> Array:
    """The same probabilities by parameters that add up to 0 over the classes, where a softmax leaves them free."""
    coef, intercept = objective.unpack(parameters)
    coef = coef - coef.mean(axis=1, keepdims=True) if coefs else coef
    return objective.pack(coef, intercept - intercept.mean())


def _inference(objective: Objective, parameters: Array) -> Inference:
    """From the observed information, Σᵢ sᵢ·∂²(−log p(yᵢ | xᵢ))/∂θ∂θᵀ."""
    outputs, information = objective.outputs, objective.hessian(parameters) * objective.total_weight
    covariance, free = covariance_of(information, outputs, symmetric=outputs > 1)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0))
    errors[free] = np.nan
    # From (inputs, outputs) to a row for each output, as coef_ is.
    order = np.arange(objective.size).reshape(-1, outputs).T.ravel()
    shape = (outputs, objective.size // outputs)
    return Inference(parameters[order].reshape(shape), errors[order].reshape(shape), covariance[np.ix_(order, order)])
