"""Losses, descent, the sigmoid and learning curves: what is drawn equals formulas and other libraries' numbers."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from diaphane.data.generators import gaussians
from diaphane.insight.displays import (
    DecisionBoundaryDisplay,
    DescentDisplay,
    ErrorAgainstExamplesDisplay,
    LearningCurvesDisplay,
    LossDisplay,
    SigmoidDisplay,
)

MARGINS = np.linspace(-3, 3, 61)
X, Y = gaussians(200, 0)


def pytorchs(name, m):
    """Of a score m for an example of class +1."""
    score, one = torch.tensor(m), torch.ones(len(m), dtype=torch.float64)
    functional = torch.nn.functional
    found = {
        "hinge": lambda: functional.margin_ranking_loss(score, 0 * score, one, margin=1.0, reduction="none"),
        "perceptron": lambda: functional.margin_ranking_loss(score, 0 * score, one, margin=0.0, reduction="none"),
        "squared_hinge": lambda: (
            functional.margin_ranking_loss(score, 0 * score, one, margin=1.0, reduction="none") ** 2
        ),
        "logistic": lambda: functional.soft_margin_loss(score, one, reduction="none"),
        "squared_error": lambda: functional.mse_loss(score, one, reduction="none"),
        "zero_one": lambda: (score <= 0).double(),
    }
    return found[name]().numpy()


@pytest.mark.parametrize("name", ["zero_one", "perceptron", "hinge", "squared_hinge", "logistic", "squared_error"])
def test_the_curve_of_a_loss_is_pytorchs_loss_of_the_margin(name):
    display = LossDisplay.from_losses([name], margins=MARGINS, bits=False)
    margins, values = display.lines_[name].get_data()
    np.testing.assert_array_equal(margins, MARGINS)
    np.testing.assert_allclose(values, pytorchs(name, MARGINS), atol=1e-12)


def test_in_bits_the_logistic_loss_bounds_the_zero_one_loss_and_in_nats_it_does_not():
    for bits in (True, False):
        display = LossDisplay.from_losses(["zero_one", "logistic"], margins=MARGINS, bits=bits)
        above = display.curves["logistic"] >= display.curves["zero_one"] - 1e-12
        assert above.all() == bits
    assert "bits" in LossDisplay.from_losses(["logistic"]).lines_["logistic"].get_label()


@pytest.mark.parametrize("losses", [["hnge"], [], "hinge"])
def test_a_loss_that_there_is_not_is_named_beside_those_that_there_are(losses):
    with pytest.raises(ValueError, match="squared_hinge, logistic, squared_error"):
        LossDisplay.from_losses(losses)


def test_on_a_quadratic_the_right_learning_rate_arrives_and_the_others_do_not():
    display = DescentDisplay.from_quadratic([[2.0, 0.5], [0.5, 9.0]], n_iter=30)
    small, right, large = display.paths
    start = 0.5 * np.array([-4, 1.4]) @ np.array([[2.0, 0.5], [0.5, 9.0]]) @ np.array([-4, 1.4])
    assert display.excess(right) < 1e-3 < display.excess(small) < start < display.excess(large)
    assert ("too small" in small, "right" in right, "too large" in large) == (True, True, True)


def test_every_step_follows_the_closed_form_of_descent_on_a_quadratic():
    a, start, centre = np.array([[2.0, 0.5], [0.5, 9.0]]), np.array([-4.0, 1.4]), np.array([1.0, -1.0])
    display = DescentDisplay.from_quadratic(a, start=start, optimum=centre, learning_rates=[0.05], n_iter=12)
    expected = [centre + np.linalg.matrix_power(np.eye(2) - 0.05 * a, t) @ (start - centre) for t in range(13)]
    np.testing.assert_allclose(np.transpose(display.lines_[0].get_data()), expected, atol=1e-12)


def test_an_exact_line_search_takes_the_step_of_the_closed_form():
    a, start = np.diag([1.0, 10.0]), np.array([10.0, 1.0])
    display = DescentDisplay.from_quadratic(a, start=start, learning_rates={"exact": "exact"}, n_iter=5)
    point, expected = start, [start]
    for _ in range(5):
        slope = a @ point
        point = point - slope @ slope / (slope @ a @ slope) * slope
        expected.append(point)
    np.testing.assert_allclose(display.paths["exact line search, exact"], expected, rtol=1e-5)


def test_on_logistic_regression_the_right_learning_rate_ends_at_scikit_learns_optimum():
    display = DescentDisplay.from_logistic(X[:, :1], Y, n_iter=60)
    small, right, large = display.paths
    fit = LogisticRegression(C=np.inf, tol=1e-10).fit(X[:, :1], Y)
    best = np.array([fit.coef_[0, 0], fit.intercept_[0]])
    np.testing.assert_allclose(display.optimum, best, atol=1e-4)
    np.testing.assert_allclose(display.paths[right][-1], best, atol=1e-3)
    assert min(display.excess(small), display.excess(large)) > 100 * max(display.excess(right), 1e-12)
    least = log_loss(Y, fit.predict_proba(X[:, :1]))
    assert display.loss(best[None])[0] == pytest.approx(least, rel=1e-9)


def test_a_path_that_leaves_everything_behind_is_still_drawn_without_a_warning():
    display = DescentDisplay.from_quadratic(learning_rates=[1.0, 10.0], n_iter=2000)
    for line in display.lines_:
        assert np.isfinite(line.get_data()).all()
    display.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: DescentDisplay.from_quadratic([[1, 0], [0, -1]]), "positive eigenvalues"),
        (lambda: DescentDisplay.from_quadratic(learning_rates=[0.0]), "above 0"),
        (lambda: DescentDisplay.from_quadratic(start=[1, 2, 3]), "point of two finite numbers"),
        (lambda: DescentDisplay.from_quadratic(n_iter=0), "at least 1 step"),
        (lambda: DescentDisplay.from_logistic([-1, -2, 1, 2], [0, 0, 1, 1]), "do not overlap"),
        (lambda: DescentDisplay.from_logistic(X, Y), r"\(n, 1\), got \(200, 2\)"),
        (lambda: DescentDisplay.from_logistic([1, 2, 3], [0, 1, 2]), "3 classes"),
    ],
)
def test_a_descent_that_cannot_be_made_is_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_sigmoid_its_bars_and_its_likelihood_are_the_estimators():
    x = X[:, :1]
    model = LogisticRegression().fit(x, np.where(Y == 1, "yes", "no"))
    display = SigmoidDisplay.from_estimator(model, x, np.where(Y == 1, "yes", "no"))
    line, values = display.curve_.get_data()
    np.testing.assert_allclose(values, model.predict_proba(line[:, None])[:, 1], rtol=1e-9)
    assert display.log_likelihood == pytest.approx(-len(x) * log_loss(Y, model.predict_proba(x)), rel=1e-9)
    assert f"{display.log_likelihood:.2f}".replace("-", "−") in display.ax_.get_title()
    [bars] = [c for c in display.ax_.collections if "|y" in str(c.get_label())]
    lengths = np.array([np.ptp(segment[:, 1]) for segment in bars.get_segments()])
    np.testing.assert_allclose(lengths, np.abs(Y - model.predict_proba(x)[:, 1]), atol=1e-12)


def test_the_dashed_line_touches_the_sigmoid_where_it_is_steepest():
    display = SigmoidDisplay(X[:, 0], Y.astype(float), 1.7, 0.4).plot()
    [tangent] = [line for line in display.ax_.lines if "slope" in str(line.get_label())]
    (u0, u1), (v0, v1) = tangent.get_data()
    here = -0.4 / 1.7
    slope = (expit(1.7 * (here + 1e-5) + 0.4) - expit(1.7 * (here - 1e-5) + 0.4)) / 2e-5
    assert (v1 - v0) / (u1 - u0) == pytest.approx(slope, rel=1e-6)
    assert (v0 + v1) / 2 == pytest.approx(0.5)


@pytest.mark.parametrize("weight", [1e6, -1e6, 0.0])
def test_examples_far_on_the_wrong_side_leave_the_log_likelihood_finite(weight):
    display = SigmoidDisplay(np.array([-1.0, 1.0]), np.array([1.0, 0.0]), weight, 0.0).plot()
    assert np.isfinite(display.log_likelihood)


def test_a_sigmoid_that_cannot_be_drawn_is_explained():
    model = LogisticRegression().fit(X, Y)
    with pytest.raises(ValueError, match=r"\(n, 1\); got \(200, 2\)"):
        SigmoidDisplay.from_estimator(model, X, Y)
    with pytest.raises(ValueError, match="not fitted"):
        SigmoidDisplay.from_estimator(LogisticRegression(), X[:, :1], Y)
    three = np.arange(200) % 3
    with pytest.raises(ValueError, match="two classes"):
        SigmoidDisplay.from_estimator(LogisticRegression().fit(X[:, :1], three), X[:, :1], three)


def test_errors_against_examples_follow_descent_written_out_in_numpy():
    display = ErrorAgainstExamplesDisplay.from_data(
        X, Y, batch_sizes=(None, 50, 1), learning_rates=(0.5, 0.3, 0.1), epochs=2, random_state=3
    )
    rng = np.random.default_rng(3)
    order = np.concatenate([rng.permutation(200) for _ in range(2)])
    design = np.c_[X, np.ones(200)]
    for (seen, values), batch, rate in zip(display.curves.values(), (200, 50, 1), (0.5, 0.3, 0.1), strict=True):
        w, expected = np.zeros(3), {0: np.log(2)}
        for start in range(0, 400, batch):
            rows = order[start : start + batch]
            w = w + rate * (Y[rows] - expit(design[rows] @ w)) @ design[rows] / batch
            p = expit(design @ w)
            expected[start + batch] = -np.mean(Y * np.log(p) + (1 - Y) * np.log(1 - p))
        np.testing.assert_allclose(values, [expected[int(n)] for n in seen], rtol=1e-9)


def test_one_example_at_a_time_is_ahead_while_the_full_batch_has_not_begun():
    display = ErrorAgainstExamplesDisplay.from_data(X, Y, epochs=5, random_state=0)
    (_, full), _, (seen, single) = display.curves.values()
    assert single[seen <= 200][-1] < full[1]


def test_the_same_seed_gives_the_same_curves_and_errors_are_rates():
    one, two = (
        ErrorAgainstExamplesDisplay.from_data(X, Y, epochs=2, measure="error", random_state=1) for _ in range(2)
    )
    for name, (_, values) in one.curves.items():
        np.testing.assert_array_equal(values, two.curves[name][1])
        np.testing.assert_allclose(values * 200, np.round(values * 200), atol=1e-9)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"measure": "accuracy"}, "'loss' or 'error'"),
        ({"batch_sizes": (None, 200)}, "each once"),
        ({"batch_sizes": (201,)}, "from 1 to the 200"),
        ({"learning_rates": (0.1,)}, "1 learning rates for 3"),
        ({"epochs": 0}, "at least 1 epoch"),
    ],
)
def test_batches_that_there_cannot_be_are_explained(settings, words):
    with pytest.raises(ValueError, match=words):
        ErrorAgainstExamplesDisplay.from_data(X, Y, **settings)


def test_learning_curves_show_means_their_standard_errors_and_the_bayes_error():
    rng = np.random.default_rng(0)
    errors = {"a": rng.uniform(0.2, 0.3, (4, 10)), "b": rng.uniform(0.1, 0.2, (4, 10))}
    display = LearningCurvesDisplay.from_errors([10, 20, 40, 80], errors, bayes_error=0.08)
    for name, values in errors.items():
        np.testing.assert_allclose(display.lines_[name].get_ydata(), values.mean(axis=1))
    band = display.ax_.collections[0].get_paths()[0].vertices[:, 1]
    expected = errors["a"].mean(axis=1) + errors["a"].std(axis=1, ddof=1) / np.sqrt(10)
    assert band.max() == pytest.approx(expected.max())
    assert any(np.allclose(line.get_ydata(), 0.08) for line in display.ax_.lines)


def test_a_mark_stands_where_the_second_is_no_worse_than_the_first_for_good():
    curves = {"a": [0.2, 0.2, 0.2], "b": [0.4, 0.3, 0.1]}
    for mark, found in ((("a", "b"), [1000]), (("b", "a"), [])):
        display = LearningCurvesDisplay.from_errors([10, 100, 1000], curves, mark=mark)
        marks = [line.get_xdata()[0] for line in display.ax_.lines if "no worse" in str(line.get_label())]
        assert marks == found


def test_learning_curves_are_those_of_the_comparison():
    from sklearn.naive_bayes import GaussianNB

    from diaphane.insight.theory import compare_classifiers

    models = {"naive Bayes": GaussianNB(), "logistic": LogisticRegression()}
    comparison = compare_classifiers(X, Y, models, sizes=[10, 50, 100], n_repeats=3)
    display = LearningCurvesDisplay.from_comparison(comparison)
    np.testing.assert_array_equal(display.lines_["logistic"].get_ydata(), comparison.curve("logistic"))


@pytest.mark.parametrize(
    ("sizes", "errors"),
    [
        ([1, 1], {"a": [0, 0]}),
        ([0, 1], {"a": [0, 0]}),
        ([1, 2], {}),
        ([1, 2], {"a": [0]}),
        ([1, 2], {"a": [0, 1], "b": [[0, 1]] * 2}),
    ],
)
def test_learning_curves_that_do_not_fit_together_are_explained(sizes, errors):
    with pytest.raises(ValueError, match=r"sizes|errors"):
        LearningCurvesDisplay.from_errors(sizes, errors)


def test_importing_the_displays_loads_neither_matplotlib_nor_scikit_learn():
    check = "import diaphane.insight.displays, sys; print({'matplotlib', 'sklearn', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (
        LossDisplay.from_losses,
        DescentDisplay.from_quadratic,
        lambda: DecisionBoundaryDisplay.from_estimator(LogisticRegression().fit(X, Y), X),
    ):
        with pytest.raises(ImportError, match=r"pip install 'diaphane\[plot\]'"):
            draw()


def test_axes_of_another_number_than_there_are_panels_are_refused():
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, 2)
    with pytest.raises(ValueError, match="3 panels and got 2 axes"):
        DescentDisplay.from_quadratic(ax=axes)
