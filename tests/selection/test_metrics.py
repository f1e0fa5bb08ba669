"""Every metric is scikit-learn's, whatever rows lack a class; and where accuracy says nothing, that is said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn import metrics as sk
from sklearn.datasets import load_diabetes, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from diaphane.data import gaussians
from diaphane.estimators import LogisticRegression
from diaphane.insight.theory import bayes_classifier
from diaphane.selection import METRICS, accuracy_misleads, find_metric, report_metrics

THEIRS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "auc": "roc_auc_ovr",
    "average_precision": "average_precision",
    "log_loss": "neg_log_loss",
    "brier": "neg_brier_score",
    "f1": "f1_macro",
    "f1_positive": "f1",
    "mcc": "matthews_corrcoef",
    "r2": "r2",
    "mae": "neg_mean_absolute_error",
    "rmse": "neg_root_mean_squared_error",
    "mse": "neg_mean_squared_error",
    "median_absolute_error": "neg_median_absolute_error",
    "mape": "neg_mean_absolute_percentage_error",
}


def three_classes():
    X, y = load_wine(return_X_y=True)
    X = X[:, :2] + np.random.default_rng(0).normal(size=(len(X), 2))
    return GaussianNB().fit(X[::2], y[::2]), X[1::2], y[1::2]


def two_classes(n=400):
    X, y = gaussians(n, random_state=0, means=[[-0.5, 0], [0.5, 0]])
    return GaussianNB().fit(X[: n // 2], y[: n // 2]), X[n // 2 :], y[n // 2 :]


def numbers():
    X, y = load_diabetes(return_X_y=True)
    return LinearRegression().fit(X[::2], y[::2]), X[1::2], y[1::2]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("task", [two_classes, three_classes, numbers])
def test_a_metric_is_scikit_learns_of_the_same_name(task, name, weighted):
    model, X, y = task()
    metric = find_metric(name)
    if not metric.suits(model, y):
        assert (task is numbers) != (metric.task == "regression") or name == "f1_positive"
        return
    weights = np.random.default_rng(1).uniform(size=len(y)) if weighted else None
    theirs = sk.get_scorer(THEIRS[name])(model, X, y, **({"sample_weight": weights} if weighted else {}))
    assert metric.scorer(model, X, y, weights) == pytest.approx(theirs, rel=1e-12)
    assert metric.score(model, X, y, weights) == pytest.approx(theirs if metric.greater_is_better else -theirs)
    assert find_metric(THEIRS[name]).name == (name if THEIRS[name] != "f1" else "f1")


def test_every_metric_has_an_oracle_or_a_formula_here():
    assert set(METRICS) == {*THEIRS, "pinball"}
    model, X, y = numbers()
    for quantile in (None, 0.1, 0.9):
        found = find_metric("pinball", quantile=quantile)
        alpha = quantile or 0.5
        assert found.score(model, X, y) == pytest.approx(sk.mean_pinball_loss(y, model.predict(X), alpha=alpha))
    assert find_metric("pinball").score(model, X, y) == pytest.approx(find_metric("mae").score(model, X, y) / 2)


def test_margins_are_scores_enough_for_the_auc_of_two_classes():
    X, y = gaussians(300, random_state=0)
    model = LinearSVC().fit(X, y)
    expected = sk.roc_auc_score(y, model.decision_function(X))
    assert find_metric("auc").score(model, X, y) == pytest.approx(expected)
    names = {row["metric"] for row in report_metrics(model, X, y).rows()}
    assert {"auc", "average_precision", "mcc"} <= names
    assert not {"log_loss", "brier"} & names
    with pytest.raises(ValueError, match="log_loss needs probabilities, and LinearSVC has no predict_proba"):
        find_metric("log_loss").score(model, X, y)


def test_rows_that_lack_a_class_have_a_score_all_the_same():
    model, X, y = three_classes()
    kept = y != 1
    p = model.predict_proba(X[kept])
    assert find_metric("log_loss").score(model, X[kept], y[kept]) == pytest.approx(
        -np.mean(np.log(p[np.arange(len(p)), y[kept]]))
    )
    present = [sk.roc_auc_score(y[kept] == k, p[:, k]) for k in (0, 2)]
    assert find_metric("auc").score(model, X[kept], y[kept]) == pytest.approx(np.mean(present))
    one_hot = np.eye(3)[y[kept]]
    assert find_metric("brier").score(model, X[kept], y[kept]) == pytest.approx(((p - one_hot) ** 2).sum(1).mean())
    assert report_metrics(model, X[kept], y[kept])["balanced_accuracy"] > 0.5
    one = y == 0
    with pytest.raises(ValueError, match="compares classes"):
        find_metric("auc").score(model, X[one], y[one])
    assert "auc" not in {row["metric"] for row in report_metrics(model, X[one], y[one]).rows()}


def test_searches_of_scikit_learn_take_the_scorer():
    X, y = load_wine(return_X_y=True)
    tree = DecisionTreeClassifier(random_state=0)
    for name in ("log_loss", "auc", "f1"):
        ours = cross_val_score(tree, X, y, scoring=find_metric(name).scorer, cv=3)
        np.testing.assert_allclose(ours, cross_val_score(tree, X, y, scoring=THEIRS[name], cv=3))
    scoring = {name: find_metric(name).scorer for name in ("accuracy", "log_loss")}
    search = GridSearchCV(tree, {"max_depth": [1, 3]}, scoring=scoring, refit="log_loss", cv=3).fit(X, y)
    assert np.all(search.cv_results_["mean_test_log_loss"] <= 0)


def test_a_report_has_every_score_that_suits_beside_the_baseline():
    model, X, y = two_classes()
    report = report_metrics(model, X, y, y_train=[0, 0, 1])
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((3, 1)), [0, 0, 1])
    for row in report.rows():
        theirs = sk.get_scorer(THEIRS[row["metric"]])(dummy, X, y)
        assert row["baseline"] == pytest.approx(theirs if row["greater_is_better"] else -theirs)
    assert report.baseline_of("AUC") == 0.5
    assert "always says 0" in str(report)
    model, X, y = numbers()
    report = report_metrics(model, X, y)
    assert report.baseline_of("r2") == pytest.approx(0)
    assert report.baseline_of("rmse") == pytest.approx(np.std(y))
    assert "always says the mean" in str(report)
    worse = LinearRegression().fit(X[:11], y[:11])
    assert "no better than the baseline" in str(report_metrics(worse, X, y))


def test_estimators_of_ours_and_labels_that_are_words_are_reported():
    X, y = gaussians(200, random_state=0)
    words = np.array(["no", "yes"])[y]
    report = report_metrics(LogisticRegression().fit(X, words), X, words)
    assert report["accuracy"] == pytest.approx(report["balanced_accuracy"])
    assert report["f1_positive"] > 0.8


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_the_scores_of_the_best_classifier_of_rare_rows_are_the_known_rates(share):
    law = bayes_classifier([[-1.0, 0.0], [1.0, 0.0]], priors=[1 - share, share])
    random = np.random.default_rng(0)
    y = (random.uniform(size=400_000) < share).astype(int)
    X = law.means[y] + random.standard_normal((len(y), 2))
    # Its boundary is x = log(π₀/π₁)/2, and rows of a class are normal around ±1.
    cut = np.log((1 - share) / share) / 2
    found, missed = norm.sf(cut - 1), norm.sf(cut + 1)
    report = report_metrics(law_as_estimator(law), X, y)
    assert report["accuracy"] == pytest.approx(1 - law.error, abs=0.001)
    assert report.baseline_of("accuracy") == pytest.approx(1 - share, abs=0.001)
    assert report["balanced_accuracy"] == pytest.approx((found + 1 - missed) / 2, abs=0.01)
    assert report["auc"] == pytest.approx(norm.cdf(2 / np.sqrt(2)), abs=0.005)
    assert report.baseline_of("average_precision") == pytest.approx(share, abs=0.001)
    assert report.word is not None
    assert f"{1 - share:.1%}".replace("%", "") in report.word


def law_as_estimator(law):
    model = GaussianNB().fit(law.means, [0, 1])
    model.theta_, model.var_, model.class_prior_ = law.means, np.ones((2, 2)), law.priors
    return model


def test_accuracy_misleads_where_one_class_is_nearly_all_and_not_otherwise():
    rare = np.repeat(["no", "yes"], [990, 10])
    assert "99.0 % of the rows" in accuracy_misleads(rare)
    assert "on 1000 rows may be by chance alone above always saying 'no'" in accuracy_misleads(rare, 0.991)
    assert "no better than always saying 'no'" in accuracy_misleads(rare, 0.99)
    assert accuracy_misleads(rare, 0.9999) is None
    assert "avoids 30 % of the mistakes" in accuracy_misleads(np.repeat([0, 1], [9000, 1000]), 0.93)
    assert accuracy_misleads(rare.astype(object), 0.99) == accuracy_misleads(rare, 0.99)
    even = np.repeat([0, 1, 2], 100)
    assert accuracy_misleads(even) is None
    assert accuracy_misleads(even, 0.6) is None
    assert "no better than" in accuracy_misleads(even, 0.33)
    assert "by chance alone" in accuracy_misleads(even, 0.34)
    assert "all of one class" in accuracy_misleads([1, 1, 1])
    with pytest.raises(ValueError, match="within 0 and 1"):
        accuracy_misleads(even, 97)
    with pytest.raises(ValueError, match="one row or more"):
        accuracy_misleads([])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: find_metric("log los"), "Did you mean 'log_loss'"),
        (lambda: find_metric("f1", quantile=0.5), "for 'pinball'"),
        (lambda: find_metric("pinball", quantile=1.5), "quantile is 1.5"),
        (lambda: find_metric("f1_positive").measure([0, 1, 2], [0, 1, 1]), "is for two classes, and there are 3"),
        (lambda: find_metric("accuracy").measure([0, 1], [0]), "y has 2 rows and the predictions 1"),
        (lambda: find_metric("accuracy").measure(np.eye(2), np.eye(2)), "expected one label a row"),
        (lambda: find_metric("log_loss").measure([0, 1], np.full((2, 3), 1 / 3)), "3 columns for 2 classes"),
        (lambda: find_metric("r2").measure([1.0], [1.0]), "two rows or more"),
        (lambda: report_metrics(*two_classes(), metrics=["rmse"]), "rmse does not suit GaussianNB"),
        (lambda: report_metrics(*two_classes(), metrics=["f2"]), "there is no metric 'f2'"),
    ],
)
def test_what_cannot_be_scored_is_said(call, says):
    with pytest.raises(ValueError, match=says):
        call()
    model, X, y = two_classes()
    with pytest.raises(ValueError, match="y has 7, for which there is no probability; the classes are 0, 1"):
        find_metric("log_loss").score(model, X, np.where(y == 1, 7, y))
    with pytest.raises(TypeError, match="a metric is a name"):
        find_metric(3)
    with pytest.raises(KeyError, match="rmse is not in the report"):
        report_metrics(model, X, y)["rmse"]
