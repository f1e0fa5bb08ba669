"""``diaphane train --model``: linear models by their own estimators, and the pictures of what was learnt."""

from __future__ import annotations

import csv
import json
import random
import re

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from diaphane.app.fitting import fit_table
from diaphane.app.model import load_model
from diaphane.app.options import Options
from diaphane.data import load, read_table

LINEAR = ("perceptron", "logistic")


def apart(n=80, seed=0, gap=2.5):
    """Two clouds far from one another, in units of their own."""
    draw = random.Random(seed)
    lines = ["len,mass,kind"]
    for i in range(n):
        side = -gap if i % 2 else gap
        lines.append(f"{50 + 3 * draw.gauss(side, 1):.3f},{900 + 100 * draw.gauss(side, 1):.3f},{'ab'[i % 2]}")
    return "\n".join(lines) + "\n"


def one_column(n=120, seed=0):
    draw = random.Random(seed)
    lines = ["age,ill"]
    for _ in range(n):
        age = draw.gauss(50, 10)
        lines.append(f"{age:.3f},{'yes' if draw.random() < 1 / (1 + np.exp((52 - age) / 4)) else 'no'}")
    return "\n".join(lines) + "\n"


def matrix(table, names):
    """Columns of numbers side by side."""
    return np.column_stack([table[name] for name in names])


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "digits"])
def test_a_logistic_model_gives_scikit_learns_probabilities(name):
    table = load(name)
    outcome = fit_table(table, Options(model="logistic", epochs=2000))
    train, names = outcome.parts.train, outcome.model.encoder.names_in
    scaler = StandardScaler().fit(matrix(train.features, names))
    theirs = LogisticRegression(tol=1e-8, max_iter=5000)
    theirs.fit(scaler.transform(matrix(train.features, names)), train.y)
    ours = outcome.model.outputs(table.drop([outcome.target.name]))
    np.testing.assert_allclose(ours, theirs.predict_proba(scaler.transform(matrix(table, names))), atol=1e-3)


def test_a_linear_model_is_linear_in_the_tables_columns(diaphane, numbers):
    out = diaphane("train", numbers, "--model", "linear").out
    assert "solved at once" in out
    outcome = fit_table(read_table(str(numbers)), Options(model="linear"))
    table = read_table(str(numbers))
    x, train = matrix(table, "ab"), outcome.parts.train
    scaler = StandardScaler().fit(matrix(train.features, "ab"))
    theirs = Ridge().fit(scaler.transform(matrix(train.features, "ab")), train.y)
    np.testing.assert_allclose(outcome.model.outputs(table.drop(["y"])), theirs.predict(scaler.transform(x)), atol=1e-4)
    assert outcome.scores["test"]["score"] > 0.999


def test_a_perceptron_stops_at_its_first_epoch_without_a_mistake(diaphane, write, tmp_path):
    out = diaphane("train", write(apart(gap=4)), "--model", "perceptron").out
    epochs, mistakes = map(
        int, re.search(r"(\d+) epochs? with (\d+) mistakes, 0 of them in the last one", out).groups()
    )
    history = [json.loads(line) for line in (tmp_path / "model/history.jsonl").read_text().splitlines()]
    assert len(history) == epochs
    assert sum(record["mistakes"] for record in history) == mistakes
    assert history[-1]["mistakes"] == 0
    assert re.search(r"train +│ +56 │ +1\.0000", out)
    assert "3 parameters" in out


def test_classes_that_no_hyperplane_parts_are_told_with_what_to_do(diaphane):
    out = diaphane("train", "xor", "--model", "perceptron", "--epochs", 5).out
    assert "note: not separated in 5 epochs" in out
    assert "--model logistic" in out


def test_mistakes_of_three_classes_are_said_to_be_a_sum_over_them(diaphane):
    out = diaphane("train", "iris", "--model", "perceptron", "--epochs", 5).out
    estimator = fit_table(load("iris"), Options(model="perceptron", epochs=5)).linear.estimator
    last = sum(curve[-1] for curve in estimator.mistakes_curve_)
    assert f"{last} of them in the last one, summed over 3 classes, each told from the rest" in " ".join(out.split())
    assert "told from the rest" not in diaphane("train", "xor", "--model", "perceptron", "--epochs", 5).out


