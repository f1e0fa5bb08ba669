"""Multi-layer perceptrons as scikit-learn estimators: change the import, keep the code."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted

from ..data.streams import Stream
from ..graph.node import Array
from ..nn.losses import Loss, binary_cross_entropy, categorical_cross_entropy, find_loss, of_signs
from ..training.streaming import refuse_beside_stream
from .linear.streamed import classes_of
from .multilayer import BaseMLP
from .multilayer_streams import fit_on_stream

__all__ = ["MLPClassifier", "MLPRegressor"]


def _has_probabilities(estimator: Any) -> bool:
    if estimator.loss != "log_loss" and not callable(estimator.loss):
        raise AttributeError(f"predict_proba is only available with loss='log_loss', not {estimator.loss!r}")
    return True


class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multi-layer perceptron for classes.

    Parameters, defaults, attributes and meanings are those of
    :class:`sklearn.neural_network.MLPClassifier`; the same ``random_state`` gives the same first weights and
    batches. Further ones come last.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default (100,)
        Units of each hidden layer.
    activation : str or callable, default "relu"
        ``identity``, ``logistic``, ``tanh``, ``relu``, any other of :data:`diaphane.nn.ACTIVATIONS`, or a
        function of a node.
    solver : str or Optimizer, default "adam"
        ``lbfgs``, ``sgd`` (with momentum), ``adam``, any other of :data:`diaphane.optim.OPTIMIZERS`, or an
        optimizer with its own settings.
    alpha : float, default 1e-4
        L2 penalty ½·α·‖W‖²/n on coefficients, n being the rows of the batch.
    batch_size : int or "auto"
        ``min(200, n)`` by default.
    learning_rate : {"constant", "invscaling", "adaptive"}
        For ``solver="sgd"``.
    learning_rate_init, power_t, max_iter, shuffle, random_state, tol, verbose, warm_start, momentum, \
nesterovs_momentum, early_stopping, validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun
        As in scikit-learn.
    loss : str or callable, default "log_loss"
        ``log_loss`` (cross-entropy), ``hinge`` (of Crammer and Singer for more than two classes),
        ``squared_hinge`` (two classes), or a function from raw outputs and targets to one number an
        example; targets are class indices (N,) for several classes, 0/1 columns otherwise.
    dropout : float or sequence of float, default 0
        Probability of dropping each hidden unit in training, one for all hidden layers or one each.
    class_weight : dict, "balanced" or None
        Weights of classes, multiplied with ``sample_weight``.
    weight_init : str, initialiser or None
        For the coefficients, with intercepts of 0; None is scikit-learn's Glorot-uniform for both.
    schedule : str, Schedule or None
        Of the learning rate, as a factor of ``learning_rate_init``: ``"cosine"``, ``"step:0.5,10"``,
        ``"warmup:5+cosine"``, …, over ``max_iter`` epochs; see :func:`diaphane.optim.find_schedule`.
    weight_decay : float or None
        λ of decoupled weight decay, θ ← θ − ε·λ·θ for coefficients; by default the solver's own (0.01 for ``adamw``,
        0 for any other). ``alpha`` is the penalty in the loss.
    l1 : float, default 0
        L1 penalty λ·Σ|W| on coefficients.
    max_norm : float or None
        The greatest norm of each unit's incoming coefficients.
    clip_norm, clip_value : float or None
        The greatest norm of the gradient, or size of each of its elements; one of the two.
    label_smoothing : float, default 0
        s of the targets (1 − s)·t + s/K (Szegedy et al. 2016).
    input_dropout, input_noise : float, default 0
        Probability of dropping each input in training, and standard deviation of the noise added to it.
    mixup : float, default 0
        α of the mixtures of two examples (Zhang et al. 2018); 0 is none.
    averaging : str, Averaging or None
        ``"ema:0.999"`` or ``"swa:30"`` (from the 30th epoch on): the coefficients are averages along the way.
    checkpoint : path, Checkpoint or None
        A folder to keep checkpoints in, for ``fit(resume=True)`` to go on from; see
        :class:`diaphane.training.Checkpoint`.
    callbacks : sequence of Callback or None
        See :class:`diaphane.training.Callback`.
    engine : str or Engine, default "native"
        Which engine computes; see :class:`diaphane.Program`.
    dtype : float32, float64 or None
        Of the computation; by default float64 for float64 data and float32 for anything else.

    Attributes
    ----------
    classes_, coefs_, intercepts_, n_features_in_, feature_names_in_, n_iter_, n_layers_, n_outputs_, \
out_activation_, loss_, loss_curve_, best_loss_, t_, validation_scores_, best_validation_score_
        As in scikit-learn.
    network_ : Network
        The graph, to look into.
    state_ : State
        The network's values.
    history_ : History
        One record an epoch.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16,), max_iter=500, learning_rate_init=0.02, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    >>> print(model.network_.output)  # doctest: +ELLIPSIS
    relu(x @ dense_1/kernel + dense_1/bias) @ dense_2/kernel + dense_2/bias
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: int = 15000,
        loss: Any = "log_loss",
        dropout: Any = 0.0,
        class_weight: Any = None,
        weight_init: Any = None,
        schedule: Any = None,
        weight_decay: float | None = None,
        l1: float = 0.0,
        max_norm: float | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        label_smoothing: float = 0.0,
        input_dropout: float = 0.0,
        input_noise: float = 0.0,
        mixup: float = 0.0,
        averaging: Any = None,
        checkpoint: Any = None,
        callbacks: Any = None,
        engine: Any = "native",
        dtype: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.loss = loss
        self.dropout = dropout
        self.class_weight = class_weight
        self.weight_init = weight_init
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.l1 = l1
        self.max_norm = max_norm
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.label_smoothing = label_smoothing
        self.input_dropout = input_dropout
        self.input_noise = input_noise
        self.mixup = mixup
        self.averaging = averaging
        self.checkpoint = checkpoint
        self.callbacks = callbacks
        self.engine = engine
        self.dtype = dtype

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        validation_data: Any = None,
        resume: bool = False,
    ) -> MLPClassifier:
        """Learn from rows and their classes.

        Parameters
        ----------
        X : array, frame or sparse matrix, shape (n, n_features); or Stream
            A stream (:func:`diaphane.data.open_stream`) has targets and weights of its own, and may be larger than
            memory. One pass over its target finds the classes.
        y : array, shape (n,), or (n, n_labels) of 0/1 for several labels at once
        sample_weight : array, shape (n,), optional
        validation_data : (X, y) or (X, y, sample_weight), optional
            Scored after each epoch into ``history_``; with ``early_stopping`` used in place of a share of X.
        resume : bool
            Whether to go on from the newest checkpoint in ``checkpoint``, to the bits of a fit that was never
            interrupted; afresh where there is none.

        Raises
        ------
        ValueError
            For NaN or infinity in the data, labels that are not classes, parameters out of their range; and
            :class:`~diaphane.training.DivergenceError` where training diverges, the last good weights kept.
        """
        if hasattr(self, "_label_binarizer") and not hasattr(self, "coefs_"):
            # What a call that failed has left.
            del self._label_binarizer
        if isinstance(X, Stream):
            refuse_beside_stream(y=y, sample_weight=sample_weight)
            fit_on_stream(self, X, validation_data, resume)
        else:
            self._fit(X, y, sample_weight, validation_data, resume=resume)
        return self

    @available_if(BaseMLP._has_partial_fit)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """One epoch over some rows, going on from where the last one ended.

        Parameters
        ----------
        X, y, sample_weight
            As for :meth:`fit`.
        classes : array, optional
            All there will be; needed at the first call.
        """
        if _check_partial_fit_first_call(self, classes):
            self._label_binarizer = LabelBinarizer().fit(y if type_of_target(y).startswith("multilabel") else classes)
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any) -> Array:
        """The most probable class of each row, or 0/1 for each label."""
        return self._decide(self._predictions(X, "raw"))

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, n_classes), in the order of ``classes_``."""
        found = self._predictions(X)
        return np.hstack([1 - found, found]) if self.n_outputs_ == 1 else found

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the probabilities, exact where those round to 0."""
        check_is_fitted(self)
        if self.out_activation_ == "softmax":
            return self._predictions(X, "log")
        raw = self._predictions(X, "raw")
        log_yes, log_no = -np.logaddexp(0, -raw), -np.logaddexp(0, raw)
        if self.n_outputs_ == 1:
            return np.hstack([log_no, log_yes])
        # Labels whose probability rounds to 1 are equally sure, in the logarithm as in the probability itself.
        return np.where(raw > 0, np.log(self._predictions(X)), log_yes)

    def decision_function(self, X: Any) -> Array:
        """The raw outputs: logits or margins, (n,) for two classes and (n, n_outputs) otherwise."""
        raw = self._predictions(X, "raw")
        return raw.ravel() if self.n_outputs_ == 1 else raw

    def _encode_target(self, y: Any, reset: bool, held_out: bool = False) -> Array:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        known = hasattr(self, "_label_binarizer")
        if not known or (reset and not self.warm_start and hasattr(self, "coefs_")):
            known, self._label_binarizer = False, LabelBinarizer().fit(y)
        self.classes_ = self._label_binarizer.classes_
        if known:
            self._refuse_unknown_classes(y, all_again=self.warm_start and hasattr(self, "coefs_") and not held_out)
        if self._label_binarizer.y_type_ == "multiclass":
            return np.searchsorted(self.classes_, y).astype(np.int64)
        return np.asarray(self._label_binarizer.transform(y), np.float32)

    def _refuse_unknown_classes(self, y: Any, all_again: bool) -> None:
        found = unique_labels(y)
        if all_again:
            if set(found) != set(self.classes_):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {self.classes_}, `y` has {found}"
                )
        elif len(np.setdiff1d(found, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {found}."
            )

    def _learn_labels(self, stream: Stream, first: bool) -> None:
        if first or not hasattr(self, "_label_binarizer"):
            self._label_binarizer = LabelBinarizer().fit(classes_of(stream))
        self.classes_ = self._label_binarizer.classes_

    def _n_outputs(self, target: Array) -> int:
        return len(self.classes_) if target.ndim == 1 else int(target.shape[1])

    def _row_weights(self, y: Any, sample_weight: Array | None) -> Array | None:
        if self.class_weight is None:
            return sample_weight
        by_class = compute_sample_weight(self.class_weight, y)
        return by_class if sample_weight is None else by_class * sample_weight

    def _out_activation(self) -> str:
        if self.loss != "log_loss" and not callable(self.loss):
            return "identity"
        return "softmax" if self._label_binarizer.y_type_ == "multiclass" else "logistic"

    def _loss_function(self) -> Loss:
        several = self._label_binarizer.y_type_ == "multiclass"
        if self.loss == "log_loss":
            return categorical_cross_entropy if several else binary_cross_entropy
        if callable(self.loss):
            return self.loss
        if self.loss == "hinge" and several:
            return find_loss("multiclass_hinge")
        if self.loss in ("hinge", "squared_hinge") and not several:
            return of_signs(find_loss(self.loss))
        raise ValueError(
            f"loss must be log_loss, hinge, squared_hinge (two classes) or a function, got {self.loss!r} for "
            f"{len(self.classes_)} classes"
        )

    def _stratified(self, target: Array) -> bool:
        return target.ndim == 2 and target.shape[1] == 1

    def _raw_score(self, outputs: Array, target: Array, weights: Array | None) -> float:
        if not np.isfinite(outputs).all():
            return float("nan")
        if target.ndim == 1:
            right = outputs.argmax(axis=1) == target
        else:
            right = ((outputs > 0) == (target > 0.5)).all(axis=1)
        return float(np.average(right, weights=weights))

    def _decide(self, raw: Array) -> Array:
        if self._label_binarizer.y_type_ == "multiclass":
            return np.asarray(self.classes_[raw.argmax(axis=1)])
        return np.asarray(self._label_binarizer.inverse_transform((raw > 0).astype(np.int64)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPRegressor(RegressorMixin, BaseMLP):
    """Multi-layer perceptron for numbers, one or several a row.

    Parameters, defaults, attributes and meanings are those of
    :class:`sklearn.neural_network.MLPRegressor`. Targets are learnt as they are: scale them first (for
    example with scikit-learn's ``TransformedTargetRegressor``) where they are far from unit size.

    Parameters
    ----------
    loss : str or callable, default "squared_error"
        ``squared_error`` is ½·(ŷ − y)², added up over the targets; ``poisson`` half the Poisson deviance,
        with an exponential output; ``absolute_error``, ``huber``; or a function from raw outputs and
        targets to one number an example.
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, \
max_iter, shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, \
validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun
        As in scikit-learn, and as for :class:`MLPClassifier`.
    dropout, weight_init, schedule, weight_decay, l1, max_norm, clip_norm, clip_value, input_dropout, input_noise, \
mixup, averaging, checkpoint, callbacks, engine, dtype
        As for :class:`MLPClassifier`.

    Attributes
    ----------
    coefs_, intercepts_, n_features_in_, feature_names_in_, n_iter_, n_layers_, n_outputs_, out_activation_, \
loss_, loss_curve_, best_loss_, t_, validation_scores_, best_validation_score_
        As in scikit-learn.
    network_, state_, history_
        As for :class:`MLPClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 100)[:, None]
    >>> model = MLPRegressor(hidden_layer_sizes=(20,), activation="tanh", solver="lbfgs", random_state=0)
    >>> model.fit(X, X.ravel() ** 2).score(X, X.ravel() ** 2) > 0.99
    True
    """

    LOSSES = {
        "squared_error": "half_squared_error",
        "poisson": "half_poisson_deviance",
        "absolute_error": "absolute_error",
        "huber": "huber",
    }

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        weight_init: Any = None,
        schedule: Any = None,
        weight_decay: float | None = None,
        l1: float = 0.0,
        max_norm: float | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        input_dropout: float = 0.0,
        input_noise: float = 0.0,
        mixup: float = 0.0,
        averaging: Any = None,
        checkpoint: Any = None,
        callbacks: Any = None,
        engine: Any = "native",
        dtype: Any = None,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.weight_init = weight_init
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.l1 = l1
        self.max_norm = max_norm
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.input_dropout = input_dropout
        self.input_noise = input_noise
        self.mixup = mixup
        self.averaging = averaging
        self.checkpoint = checkpoint
        self.callbacks = callbacks
        self.engine = engine
        self.dtype = dtype

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        validation_data: Any = None,
        resume: bool = False,
    ) -> MLPRegressor:
        """Learn from rows and their numbers.

        Parameters
        ----------
        X : array, frame or sparse matrix, shape (n, n_features); or Stream
            As for :meth:`MLPClassifier.fit`.
        y : array, shape (n,) or (n, n_outputs)
        sample_weight : array, shape (n,), optional
        validation_data : (X, y) or (X, y, sample_weight), optional
            As for :meth:`MLPClassifier.fit`.
        resume : bool
            As for :meth:`MLPClassifier.fit`.
        """
        if isinstance(X, Stream):
            refuse_beside_stream(y=y, sample_weight=sample_weight)
            fit_on_stream(self, X, validation_data, resume)
        else:
            self._fit(X, y, sample_weight, validation_data, resume=resume)
        return self

    @available_if(BaseMLP._has_partial_fit)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """One epoch over some rows, going on from where the last one ended."""
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any) -> Array:
        """The number, or numbers, of each row."""
        found = self._predictions(X)
        return found.ravel() if found.shape[1] == 1 else found

    def _encode_target(self, y: Any, reset: bool, held_out: bool = False) -> Array:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if self.loss == "poisson" and np.any(y < 0):
            raise ValueError("loss='poisson' needs targets of at least 0, such as counts")
        return np.asarray(y.reshape(len(y), -1), np.float64 if y.dtype.itemsize >= 8 else np.float32)

    def _n_outputs(self, target: Array) -> int:
        return int(target.shape[1])

    def _out_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _loss_function(self) -> Loss:
        if callable(self.loss):
            return self.loss
        if not isinstance(self.loss, str) or self.loss not in self.LOSSES:
            raise ValueError(f"loss must be one of {', '.join(self.LOSSES)} or a function, got {self.loss!r}")
        return find_loss(self.LOSSES[self.loss])

    def _raw_score(self, outputs: Array, target: Array, weights: Array | None) -> float:
        if not np.isfinite(outputs).all():
            return float("nan")
        predicted = np.exp(outputs) if self.out_activation_ == "exp" else outputs
        return float(r2_score(target, predicted, sample_weight=weights))
