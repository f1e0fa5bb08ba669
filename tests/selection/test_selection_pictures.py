"""The pictures show the numbers that they are of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB

from diaphane.data import gaussians
from diaphane.selection import (
    choose_threshold,
    feature_importance,
    partial_dependence,
    reliability,
    report_metrics,
    study_overstatement,
)

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    """Let every test draw as many as it likes."""
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted():
    X, y = gaussians(400, random_state=0)
    return GaussianNB().fit(X[:200], y[:200]), X[200:], y[200:]


def drawn(display):
    """Nothing is left out where it is drawn for real."""
    display.figure_.canvas.draw()
    return display


def test_the_curve_of_thresholds_passes_through_the_one_chosen(fitted):
    choice = choose_threshold(*fitted)
    display = drawn(choice.plot())
    x, y = display.line_.get_data()
    assert y[np.argmin(np.abs(x - choice.threshold))] == choice.score == max(y)
    assert f"chosen: {choice.score:.3g}" in display.ax_.get_legend().get_texts()[1].get_text()


def test_losses_are_not_among_the_scores_and_the_baseline_is(fitted):
    report = report_metrics(*fitted)
    display = drawn(report.plot())
    names = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert "log-loss" not in names
    bars, points = display.ax_.get_lines()[:2]
    assert bars.get_xdata()[names.index("AUC")] == 0.5
    assert points.get_xdata()[names.index("accuracy")] == report["accuracy"]


def test_the_study_is_drawn_with_truth_third_set_and_closed_form():
    study = study_overstatement([1, 10], [30, 60], n_repeats=20)
    display = drawn(study.plot())
    rows = study.of(30)
    assert display.lines_["chosen"].get_ydata().tolist() == [row.chosen_score for row in rows]
    assert display.lines_["true"].get_ydata().tolist() == pytest.approx([0.8, 0.8])
    expected = [row.expected for row in study.of(60)]
    assert any(list(line.get_ydata()) == expected for line in display.axes_[1].get_lines())
    drawn(study_overstatement([1, 3], [30], spread=0.1, n_repeats=5).plot())


def test_the_reliability_is_drawn_beside_the_diagonal(fitted):
    for positive in (None, 1):
        curve = reliability(*fitted, positive=positive, n_bins=5)
        display = drawn(curve.plot())
        assert display.lines_["estimator"].get_ydata().tolist() == curve.accuracy.tolist()
        assert ("class 1" in display.ax_.get_xlabel()) == (positive == 1)


def test_the_most_important_column_is_at_the_top_and_no_more_are_drawn_than_asked_for(fitted):
    found = feature_importance(*fitted)
    display = drawn(found.plot(most=1))
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == [found.names[0]]
    assert "1 of 2 columns" in display.ax_.get_xlabel()


def test_dependences_of_classes_sum_to_one_and_numbers_have_single_rows():
    X, y = load_iris(return_X_y=True)
    found = partial_dependence(GaussianNB().fit(X, y), X, 2)
    display = drawn(found.plot())
    np.testing.assert_allclose(sum(line.get_ydata() for line in display.lines_.values()), 1)
    rows = partial_dependence(LinearRegression().fit(X, y), X, 0, n_individual=4)
    assert len(drawn(rows.plot()).ax_.get_lines()) == 6
