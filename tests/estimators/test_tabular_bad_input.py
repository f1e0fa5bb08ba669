"""What networks for tables do with columns that say nothing, gaps in the target, and data that cannot be used."""

import warnings

import numpy as np
import pandas as pd
import pytest

from diaphane.data import DataError
from diaphane.estimators import TabularClassifier, TabularRegressor
from diaphane.estimators.tabular import Recipe, TableWarning
from diaphane.estimators.tabular.members import batch_and_epochs

SMALL = Recipe(hidden=(16,), steps=100)


def classifier(**settings):
    return TabularClassifier(**{"n_members": 1, "recipe": SMALL, "random_state": 0, **settings})


def regressor(**settings):
    return TabularRegressor(**{"n_members": 1, "recipe": SMALL, "random_state": 0, **settings})


def frame(rows=60, **more):
    return pd.DataFrame({"size": np.linspace(0, 1, rows), **more})


HALVES = np.repeat(["low", "high"], 30)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ticket", [f"T{i:05d}" for i in range(60)]),
        ("customer_id", np.arange(60) + 70_000),
        ("customerId", np.random.default_rng(0).permutation(60)),
        ("ID", np.arange(60)),
        ("Unnamed: 0", np.arange(60)),
    ],
)
def test_a_column_that_names_rows_is_left_out_and_said(name, values):
    with pytest.warns(TableWarning, match=f"'{name}' names rows"):
        model = classifier().fit(frame(**{name: values}), HALVES)
    assert model.left_out_ == {name: "an identifier: another value in every row"}
    assert f"{name}: left out, an identifier" in model.describe_columns()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("price", np.arange(60) * 7 % 61),
        ("humid", np.linspace(0, 1, 60)),
        ("remark", [f"the {i}th house by the lake" for i in range(60)]),
        ("customer_id", np.arange(60) // 2),
        ("when", pd.date_range("2024-01-01", periods=60)),
    ],
)
def test_what_differs_in_every_row_and_is_no_identifier_is_used(name, values):
    assert classifier().fit(frame(**{name: values}), HALVES).left_out_ == {}


def test_a_column_of_one_value_or_none_is_left_out_without_a_warning():
    model = classifier().fit(frame(unit="cm", gap=[None] * 60), HALVES)
    assert model.left_out_ == {"unit": "'cm' in every row", "gap": "all its values are missing"}


def test_a_table_without_a_column_of_use_is_refused():
    with pytest.raises(DataError, match="no column is of use"):
        classifier().fit(pd.DataFrame({"unit": ["cm"] * 60}), HALVES)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_rows_without_a_class_are_dropped_and_counted(missing):
    y = HALVES.astype(object)
    y[[3, 40]] = missing
    with pytest.warns(TableWarning, match="2 of 60 rows have no target and are left out"):
        model = classifier().fit(frame(), y)
    whole = classifier().fit(frame().drop([3, 40]), np.delete(HALVES, [3, 40]))
    assert list(model.classes_) == ["high", "low"]
    assert np.array_equal(model.predict_proba(frame()), whole.predict_proba(frame()))


def test_rows_without_a_number_are_dropped_and_counted():
    y = np.linspace(0, 5, 60)
    y[7] = np.nan
    with pytest.warns(TableWarning, match="1 of 60 rows has no target and is left out"):
        model = regressor().fit(frame(), y)
    assert np.isfinite(model.predict(frame())).all()


@pytest.mark.parametrize("kind", [frame, lambda **more: frame(**more).to_numpy()])
def test_an_infinite_number_is_named_in_fit_and_in_predict(kind):
    values = np.linspace(0, 1, 60)
    bad = values.copy()
    bad[4] = np.inf
    with pytest.raises(ValueError, match="infinite in row 5"):
        classifier().fit(kind(more=bad), HALVES)
    model = classifier().fit(kind(more=values), HALVES)
    with pytest.raises(ValueError, match="infinite in row 5"):
        model.predict(kind(more=bad))


def test_an_infinite_target_and_one_of_words_are_refused():
    y = np.linspace(0, 1, 60)
    y[2] = -np.inf
    with pytest.raises(ValueError, match="-inf in row 3"):
        regressor().fit(frame(), y)
    with pytest.raises(ValueError, match=r"'low'.*TabularClassifier is for classes"):
        regressor().fit(frame(), HALVES)


def test_a_category_and_a_gap_never_seen_are_answered():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = classifier().fit(frame(colour=["red", "blue"] * 30), HALVES)
        found = model.predict_proba(pd.DataFrame({"size": [0.5, np.nan], "colour": ["green", None]}))
    assert np.isfinite(found).all()


