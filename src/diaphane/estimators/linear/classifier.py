"""Linear classifiers by a convex loss, a penalty and a solver, each of one's choice."""

from __future__ import annotations

import sys
import warnings
from typing import Any, NoReturn

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import assert_all_finite, check_is_fitted

from ...data.streams import Stream
from ...engines.native.threads import one_blas_thread
from ...engines.online import OnlineRule
from ...graph.node import Array
from ...nn.losses import Loss, find_loss
from ...optim import (
    OPTIMIZERS,
    MinimizationResult,
    Optimizer,
    find_optimizer,
    minimize_gradient_descent,
    minimize_lbfgs,
)
from ...training import Callback, DivergenceError, EarlyStopping, TrainingRun
from ...training.streaming import refuse_beside_stream
from ..parameters import check_choice, check_integer, check_number
from ..solvers import formula_of
from .inputs import checked_weights, compute_dtype, refuse_nonfinite
from .objective import Objective
from .online import OnlineClassifier
from .passes import Stopping
from .smoothing import WIDTHS, smooth_hinge
from .stochastic import LayerPlan, layer_of
from .streamed import OverflowedPass, classes_of, learn_stream, note_columns

__all__ = ["LINEAR_LOSSES", "LinearClassifier"]

LINEAR_LOSSES = {
    "perceptron": "perceptron",
    "hinge": "hinge",
    "squared_hinge": "squared_hinge",
    "squared_error": "half_squared_error",
    "logistic": "binary_cross_entropy",
}
"""The graph's loss for each name."""

FULL = ("gd", "lbfgs")
SCHEDULES = ("optimal", "constant", "invscaling", "adaptive")

AT_THE_MARGIN = 1e-3
"""A margin of 1 to this much counts as 1: solvers end near it on either side. It is LIBSVM's too."""

STALLED = 0.05
"""The share of the first slope that may be left where no step helps: kinks and float32 leave some."""

STEEP = 1e6
"""A slope that features of a usual size do not have."""

FEW_NUMBERS = 10_000_000
"""Data of no more have their support vectors copied."""


def _has_probabilities(estimator: Any) -> bool:
    if estimator.loss != "logistic":
        raise AttributeError(f"probabilities are only there for loss='logistic', not {estimator.loss!r}")
    return True


def _is_online(estimator: Any) -> bool:
    if not estimator._one_at_a_time:
        raise AttributeError(
            f"partial_fit is only there for solver='sgd' with one example at a time, not solver={estimator.solver!r}, "
            f"batch_size={estimator.batch_size!r}"
        )
    return True


