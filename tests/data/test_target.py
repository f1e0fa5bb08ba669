"""Which column is the target, and what kind of task it makes."""

from __future__ import annotations

import numpy as np
import pytest

from diaphane.data import DataError, Table, choose_target, encode_labels, infer_task, load, read_table, target_name


def of(*values):
    """Return a table with one feature and these values as target."""
    return Table({"x": np.arange(len(values)), "y": list(values)})


def test_the_last_column_is_the_target_unless_named():
    table = Table({"a": [1], "b": [2], "-1": [3], "1": [4]})
    assert target_name(table) == "1"
    assert target_name(table, "a") == "a"
    assert target_name(table, 0) == "a"
    assert target_name(table, "0") == "a"
    assert target_name(table, -2) == "-1"


def test_a_name_that_is_also_an_index_is_a_name_first():
    assert target_name(Table({"1": [1], "b": [2]}), "1") == "1"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("pric", r"no target column 'pric'; the columns are size, price\. Did you mean 'price'\?"),
        ("zzz", r"no target column 'zzz'; the columns are size, price\.$"),
        (2, "no target column 2; the indices of 2 columns go from -2 to 1"),
        ("-3", "no target column -3"),
    ],
)
def test_a_target_that_is_not_there_is_answered_with_those_that_are(target, message):
    with pytest.raises(DataError, match=message):
        target_name(Table({"size": [1], "price": [2]}), target)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0.0, 1.0], "classification"),
        ([1.0, 2.0] * 4, "classification"),
        ([1.0, 2.0, 3.0] * 3, "classification"),
        ([1.0, 2.0, 3.0] * 2, "regression"),
        (list(np.arange(20.0)) * 20, "classification"),
        (list(np.arange(21.0)) * 100, "regression"),
        ([0.5, 1.5] * 50, "regression"),
    ],
)
def test_numbers_are_classes_when_whole_and_few(values, task):
    assert infer_task(np.array(values)) == task


def test_strings_and_truth_values_are_classes():
    assert choose_target(of("a", "b", "a", "b")).labels == ("a", "b")
    assert choose_target(of(True, False, True, False)).labels == ("False", "True")


def test_labels_keep_their_accents_and_composition():
    composed, decomposed = "\u00e9t\u00e9", "e\u0301te\u0301"
    target = choose_target(of(composed, decomposed, "hiver", "hiver", composed, decomposed))
    assert set(target.labels) == {composed, decomposed, "hiver"}
    assert [target.labels[i] for i in target.y][:2] == [composed, decomposed]


def test_whole_numbers_are_labels_without_a_decimal_point():
    assert choose_target(of(2.0, 1.0, 2.0, 1.0)).labels == (1, 2)


def test_numbers_that_are_not_whole_can_be_classes_when_asked():
    assert choose_target(of(0.5, 1.5, 0.5, 1.5), task="classification").labels == (0.5, 1.5)


def test_rows_without_target_are_left_out_and_counted():
    target = choose_target(of("a", None, "b", "a", "b"))
    np.testing.assert_array_equal(target.rows, [0, 2, 3, 4])
    assert target.n_missing == 1
    assert "1 row without it left out" in target.describe()
    numbers = choose_target(of(1.5, None, 2.5, 3.25))
    np.testing.assert_array_equal(numbers.y, [1.5, 2.5, 3.25])


@pytest.mark.parametrize(
    ("table", "task", "message"),
    [
        (of("a", "a", "a"), "auto", "one class only, 'a'; expected at least two"),
        (of(1, 1, 1), "auto", "one class only, 1;"),
        (of(2.5, 2.5), "auto", "is 2.5 in every row"),
        (of("a"), "auto", "1 of 1 rows has a value in the target 'y'; expected at least 2"),
        (of(None, None), "auto", "0 of 2 rows have a value"),
        (of("a", "b", "c"), "auto", "3 classes in 3 rows; .*choose another column"),
        (of(1, 2, 3), "classification", "3 classes in 3 rows; .*task regression"),
        (of("1", "2", "x", "x"), "regression", "holds text such as 'x'; regression expects numbers"),
        (of(1, 2, np.inf), "auto", "the target 'y' is infinite in row 3"),
        (of(1, 2), "clustering", "task is 'clustering'; expected 'auto'"),
        (Table({"y": ["a", "b"] * 3}), "auto", "one column, 'y'; expected at least one more"),
    ],
)
def test_targets_nothing_can_be_learnt_from_are_refused(table, task, message):
    with pytest.raises(DataError, match=message):
        choose_target(table, task=task)


def test_labels_are_found_again_in_another_file():
    strings = np.array(["b", "a", "new", None], dtype=object)
    np.testing.assert_array_equal(encode_labels(strings, ("a", "b")), [1, 0, -1, -2])
    np.testing.assert_array_equal(encode_labels(np.array([2.0, 7.0, np.nan]), (1, 2)), [1, -1, -2])
    np.testing.assert_array_equal(encode_labels(np.array(["2", "2.0", "x"], dtype=object), (1, 2)), [1, 1, -1])
    np.testing.assert_array_equal(encode_labels(np.array([3.0]), ("3", "other")), [0])


@pytest.mark.parametrize(
    ("name", "task"), [("digits", "classification"), ("diabetes", "regression"), ("iris", "classification")]
)
def test_built_in_tasks_are_inferred(name, task):
    assert choose_target(load(name)).task == task


@pytest.mark.parametrize(
    ("name", "header", "target", "task", "n_labels"),
    [
        ("winequality_white.csv", True, "quality", "classification", 7),
        ("auto_imports.csv", False, None, "regression", 0),
        ("horse_colic.csv", False, -1, "classification", 2),
        ("german_credit.csv", False, None, "classification", 2),
        ("phoneme.csv", False, None, "classification", 2),
        ("adult_test.csv", True, "income", "classification", 2),
        ("beijing_pm25.csv", True, "pm2.5", "regression", 0),
    ],
)
def test_real_tasks_are_inferred(real_file, name, header, target, task, n_labels):
    chosen = choose_target(read_table(real_file(name), header=header), target)
    assert (chosen.task, len(chosen.labels)) == (task, n_labels)
    assert np.isfinite(chosen.y).all()
