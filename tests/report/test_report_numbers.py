"""The page's numbers are those of scikit-learn on the same predictions, and its sections are all there."""

import re
import sys

import numpy as np
import pandas as pd
import pytest
from report.pages import Page, as_number
from sklearn.datasets import load_iris, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    log_loss,
    mean_absolute_error,
    precision_recall_fscore_support,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier as SklearnMLP
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from diaphane.data import Table
from diaphane.estimators import MLPClassifier, TabularRegressor
from diaphane.insight import gradient_health
from diaphane.report import RunFacts, report
from diaphane.report.sections import KINDS
from diaphane.report.sections.code import code_for
from diaphane.selection import Search, choose_threshold, diagnose

SECTIONS = {kind.key for kind in KINDS}


def sections(page):
    return {e["id"] for e in page.all("section")} - {"missing"}


def scores(page):
    return {row[0]: row for row in page.rows("Scores beside")[1:]}


def test_scores_of_classes_are_those_of_sklearn_on_the_test_rows(forest):
    (X, y), (X_test, y_test) = forest.learnt, forest.test
    said, chances = forest.model.predict(X_test), forest.model.predict_proba(X_test)
    shown = scores(forest.page)
    for name, value in {
        "accuracy": accuracy_score(y_test, said), "balanced accuracy": balanced_accuracy_score(y_test, said),
        "AUC": roc_auc_score(y_test, chances[:, 1]), "log-lossless is better": log_loss(y_test, chances),
    }.items():  # fmt: skip
        assert as_number(shown[name][1]) == pytest.approx(value, rel=5e-4), name
    assert as_number(shown["accuracy"][2]) == pytest.approx(np.mean(y_test == y.mode()[0]), rel=5e-4)
    assert as_number(shown["accuracy"][3]) == pytest.approx(forest.model.score(X, y), rel=5e-4)


def test_the_confusion_matrix_and_the_classes_are_those_of_sklearn(forest):
    X, y = forest.test
    said = forest.model.predict(X)
    rows = forest.page.rows("Rows, and their share")[1:]
    shown = [[int(re.match(r"\d+", cell)[0][: len(str(n))]) for cell, n in zip(row[1:3], true, strict=True)]
             for row, true in zip(rows, confusion_matrix(y, said), strict=True)]  # fmt: skip
    assert shown == confusion_matrix(y, said).tolist()
    by_class = np.array(precision_recall_fscore_support(y, said)).T
    found = [[as_number(cell) for cell in row[1:]] for row in forest.page.rows("By class")[1:]]
    np.testing.assert_allclose(found, by_class, rtol=5e-3)


def test_scores_of_numbers_are_those_of_sklearn_and_lead_the_page(ridge):
    X, y = ridge.test
    said = ridge.model.predict(X)
    shown = scores(ridge.page)
    assert as_number(shown["R²"][1]) == pytest.approx(r2_score(y, said), rel=5e-4)
    assert as_number(shown["mean absolute errorless is better"][1]) == pytest.approx(
        mean_absolute_error(y, said), rel=5e-4
    )
    head = next(e["text"] for e in ridge.page.all("header"))
    assert f"It explains {100 * r2_score(y, said):.1f}\u202f% of how the target varies over {len(y)} test rows" in head
    assert "progression (a number) from 10 columns" in head


def test_the_metric_asked_for_leads_the_page_with_its_baseline(forest):
    X, y = forest.test
    [first, *_] = [e for e in forest.page.elements if e.get("class") == "tile"]
    assert first["text"].startswith("balanced accuracy")
    assert as_number(first["text"].removeprefix("balanced accuracy")) == pytest.approx(
        balanced_accuracy_score(y, forest.model.predict(X)), rel=5e-3
    )
    assert first["text"].endswith("without learning 0.5")


def test_every_section_is_there_or_named_with_its_reason(forest, ridge, tabular):
    regression = {"residuals"}
    classification = {"confusion", "classes", "calibration"}
    only_networks, only_when_given = {"curves", "health", "network"}, {"threshold", "search"}
    common = SECTIONS - regression - classification - only_networks - only_when_given
    assert sections(forest.page) == common | classification
    assert sections(ridge.page) == common | regression
    assert sections(tabular.page) == common | classification | only_networks
    assert list(forest.report.left_out) == ["How it learnt"]
    assert "does not learn by epochs" in forest.page.section("missing")["text"]
    assert tabular.report.left_out == {}


