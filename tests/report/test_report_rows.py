"""Rows are those of the caller: where they stand in what was given, and whether fit had them."""

import numpy as np
import pandas as pd
import pytest
from report.pages import Page, as_number
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression, LogisticRegression

import diaphane.report.subject as subject
from diaphane.estimators import TabularRegressor
from diaphane.report import report
from diaphane.report.examined import is_of_fit
from diaphane.report.markup import tag
from diaphane.report.part import Part
from diaphane.selection import diagnose, feature_importance


@pytest.fixture(scope="module")
def weighted():
    """Every third row has no target, every fourth no weight."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = X[:, 0] + 0.1 * rng.normal(size=400)
    y[::3] = np.nan
    with pytest.warns(UserWarning, match="have no target"):
        model = TabularRegressor(n_members=2, random_state=0).fit(X, y, sample_weight=np.arange(400) % 4 > 0)
    return model, X, y


def test_a_members_rows_are_found_in_what_was_given(weighted, monkeypatch):
    model, X, y = weighted
    seen = {}

    def watched(estimator, X, y, **settings):
        seen.update(X=X, **settings)
        return diagnose(estimator, X, y, **settings)

    monkeypatch.setattr(subject, "diagnose", watched)
    report(model, X, y)
    known = np.flatnonzero(~np.isnan(y) & (np.arange(400) % 4 > 0))
    held = known[model.members_[0].held_out]
    np.testing.assert_array_equal(seen["validation_data"][0], X[held])
    np.testing.assert_array_equal(seen["row_numbers"], np.setdiff1d(known, held))
    np.testing.assert_array_equal(seen["X"], X[seen["row_numbers"]])


def test_other_rows_than_those_of_fit_are_not_taken_for_them(weighted):
    model, X, y = weighted
    rows = np.flatnonzero(~np.isnan(y))
    assert is_of_fit(model, Part("learnt from", X[rows], y[rows], rows))
    assert not is_of_fit(model, Part("learnt from", X[::-1][rows], y[rows], rows))
    page = Page(report(model, X[::-1], y).html)
    assert "not the rows that fit had" in page.section("split")["text"]


def test_rows_missed_by_most_are_numbered_as_they_were_given():
    X = np.arange(40.0)[:, None]
    y = 2 * X[:, 0]
    model = LinearRegression().fit(X, y)
    y[:5], y[17] = np.nan, 500
    page = Page(report(model, X, y, test=(X, y)).html)
    assert page.rows("Missed by most")[1][0] == "row 17"


def test_predictions_of_one_column_are_numbers():
    X = np.arange(60.0)[:, None]
    y = 3 * X[:, 0] + np.arange(60) % 5
    model = LinearRegression().fit(X, y[:, None])
    off = np.abs(y - model.predict(X)[:, 0]).max()
    shown = Page(report(model, X, y, test=(X, y)).html).rows("Missed by most")[1]
    assert abs(as_number(shown[3])) == pytest.approx(off, rel=5e-3)


def test_a_column_of_importance_is_known_by_its_place_whatever_it_is_called():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(80, 3)), columns=["x2", "xylem", "x0"])
    y = X["xylem"] + 0.1 * X["x0"]
    model = LinearRegression().fit(X, y)
    found = feature_importance(model, X, y, n_repeats=2)
    assert found.columns[:2] == (1, 2)
    bare = LinearRegression().fit(X, y)
    made = report(bare, X, y, test=(X, y))
    assert "By xylem" in made.html
    assert "What it leans on" not in made.left_out


def test_an_attribute_of_nought_is_written():
    assert tag("p", tabindex=0, hidden=False, title=None) == '<p tabindex="0"></p>'


def test_a_rare_class_that_is_ranked_well_asks_for_a_threshold():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 2))
    y = rng.random(3000) < 1 / (1 + np.exp(4.5 - 1.2 * X[:, 0]))
    model = LogisticRegression().fit(X[:2000], y[:2000])
    page = Page(report(model, X[:2000], y[:2000], test=(X[2000:], y[2000:])).html)
    first = next(e["text"] for e in page.all("header"))
    assert "Verdict: choose a threshold" in first
    assert "choose_threshold" in first
    assert "of no use" not in first


def test_what_is_no_threshold_is_refused_with_words():
    X = np.arange(40.0)[:, None]
    with pytest.raises(TypeError, match="choose_threshold"):
        report(LogisticRegression().fit(X, X[:, 0] > 20), X, X[:, 0] > 20, threshold=0.3)


def test_scores_of_rows_that_something_was_chosen_by_say_so():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = X[:, 0] + 0.3 * rng.normal(size=300) > 0
    model = LogisticRegression().fit(X[:200], y[:200])
    page = Page(report(model, X[:200], y[:200], validation=(X[200:], y[200:])).html)
    assert "may have been chosen by these rows" in next(e["text"] for e in page.all("header"))


def test_right_probabilities_of_few_rows_are_not_called_rough():
    rng = np.random.default_rng(0)

    class Right(ClassifierMixin, BaseEstimator):
        classes_ = np.array([0, 1])

        def fit(self, X, y):
            return self

        def predict_proba(self, X):
            return np.column_stack([1 - X[:, 0], X[:, 0]])

        def predict(self, X):
            return (X[:, 0] > 0.5).astype(int)

        def __sklearn_is_fitted__(self):
            return True

    for rows in (60, 500, 2000):
        X = rng.random((rows, 1))
        y = (rng.random(rows) < X[:, 0]).astype(int)
        page = Page(report(Right(), X, y, test=(X, y)).html)
        assert "no more than chance makes" in page.section("calibration")["text"]
    y = (rng.random(rows) < 0.5 + (X[:, 0] - 0.5) / 3).astype(int)
    page = Page(report(Right(), X, y, test=(X, y)).html)
    assert "do not take its probabilities" in page.section("calibration")["text"]


def test_labels_of_one_kind_may_come_as_objects():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = X[:, 0] > 0
    for labels in (y, y.astype(int)):
        model = LogisticRegression().fit(X[:100], labels[:100])
        given = labels.astype(object)
        page = report(model, X[:100], given[:100], test=(X[100:], given[100:]))
        assert not {"All scores", "Mistakes: which class is taken for which", "Class by class"} & set(page.left_out)