def test_the_picture_of_the_proof_says_that_columns_are_standardised(write, monkeypatch):
    from diaphane.app import learnt

    drawn = []
    saved = learnt._saved
    monkeypatch.setattr(learnt, "_saved", lambda ax, path: drawn.append((path.name, ax)) or saved(ax, path))
    table = read_table(str(write(apart(gap=4))))
    learnt.draw_what_was_learnt(fit_table(table, Options(model="perceptron")), write("", "x").parent)
    assert "standardised" in dict(drawn)["convergence.png"].get_xlabel()


def test_too_few_iterations_are_told(diaphane):
    answer = diaphane("train", "breast_cancer", "--model", "logistic", "--epochs", 2)
    assert answer.code == 0
    assert answer.err == ""
    assert "note: not at the best fit after 2 iterations; raise --epochs" in answer.out


@pytest.mark.parametrize("model", LINEAR)
@pytest.mark.parametrize("source", ["iris", "gaussians"])
def test_another_run_predicts_draws_and_profiles_with_a_linear_model(diaphane, tmp_path, source, model):
    said = diaphane("train", source, "--model", model, "--epochs", 50).out
    predicted = diaphane("predict", "model", source)
    assert predicted.code == 0
    assert re.search(r"accuracy: 0\.\d+ over", predicted.err)
    assert diaphane("draw", "model").code == 0
    assert diaphane("draw", "model", "--graph").code == 0
    assert diaphane("profile", "model", source, "--steps", 2).code == 0
    estimator = fit_table(load(source), Options(model=model, epochs=50)).linear.estimator
    model_there = load_model(tmp_path / "model")
    x = model_there.encoder.transform(load(source).drop([model_there.target]))
    labels = [str(model_there.labels[k]) for k in estimator.predict(x)]
    assert [row[0] for row in csv.reader(predicted.out.splitlines())][1:] == labels
    assert f"test accuracy: {model_there.facts['scores']['test']['score']:.4f}" in said


def test_the_same_seed_writes_the_same_perceptron(diaphane, tmp_path):
    for folder in ("one", "two"):
        diaphane("train", "gaussians", "--model", "perceptron", "--epochs", 5, "--seed", 3, "--out", folder)
    one, two = ((tmp_path / folder / "model.safetensors").read_bytes() for folder in ("one", "two"))
    assert one == two


def test_a_perceptron_gives_no_probabilities_and_logistic_regression_does(diaphane):
    diaphane("train", "gaussians", "--model", "perceptron", "--epochs", 5)
    answer = diaphane("predict", "model", "gaussians", "--proba")
    assert answer.code == 2
    assert "no probabilities; train with --model logistic" in answer.err
    diaphane("train", "gaussians", "--model", "logistic")
    rows = list(csv.DictReader(diaphane("predict", "model", "gaussians", "--proba").out.splitlines()))
    assert all(abs(float(row["p(0)"]) + float(row["p(1)"]) - 1) < 1e-5 for row in rows)


def test_a_class_that_no_row_to_learn_from_has_is_never_predicted(diaphane, write):
    draw = random.Random(1)
    rows = [(draw.gauss(0, 1), "abc"[i % 2]) for i in range(30)] + [(draw.gauss(0, 1), "c")] * 1
    source = write("a,y\n" + "".join(f"{a:.3f},{y}\n" for a, y in rows))
    for model in LINEAR:
        assert diaphane("train", source, "--model", model, "--epochs", 20).code == 0
        answer = diaphane("predict", "model", source)
        assert answer.code == 0


@pytest.mark.parametrize("model", ["logistic", "linear"])
def test_far_rows_words_and_missing_cells_are_predicted(diaphane, write, model):
    text = "a,b,y\n" + "".join(f"{i % 7},{'red blue'.split()[i % 2]},{i % 2 + (i % 7 > 3)}\n" for i in range(60))
    task = "regression" if model == "linear" else "classification"
    assert diaphane("train", write(text), "--model", model, "--task", task).code == 0
    answer = diaphane("predict", "model", write("a,b\n1e300,red\n-1e300,green\n,\n", "far.csv"))
    assert (answer.code, answer.err) == (0, "")
    assert len(answer.out.splitlines()) == 4
    assert "nan" not in answer.out


PICTURES = {
    ("perceptron", "apart"): {"boundary.png", "updates.png", "updates.html", "convergence.png"},
    ("logistic", "apart"): {"boundary.png"},
    ("mlp", "apart"): {"boundary.png"},
    ("logistic", "one"): {"sigmoid.png"},
    ("linear", "numbers"): {"predictions.png"},
    ("logistic", "wide"): set(),
}