class LinearClassifier(OnlineClassifier):
    """w·x + b above 0 or not: what is least is the mean loss and a penalty,

        Σᵢ sᵢ·loss(w·xᵢ + b, yᵢ) / Σᵢ sᵢ + alpha·(l1_ratio·‖w‖₁ + (1 − l1_ratio)·½·‖w‖²),    y = ±1.

    The names and meanings of :class:`sklearn.linear_model.SGDClassifier` hold for what it has too: with
    ``solver="sgd"`` the same ``random_state`` gives the same weights. Further ones come last. (Weights of examples are
    relative here: ones that are all 2 change nothing. For sparse rows the intercept moves as much as for dense ones.)
    Of more than two classes each is told from the rest.

    Parameters
    ----------
    loss : str or callable, default "hinge"
        ``perceptron`` max(0, −y·a); ``hinge`` max(0, 1 − y·a), the support vector machine's (Cortes & Vapnik 1995);
        ``squared_hinge`` its square; ``squared_error`` ½·(a − y)²; ``logistic`` log(1 + e^(−y·a)); or a function from
        scores and targets ±1, nodes of shape (N, outputs), to one number an example, for solvers but one at a time.
    penalty : {"l2", "l1", "elasticnet", None}, default "l2"
    alpha : float, default 1e-4
    l1_ratio : float, default 0.15
        The L1 part of ``"elasticnet"``.
    fit_intercept : bool, default True
        It is not penalised.
    max_iter : int, default 1000
        Epochs or iterations at most.
    tol : float or None, default 1e-3
        Stochastic solvers end after ``n_iter_no_change`` epochs that did not better the objective by as much, ``"gd"``
        where an iteration changes it by no more, ``"lbfgs"`` where no component of the gradient is larger; None: never
        for that.
    shuffle : bool, default True
    verbose : int, default 0
    n_jobs : int or None
        Classes that are told from the rest at the same time, on threads, by ``"sgd"`` one at a time.
    random_state : int, RandomState or None
    learning_rate : {"optimal", "constant", "invscaling", "adaptive"}, default "optimal"
        Of ``"sgd"`` one at a time: 1/(alpha·(t₀ + t − 1)); eta0; eta0/t^power_t; eta0, divided by 5 whenever ``tol``
        was not gained.
    eta0 : float, default 0.01
        Also the optimizers' learning rate.
    power_t : float, default 0.5
    early_stopping, validation_fraction, n_iter_no_change
        As in scikit-learn, for solvers with epochs.
    class_weight : dict, "balanced" or None
    warm_start : bool, default False
    average : bool or int, default False
        Predict by the mean of the weights over the steps of ``"sgd"`` one at a time, from that many examples on.
    solver : str or Optimizer, default "sgd"
        ``sgd``, or any other of :data:`diaphane.optim.OPTIMIZERS`; ``gd``, descent on all the data with an exact line
        search (Cauchy 1847); ``lbfgs``, which takes L1 penalties exactly. For these two the hinge's kink is rounded
        off, in stages, until the mean loss is off by 5·10⁻⁶ at most.
    batch_size : int or "auto"
        Of stochastic solvers: 1 for ``"sgd"`` (one example at a time, by a kernel that reads each row once), at most
        200 for optimizers.
    engine : str or Engine, default "native"
    dtype : float32, float64 or None
        Of the computation; by default float32 for float32 data and whole numbers of 8 or 16 bits, and float64 for
        others, so that no data are rounded.

    Attributes
    ----------
    classes_, coef_, intercept_, n_features_in_, feature_names_in_, n_iter_, t_
        As in scikit-learn.
    loss_curve_ : list of float
        The objective of each epoch or iteration; with ``"sgd"`` one at a time and more than two classes, a list each.
    margin_ : float or ndarray, shape (n_classes,)
        For ``"hinge"``: 1/‖w‖, the distance from the hyperplane to where y·(w·x + b) = 1.
    support_ : ndarray of int, or a list of one for each class
        For ``"hinge"``: the rows with y·(w·x + b) ≤ 1, which alone keep the hyperplane where it is.
    support_vectors_ : array or list of them
        Those rows, of data of up to 10⁷ numbers.

    Examples
    --------
    >>> X, y = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [4.0, 1.0]]), [-1, -1, 1, 1]
    >>> model = LinearClassifier("hinge", alpha=1e-3, solver="lbfgs", tol=1e-8).fit(X, y)
    >>> model.coef_.round(3) + 0.0, model.intercept_.round(3), round(model.margin_, 3), model.support_
    (array([[1., 0.]]), array([-2.]), 1.0, array([1, 2]))
    """

    def __init__(
        self,
        loss: Any = "hinge",
        *,
        penalty: Any = "l2",
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: Any = 1e-3,
        shuffle: bool = True,
        verbose: Any = 0,
        n_jobs: Any = None,
        random_state: Any = None,
        learning_rate: str = "optimal",
        eta0: float = 0.01,
        power_t: float = 0.5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
        warm_start: bool = False,
        average: Any = False,
        solver: Any = "sgd",
        batch_size: Any = "auto",
        engine: Any = "native",
        dtype: Any = None,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average
        self.solver = solver
        self.batch_size = batch_size
        self.engine = engine
        self.dtype = dtype

    def fit(
        self, X: Any, y: Any = None, coef_init: Any = None, intercept_init: Any = None, sample_weight: Any = None
    ) -> LinearClassifier:
        """Learn from rows and their classes.

        Parameters
        ----------
        X : array, frame or sparse matrix, shape (n, n_features)
            Or a :class:`~diaphane.data.Stream` of rows that memory does not hold, for ``"sgd"`` one at a time: an epoch
            is a pass over it, and weights are taken as they are.
        y : array, shape (n,)
            Labels of any kind; not beside a stream.
        coef_init, intercept_init : array, optional
            The first weights; zeros by default.
        sample_weight : array, shape (n,), optional

        Raises
        ------
        ValueError
            For NaN or infinity in the data, labels all alike, parameters out of their range; and where the weights
            overflow, the last good ones kept.
        """
        if isinstance(X, Stream):
            refuse_beside_stream(y=y, sample_weight=sample_weight)
            return self._fit_stream(X, coef_init, intercept_init)
        self._check_parameters(incremental=False)
        goes_on = self.warm_start and hasattr(self, "coef_")
        x, target = self._read(X, y)
        weights = self._row_weights(target, checked_weights(sample_weight, x))
        if weights is not None:
            weights = weights * (len(weights) / weights.sum())
        if goes_on:
            coef_init = self.coef_ if coef_init is None else coef_init
            intercept_init = self.intercept_ if intercept_init is None else intercept_init
        states = self._first_states(x, coef_init, intercept_init)
        if self._one_at_a_time:
            adaptive = self.learning_rate == "adaptive"
            stopping = Stopping(self.max_iter, self.tol, self.n_iter_no_change, adaptive=adaptive)
            found = self._learn(x, target, weights, states, stopping)
            self._keep(found)
            converged = all(p.converged for p in found)
        else:
            coef = np.stack([s.weights for s in states])
            intercept = np.array([s.intercept for s in states])
            whole = self.solver in FULL if isinstance(self.solver, str) else False
            converged = (self._fit_whole if whole else self._fit_batches)(x, target, weights, coef, intercept)
        self._find_support(x, target)
        if not converged and self.tol is not None:
            warnings.warn(
                f"max_iter={self.max_iter} was reached before tol={self.tol:g} was. Raise max_iter or tol, or scale "
                "the data, see scikit-learn's StandardScaler.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _fit_stream(self, stream: Stream, coef_init: Any, intercept_init: Any) -> LinearClassifier:
        self._check_parameters(incremental=True)
        if not self._one_at_a_time:
            raise ValueError(
                f"a stream is learnt one example at a time: solver='sgd' and batch_size='auto', not "
                f"solver={self.solver!r}, batch_size={self.batch_size!r}"
            )
        note_columns(self, stream)
        self.classes_ = classes_of(stream)
        if self.warm_start and hasattr(self, "coef_"):
            coef_init = self.coef_ if coef_init is None else coef_init
            intercept_init = self.intercept_ if intercept_init is None else intercept_init
        states = self._first_states(np.empty((0, stream.n_features), stream.dtype), coef_init, intercept_init)
        adaptive = self.learning_rate == "adaptive"
        stopping = Stopping(self.max_iter, self.tol, self.n_iter_no_change, adaptive=adaptive)
        self.__dict__.pop("_support", None)
        try:
            self._keep(learn_stream(self, stream, states, stopping))
        except OverflowedPass as stopped:
            self._keep(stopped.passes)
            raise
        return self

    @available_if(_is_online)
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> LinearClassifier:
        """One epoch over some rows, going on from where the last one ended.

        Parameters
        ----------
        X, y
            As for :meth:`fit`.
        classes : array, optional
            All there will be; needed at the first call.
        sample_weight : array, shape (n,), optional
            As they are, since others are yet to come.

        Raises
        ------
        ValueError
            As for :meth:`fit`, and for a class that is not among ``classes``.
        """
        self._check_parameters(incremental=True)
        x, target = self._read_more(X, y, classes)
        weights = self._row_weights(target, checked_weights(sample_weight, x))
        states = self._states_to_go_on_from(x) if hasattr(self, "coef_") else self._first_states(x)
        self._keep(self._learn(x, target, weights, states, Stopping(1)))
        return self

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, n_classes): σ(w·x + b), divided by their sum for more than two classes."""
        return np.asarray(self._predict_proba_lr(X))

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the probabilities; of two classes exact where those round to 0."""
        scores = self.decision_function(X)
        if scores.ndim > 1:
            with np.errstate(divide="ignore"):
                return np.log(self.predict_proba(X))
        return np.column_stack([-np.logaddexp(0, scores), -np.logaddexp(0, -scores)])

    @property
    def margin_(self) -> Any:
        """1/‖w‖."""
        self._refuse_unless_hinge()
        norms = np.linalg.norm(self.coef_, axis=1)
        with np.errstate(divide="ignore"):
            return float(1 / norms[0]) if len(norms) == 1 else 1 / norms

    @property
    def support_(self) -> Any:
        """The rows with y·(w·x + b) ≤ 1."""
        self._refuse_unless_hinge()
        if not hasattr(self, "_support"):
            raise AttributeError("support_ is there after fit, which sees all the data, and not after partial_fit")
        return self._support[0] if len(self._support) == 1 else self._support

    @property
    def support_vectors_(self) -> Any:
        """Those rows themselves."""
        found = self.support_
        if self._support_vectors is None:
            raise AttributeError("of data this large the support vectors are not copied: take X[model.support_]")
        return self._support_vectors[0] if isinstance(found, np.ndarray) else self._support_vectors

    @property
    def _one_at_a_time(self) -> bool:
        return isinstance(self.solver, str) and self.solver == "sgd" and self.batch_size in ("auto", 1)

    def _check_parameters(self, incremental: bool) -> None:
        self._check_online(incremental)
        if not callable(self.loss):
            check_choice("loss", self.loss, tuple(LINEAR_LOSSES))
        if not isinstance(self.solver, Optimizer):
            check_choice("solver", self.solver, (*OPTIMIZERS, *FULL))
        if self.batch_size != "auto":
            check_integer("batch_size", self.batch_size)
        check_choice("learning_rate", self.learning_rate, SCHEDULES)
        check_number("power_t", self.power_t, 0)
        if not isinstance(self.average, bool | np.bool_):
            check_integer("average", self.average, 0)
        if self._one_at_a_time:
            self._check_one_at_a_time()
        else:
            self._check_all_at_once()

    def _check_one_at_a_time(self) -> None:
        if callable(self.loss):
            raise ValueError(
                "a loss of one's own goes through the graph, and not one example at a time: give batch_size=32, say, "
                "or another solver"
            )
        if self.learning_rate == "optimal" and not self.alpha > 0:
            raise ValueError(
                f"alpha must be > 0 for learning_rate='optimal', which is 1/(alpha·(t₀ + t − 1)), got {self.alpha!r}: "
                "take another learning_rate"
            )

    def _check_all_at_once(self) -> None:
        if self.average:
            raise ValueError("average is for solver='sgd' with one example at a time: batch_size=1")
        if self.solver in FULL and self.early_stopping:
            raise ValueError(f"early_stopping looks at a score after each epoch, and solver={self.solver!r} has none")
        if self.solver == "gd" and self._penalties[0]:
            raise ValueError(
                "solver='gd' cannot see the kink of an L1 penalty: take solver='lbfgs', which is exact there"
            )
        if self.loss == "perceptron":
            raise ValueError(
                "loss='perceptron' is least, 0, at w = 0 whatever the data, and that is where descent on its mean "
                "begins and ends: take solver='sgd' with batch_size=1, Rosenblatt's rule, or loss='hinge'"
            )

    def _rules(self) -> list[OnlineRule]:
        l1, l2 = self._penalties
        schedule = "constant" if self.learning_rate == "adaptive" else self.learning_rate
        rule = OnlineRule(
            self.loss,
            l1,
            l2,
            schedule,
            float(self.eta0),
            float(self.alpha),
            float(self.power_t),
            self.fit_intercept,
            int(self.average),
        )
        return [rule] * self._outputs

    @property
    def _outputs(self) -> int:
        return 1 if len(self.classes_) == 2 else len(self.classes_)

    def _row_weights(self, target: Array, sample_weight: Array | None) -> Array | None:
        if self.class_weight is None:
            return sample_weight
        labels = self.classes_[target]
        by_class = compute_class_weight(self.class_weight, classes=self.classes_, y=labels)
        rows = np.asarray(by_class, np.float64)[target]
        return rows if sample_weight is None else rows * sample_weight

    def _graph_loss(self) -> Loss:
        return find_loss(self.loss if callable(self.loss) else LINEAR_LOSSES[self.loss])

    def _signs(self, target: Array, dtype: Any) -> Array:
        """±1 for each row and output, or 0/1 for the likelihood."""
        low = 0 if self.loss == "logistic" else -1
        if self._outputs == 1:
            return np.where(target == 1, dtype.type(1), dtype.type(low))[:, None]
        signs = np.full((len(target), self._outputs), low, dtype)
        signs[np.arange(len(target)), target] = 1
        return signs

    def _fit_whole(self, x: Any, target: Array, weights: Array | None, coef: Array, intercept: Array) -> bool:
        """By all the data at once."""
        dtype = compute_dtype(self.dtype, x)
        signs = self._signs(target, dtype)
        # Of an objective with a kink: one that is smooth, and comes closer to it from stage to stage.
        stages = [smooth_hinge(w) for w in WIDTHS] if self.loss == "hinge" else [self._graph_loss()]
        losses: list[float] = []
        first_slope = 0.0
        for loss in stages:
            objective = Objective(
                loss,
                x,
                signs,
                weights,
                outputs=self._outputs,
                l2=self._penalties[1],
                fit_intercept=self.fit_intercept,
                dtype=dtype,
                engine=self.engine,
            )
            start = objective.pack(coef.T, intercept)
            value, slope = objective(start)
            if not np.isfinite(value) or not np.isfinite(slope).all():
                refuse_nonfinite(self, x)
            with np.errstate(over="ignore"):
                # Descent measures its steps by the slope's square: where that is infinite, none is right.
                if not np.isfinite(slope @ slope):
                    refuse_steps(x, value)
            first_slope = max(first_slope, float(np.abs(slope).max()))
            # A second thread of BLAS would go on spinning between two small products, on the core a block would take.
            with one_blas_thread(sys.maxsize):
                found = self._minimise(objective, start, self.max_iter - len(losses))
            at_its_end = found.converged and self.solver == "lbfgs"
            if not losses and first_slope > STEEP and not (found.loss < value or at_its_end):
                refuse_steps(x, value)
            coef, intercept = objective.unpack(found.parameters)
            coef, losses = coef.T, losses + found.losses
            if self.verbose:
                print(f"{self.solver}: {found.n_iterations} iterations, loss = {found.loss:.8f}. {found.message}")  # noqa: T201
            if len(losses) >= self.max_iter:
                break
        self._keep_weights(coef.astype(dtype), np.array(intercept, dtype), losses)
        # A line search that finds nothing lower has come as far as floating point goes, if it has come far.
        came_down = np.abs(objective(found.parameters)[1]).max() <= STALLED * first_slope
        return bool(found.converged) or (len(losses) < self.max_iter and came_down)

    def _minimise(self, objective: Objective, start: Array, iterations: int) -> MinimizationResult:
        tol, l1 = 0.0 if self.tol is None else float(self.tol), self._penalties[0]
        if self.solver == "gd":
            return minimize_gradient_descent(objective, start, step="exact", delta=tol, n_iter=iterations)
        return minimize_lbfgs(
            objective,
            start,
            max_iterations=iterations,
            max_evaluations=50 * iterations,
            tolerance=tol,
            loss_tolerance=0.0,
            max_line_search=50,
            l1=objective.pack(np.full((objective.inputs, self._outputs), l1), np.zeros(self._outputs)) if l1 else None,
        )

    def _fit_batches(self, x: Any, target: Array, weights: Array | None, coef: Array, intercept: Array) -> bool:
        """By batches and an optimizer."""
        (l1, l2), dtype = self._penalties, compute_dtype(self.dtype, x)
        optimizer = find_optimizer(self.solver) if isinstance(self.solver, str) else self.solver
        if isinstance(self.solver, str):
            optimizer = find_optimizer(self.solver, learning_rate=float(self.eta0))
        plan = LayerPlan(
            x.shape[1],
            self._outputs,
            self._graph_loss(),
            formula_of(optimizer),
            self.fit_intercept,
            l1 > 0,
            l2 > 0,
            dtype.name,
            self.engine,
        )
        layer, signs, validation = layer_of(plan), self._signs(target, dtype), None
        callbacks: list[Callback] = [_Lines()] if self.verbose else []
        if self.early_stopping:
            held = self._held_out(x, target, weights)
            validation = (x[held], signs[held])
            x, signs, weights = x[~held], signs[~held], None if weights is None else weights[~held]
        if self.tol is not None:
            monitor = "validation_score" if self.early_stopping else "loss"
            patience = self.n_iter_no_change - 1
            callbacks.append(EarlyStopping(monitor, patience, float(self.tol), restore_best=False))
        settings = {
            "batch_size": min(200, len(signs)) if self.batch_size == "auto" else min(self.batch_size, len(signs)),
            "epochs": self.max_iter,
            "shuffle": self.shuffle,
            "callbacks": callbacks,
            "random_state": check_random_state(self.random_state),
            "metrics": {"score": _share_right} if self.early_stopping else {},
        }
        try:
            result = layer.fit(optimizer, (x, signs, weights), (coef.T, intercept), (l1, l2), settings, validation)
        except DivergenceError as error:
            values = x.data if hasattr(x, "tocsr") else x
            assert_all_finite(values, input_name="X", estimator_name=type(self).__name__)
            self._keep_weights(*_rows_first(layer.unpack(error.result.state)), error.result.history["loss"])
            raise DivergenceError(
                f"{error} The last good weights are kept. Take a smaller eta0 than {self.eta0}, or scale the data.",
                error.node,
                error.result,
            ) from None
        self._keep_weights(*_rows_first(layer.unpack(result.state)), result.history["loss"])
        return result.history.stopped != "epochs"

    def _keep_weights(self, coef: Array, intercept: Array, losses: list[float]) -> None:
        self.coef_, self.intercept_ = np.ascontiguousarray(coef), intercept
        self.n_iter_, self.loss_curve_ = max(len(losses), 1), list(losses)
        self._states = []

    def _find_support(self, x: Any, target: Array) -> None:
        self.__dict__.pop("_support", None)
        if self.loss != "hinge":
            return
        scores = self._scores(x).reshape(len(target), -1)
        classes = [1] if self._outputs == 1 else range(self._outputs)
        self._support = [
            np.flatnonzero(np.where(target == k, a, -a) <= 1 + AT_THE_MARGIN)
            for k, a in zip(classes, scores.T, strict=True)
        ]
        few = (x.data if hasattr(x, "tocsr") else x).size <= FEW_NUMBERS
        self._support_vectors = [x[rows] for rows in self._support] if few else None

    def _refuse_unless_hinge(self) -> None:
        check_is_fitted(self)
        if self.loss != "hinge":
            raise AttributeError(f"there is a margin, and its support vectors, with loss='hinge', not {self.loss!r}")


def refuse_steps(x: Any, loss: float) -> NoReturn:
    """Say that no step lowers the loss, as happens where its slope and its curvature overflow."""
    values = x.data if hasattr(x, "tocsr") else x
    largest = max(abs(float(values.max())), abs(float(values.min())))
    raise ValueError(
        f"no step lowers the loss from {loss:.3g}, though it has a slope: the features are as large as {largest:.3g}. "
        "Scale them, for example with scikit-learn's StandardScaler"
    )


class _Lines(Callback):
    """A line for each epoch."""

    def on_epoch_end(self, run: TrainingRun) -> None:
        print(f"Epoch {run.epoch}: loss {run.history.last('loss'):.6f}")  # noqa: T201


def _share_right(outputs: Array, signs: Array) -> float:
    """How many examples are told right by the greatest score, or by its sign."""
    if signs.shape[1] == 1:
        return float(np.mean((outputs > 0) == (signs > 0)))
    return float(np.mean(outputs.argmax(axis=1) == signs.argmax(axis=1)))


def _rows_first(pair: tuple[Array, Array]) -> tuple[Array, Array]:
    return pair[0].T, pair[1]
