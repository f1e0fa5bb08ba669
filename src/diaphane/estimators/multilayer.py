"""What MLPClassifier and MLPRegressor share: fitting, in scikit-learn's contract."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..data.streams import Stream
from ..engines import State
from ..graph import Node
from ..graph.node import Array
from ..nn import Network
from ..nn.losses import Loss
from ..optim import Optimizer
from ..training import Callback, DivergenceError, TrainingResult, TrainingStep
from ..training.checkpoints import find_checkpoint
from .inputs import rows_to_predict
from .machine import Machine, Plan, machine_of
from .multilayer_parameters import check_multilayer
from .parameters import hidden_sizes
from .regularisation import regularisation_of
from .solvers import Convergence, InverseScaling, Verbose, choose_optimizer, fit_lbfgs, formula_of

__all__ = ["BaseMLP"]

NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


class BaseMLP(BaseEstimator):
    """The fitting that both estimators share; not for direct use."""

    # What a subclass gives: its targets as a network learns them, its loss and its score.

    def _encode_target(self, y: Any, reset: bool, held_out: bool = False) -> Array:
        raise NotImplementedError

    def _loss_function(self) -> Loss:
        raise NotImplementedError

    def _out_activation(self) -> str:
        raise NotImplementedError

    def _n_outputs(self, target: Array) -> int:
        raise NotImplementedError

    def _raw_score(self, outputs: Array, target: Array, weights: Array | None) -> float:
        raise NotImplementedError

    def _row_weights(self, y: Any, sample_weight: Array | None) -> Array | None:
        return sample_weight

    def _fit(
        self,
        x: Any,
        y: Any,
        sample_weight: Any = None,
        validation_data: Any = None,
        incremental: bool = False,
        resume: bool = False,
    ) -> Any:
        check_multilayer(self, incremental)
        hidden = hidden_sizes(self.hidden_layer_sizes)
        first = self._refuse_other_sizes(hidden, incremental)
        x, y = self._check_rows(x, y, reset=first)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, x)
        target = self._encode_target(y, first)
        weights = self._row_weights(y, sample_weight)
        rng = check_random_state(self.random_state)
        self.n_outputs_ = self._n_outputs(target)
        if first:
            self._start_afresh(x, hidden, rng)
        if self.solver != "lbfgs":
            self._start_curves(first)
        machine = self._machine_to_fit(x.shape[1], hidden)
        start = machine.state(self.coefs_, self.intercepts_)
        validation = None if validation_data is None else self._checked_validation(validation_data)
        if self.solver == "lbfgs":
            self._refuse_epochs(validation, resume)
            self._fit_lbfgs(machine, start, x, target, weights, rng)
        else:
            given = x, target, weights
            self._fit_stochastic(machine, start, given, validation, rng, incremental=incremental, resume=resume)
        self._refuse_non_finite()
        return self

    def _refuse_non_finite(self) -> None:
        if not all(np.isfinite(w).all() for w in (*self.coefs_, *self.intercepts_)):
            raise ValueError(NON_FINITE)

    def _refuse_other_sizes(self, hidden: Sequence[int], incremental: bool = False) -> bool:
        """Whether this fit begins afresh; where it goes on, layers must be as they are."""
        first = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        known = [] if first else [c.shape[1] for c in self.coefs_[:-1]]
        if not first and list(hidden) != known:
            raise ValueError(
                f"hidden_layer_sizes is {list(hidden)} now and the weights to go on from have {known}; "
                "start afresh with fit and warm_start=False"
            )
        return first

    def _refuse_epochs(self, validation: Any, resume: bool) -> None:
        """What only a training by epochs has."""
        asked = {
            "callbacks": self.callbacks,
            "validation_data": validation,
            "schedule": self.schedule,
            "weight_decay": self.weight_decay,
            "checkpoint": self.checkpoint,
            "resume": resume or None,
            "label_smoothing": getattr(self, "label_smoothing", None) or None,
            **{name: getattr(self, name) or None for name in ("l1", "mixup", "averaging", "max_norm")},
            **{name: getattr(self, name) for name in ("clip_norm", "clip_value")},
        }
        found = [name for name, value in asked.items() if value is not None and not (name == "callbacks" and not value)]
        if found:
            raise ValueError(f"solver='lbfgs' has no epochs: {' and '.join(found)} need another solver")

    def _check_rows(self, x: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        numeric = {"y_numeric": True} if isinstance(self, RegressorMixin) else {}
        x, y = validate_data(
            self, x, y, accept_sparse=["csr", "csc"], multi_output=True, dtype="numeric", reset=reset, **numeric
        )
        if x.dtype.kind == "c":
            raise ValueError(f"Complex data not supported: {x.dtype}")
        # Rows are what a batch takes, and a column-wise matrix has to look through all of it for each.
        return (x.tocsr() if hasattr(x, "tocsr") else x), y

    def _compute_dtype(self, x: Any) -> np.dtype[Any]:
        if self.dtype is not None:
            allowed: dict[Any, np.dtype[Any]] = {np.dtype(name): np.dtype(name) for name in ("float32", "float64")}
            try:
                return allowed[np.dtype(self.dtype)]
            except (TypeError, KeyError):
                raise ValueError(f"dtype must be float32, float64 or None, got {self.dtype!r}") from None
        return np.dtype("float64" if x.dtype == np.float64 else "float32")

    def _start_afresh(self, x: Any, hidden: Sequence[int], rng: Any) -> None:
        self._dtype = self._compute_dtype(x).name
        self.n_layers_ = len(hidden) + 2
        self.out_activation_ = self._out_activation()
        self.n_iter_ = self.t_ = 0
        self._optimizer_values: dict[str, Array] = {}
        self._machine: Machine | None = None
        machine = self._machine_to_fit(x.shape[1], hidden)
        self.coefs_, self.intercepts_ = machine.weights(machine.network.initial_state(rng))

    def _start_curves(self, first: bool) -> None:
        """What is kept from epoch to epoch, anew where a former fit was by L-BFGS or watched something else."""
        if first or not hasattr(self, "loss_curve_"):
            self.loss_curve_: list[float] = []
        if first or getattr(self, "best_validation_score_" if self.early_stopping else "best_loss_", None) is None:
            self._no_improvement_count = 0
            self.best_loss_ = None if self.early_stopping else np.inf
            self.validation_scores_: list[float] | None = [] if self.early_stopping else None
            self.best_validation_score_ = -np.inf if self.early_stopping else None

    def _machine_to_fit(self, inputs: int, hidden: Sequence[int]) -> Machine:
        self._note_parts()
        plan = self._plan(inputs, hidden, None if self.solver == "lbfgs" else formula_of(choose_optimizer(self)))
        found: Machine | None = getattr(self, "_machine", None)
        if found is None or found.plan != plan:
            self._machine = found = machine_of(plan)
        return found

    def _note_parts(self) -> None:
        """What the weights belong to, whatever parameters are set later."""
        self._fitted_with = self.activation, self.dropout, self.weight_init, regularisation_of(self)

    def _fitted_machine(self) -> Machine:
        """The machine that fits the fitted weights, whatever parameters were set since."""
        found: Machine | None = getattr(self, "_machine", None)
        if found is None:
            sizes = [c.shape[1] for c in self.coefs_]
            self._machine = found = machine_of(self._plan(self.coefs_[0].shape[0], sizes[:-1], None))
        return found

    def _plan(self, inputs: int, hidden: Sequence[int], optimizer: Optimizer | None) -> Plan:
        activation, dropout, weight_init, regularisation = self._fitted_with
        return Plan(
            inputs,
            tuple(hidden),
            self.n_outputs_,
            activation,
            tuple(map(float, dropout)) if np.iterable(dropout) else float(dropout),
            weight_init,
            self.out_activation_,
            self._loss_function(),
            optimizer,
            self._dtype,
            self.engine,
            regularisation.with_default_numbers(),
        )

    @property
    def network_(self) -> Network:
        """The graph: a :class:`~diaphane.nn.Network` whose values are ``coefs_`` and ``intercepts_``."""
        check_is_fitted(self)
        return self._fitted_machine().network

    @property
    def state_(self) -> State:
        """The network's values, for ``network_.predict(state_, X)`` and programs on its graph."""
        check_is_fitted(self)
        return self._fitted_machine().state(self.coefs_, self.intercepts_)

    def _checked_validation(self, data: Any) -> tuple[Any, Array, Any]:
        if not isinstance(data, tuple | list) or len(data) not in (2, 3):
            raise ValueError(f"validation_data must be (X, y) or (X, y, sample_weight), got {str(data)[:60]}")
        x, y, sample_weight = (*data, None)[:3]
        x, y = self._check_rows(x, y, reset=False)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, x)
        return x, self._encode_target(y, False, held_out=True), sample_weight

    def _held_out(self, x: Any, target: Array, weights: Array | None, rng: Any) -> tuple[Any, Any, Any, Any]:
        """scikit-learn's split for early stopping."""
        stratify = target > 0.5 if self._stratified(target) else None
        arrays = [x, target] if weights is None else [x, target, weights]
        parts = train_test_split(*arrays, random_state=rng, test_size=self.validation_fraction, stratify=stratify)
        if parts[1].shape[0] < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        held = (parts[1], parts[3], None if weights is None else parts[5])
        return parts[0], parts[2], None if weights is None else parts[4], held

    def _stratified(self, target: Array) -> bool:
        return False

    def _learn_labels(self, stream: Stream, first: bool) -> None:
        """What targets there are, where that must be known before the first."""

    def _fit_stochastic(
        self,
        machine: Machine,
        start: State,
        given: Stream | tuple[Any, Array, Array | None],
        validation: Any,
        rng: Any,
        *,
        incremental: bool = False,
        resume: bool = False,
    ) -> None:
        if isinstance(given, Stream):
            chunk, rows = given.first(), given.count()
            target, weighted = chunk.y, chunk.weights is not None
            fitted: dict[str, Any] = {"x": given}
        else:
            if self.early_stopping and validation is None:
                self._refuse_other_held_out(resume)
                x, target, weights, validation = self._held_out(*given, rng)
            else:
                x, target, weights = given
            rows, weighted = x.shape[0], weights is not None
            fitted = {"x": x, "y": target, "sample_weight": weights}
        optimizer = choose_optimizer(self)
        convergence = Convergence(self, "validation_score" if self.early_stopping else "loss")
        trainer = machine.trainer()
        trainer.optimizer, trainer.batch_size = optimizer, self._clipped_batch(rows)
        trainer.callbacks = [*self._reporting(rows), convergence, *(self.callbacks or ())]
        trainer.epochs, trainer.shuffle = 1 if incremental else self.max_iter, self.shuffle
        trainer.random_state = rng
        trainer.checkpoint = None if incremental else find_checkpoint(self.checkpoint)
        held_weights = validation[2] if isinstance(validation, tuple) else None
        trainer.metrics = {"score": lambda outputs, y: self._raw_score(outputs, y, held_weights)}
        step = trainer.step_for(target, weighted)
        step_state = self._first_step_state(step, step.initial_state(start), optimizer, incremental)
        try:
            result = trainer.fit(**fitted, validation_data=validation, step_state=step_state, resume=resume)
        except DivergenceError as error:
            self._keep(machine, error.result, convergence, rows)
            if self.early_stopping:
                self.validation_scores_ = [*(self.validation_scores_ or ()), float("nan")]
                warnings.warn(f"{error} The weights of the best epoch are kept.", ConvergenceWarning, stacklevel=4)
                return
            raise DivergenceError(f"{NON_FINITE} {error}", error.node, error.result) from None
        self._keep(machine, result, convergence, rows)
        self._keep_optimizer(step, result)
        if not incremental and result.history.stopped == "epochs":
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _refuse_other_held_out(self, resume: bool) -> None:
        if resume and self.random_state is None:
            raise ValueError(
                "resume=True with early_stopping=True holds the same rows out again: set random_state to a number "
                "for both fits, or give validation_data"
            )

    def _reporting(self, rows: int) -> list[Callback]:
        """What is called back before the rule that ends training."""
        found: list[Callback] = [Verbose()] if self.verbose else []
        if self.solver == "sgd" and self.learning_rate == "invscaling":
            found.append(InverseScaling(self.learning_rate_init, self.power_t, self.t_, rows))
        return found

    def _first_step_state(self, step: TrainingStep, state: State, optimizer: Optimizer, incremental: bool) -> State:
        """With the numbers of this fit, inputs of a step that was planned for any, and what an earlier call left."""
        numbers = {**optimizer.numbers(), **regularisation_of(self).numbers(), "alpha": float(self.alpha)}
        state = state.replace({node: numbers[name] for name, node in step.hyperparameters.items() if name in numbers})
        if incremental and self._optimizer_values:
            kept = [v for v in self._own_variables(step) if v.name in self._optimizer_values]
            state = state.replace({v: self._optimizer_values[str(v.name)] for v in kept})
        return state

    def _own_variables(self, step: TrainingStep) -> list[Node]:
        """The optimizer's, and the parameters where coefficients are their average and say nothing of them."""
        rate = step.hyperparameters.get("learning_rate")
        found = [v for v in step.formulas.next_values if v is not step.flat.vector or step.average is not None]
        return found if rate is None else [*found, rate]

    def _keep_optimizer(self, step: TrainingStep, result: TrainingResult) -> None:
        """The optimizer's own values, for ``partial_fit`` to go on from."""
        self._optimizer_values = {str(v.name): result.step_state[v] for v in self._own_variables(step)}

    def _clipped_batch(self, rows: int) -> int:
        if self.batch_size == "auto":
            return min(200, rows)
        if self.batch_size > rows:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=5
            )
        return int(min(self.batch_size, rows))

    def _keep(self, machine: Machine, result: TrainingResult, convergence: Convergence, rows: int) -> None:
        self.coefs_, self.intercepts_ = machine.weights(result.state)
        self.history_ = result.history
        self.n_iter_ = len(result.history)
        self.t_ += rows * len(result.history)
        self.loss_curve_ = [*self.loss_curve_, *result.history["loss"]]
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else np.inf
        self._no_improvement_count = convergence.waited
        if convergence.monitor == "loss":
            self.best_loss_ = convergence.best_value
        else:
            self.validation_scores_ = [*(self.validation_scores_ or ()), *result.history["validation_score"]]
            self.best_validation_score_ = convergence.best_value

    def _fit_lbfgs(self, machine: Machine, start: State, x: Any, target: Array, weights: Any, rng: Any) -> None:
        found, state = fit_lbfgs(
            machine.network,
            machine.plan.loss,
            start,
            x,
            target,
            weights,
            alpha=self.alpha,
            max_iter=self.max_iter,
            max_fun=self.max_fun,
            tol=self.tol,
            seed=int(rng.randint(2**31 - 1)) if self._draws_in_training() else 0,
            engine=self.engine,
        )
        self.coefs_, self.intercepts_ = machine.weights(state)
        self.n_iter_, self.loss_ = min(found.n_iterations, self.max_iter), found.loss
        self.loss_curve_ = found.losses
        if self.verbose:
            print(f"L-BFGS: {found.n_iterations} iterations, loss = {found.loss:.8f}. {found.message}")  # noqa: T201
        if not found.converged:
            warnings.warn(
                f"lbfgs failed to converge after {found.n_iterations} iteration(s): {found.message}. Increase the "
                "number of iterations (max_iter) or scale the data, see scikit-learn's StandardScaler.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _draws_in_training(self) -> bool:
        return bool(np.any(self.dropout) or self.input_dropout or self.input_noise)

    def _predictions(self, x: Any, kind: str = "output") -> Array:
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)
        x, machine = rows_to_predict(self, x), self._fitted_machine()
        # The weights as they are now: they are the user's to change.
        return machine.predict(machine.state(self.coefs_, self.intercepts_), x, kind)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coefs_")

    def _has_partial_fit(self) -> bool:
        if self.solver == "lbfgs":
            raise AttributeError(
                f"partial_fit is only available for stochastic optimizers. {self.solver} is not stochastic."
            )
        return True

    def __getstate__(self) -> Any:
        state = dict(super().__getstate__())
        state.pop("_machine", None)
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