@pytest.mark.parametrize(("model", "kind"), PICTURES)
def test_plot_writes_the_pictures_that_suit_the_model(diaphane, write, tmp_path, numbers, model, kind):
    source = {"apart": lambda: write(apart()), "one": lambda: write(one_column()), "numbers": lambda: numbers}.get(
        kind, lambda: "iris"
    )()
    options = ["--hidden", 4, "--epochs", 2] if model == "mlp" else []
    answer = diaphane("train", source, "--model", model, "--plot", *options)
    assert (answer.code, answer.err) == (0, "")
    always = {"model.safetensors", "network.svg", "history.jsonl"} | ({"learning_curves.png"} - {""})
    if model == "linear":
        always -= {"learning_curves.png"}
    written = {path.name for path in (tmp_path / "model").iterdir()}
    assert written - always == PICTURES[model, kind]
    assert {line.removeprefix("wrote model/") for line in answer.out.splitlines() if "wrote" in line} == written
    for path in (tmp_path / "model").glob("*.png"):
        assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    if kind == "wide":
        assert "note: no picture of the boundary: it is drawn over two columns, and there are 4" in answer.out


def test_a_number_of_one_column_is_drawn_with_its_fit(diaphane, write, tmp_path):
    text = "x,y\n" + "".join(f"{i / 10},{i / 5 + (i % 3) / 10}\n" for i in range(50))
    assert diaphane("train", write(text), "--model", "linear", "--plot").code == 0
    assert {"predictions.png", "fit.png"} <= {path.name for path in (tmp_path / "model").iterdir()}


def test_the_boundary_is_drawn_in_the_tables_units(write, monkeypatch):
    from diaphane.app import learnt
    from diaphane.insight.displays import DecisionBoundaryDisplay, PerceptronDisplay

    drawn = {}
    for cls in (DecisionBoundaryDisplay, PerceptronDisplay):
        plot = cls.plot
        monkeypatch.setattr(
            cls, "plot", lambda self, *a, _plot=plot, **k: drawn.setdefault(type(self).__name__, _plot(self, *a, **k))
        )
    table = read_table(str(write(apart())))
    outcome = fit_table(table, Options(model="perceptron"))
    learnt.draw_what_was_learnt(outcome, write("", "x").parent)
    updates, boundary = drawn["PerceptronDisplay"], drawn["DecisionBoundaryDisplay"]
    assert 30 < boundary.view.left < boundary.view.right < 70
    assert 300 < boundary.view.bottom < boundary.view.top < 1600
    w = updates.weights[-1]
    grid = boundary.view.grid(40)[2]
    from diaphane.data import Table

    outputs = outcome.model.outputs(Table.from_matrix(grid, ["len", "mass"]))
    np.testing.assert_array_equal(outputs.argmax(axis=1) == 1, grid @ w[:2] + w[2] > 0)
    assert not updates.wrong().any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["iris", "--model", "svm"], "--model must be auto, tabular, mlp, perceptron, logistic, linear, got 'svm'"),
        (["iris", "--model", "logistic", "--hidden", "8"], "--model logistic has no use for --hidden"),
        (
            ["iris", "--model", "perceptron", "--learning-rate", "0.1", "--batch-size", "4", "--patience", "3"],
            "has no use for --batch-size, --learning-rate, --patience",
        ),
        (["diabetes", "--model", "linear", "--epochs", "9"], "--model linear has no use for --epochs"),
        (["diabetes", "--model", "logistic"], "the target 'progression' is a number; take --model linear"),
        (["diabetes", "--model", "perceptron"], "--model perceptron tells classes apart"),
        (["iris", "--model", "linear"], "the target 'species' has 3 classes; take --model logistic"),
    ],
)
def test_a_model_that_does_not_suit_is_refused_before_anything_is_written(diaphane, tmp_path, arguments, words):
    answer = diaphane("train", *arguments)
    assert answer.code == 2
    assert words in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not (tmp_path / "model" / "model.safetensors").exists()


def test_plot_without_matplotlib_is_refused_before_the_training(diaphane, monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    answer = diaphane("train", "iris", "--plot")
    assert answer.code == 2
    assert "pip install 'diaphane[plot]'" in answer.err
    assert not (tmp_path / "model").exists()


def test_a_linear_model_without_matplotlib_is_there_all_the_same(diaphane, monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    answer = diaphane("train", "iris", "--model", "logistic")
    assert answer.code == 0
    assert "no picture of the learning curves" in answer.out
