"""Three sets of rows that share nothing, in the proportions asked for, by class, by group and by time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, issparse

from diaphane.data import DataError, split_rows
from diaphane.selection import split


def rows_of(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, 3))


def sets_of(parts):
    return {"train": parts.train, "validation": parts.validation, "test": parts.test}


def is_partition(parts, n):
    return sorted(np.concatenate(list(sets_of(parts).values())).tolist()) == list(range(n))


@pytest.mark.parametrize("stratify", ["auto", True, False])
def test_rows_at_random_are_those_of_split_rows(stratify):
    y = np.random.default_rng(1).integers(0, 3, 200)
    parts = split(rows_of(200), y, random_state=5, stratify=stratify)
    target = y if stratify else np.zeros(200)
    expected = split_rows(target, (0.7, 0.15, 0.15), stratify=bool(stratify), random_state=5)
    for name, found in sets_of(parts).items():
        np.testing.assert_array_equal(found, getattr(expected, name))


def test_rare_classes_are_in_every_set_in_proportion():
    y = np.repeat(["no", "yes"], [990, 10]).astype(object)
    parts = split(rows_of(1000), y, (0.6, 0.2, 0.2), random_state=0)
    assert [int(np.sum(found == "yes")) for found in (parts.y_train, parts.y_validation, parts.y_test)] == [6, 2, 2]
    assert "classes in proportion" in str(parts)


def test_numbers_are_not_stratified_unless_labels_are_given():
    y = np.random.default_rng(0).standard_normal(300)
    assert "classes" not in split(rows_of(300), y, random_state=0).how
    labels = np.digitize(y, np.quantile(y, [0.25, 0.5, 0.75]))
    parts = split(rows_of(300), y, random_state=0, stratify=labels)
    for found in sets_of(parts).values():
        assert np.ptp(np.bincount(labels[found])) <= 1


def test_what_goes_in_comes_out_in_its_own_type():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    columns = {"size": np.arange(40.0), "kind": list("ab") * 20}
    y = np.arange(40) % 2
    for frame in (pandas.DataFrame(columns, index=np.arange(40)[::-1]), polars.DataFrame(columns)):
        parts = split(frame, type(frame["size"])(y), random_state=0)
        assert type(parts.X_validation) is type(frame)
        assert np.asarray(parts.X_validation["size"]).astype(int).tolist() == parts.validation.tolist()
        assert np.asarray(parts.y_test).tolist() == y[parts.test].tolist()
    parts = split(csr_array(np.eye(40)), y, random_state=0)
    assert issparse(parts.X_train)
    assert parts.X_train.toarray().argmax(axis=1).tolist() == parts.train.tolist()
    assert split([[i] for i in range(40)], y.tolist(), random_state=0).X_train[0] == [int(parts.train[0])]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=3, max_size=120), st.integers(0, 50), st.booleans())
def test_a_group_is_never_in_two_sets_and_no_set_is_empty(groups, seed, stratify):
    n = len(groups)
    y = np.random.default_rng(seed).integers(0, 2, n)
    labels = y if stratify else False
    if len(set(groups)) < 3 or (stratify and np.unique(y, return_counts=True)[1].min() < 3):
        with pytest.raises(DataError, match="expected"):
            split(rows_of(n), y, groups=groups, stratify=stratify, random_state=seed)
        return
    parts = split(rows_of(n), y, groups=groups, stratify=labels, random_state=seed)
    assert is_partition(parts, n)
    homes = [set(np.asarray(groups)[found].tolist()) for found in sets_of(parts).values()]
    assert all(homes)
    assert sum(map(len, homes)) == len(set(groups))


def test_groups_of_many_sizes_come_near_the_fractions_with_classes_in_proportion():
    random = np.random.default_rng(3)
    groups = np.repeat(np.arange(60), random.integers(2, 40, 60))
    y = (random.uniform(size=60)[groups] * 0.6 + 0.1 > random.uniform(size=len(groups))).astype(int)
    parts = split(rows_of(len(groups)), y, groups=groups, random_state=0)
    sizes = np.array([len(found) for found in sets_of(parts).values()]) / len(groups)
    np.testing.assert_allclose(sizes, [0.7, 0.15, 0.15], atol=0.02)
    np.testing.assert_allclose([y[found].mean() for found in sets_of(parts).values()], y.mean(), atol=0.03)
    others = split(rows_of(len(groups)), y, groups=groups, random_state=1)
    assert set(groups[others.test]) != set(groups[parts.test])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=3, max_size=60), st.sampled_from([(0.7, 0.15, 0.15), (0.5, 0.5, 0)]))
def test_what_is_tested_on_is_later_than_all_else_and_rows_of_one_time_stay_together(time, fractions):
    n, n_sets = len(time), 3 if fractions[2] else 2
    if len(set(time)) < n_sets:
        with pytest.raises(DataError, match=f"at least {n_sets}"):
            split(rows_of(n), np.zeros(n), fractions, time=time)
        return
    parts = split(rows_of(n), np.zeros(n), fractions, time=time)
    assert is_partition(parts, n)
    found = [np.asarray(time)[rows] for rows in sets_of(parts).values() if len(rows)]
    assert len(found) == n_sets
    assert all(earlier.max() < later.min() for earlier, later in itertools.pairwise(found))


def test_dates_and_strings_are_times_too():
    days = np.arange("2024-01-01", "2024-04-10", dtype="datetime64[D]")
    order = np.random.default_rng(0).permutation(100)
    expected = np.sort(np.flatnonzero(order >= 85))
    for time in (days[order], days[order].astype(str), [str(day) for day in days[order]]):
        np.testing.assert_array_equal(split(rows_of(100), np.zeros(100), time=time).test, expected)


def test_the_same_seed_gives_the_same_rows_and_another_gives_others():
    y, groups = np.arange(100) % 2, np.arange(100) // 5
    for given_groups in (None, groups):
        once, again, other = (split(rows_of(100), y, groups=given_groups, random_state=s) for s in (0, 0, 1))
        np.testing.assert_array_equal(once.test, again.test)
        assert not np.array_equal(once.test, other.test)


def test_a_class_too_small_for_the_sets_is_said_or_refused():
    y = np.repeat([0, 1, 2], [50, 48, 2])
    parts = split(rows_of(100), y, random_state=0)
    assert set(parts.y_train) == {0, 1, 2}
    assert 2 not in parts.y_test
    assert "note: 1 class has fewer than 3 rows" in str(parts)
    with pytest.raises(DataError, match="a class has 2 rows, and there are 3 sets"):
        split(rows_of(100), y, stratify=True)
    by_group = split(rows_of(100), y, groups=np.arange(100) // 2, random_state=0)
    assert "lacks 1 of 3 classes" in by_group.notes[0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"fractions": (0.7, 0.2, 0.2)}, "with sum 1.1; expected three numbers with sum 1"),
        ({"fractions": (0.8, 0.2)}, "expected three numbers"),
        ({"fractions": 0.8}, "expected three numbers"),
        ({"fractions": (1.0, 0.0, 0.0)}, "expected three numbers"),
        ({"y": np.zeros(9)}, "X has 30 rows and y 9"),
        ({"X": 3.0}, "X is float; expected rows"),
        (
            {"groups": np.zeros(30)},
            "groups has 1 different value, and rows of one group stay together; expected at least 3",
        ),
        ({"groups": np.arange(29)}, r"groups has shape \(29,\); expected \(30,\)"),
        ({"groups": ["a", None] * 15}, "groups is missing in 15 of 30 rows"),
        ({"groups": ["a", "b"] * 15}, "groups has 2 different values"),
        ({"groups": np.array(["a", 1] * 15, dtype=object)}, "groups mixes types that have no order"),
        ({"time": np.r_[np.nan, np.arange(29)]}, "time is missing in 1 of 30 rows"),
        ({"time": np.arange(30), "groups": np.arange(30)}, "both given"),
        ({"time": np.arange(30), "stratify": True}, "cannot be stratified"),
        ({"stratify": "class"}, "expected 'auto', True, False"),
        ({"random_state": -1}, "random_state is -1"),
    ],
)
def test_what_cannot_be_split_is_said_with_what_to_do(changes, says):
    given_data = {"X": rows_of(30), "y": np.random.default_rng(0).standard_normal(30), **changes}
    with pytest.raises(DataError, match=says):
        split(**given_data)
