"""Three sets of rows: to learn from, to choose by, and one that is looked at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import DataError, Split, infer_task, split_rows
from ..data.errors import listed
from ..data.randomness import RandomState, as_random_state

__all__ = ["DataSplit", "split"]

PARTS = ("train", "validation", "test")
ORDERS_OF_GROUPS = 20
"""Groups are dealt in so many random orders where they are few, and the best balanced deal is taken."""


@dataclass(frozen=True, eq=False)
class DataSplit:
    """Rows for training, for validation and for the test, with the data that they are rows of.

    Attributes
    ----------
    train, validation, test : int64 arrays
        Places of rows, ascending: disjoint, and together all.
    X_train, X_validation, X_test
        Those rows of X, in X's own type: a frame stays a frame, a sparse matrix sparse.
    y_train, y_validation, y_test
    how : str
        In which way the rows were chosen.
    notes : tuple of str
        What could not be done as asked.
    """

    X: Any
    y: Any
    rows: Split
    how: str

    @property
    def train(self) -> NDArray[np.int64]:
        """Places of the rows to learn from."""
        return self.rows.train

    @property
    def validation(self) -> NDArray[np.int64]:
        """Places of the rows to choose by: when to stop, which size, which threshold."""
        return self.rows.validation

    @property
    def test(self) -> NDArray[np.int64]:
        """Places of the rows to look at once, when all is chosen."""
        return self.rows.test

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be done as asked."""
        return self.rows.notes

    @cached_property
    def X_train(self) -> Any:
        """X to learn from."""
        return _taken(self.X, self.train)

    @cached_property
    def X_validation(self) -> Any:
        """X to choose by."""
        return _taken(self.X, self.validation)

    @cached_property
    def X_test(self) -> Any:
        """X to look at once."""
        return _taken(self.X, self.test)

    @cached_property
    def y_train(self) -> Any:
        """Targets to learn from."""
        return _taken(self.y, self.train)

    @cached_property
    def y_validation(self) -> Any:
        """Targets to choose by."""
        return _taken(self.y, self.validation)

    @cached_property
    def y_test(self) -> Any:
        """Targets to look at once."""
        return _taken(self.y, self.test)

    def __str__(self) -> str:
        n = sum(len(getattr(self, part)) for part in PARTS)
        sizes = ", ".join(f"{len(rows)} {part} ({len(rows) / n:.0%})" for part in PARTS if len(rows := self._of(part)))
        return "\n".join([f"{n} rows, {self.how}: {sizes}", *(f"note: {note}" for note in self.notes)])

    def _of(self, part: str) -> NDArray[np.int64]:
        rows: NDArray[np.int64] = getattr(self, part)
        return rows