def test_rows_without_a_target_and_columns_left_out_are_said(tabular):
    assert "1 row of the learnt from rows without a target left out" in tabular.page.section("split")["text"]
    assert tabular.page.rows("Left out")[1:] == [["one", "1 in every row"]]
    columns = {row[0]: row for row in tabular.page.rows("The columns")[1:]}
    assert (
        columns["colour"][3]
        == f"{100 * tabular.learnt[0]['colour'][tabular.learnt[1].notna()].isna().mean():.1f}\u202f%"
    )


def test_curves_are_those_of_every_member(tabular):
    rows = tabular.page.rows("How training went")[1:]
    assert [row[0] for row in rows] == [f"member {k}" for k in range(1, 6)]
    for row, member in zip(rows, tabular.model.members_, strict=True):
        assert int(row[-1]) == member.best_epoch
        assert as_number(row[3]) == pytest.approx(member.curve[-1].loss, rel=5e-4)


def test_facts_of_the_run_are_shown(tabular):
    text = tabular.page.section("run")["text"]
    assert "reading0.50 s" in text
    assert "together2.5 s" in text
    assert "a < b" in tabular.page.section("code")["text"]
    assert "random_state0" in text


def test_without_test_rows_members_are_judged_by_rows_they_did_not_learn_from():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = X[:, 0] + rng.normal(size=60)
    model = TabularRegressor(n_members=5, random_state=0).fit(X, y)
    rows, said = model.held_out_predictions()
    page = Page(report(model, X, y).html)
    shown = scores(page)["R²"]
    assert as_number(shown[1]) == pytest.approx(r2_score(y[rows], said), rel=5e-3)
    assert as_number(shown[3]) == pytest.approx(model.score(X, y), rel=5e-3)
    assert "did not learn from it" in next(e["text"] for e in page.all("header"))


def test_beside_many_test_rows_those_held_out_are_still_judged_by_members_that_did_not_learn_from_them(monkeypatch):
    monkeypatch.setattr("diaphane.report.subject.MOST_SCORED", 20)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(90, 3))
    y = X[:, 0] + rng.normal(size=90)
    model = TabularRegressor(n_members=5, random_state=0).fit(X[:60], y[:60])
    rows, said = model.held_out_predictions()
    page = Page(report(model, X[:60], y[:60], test=(X[60:], y[60:])).html)
    assert as_number(scores(page)["R²"][3]) == pytest.approx(r2_score(y[rows], said), rel=5e-3)


def test_the_diagnosis_of_members_leaves_the_test_rows_alone(monkeypatch):
    import diaphane.report.subject as subject

    rng = np.random.default_rng(0)
    X = rng.normal(size=(260, 3))
    y = X[:, 0] + 0.1 * rng.normal(size=260)
    model = TabularRegressor(n_members=2, random_state=0).fit(X[:200], y[:200])
    seen = {}

    def watched(estimator, X, y, **settings):
        seen.update(estimator=estimator, X=X, apart=settings["validation_data"][0])
        return diagnose(estimator, X, y, **settings)

    monkeypatch.setattr(subject, "diagnose", watched)
    page = Page(report(model, X[:200], y[:200], test=(X[200:], y[200:])).html)
    held = model.members_[0].held_out
    np.testing.assert_array_equal(seen["apart"], X[:200][held])
    np.testing.assert_array_equal(seen["X"], np.delete(X[:200], held, axis=0))
    assert len(seen["estimator"].members_) == 1
    assert len(model.members_) == 2
    assert "the diagnosis below does not look at them" in page.section("split")["text"]
    assert "one of its networks" in page.section("baselines")["text"]


def test_a_score_of_the_rows_learnt_from_is_called_what_it_is(forest):
    page = Page(report(forest.model, *forest.learnt).html)
    warning = next(e["text"] for e in page.elements if e.get("class") == "warning")
    assert "rows that it learnt from: of new ones it will know less" in warning


