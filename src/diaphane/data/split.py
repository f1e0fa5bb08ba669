"""Which rows are for training, which for validation and which for the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diaphane.data.errors import DataError
from diaphane.data.randomness import RandomState, as_random_state

__all__ = ["Split", "split_rows"]


@dataclass(frozen=True)
class Split:
    """Three disjoint sets of row indices, in ascending order, that together are all rows.

    Attributes
    ----------
    train, validation, test : int64 arrays
    notes : tuple of str
        What could not be done as asked.
    """

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    notes: tuple[str, ...] = ()


def split_rows(
    y: ArrayLike,
    fractions: Sequence[float] = (0.6, 0.2, 0.2),
    *,
    stratify: bool = False,
    random_state: RandomState = None,
) -> Split:
    """Split rows at random into a training, a validation and a test set.

    The network learns from the first, choices (when to stop, which size) are made on the second, and the
    third is looked at once: a score on data that took part in a choice is too good.

    Parameters
    ----------
    y : array of shape (n,)
        The target; only its length matters unless stratified.
    fractions : three numbers
        Positive, with sum 1; the last may be 0 where the rows to test on are elsewhere.
    stratify : bool
        Keep the proportions of the classes in each set. Rows of a class with fewer than 3 rows go to
        training.
    random_state : None, int, RandomState or Generator

    Returns
    -------
    Split

    Raises
    ------
    DataError
        If there are fewer rows than sets, or the fractions are not three numbers with sum 1, the first two of them
        positive.

    Examples
    --------
    >>> split = split_rows([0, 1] * 10, stratify=True, random_state=0)
    >>> len(split.train), len(split.validation), len(split.test)
    (12, 4, 4)
    """
    target = np.asarray(y)
    shares = [float(fraction) for fraction in fractions]
    if not _are_shares(shares) or abs(sum(shares) - 1) > 1e-6:
        raise DataError(
            f"fractions are {tuple(shares)}; expected three positive numbers with sum 1: train, validation, test"
        )
    n_rows = len(target)
    n_sets, sets = (3, "training, validation and test") if shares[2] else (2, "training and validation")
    if n_rows < n_sets:
        raise DataError(f"{n_rows} rows cannot be split into {sets}; at least {n_sets} are needed")
    random = as_random_state(random_state)
    n_validation, n_test = (max(1, round(share * n_rows)) if share else 0 for share in shares[1:])
    if n_validation + n_test >= n_rows:
        needed = int(np.ceil(1.5 / shares[0]))
        raise DataError(
            f"{n_rows} rows leave none for training at fractions {tuple(shares)}; about {needed} are needed"
        )

    rows = np.arange(n_rows, dtype=np.int64)
    notes: list[str] = []
    always_train = _rare(target, notes) if stratify else np.zeros(n_rows, dtype=bool)
    pool = rows[~always_train]
    if stratify and len(pool) <= n_validation + n_test:
        notes[:] = ["too few rows a class to keep the classes' proportions; split without"]
        stratify, pool = False, rows
    test = rows[:0]
    if n_test:
        pool, test = _cut(pool, target, n_test, stratify, random, notes)
    pool, validation = _cut(pool, target, n_validation, stratify, random, notes)
    train = np.setdiff1d(rows, np.concatenate([validation, test]))
    return Split(train, np.sort(validation), np.sort(test), tuple(dict.fromkeys(notes)))


def _are_shares(shares: Sequence[float]) -> bool:
    return len(shares) == 3 and all(share > 0 for share in shares[:2]) and shares[2] >= 0


def _rare(target: NDArray[Any], notes: list[str]) -> NDArray[np.bool_]:
    _, inverse, counts = np.unique(target, return_inverse=True, return_counts=True)
    rare = counts[inverse] < 3
    if rare.any():
        n_classes = int(np.sum(counts < 3))
        notes.append(
            f"{n_classes} {'class has' if n_classes == 1 else 'classes have'} fewer than 3 rows: "
            f"{'all its' if n_classes == 1 else 'all their'} rows are in the training set"
        )
    return np.asarray(rare)


def _cut(
    pool: NDArray[np.int64],
    target: NDArray[Any],
    n_out: int,
    stratify: bool,
    random: np.random.RandomState,
    notes: list[str],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut `n_out` rows out of the pool; return what stays and what was cut."""
    from sklearn.model_selection import train_test_split

    if stratify:
        # scikit-learn wants two rows of each class to part and one place a class on either side.
        _, inverse, counts = np.unique(target[pool], return_inverse=True, return_counts=True)
        single = counts[inverse] < 2
        divisible = pool[~single]
        n_classes = int(np.sum(counts >= 2))
        if min(n_out, len(divisible) - n_out) >= n_classes:
            kept, out = train_test_split(divisible, test_size=n_out, stratify=target[divisible], random_state=random)
            return np.concatenate([kept, pool[single]]), out
        notes.append("too few rows a class to keep the classes' proportions; split without")
    kept, out = train_test_split(pool, test_size=n_out, random_state=random)
    return kept, out