def test_other_columns_than_in_training_are_refused():
    model = classifier().fit(frame(colour=["red", "blue"] * 30), HALVES)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame(color=["red", "blue"] * 30))
    with pytest.raises(ValueError, match=r"trained on numbers there|holds 'much'"):
        model.predict(frame(colour=["red", "blue"] * 30).assign(size="much"))


def test_two_columns_of_one_name_and_cells_that_are_lists_are_refused():
    twice = pd.concat([frame(), frame()], axis=1)
    with pytest.raises(ValueError, match="'size' 2 times"):
        classifier().fit(twice, HALVES)
    with pytest.raises(DataError, match="'odd' holds list values"):
        classifier().fit(frame(odd=[[1, 2]] * 60), HALVES)


def test_one_class_and_classes_without_an_order_are_refused():
    with pytest.raises(ValueError, match="one class only, 'low'"):
        classifier().fit(frame(), ["low"] * 60)
    with pytest.raises(ValueError, match=r"astype\(str\)"):
        classifier().fit(frame(), np.array([1, "a"] * 30, dtype=object))


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"n_members": 0}, "n_members must be"), ({"n_jobs": 1.5}, "n_jobs must be"), ({"recipe": {}}, "recipe must be")],
)
def test_a_parameter_out_of_its_range_is_refused(settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        classifier(**settings).fit(frame(), HALVES)


def test_five_thousand_columns_are_learnt():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 5000)).astype(np.float32)
    y = x[:, :200].sum(axis=1) > 0
    model = classifier(recipe=Recipe(hidden=(16,), steps=120)).fit(x, y)
    assert model.score(x, y) > 0.8


def test_of_five_thousand_columns_of_words_as_many_are_used_as_memory_is_sure_to_hold():
    rng = np.random.default_rng(0)
    wide = pd.DataFrame({f"w{i}": rng.choice(list("abcde"), 40) for i in range(5000)}, dtype=object)
    wide["size"] = rng.normal(size=40)
    with pytest.warns(TableWarning, match=r"'w4999'|'w\d+', .* more are left out: the columns of words would make"):
        model = classifier(recipe=Recipe(hidden=(4,), steps=20)).fit(wide, wide["w0"] == "a")
    assert model.members_[0].values["tangent_dense_1/kernel"].shape[0] <= 10_000
    assert "size: a number" in model.describe_columns()
    assert 2000 <= 5000 - len(model.left_out_) < 5000
    # A column of the fewest words goes last.
    assert "w0: 5 categories" in model.describe_columns()


def test_numbers_are_used_however_many_and_columns_of_most_words_go_first(monkeypatch):
    monkeypatch.setattr("diaphane.estimators.tabular.columns.MOST_FEATURES", 70)
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.normal(size=(60, 65)), columns=[f"x{i}" for i in range(65)])
    words = {"three": list("abc") * 20, "two": list("ab") * 30, "six": list("abcdef") * 10, "twain": list("ba") * 30}
    with pytest.warns(TableWarning, match="'six', 'three' are left out|'three', 'six' are left out"):
        model = classifier().fit(numbers.assign(**words), HALVES)
    assert set(model.left_out_) == {"six", "three"}
    with pytest.warns(TableWarning, match="are left out"):
        model = classifier().fit(pd.concat([numbers, -numbers.add_prefix("y")], axis=1).assign(**words), HALVES)
    assert set(model.left_out_) == set(words)


def test_columns_of_text_beyond_a_number_are_left_out_and_said(monkeypatch):
    monkeypatch.setattr("diaphane.estimators.tabular.columns.MOST_TEXTS", 1)
    texts = {name: [f"{name} house number {i}" for i in range(90)] for name in ("first", "second")}
    with pytest.warns(TableWarning, match="'second' is left out: there are"):
        model = classifier().fit(frame(90, **texts), np.repeat(HALVES[::30], 45))
    assert list(model.left_out_) == ["second"]


def test_the_steps_of_a_fit_grow_fewer_as_features_grow_many():
    counts = [batch_and_epochs(2000, features, Recipe())[1] for features in (10, 2500, 5000, 10_000)]
    assert counts[0] == counts[1] > counts[2] > counts[3] >= Recipe().fewest_epochs


def test_three_rows_are_enough_to_answer():
    model = classifier(n_members=8).fit(pd.DataFrame({"x": [0.0, 1.0, 2.0]}), ["a", "b", "a"])
    assert model.predict_proba(pd.DataFrame({"x": [1.0]})).shape == (1, 2)