@pytest.fixture(scope="module")
def rare():
    X, y = make_classification(3000, 6, weights=[0.97], flip_y=0, class_sep=0.5, random_state=0)
    y = np.where(y == 1, "fraud", "fine")
    return LogisticRegression().fit(X[:1000], y[:1000]), X, y


def test_a_high_accuracy_that_says_nothing_is_called_that(rare):
    model, X, y = rare
    page = Page(report(model, X[:1000], y[:1000], test=(X[2000:], y[2000:])).html)
    assert "Accuracy misleads" in next(e["text"] for e in page.all("header"))


def test_scores_are_those_with_the_threshold_that_was_chosen(rare):
    model, X, y = rare
    choice = choose_threshold(model, X[1000:2000], y[1000:2000])
    made = report(model, X[:1000], y[:1000], validation=(X[1000:2000], y[1000:2000]), test=(X[2000:], y[2000:]),
                  threshold=choice)  # fmt: skip
    page = Page(made.html)
    said = choice.classifier.predict(X[2000:])
    assert as_number(scores(page)["balanced accuracy"][1]) == pytest.approx(
        balanced_accuracy_score(y[2000:], said), rel=5e-4
    )
    assert f"from {choice.threshold:.4g} on" in page.section("threshold")["text"]
    effect = {row[0]: [as_number(cell) for cell in row[1:]] for row in page.rows("On the test rows")[1:]}
    positive = choice.positive
    truth = y[2000:] == positive
    assert effect["with the threshold"][:2] == [np.sum(truth & (said == positive)), np.sum(truth & (said != positive))]
    assert "the diagnosis below does not look at them" in page.section("split")["text"]


def test_the_search_is_shown_best_first(rare):
    _, X, y = rare
    search = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1, 3, 9, 27, 81] * 3}, cv=2).fit(X[:300], y[:300])
    page = Page(report(search.best_estimator_, X[:300], y[:300], test=(X[300:600], y[300:600]), search=search).html)
    rows = page.rows("What was tried")
    assert rows[0][:2] == ["rank", "n_neighbors"]
    assert as_number(rows[1][2]) == pytest.approx(search.best_score_, rel=5e-4)
    assert len(rows) == 13
    assert "the best 12 of 15 candidates" in page.section("search")["text"]


def test_our_network_and_that_of_sklearn_have_curves_and_a_picture():
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(150)
    X, y = X[order], y[order]
    ours = make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=4, tol=0, n_iter_no_change=99, random_state=0))
    theirs = SklearnMLP((8,), max_iter=4, random_state=0, early_stopping=True)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        theirs.fit(X[:90], y[:90])
    with pytest.warns(UserWarning, match="Maximum iterations"):
        ours.fit(X[:90], y[:90])
    for model, losses in ((ours, ours[-1].loss_curve_), (theirs, theirs.loss_curve_)):
        page = Page(report(model, X[:90], y[:90], test=(X[90:], y[90:])).html)
        [row] = page.rows("How training went")[1:]
        assert as_number(row[2]) == pytest.approx(losses[0], rel=5e-4)
        assert as_number(row[3]) == pytest.approx(losses[-1], rel=5e-4)
        assert ("health" in sections(page)) == (model is ours)
        assert "network" in sections(page)


def test_gradients_are_those_of_the_rows_as_the_network_inside_sees_them():
    X, y = load_iris(return_X_y=True)
    X = 1000 * X + 5000
    with pytest.warns(UserWarning, match="Maximum iterations"):
        search = Search(
            make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=4, random_state=0)),
            {"mlpclassifier__alpha": [0.1]}, cv=2, random_state=0,
        ).fit(X, y)  # fmt: skip
    page = Page(report(search, X, y, test=(X, y)).html)
    scaler, network = search.best_estimator_
    [look] = gradient_health(network, scaler.transform(X), y).looks
    shown = [as_number(row[1]) for row in page.rows("Norms at the values")[1:]]
    np.testing.assert_allclose(shown, [layer.gradient for layer in look.layers], rtol=5e-4)
    assert page.rows("What was tried")[0][1] == "mlpclassifier__alpha"


