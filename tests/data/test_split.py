"""Three sets of rows: disjoint, together complete, none empty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diaphane.data import DataError, split_rows


@settings(deadline=None)
@given(
    y=st.lists(st.integers(0, 5), min_size=5, max_size=60),
    stratify=st.booleans(),
    seed=st.integers(0, 100),
)
def test_parts_are_disjoint_complete_and_not_empty(y, stratify, seed):
    split = split_rows(y, stratify=stratify, random_state=seed)
    parts = [split.train, split.validation, split.test]
    assert all(len(part) for part in parts)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(y)))
    assert len(split.test) == max(1, round(0.2 * len(y)))
    assert all(part.dtype == np.int64 for part in parts)


def test_stratified_parts_keep_the_proportions():
    y = np.array(["a"] * 80 + ["b"] * 20)
    split = split_rows(y, stratify=True, random_state=0)
    assert split.notes == ()
    for part in (split.train, split.validation, split.test):
        assert np.mean(y[part] == "b") == pytest.approx(0.2)


def test_classes_of_fewer_than_three_rows_train_and_are_noted():
    y = np.array([0] * 20 + [1] * 20 + [2, 2, 3])
    split = split_rows(y, stratify=True, random_state=0)
    assert set(np.flatnonzero(y >= 2)) <= set(split.train)
    assert split.notes == ("2 classes have fewer than 3 rows: all their rows are in the training set",)


def test_too_few_rows_to_stratify_are_split_all_the_same_and_noted():
    split = split_rows([0, 1, 2, 3, 4, 5], stratify=True, random_state=0)
    assert [len(split.train), len(split.validation), len(split.test)] == [4, 1, 1]
    assert "too few rows a class" in " ".join(split.notes)


def test_seeds_repeat():
    first, second = (split_rows(np.zeros(50), random_state=7) for _ in range(2))
    np.testing.assert_array_equal(first.test, second.test)
    split_rows(np.zeros(50), random_state=np.random.default_rng(0))
    split_rows(np.zeros(50), random_state=np.random.RandomState(0))


@pytest.mark.parametrize("n_rows", [0, 1, 2])
def test_too_few_rows_are_refused_with_the_number_needed(n_rows):
    with pytest.raises(DataError, match=f"{n_rows} rows cannot be split.*at least 3"):
        split_rows(np.zeros(n_rows))


def test_a_training_set_that_would_be_empty_is_refused():
    with pytest.raises(DataError, match=r"4 rows leave none for training.*about 15 are needed"):
        split_rows(np.zeros(4), (0.1, 0.45, 0.45))


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.8, 0.0, 0.2), (0.5, 0.2, 0.2), (0.6, 0.6, -0.2)])
def test_fractions_that_are_none_are_refused(fractions):
    with pytest.raises(DataError, match="expected three positive numbers with sum 1"):
        split_rows(np.zeros(50), fractions)