def split(
    X: Any,
    y: Any,
    fractions: Sequence[float] = (0.7, 0.15, 0.15),
    *,
    stratify: Any = "auto",
    groups: Any = None,
    time: Any = None,
    random_state: RandomState = None,
) -> DataSplit:
    """Split data into rows to learn from, rows to choose by and rows to test on.

    A score on rows by which something was chosen is too good, by more the more was tried
    (:func:`~diaphane.selection.study_overstatement`): what is reported is a score on rows that no choice has seen.
    They must be as new as those that the model will meet: with several rows a patient the rows of one patient are in
    one set (``groups``), and where the future is to be predicted the test rows are the latest (``time``).

    Groups are dealt one by one, in random order, each to the set where Σ_s Σ_k (n_sk − f_s·n_k)²/(f_s·n_k) stays least:
    n_sk rows of class k in set s, n_k in all, f_s the fraction (Pearson's χ² from the fractions asked for).

    Parameters
    ----------
    X : array, sparse matrix, data frame or list of n rows
    y : array, series or list of n targets
    fractions : three numbers
        With sum 1, of rows to learn from, to choose by and to test on; the last may be 0 where those are elsewhere.
    stratify : "auto", bool or array of shape (n,)
        Keep the proportions of the classes in each set: of y, or of the labels given. ``"auto"`` does so where y is
        classes and time is not given, and keeps the rows of a class that is smaller than the sets are many in training,
        with a note; True raises an error instead.
    groups : array of shape (n,), optional
        Rows of one group are never in two sets.
    time : array of shape (n,), optional
        Numbers, dates or strings that sort by time: the first rows are to learn from, the latest to test on, nothing is
        shuffled, and rows of one time are in one set.
    random_state : None, int, RandomState or Generator
        Not used with time.

    Returns
    -------
    DataSplit

    Raises
    ------
    DataError
        If lengths differ, fractions do not sum to 1, a class has fewer rows than there are sets (and ``stratify`` is
        True), or there are fewer groups or times than sets.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> parts = split(X, y, random_state=0)
    >>> print(parts)
    150 rows, at random with the classes in proportion: 106 train (71%), 22 validation (15%), 22 test (15%)
    >>> parts.X_train.shape, parts.y_test.shape
    ((106, 4), (22,))
    >>> later = split(X, y, time=range(150))
    >>> later.train.max() < later.validation.min() < later.test.min()
    np.True_
    """
    shares = _shares(fractions)
    n = _length("y", y)
    if _length("X", X) != n:
        raise DataError(f"X has {_length('X', X)} rows and y {n}; expected as many")
    if groups is not None and time is not None:
        raise DataError("groups and time are both given; give one: sets by groups are at random, those by time are not")
    if time is not None:
        if stratify is True or not isinstance(stratify, bool | str):
            raise DataError("rows cut by time cannot be stratified too; leave stratify away, or time")
        return DataSplit(X, y, _by_time(_labels("time", time, n), shares), "the latest to test on")
    labels, strict = _to_stratify_by(y, stratify, n)
    if strict and labels is not None:
        _refuse_small_classes(labels, sum(share > 0 for share in shares))
    in_proportion = "" if labels is None else " with the classes in proportion"
    if groups is not None:
        rows = _by_groups(_labels("groups", groups, n), labels, shares, as_random_state(random_state))
        return DataSplit(X, y, rows, f"by groups at random{in_proportion}")
    target = np.zeros(n) if labels is None else labels
    rows = split_rows(target, shares, stratify=labels is not None, random_state=random_state)
    return DataSplit(X, y, rows, f"at random{in_proportion}")


def _shares(fractions: Any) -> tuple[float, float, float]:
    try:
        shares = tuple(float(share) for share in fractions)
    except (TypeError, ValueError):
        shares = ()
    valid = len(shares) == 3 and min(shares[:2]) > 0 and shares[2] >= 0
    if not valid or abs(sum(shares) - 1) > 1e-6:
        total = f", with sum {sum(shares):.6g}" if len(shares) == 3 else ""
        raise DataError(
            f"fractions are {fractions!r}{total}; expected three numbers with sum 1, to learn from, to choose by and "
            "to test on, such as (0.7, 0.15, 0.15); the last may be 0"
        )
    return shares[0], shares[1], shares[2]


def _length(name: str, rows: Any) -> int:
    from sklearn.utils.validation import _num_samples

    try:
        return int(_num_samples(rows))
    except TypeError as error:
        raise DataError(f"{name} is {type(rows).__name__}; expected rows: an array, a frame or a list") from error


def _taken(rows: Any, places: NDArray[np.int64]) -> Any:
    from sklearn.utils import _safe_indexing

    return _safe_indexing(rows, places)


def _labels(name: str, given: Any, n: int) -> NDArray[np.int64]:
    """The rank of each row's value among the different ones, in ascending order."""
    values = np.asarray(given)
    if values.shape != (n,):
        raise DataError(f"{name} has shape {values.shape}; expected ({n},), one a row")
    missing = values != values if values.dtype.kind in "fmM" else np.array([v is None or v != v for v in values], bool)
    if missing.any():
        raise DataError(f"{name} is missing in {int(missing.sum())} of {n} rows; fill it in, or leave those rows away")
    try:
        return np.unique(values, return_inverse=True)[1].astype(np.int64)
    except TypeError as error:
        raise DataError(f"{name} mixes types that have no order ({error}); make them all strings or numbers") from error


def _to_stratify_by(y: Any, stratify: Any, n: int) -> tuple[NDArray[np.int64] | None, bool]:
    """The class of each row to keep in proportion, if any, and whether it was asked for."""
    if isinstance(stratify, str) and stratify == "auto":
        return (_labels("y", y, n) if _is_classes(y) else None), False
    if isinstance(stratify, bool | np.bool_):
        return (_labels("y", y, n) if stratify else None), True
    if isinstance(stratify, str) or stratify is None:
        raise DataError(f"stratify is {stratify!r}; expected 'auto', True, False or an array of labels, one a row")
    return _labels("stratify", stratify, n), True