def test_curves_of_the_run_take_the_place_of_the_estimators(ridge):
    curves = [{"epoch": e, "loss": 1 / e, "validation_loss": (e - 3) ** 2 + 1} for e in range(1, 6)]
    page = Page(report(ridge.model, *ridge.learnt, test=ridge.test, run=RunFacts(curves=curves)).html)
    assert page.rows("How training went")[1] == ["network", "5", "1", "0.2", "1", "3"]


def test_the_code_that_is_shown_makes_the_same_model(forest):
    X, y = forest.learnt
    names = {"X": X, "y": y}
    exec(code_for(forest.model), names)
    np.testing.assert_array_equal(names["model"].predict_proba(X), forest.model.predict_proba(X))
    assert code_for(forest.model) in forest.page.section("code")["text"]


def test_a_wide_table_with_many_classes_is_cut_with_words():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 2500)), np.arange(400) % 80
    model = KNeighborsClassifier(1).fit(X, y)
    made = report(model, X, y, test=(X[:200], y[:200]))
    page = Page(made.html)
    assert "the first 24 of 2500 columns" in page.section("data")["text"]
    assert "the most frequent 30 of 80 classes" in page.section("data")["text"]
    assert "the worst 30 of 80 classes" in page.section("classes")["text"]
    assert "there are 2500" in made.left_out["What it leans on"]
    assert len(made.html) < 500_000


def test_a_classifier_without_probabilities_has_all_but_calibration(forest):
    model = make_pipeline(StandardScaler(), LinearSVC(random_state=0)).fit(*forest.learnt)
    made = report(model, *forest.learnt, test=forest.test)
    assert "has no predict_proba" in made.left_out["Can its probabilities be trusted?"]
    assert {"scores", "confusion", "classes", "diagnosis"} <= sections(Page(made.html))


@pytest.mark.parametrize("kind", ["polars", "table"])
def test_frames_of_polars_and_tables_are_taken_as_they_are(kind):
    polars = pytest.importorskip("polars")
    rng = np.random.default_rng(0)
    columns = {"size": rng.normal(size=80), "colour": rng.choice(["red", "blue"], 80)}
    frame = polars.DataFrame(columns) if kind == "polars" else Table(columns)
    y = columns["size"] * (columns["colour"] == "red")
    model = TabularRegressor(n_members=1, random_state=0).fit(frame, y)
    made = report(model, frame, y, test=(frame, y))
    assert made.left_out == {}
    assert [row[0] for row in Page(made.html).rows("Where a column is shuffled")[1:]] in (
        ["size", "colour"],
        ["colour", "size"],
    )


def test_without_matplotlib_tables_are_there_and_the_extra_is_named(ridge, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = Page(report(ridge.model, *ridge.learnt, test=ridge.test, target="progression").html)
    assert page.all("svg") == []
    assert sections(page) == sections(ridge.page)
    assert all(
        "diaphane[plot]" in page.section(key)["text"] for key in ("data", "baselines", "residuals", "importance")
    )
    for caption in ("How the target is spread", "Missed by most", "Where a column is shuffled"):
        assert page.rows(caption) == ridge.page.rows(caption)


def test_a_section_that_fails_is_named_and_the_rest_is_there(ridge, monkeypatch):
    import diaphane.report.sections.importance as importance

    def broken(*_, **__):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(importance, "feature_importance", broken)
    made = report(ridge.model, *ridge.learnt, test=ridge.test)
    assert made.left_out["What it leans on"] == "RuntimeError: no such luck"
    assert sections(Page(made.html)) == sections(ridge.page) - {"importance"}


def test_a_model_that_learnt_nothing_is_not_called_well_fitted(rare):
    _, X, y = rare
    model = LogisticRegression(C=1e-9).fit(X[:300], y[:300])
    head = Page(report(model, X[:300], y[:300], test=(X[300:600], y[300:600])).html).all("header")[0]["text"]
    assert "By this score it is no better than no learning." in head
    assert "Verdict: well fitted" not in head


def test_classes_that_were_not_learnt_are_left_out_and_counted():
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = np.repeat(["a", "b"], 30)
    model = KNeighborsClassifier().fit(X, y)
    new = pd.Series(["a", "b", "c"] * 10)
    page = Page(report(model, X, y, test=(X[:30], new)).html)
    assert "10 rows of the test rows left out, of classes that were not learnt: 'c'" in page.section("split")["text"]
