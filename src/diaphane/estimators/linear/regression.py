"""Linear regression and ridge: the squared error, in closed form or by descent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ...data.streams import Stream
from ...graph.node import Array
from ...training.streaming import refuse_beside_stream
from ..inputs import rows_to_predict
from ..parameters import check_choice, check_flag, check_integer, check_number
from .inference import MOST_PARAMETERS, Inference, covariance_of
from .inputs import checked_weights, refuse_overflow
from .least_squares import Moments, Solution, least_squares, nonnegative, ridge_by_gram, ridge_by_svd, squared_residuals
from .objective import Objective
from .solving import Settings, solve, warn_unless_converged
from .streamed import note_columns
from .streamed_moments import StreamMoments, solved

__all__ = ["LinearRegression", "Ridge"]

RIDGE_SOLVERS = ("auto", "cholesky", "svd", "lbfgs", "gd", "sgd")
SAME_OPTIMUM = {"lsqr": "auto", "sparse_cg": "auto", "sag": "auto", "saga": "auto"}
"""scikit-learn's names of other ways to the same optimum."""


class _LinearRegressor(RegressorMixin, MultiOutputMixin, BaseEstimator):
    """Numbers as XᵀW + b; not for direct use."""

    def predict(self, X: Any) -> Array:
        """XᵀW + b: (n,), or (n, targets) as y was."""
        check_is_fitted(self)
        return np.asarray(rows_to_predict(self, X) @ self.coef_.T + self.intercept_)

    def _checked(self, x: Any, y: Any, sample_weight: Any) -> tuple[Any, Array, Array | None]:
        """Rows, targets (n, targets) and weights."""
        sparse = False if self.positive else ["csr", "csc"]
        x, y = validate_data(
            self, x, y, accept_sparse=sparse, dtype=[np.float64, np.float32], multi_output=True, y_numeric=True
        )
        refuse_overflow("X", x)
        refuse_overflow("y", y)
        self._several = y.ndim > 1
        return x, y.reshape(len(y), -1).astype(x.dtype, copy=False), checked_weights(sample_weight, x)

    def _keep(self, coef: Array, intercept: Array, dtype: Any) -> None:
        """From (inputs, targets) and (targets,) to scikit-learn's shapes."""
        coef, intercept = coef.T.astype(dtype), intercept.astype(dtype)
        self.coef_ = coef if self._several else coef[0]
        self.intercept_: Any = 0.0
        if self.fit_intercept:
            self.intercept_ = intercept if self._several else intercept[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not self.positive
        return tags


class LinearRegression(_LinearRegressor):
    """Least squares: W and b that minimise Σᵢ sᵢ·‖yᵢ − xᵢᵀW − b‖² (Legendre 1805, Gauss 1809), in closed form.

    It is the maximum of the likelihood where the errors are normal with one variance. Parameters, defaults, attributes
    and meanings are those of :class:`sklearn.linear_model.LinearRegression`.

    Parameters
    ----------
    fit_intercept : bool, default True
    copy_X : bool, default True
        Accepted as there; X is never written to.
    tol : float, default 1e-6
        Singular values below this share of the largest count as 0; the precision of LSQR for sparse matrices.
    n_jobs
        Accepted as there.
    positive : bool, default False
        Coefficients of at least 0 (Lawson & Hanson 1974). Dense data only.

    Attributes
    ----------
    coef_, intercept_, n_features_in_, feature_names_in_, rank_, singular_
        As in scikit-learn.
    residual_variance_ : float or ndarray, shape (targets,)
        σ̂² = Σᵢ sᵢ·(yᵢ − ŷᵢ)² / (n − rank), n being the rows with a weight.
    standard_errors_, t_, p_values_ : ndarray, shape of coef_
        √ of the diagonal of σ̂²·(X̃ᵀSX̃)⁻¹, X̃ being X with a column of ones; θ̂/se; and P(|t| at least as large) if θ
        were 0, with n − rank degrees of freedom. NaN for coefficients of collinear columns.
    inference_ : Inference
        The same with the intercept, and with covariance and intervals.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([2.0, 3.0, 2.0, 5.0])
    >>> model = LinearRegression().fit(X, y)
    >>> print(model.summary())
    Linear regression by least squares: 4 rows, 2 degrees of freedom, residual variance 1.4
                       coef     std err           t       P>|t|      [0.025      0.975]
    x0                  0.8      0.5292       1.512      0.2697      -1.477       3.077
    intercept             1       1.449      0.6901      0.5615      -5.235       7.235
    """

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        tol: float = 1e-6,
        n_jobs: Any = None,
        positive: bool = False,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> LinearRegression:
        """Learn from rows and their numbers.

        Parameters
        ----------
        X : array, frame or sparse matrix, shape (n, n_features)
            Or a :class:`~diaphane.data.Stream` of rows that memory does not hold, gone over once.
        y : array, shape (n,) or (n, targets)
            Not beside a stream.
        sample_weight : array, shape (n,), optional
            At least 0, not all 0.

        Raises
        ------
        ValueError
            For NaN or infinity in the data, and for numbers whose squares overflow.
        """
        for flag in ("fit_intercept", "copy_X", "positive"):
            check_flag(flag, getattr(self, flag))
        check_number("tol", self.tol, 0)
        if isinstance(X, Stream):
            refuse_beside_stream(y=y, sample_weight=sample_weight)
            return self._fit_stream(X)
        x, target, weights = self._checked(X, y, sample_weight)
        if self.positive:
            found = nonnegative(x, target, weights, self.fit_intercept)
        else:
            found = least_squares(x, target, weights, self.fit_intercept, self.tol)
        if found.rank is not None and found.singular is not None:
            self.rank_, self.singular_ = found.rank, found.singular
        self._keep(found.coef, found.intercept, x.dtype)
        self._infer(x, target, weights, found)
        return self

    @property
    def inference_(self) -> Inference:
        """Standard errors and what follows from them."""
        check_is_fitted(self)
        if self._inference is None:
            raise AttributeError(self._why_no_inference)
        return self._inference

    @property
    def standard_errors_(self) -> Array:
        return self._of_coef(self.inference_.standard_errors)

    @property
    def t_(self) -> Array:
        return self._of_coef(self.inference_.statistics)

    @property
    def p_values_(self) -> Array:
        return self._of_coef(self.inference_.p_values)

    def summary(self) -> str:
        """The fit as text: for each coefficient its standard error, t, p-value and interval."""
        inference = self.inference_
        variances = ", ".join(f"{v:.4g}" for v in np.atleast_1d(self.residual_variance_))
        title = (
            f"Linear regression by least squares: {self._rows} rows, {inference.degrees:.0f} degrees of freedom, "
            f"residual variance {variances}"
        )
        names = [*getattr(self, "feature_names_in_", [f"x{j}" for j in range(self.n_features_in_)])]
        names += ["intercept"] * self.fit_intercept
        outputs = [f"target {k}" for k in range(len(inference.estimates))] if self._several else [""]
        return inference.text([title], names, outputs)

    def _of_coef(self, values: Array) -> Array:
        values = values[:, : self.n_features_in_]
        return values if self._several else values[0]

    def _fit_stream(self, stream: Stream) -> LinearRegression:
        if self.positive:
            raise ValueError("positive=True needs all rows in memory; a stream takes positive=False")
        note_columns(self, stream)
        sums = StreamMoments.of(stream, self.fit_intercept)
        found = solved(sums.moments, float(self.tol))
        assert found.rank is not None
        assert found.singular is not None
        self._several, self._rows = sums.several, sums.counted
        self._inference: Inference | None = None
        self.rank_, self.singular_ = found.rank, found.singular
        self._keep(found.coef, found.intercept, stream.dtype)
        if stream.n_features > MOST_PARAMETERS:
            self._why_no_inference = f"Standard errors are for up to {MOST_PARAMETERS} features."
        else:
            self._infer_from(sums.moments, found, lambda: sums.squared_residuals(found))
        return self

    def _infer(self, x: Any, target: Array, weights: Array | None, found: Solution) -> None:
        self._inference, inputs = None, x.shape[1]
        self._rows = int(x.shape[0] if weights is None else np.count_nonzero(weights))
        if self.positive:
            self._why_no_inference = "Standard errors are those of an unconstrained fit: take positive=False for them."
            return
        if inputs > MOST_PARAMETERS:
            self._why_no_inference = f"Standard errors are for up to {MOST_PARAMETERS} features, got {inputs}."
            return
        moments = Moments.of(x, target, weights, self.fit_intercept)
        self._infer_from(moments, found, lambda: squared_residuals(x, target, weights, found))

    def _infer_from(self, moments: Moments, found: Solution, squares: Callable[[], Array]) -> None:
        covariance, free = covariance_of(moments.gram)
        rank = int(np.linalg.matrix_rank(moments.gram, hermitian=True)) if found.rank is None else found.rank
        degrees = self._rows - rank - int(self.fit_intercept)
        if degrees < 1:
            self._why_no_inference = (
                f"Standard errors need more rows than parameters, got {self._rows} for {self._rows - degrees}."
            )
            return
        variance = squares() / degrees
        self.residual_variance_ = variance if self._several else float(variance[0])
        errors = np.sqrt(np.maximum(np.diag(covariance), 0))
        errors[free] = np.nan
        if self.fit_intercept:
            # b = ȳ − x̄ᵀw: its variance is σ²·(1/Σs + x̄ᵀ·C·x̄), and its covariance with w −σ²·C·x̄.
            across = -covariance @ moments.x_mean
            own = 1 / moments.total - moments.x_mean @ across
            covariance = np.block([[covariance, across[:, None]], [across[None, :], np.array([[own]])]])
            errors = np.append(errors, np.sqrt(own))
        rows = np.column_stack([found.coef.T, *([found.intercept] if self.fit_intercept else [])])
        self._inference = Inference(
            rows, np.sqrt(variance)[:, None] * errors, np.kron(np.diag(variance), covariance), float(degrees)
        )


class Ridge(_LinearRegressor):
    """Least squares with an L2 penalty: Σᵢ sᵢ·‖yᵢ − xᵢᵀW − b‖² + α·‖W‖² (Hoerl & Kennard 1970).

    Parameters, defaults, attributes and meanings are those of :class:`sklearn.linear_model.Ridge`. Further ones come
    last.

    Parameters
    ----------
    alpha : float or array, shape (targets,), default 1
    fit_intercept, copy_X, positive, random_state
        As in scikit-learn; X is never written to.
    max_iter : int, optional
        Iterations of ``"lbfgs"`` (15000 by default), of ``"gd"`` (1000), epochs of ``"sgd"`` (1000).
    tol : float, default 1e-4
        ``"lbfgs"`` ends where no component of the gradient of the mean loss is larger, of columns as they are and of
        columns of one size; ``"sgd"`` where the mean loss is above its minimum by no more.
    solver : {"auto", "cholesky", "svd", "lbfgs", "gd", "sgd"}, default "auto"
        ``"cholesky"`` solves (XᵀX + αI)·W = XᵀY; ``"svd"`` is slower and stays exact where X is nearly singular;
        ``"lbfgs"``, ``"gd"`` (gradient descent on all the data) and ``"sgd"`` (mini-batches) descend the mean loss and
        never hold more than a block of rows. ``"auto"`` is cholesky. scikit-learn's other names mean ``"auto"``: the
        optimum is the same.
    learning_rate, delta, batch_size
        Of ``"gd"`` and ``"sgd"``, as for :class:`LogisticRegression`.
    engine : str or Engine, default "native"
        That ``"lbfgs"``, ``"gd"`` and ``"sgd"`` compute with.

    Attributes
    ----------
    coef_, intercept_, n_iter_, solver_, n_features_in_, feature_names_in_
        As in scikit-learn; ``n_iter_`` is 1 in closed form.
    loss_curve_ : list of float
        For solvers with iterations: ½·mean squared error and penalty after each.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[-1.0], [0.0], [1.0]]), np.array([-1.0, 0.0, 1.0])
    >>> print(Ridge(alpha=2.0).fit(X, y).coef_, Ridge(alpha=2.0, solver="lbfgs").fit(X, y).coef_.round(6))
    [0.5] [0.5]
    """

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 1e-4,
        solver: str = "auto",
        positive: bool = False,
        random_state: Any = None,
        learning_rate: Any = None,
        delta: float = 1e-10,
        batch_size: int = 32,
        engine: Any = "native",
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.delta = delta
        self.batch_size = batch_size
        self.engine = engine

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Ridge:
        """Learn from rows and their numbers.

        Parameters
        ----------
        X : array, frame or sparse matrix, shape (n, n_features)
        y : array, shape (n,) or (n, targets)
        sample_weight : float or array, shape (n,), optional
            At least 0, not all 0.

        Raises
        ------
        ValueError
            For NaN or infinity in the data, and for numbers whose squares overflow; for parameters out of their range.
        DivergenceError
            By ``"sgd"``, if the loss becomes NaN or infinite.
        """
        solver = self._checked_solver()
        x, target, weights = self._checked(X, y, sample_weight)
        alphas = self._alphas(target.shape[1])
        self.n_iter_ = 1
        if solver in ("cholesky", "svd"):
            by = ridge_by_gram if solver == "cholesky" else ridge_by_svd
            found = by(x, target, weights, self.fit_intercept, alphas)
            self.solver_ = found.solver
        else:
            found = self._descend(x, target, weights, alphas, solver)
            self.solver_ = solver
        self._keep(found.coef, found.intercept, x.dtype)
        if self._several and target.shape[1] == 1:
            # scikit-learn's shape of a ridge with one column of targets.
            self.coef_ = self.coef_[0]
        return self

    def _descend(self, x: Any, target: Array, weights: Array | None, alphas: Array, solver: str) -> Solution:
        if len(set(alphas.tolist())) > 1:
            raise ValueError(
                f"solver={solver!r} takes one alpha for all targets, got {self.alpha!r}: solver='cholesky'"
            )
        objective = Objective(
            "half_squared_error",
            x.tocsr() if hasattr(x, "tocsr") else x,
            target,
            weights,
            outputs=target.shape[1],
            fit_intercept=self.fit_intercept,
            dtype=x.dtype,
            engine=self.engine,
        )
        objective.l2 = float(alphas[0]) / objective.total_weight
        settings = Settings(
            solver,
            self.max_iter if self.max_iter is not None else 15000 if solver == "lbfgs" else 1000,
            float(self.tol),
            self.learning_rate,
            float(self.delta),
            int(self.batch_size),
            check_random_state(self.random_state) if solver == "sgd" else None,
            positive=self.positive,
        )
        result = solve(objective, np.zeros(objective.size), settings)
        warn_unless_converged(result, settings, stacklevel=4)
        self.n_iter_, self.loss_curve_ = result.n_iterations, result.losses
        return Solution(*objective.unpack(result.parameters))

    def _checked_solver(self) -> str:
        for flag in ("fit_intercept", "copy_X", "positive"):
            check_flag(flag, getattr(self, flag))
        check_number("tol", self.tol, 0)
        check_number("delta", self.delta, 0)
        check_integer("batch_size", self.batch_size)
        if self.max_iter is not None:
            check_integer("max_iter", self.max_iter)
        solver = SAME_OPTIMUM.get(self.solver, self.solver) if isinstance(self.solver, str) else self.solver
        check_choice("solver", solver, RIDGE_SOLVERS)
        if self.positive and solver not in ("auto", "lbfgs"):
            raise ValueError(f"solver={self.solver!r} does not support positive=True: take 'auto' or 'lbfgs'")
        if solver == "auto":
            return "lbfgs" if self.positive else "cholesky"
        return solver

    def _alphas(self, targets: int) -> Array:
        alphas = np.ravel(np.asarray(self.alpha, np.float64))
        if not np.all(np.isfinite(alphas)) or np.any(alphas < 0):
            raise ValueError(f"alpha must be a finite number of at least 0, got {self.alpha!r}")
        if len(alphas) not in (1, targets):
            raise ValueError(f"alpha has {len(alphas)} numbers for {targets} targets: give one, or one for each")
        return np.broadcast_to(alphas, targets)