def _is_classes(y: Any) -> bool:
    values = np.asarray(y)
    if values.ndim != 1 or values.dtype.kind in "cmM":
        return False
    if values.dtype.kind in "fiu":
        numbers = values.astype(np.float64)
        return bool(np.isfinite(numbers).all()) and infer_task(numbers) == "classification"
    return True


def _refuse_small_classes(labels: NDArray[np.int64], n_sets: int) -> None:
    counts = np.bincount(labels)
    if counts.min() < n_sets:
        raise DataError(
            f"a class has {counts.min()} row{'' if counts.min() == 1 else 's'}, and there are {n_sets} sets; expected "
            "a row of each class for each set: join classes, or let stratify be 'auto': small ones are then in training"
        )


def _by_time(ranks: NDArray[np.int64], shares: tuple[float, float, float]) -> Split:
    counts = np.bincount(ranks)
    n_sets = 3 if shares[2] else 2
    if len(counts) < n_sets:
        raise _too_few("time", "time", len(counts), n_sets)
    # The set with times 0 … i has `ends[i]` rows.
    ends = np.cumsum(counts)
    last = len(counts) - n_sets
    first_cut = int(np.argmin(np.abs(ends[: last + 1] - shares[0] * len(ranks))))
    if n_sets == 2:
        second_cut = len(counts) - 1
    else:
        inner = ends[first_cut + 1 : -1]
        second_cut = first_cut + 1 + int(np.argmin(np.abs(inner - (shares[0] + shares[1]) * len(ranks))))
    train, not_test = ranks <= first_cut, ranks <= second_cut
    return _from_masks(train, not_test & ~train, ~not_test)


def _too_few(name: str, of: str, count: int, n_sets: int) -> DataError:
    return DataError(
        f"{name} has {count} different value{'s' if count > 1 else ''}, and rows of one {of} stay together; expected "
        f"at least {n_sets}, one a set"
    )


def _by_groups(
    groups: NDArray[np.int64],
    labels: NDArray[np.int64] | None,
    shares: tuple[float, float, float],
    random: np.random.RandomState,
) -> Split:
    sets = np.array([share for share in shares if share])
    classes = np.zeros_like(groups) if labels is None else labels
    counts = np.zeros((groups.max() + 1, classes.max() + 1))
    np.add.at(counts, (groups, classes), 1)
    if len(counts) < len(sets):
        raise _too_few("groups", "group", len(counts), len(sets))
    wanted = sets[:, np.newaxis] * counts.sum(axis=0)
    n_orders = max(1, min(ORDERS_OF_GROUPS, 10_000 // len(counts)))
    deals = [_deal(counts, wanted, random.permutation(len(counts))) for _ in range(n_orders)]
    _, home = min(deals, key=lambda deal: deal[0])
    of_row = home[groups]
    notes = _lacking(classes, of_row, len(sets)) if labels is not None else ()
    return _from_masks(of_row == 0, of_row == 1, of_row == 2, notes)


def _deal(
    counts: NDArray[np.float64], wanted: NDArray[np.float64], order: NDArray[np.int64]
) -> tuple[float, NDArray[np.int64]]:
    """χ² of a deal, and the set of each group."""
    dealt, home = np.zeros_like(wanted), np.zeros(len(counts), np.int64)
    for left, group in zip(range(len(order), 0, -1), order, strict=True):
        # What χ² gains where the group goes to each of the sets.
        gains = (counts[group] * (2 * (dealt - wanted) + counts[group]) / wanted).sum(axis=1)
        empty = ~dealt.any(axis=1)
        if left <= empty.sum():
            gains[~empty] = np.inf
        home[group] = np.argmin(gains)
        dealt[home[group]] += counts[group]
    return float(((dealt - wanted) ** 2 / wanted).sum()), home


def _lacking(classes: NDArray[np.int64], of_row: NDArray[np.int64], n_sets: int) -> tuple[str, ...]:
    n_classes = classes.max() + 1
    lacking = [
        f"{PARTS[s]} lacks {missing} of {n_classes} classes, whose groups are too few"
        for s in range(n_sets)
        if (missing := n_classes - len(np.unique(classes[of_row == s])))
    ]
    return (listed(lacking),) if lacking else ()


def _from_masks(train: Any, validation: Any, test: Any, notes: tuple[str, ...] = ()) -> Split:
    rows = [np.flatnonzero(mask).astype(np.int64) for mask in (train, validation, test)]
    return Split(rows[0], rows[1], rows[2], notes)
