"""Rosenblatt's perceptron, with its averaged and voted forms and a record of its mistakes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_class_weight

from ...engines.online import OnlineRule
from ...graph.node import Array
from ..inputs import rows_to_predict
from ..parameters import check_choice, check_flag
from .inputs import checked_weights
from .online import OnlineClassifier
from .passes import Passes, Stopping

__all__ = ["Mistake", "NotSeparatedWarning", "Perceptron", "VotersWarning"]

AVERAGES = ("none", "averaged", "voted")

MANY_BYTES = 1 << 30
"""Of weight vectors kept: from here on something is said about it."""

VOTED_NUMBERS = 1 << 22
"""Scores computed at a time."""


class NotSeparatedWarning(ConvergenceWarning):
    """The last epoch still had mistakes when ``max_iter`` was reached."""


class VotersWarning(UserWarning):
    """So many weight vectors are kept that memory may not suffice."""


class Mistake(NamedTuple):
    """An example on the wrong side, and what it did to the weights.

    Attributes
    ----------
    example : int
        Its row.
    epoch : int
        From 1.
    before, after : ndarray, shape (d + 1,)
        w̃ = (w, b).
    """

    example: int
    epoch: int
    before: Array
    after: Array


class Perceptron(OnlineClassifier):
    """A separating hyperplane by Rosenblatt's rule (1958).

    With x̃ = (x, 1), w̃ = (w, b) and y = ±1, beginning at w̃ = 0, each example in turn is looked at, and

        w̃ ← w̃ + eta0·y·x̃    where y·w̃ᵀx̃ ≤ 0,

    so that a score of 0 is a mistake too. Of separable data no more than R²/γ² mistakes are made, R being the longest
    x̃ and γ the margin of the best w̃ of length 1 (Novikoff 1962); the fit ends with the first epoch without one. Of
    others there is no end, and ``max_iter`` or ``tol`` sets one.

    Parameters, defaults, attributes and meanings are those of :class:`sklearn.linear_model.Perceptron`, and the same
    ``random_state`` gives the same order of examples. Further ones come last. Unlike there, the intercept moves as much
    for sparse rows as for dense ones, and a penalty reaches the weights of features that a row does not have. The loss
    that ``tol`` looks at counts each example by its class's and its own weight, where scikit-learn's counts all alike:
    with weights a fit may end at another epoch, unless ``tol=None``.

    Parameters
    ----------
    penalty : {"l2", "l1", "elasticnet", None}, default None
    alpha : float, default 1e-4
        Strength of the penalty.
    l1_ratio : float, default 0.15
        The L1 part of ``"elasticnet"``.
    fit_intercept : bool, default True
    max_iter : int, default 1000
        Epochs at most.
    tol : float or None, default 1e-3
        End after ``n_iter_no_change`` epochs that did not better the loss by as much; None: never for that.
    shuffle : bool, default True
        Whether each epoch takes the examples in a new order; otherwise as they are given.
    verbose : int, default 0
    eta0 : float, default 1
        Without a penalty it scales the weights, and changes no prediction.
    n_jobs : int or None
        Classes that are told from the rest at the same time, on threads.
    random_state, early_stopping, validation_fraction, n_iter_no_change, class_weight, warm_start
        As in scikit-learn.
    average : {"none", "averaged", "voted"}, default "none"
        What predicts: the last weights; their mean over all examples seen (``coef_`` then); or all the weights there
        were, the sign of each counting as often as it survived an example (Freund & Schapire 1999).
    normalize : bool, default False
        Take each example at length 1: x̃, or x where there is no intercept. (Taking x at length 1 and adding the 1 then
        can make separable data inseparable.) Predictions need nothing done to their rows.
    record : bool, default False
        Keep ``history_``.
    engine : str or Engine, default "native"
    dtype : float32, float64 or None
        Of the computation; by default float32 for float32 data and whole numbers of 8 or 16 bits, and float64 for
        others, so that no data are rounded.

    Attributes
    ----------
    classes_, coef_, intercept_, n_features_in_, feature_names_in_, n_iter_, t_
        As in scikit-learn. With more than two classes each is told from the rest by a row of ``coef_``.
    loss_curve_ : list of float
        The mean of max(0, −y·w̃ᵀx̃) over each epoch, each example's before its own update, and the penalty at its end;
        a list for each class where there are more than two.
    mistakes_curve_ : list of int
        Mistakes of each epoch; likewise.
    n_mistakes_ : int or ndarray, shape (n_classes,)
        Updates in all.
    history_ : list of Mistake
        With ``record``: every mistake, with w̃ before and after; a list for each class where there are more than two.
    voters_ : list of (ndarray (k, d + 1), ndarray (k,))
        With ``average="voted"``: the w̃ there were and how many examples each survived, for each row of ``coef_``.

    Examples
    --------
    >>> X, y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), ["no", "no", "no", "yes"]
    >>> model = Perceptron(shuffle=False, tol=None, record=True).fit(X, y)
    >>> model.predict(X).tolist(), model.coef_, model.intercept_
    (['no', 'no', 'no', 'yes'], array([[3., 2.]]), array([-4.]))
    >>> model.n_mistakes_, model.mistakes_curve_
    (18, [2, 3, 3, 2, 2, 3, 2, 1, 0])
    >>> model.history_[1]
    Mistake(example=3, epoch=1, before=array([ 0.,  0., -1.]), after=array([1., 1., 0.]))
    """

    def __init__(
        self,
        *,
        penalty: Any = None,
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: Any = 1e-3,
        shuffle: bool = True,
        verbose: Any = 0,
        eta0: float = 1.0,
        n_jobs: Any = None,
        random_state: Any = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
        warm_start: bool = False,
        average: str = "none",
        normalize: bool = False,
        record: bool = False,
        engine: Any = "native",
        dtype: Any = None,
    ) -> None:
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.eta0 = eta0
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average
        self.normalize = normalize
        self.record = record
        self.engine = engine
        self.dtype = dtype

    def fit(
        self, X: Any, y: Any, coef_init: Any = None, intercept_init: Any = None, sample_weight: Any = None
    ) -> Perceptron:
        """Learn from rows and their classes.

        Parameters
        ----------
        X : array, frame or sparse matrix, shape (n, n_features)
        y : array, shape (n,)
            Labels of any kind.
        coef_init, intercept_init : array, optional
            The first weights; zeros by default.
        sample_weight : array, shape (n,), optional
            How far each example moves the weights; one of 0 is left out.

        Raises
        ------
        ValueError
            For NaN or infinity in the data, labels all alike, parameters out of their range, rows that cannot be taken
            at length 1; and where the weights overflow, those of the last whole epoch kept.
        """
        self._check_parameters(incremental=False)
        goes_on = self.warm_start and hasattr(self, "coef_")
        x, target = self._read(X, y)
        weights = checked_weights(sample_weight, x)
        if goes_on:
            coef_init = self.coef_ if coef_init is None else coef_init
            intercept_init = self.intercept_ if intercept_init is None else intercept_init
        self._weigh_classes(target)
        self._forget()
        stopping = Stopping(self.max_iter, self.tol, self.n_iter_no_change, without_mistakes=True)
        self._fit(x, target, weights, self._first_states(x, coef_init, intercept_init), stopping)
        last = [curve[-1] for curve in self._mistakes]
        if self.n_iter_ == self.max_iter and any(last) and not self._ended:
            warnings.warn(
                f"not separable or not yet: {max(last)} of {len(target)} examples were still mistaken in epoch "
                f"{self.max_iter} (max_iter). Raise max_iter if the classes can be told apart by a hyperplane; if not, "
                "take average='averaged', or a classifier that has an optimum here, such as LogisticRegression.",
                NotSeparatedWarning,
                stacklevel=2,
            )
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Perceptron:
        """One epoch over some rows, going on from where the last one ended.

        Parameters
        ----------
        X, y, sample_weight
            As for :meth:`fit`.
        classes : array, optional
            All there will be; needed at the first call.

        Raises
        ------
        ValueError
            As for :meth:`fit`, and for a class that is not among ``classes``.
        """
        self._check_parameters(incremental=True)
        x, target = self._read_more(X, y, classes)
        weights = checked_weights(sample_weight, x)
        self._weigh_classes(target)
        if not hasattr(self, "coef_"):
            self._forget()
        states = self._states_to_go_on_from(x) if hasattr(self, "coef_") else self._first_states(x)
        self._fit(x, target, weights, states, Stopping(1))
        return self

    def decision_function(self, X: Any) -> Array:
        """w·x + b of each row: (n,) for two classes, above 0 for the second; (n, n_classes) for more.

        Of voters it is the difference of the votes for and against, divided by all there are.
        """
        if self.average != "voted" or not getattr(self, "voters_", None):
            return super().decision_function(X)
        rows = rows_to_predict(self, X)
        votes = np.column_stack([_vote(rows, *voters) for voters in self.voters_])
        return votes.ravel() if votes.shape[1] == 1 else votes

    def _check_parameters(self, incremental: bool) -> None:
        self._check_online(incremental)
        check_choice("average", self.average, AVERAGES)
        check_flag("normalize", self.normalize)
        check_flag("record", self.record)
        if self._keeps_all and self.penalty is not None:
            raise ValueError(
                f"record=True and average='voted' keep what mistakes alone do to the weights, which a penalty changes "
                f"too: take penalty=None, got {self.penalty!r}"
            )

    @property
    def _keeps_all(self) -> bool:
        return self.average == "voted" or self.record

    def _weigh_classes(self, target: Array) -> None:
        if self.class_weight is None:
            self._class_weights = np.ones(len(self.classes_))
        else:
            labels = self.classes_[target]
            self._class_weights = compute_class_weight(self.class_weight, classes=self.classes_, y=labels)

    def _rules(self) -> list[OnlineRule]:
        l1, l2 = self._penalties
        pairs = [(w, 1.0) for w in self._class_weights]
        if len(pairs) == 2:
            pairs = [(self._class_weights[1], self._class_weights[0])]
        return [
            OnlineRule(
                "perceptron",
                l1,
                l2,
                rate=float(self.eta0),
                fit_intercept=self.fit_intercept,
                averages_after=1 if self.average == "averaged" else 0,
                unit=self.normalize,
                positive_weight=float(positive),
                negative_weight=float(negative),
            )
            for positive, negative in pairs
        ]

    def _forget(self) -> None:
        count = 1 if len(self.classes_) == 2 else len(self.classes_)
        self._mistakes: list[list[int]] = [[] for _ in range(count)]
        self._histories: list[list[Mistake]] = [[] for _ in range(count)]
        self._voters: list[list[tuple[Array, Array]]] = [[] for _ in range(count)]
        for name in ("voters_", "history_"):
            if hasattr(self, name):
                delattr(self, name)

    def _fit(self, x: Any, target: Array, weights: Array | None, states: Any, stopping: Stopping) -> None:
        starts = [(np.append(s.weights, s.weights.dtype.type(s.intercept)), s.step) for s in states]
        found = self._learn(x, target, weights, states, stopping, record=self._keeps_all)
        self._keep(found)
        self._ended = all(p.converged for p in found)
        if self._keeps_all:
            self._remember(x, target, weights, found, starts)

    def _keep(self, found: Sequence[Passes]) -> None:
        super()._keep(found)
        for curve, passes in zip(self._mistakes, found, strict=True):
            curve.extend(passes.mistakes)
        single = len(found) == 1
        self.mistakes_curve_ = self._mistakes[0] if single else self._mistakes
        totals = np.array([sum(curve) for curve in self._mistakes])
        self.n_mistakes_ = int(totals[0]) if single else totals

    def _remember(self, x: Any, target: Array, weights: Array | None, found: Sequence[Passes], starts: Any) -> None:
        """Every weight vector there was, from the rows that were mistakes."""
        if self.average == "voted":
            held = sum(w.nbytes for voters in self._voters for w, _ in voters)
            size = held + sum(sum(p.mistakes) * w.nbytes for p, (w, _) in zip(found, starts, strict=True))
            if size > MANY_BYTES:
                warnings.warn(
                    f"average='voted' keeps every weight vector there was: {size / 2**30:.1f} GiB for "
                    f"{int(np.sum(self.n_mistakes_))} mistakes. average='averaged' predicts nearly the same and keeps "
                    "one.",
                    VotersWarning,
                    stacklevel=4,
                )
        for k, (rule, passes, (first, step)) in enumerate(zip(self._rules(), found, starts, strict=True)):
            rows, steps = np.concatenate(passes.mistaken), np.concatenate(passes.steps)
            positive = target[rows] == (1 if len(found) == 1 else k)
            moves = np.where(positive, rule.positive_weight, -rule.negative_weight) * rule.rate
            if weights is not None:
                moves = moves * weights[rows]
            path = _path(first, x[rows], moves, rule)
            epochs = np.repeat(np.arange(len(passes.mistaken)), [len(m) for m in passes.mistaken])
            epochs += len(self._mistakes[k]) - len(passes.mistakes) + 1
            if self.record:
                told = zip(rows.tolist(), epochs.tolist(), path[:-1], path[1:], strict=True)
                self._histories[k].extend(Mistake(*each) for each in told)
            if self.average == "voted":
                survived = np.diff(np.concatenate([[step], steps, [passes.state.step]]))
                self._voters[k].append((path, survived))
        if self.record:
            self.history_ = self._histories[0] if len(found) == 1 else self._histories
        if self.average == "voted":
            self.voters_ = [tuple(map(np.concatenate, zip(*parts, strict=True))) for parts in self._voters]


def _path(first: Array, rows: Any, moves: Array, rule: OnlineRule) -> Array:
    """w̃ before the first mistake and after each, (mistakes + 1, d + 1)."""
    path = np.empty((len(moves) + 1, len(first)), first.dtype)
    path[0], steps = first, path[1:]
    steps[:, :-1] = rows.toarray() if hasattr(rows, "toarray") else rows
    steps[:, -1] = rule.fit_intercept
    if rule.unit:
        moves = moves / np.sqrt(np.square(steps, dtype=np.float64).sum(axis=1))
    steps *= moves[:, None].astype(first.dtype)
    # In place: it adds up from the first row to the last, as the rule did.
    return np.add.accumulate(path, axis=0, out=path)


def _vote(rows: Any, voters: Array, votes: Array) -> Array:
    """Σₖ cₖ·sign(w̃ₖᵀx̃) / Σₖ cₖ, a block of voters at a time."""
    total = np.zeros(rows.shape[0])
    size = max(1, VOTED_NUMBERS // max(1, rows.shape[0]))
    for i in range(0, len(voters), size):
        block = voters[i : i + size]
        # A score that overflows has its sign.
        with np.errstate(over="ignore"):
            total += np.sign(rows @ block[:, :-1].T + block[:, -1]) @ votes[i : i + size].astype(np.float64)
    return total / max(int(votes.sum()), 1)
