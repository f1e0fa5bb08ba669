"""``--metric`` and ``--threshold``: what is reported, and from which probability on a class is said."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics as reference

from diaphane.app.fitting import fit_table
from diaphane.app.model import load_model
from diaphane.app.options import Options
from diaphane.app.scoring import Judge
from diaphane.data import Table, read_table
from diaphane.selection import find_metric

from .test_command_mistakes import assert_one_line

LOGISTIC = ("--model", "logistic")


def rare(n: int = 400, share: float = 0.12, apart: float = 1.5, seed: int = 0) -> str:
    """A number and a word, and a class that is seldom."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < share
    x = rng.normal(size=n) + apart * y
    return "a,w,y\n" + "".join(
        f"{a:.3f},{'uv'[i % 2]},{'yes' if r else 'no'}\n" for i, (a, r) in enumerate(zip(x, y, strict=True))
    )


def predicted(text: str) -> tuple[np.ndarray, np.ndarray]:
    rows = list(csv.reader(io.StringIO(text)))[1:]
    return np.array([row[0] for row in rows]), np.array([[float(p) for p in row[1:]] for row in rows])


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("accuracy", lambda y, said, p: reference.accuracy_score(y, said)),
        ("balanced_accuracy", lambda y, said, p: reference.balanced_accuracy_score(y, said)),
        ("auc", lambda y, said, p: reference.roc_auc_score(y == "yes", p[:, 1])),
        ("average_precision", lambda y, said, p: reference.average_precision_score(y == "yes", p[:, 1])),
        ("log_loss", lambda y, said, p: reference.log_loss(y, p / p.sum(axis=1, keepdims=True))),
        ("f1", lambda y, said, p: reference.f1_score(y, said, average="macro")),
        ("mcc", lambda y, said, p: reference.matthews_corrcoef(y, said)),
    ],
)
def test_the_metric_asked_for_is_scikit_learns_of_what_is_predicted(diaphane, write, name, score):
    source, test = write(rare(), "s.csv"), write(rare(120, seed=1), "t.csv")
    trained = diaphane("train", source, *LOGISTIC, "--metric", name, "--test", test)
    told = diaphane("predict", "model", test, "--proba")
    said, probabilities = predicted(told.out)
    expected = score(read_table(test)["y"].astype(str), said, probabilities)
    assert load_model(Path("model")).facts["scores"]["test"]["score"] == pytest.approx(expected, abs=2e-5)
    title = find_metric(name).title
    assert trained.out.count(f"test {title}: ") == 1
    assert told.err.startswith(f"{title}: {expected:.3f}"[:-1])


@pytest.mark.parametrize("name", ["r2", "mae", "rmse"])
def test_a_number_is_scored_in_its_unit_beside_the_mean(diaphane, numbers, name):
    function = {
        "r2": reference.r2_score,
        "mae": reference.mean_absolute_error,
        "rmse": reference.root_mean_squared_error,
    }[name]
    test = Path(shutil.copy(numbers, "test.csv"))
    assert diaphane("train", numbers, "--model", "linear", "--metric", name, "--test", test).code == 0
    table, model = read_table(numbers), load_model(Path("model"))
    facts = model.facts["scores"]["test"]
    assert facts["score"] == pytest.approx(function(table["y"], model.outputs(table)))
    learnt = fit_table(table, Options(model="linear"), progress=False).parts.train.y
    whole = Judge(find_metric(name), 0).baseline(table["y"], learnt)
    assert whole == pytest.approx(function(table["y"], np.full(len(table), learnt.mean())))


def test_the_baseline_says_the_most_frequent_class_and_the_frequencies():
    learnt = np.array([0] * 7 + [1] * 3)
    truth = np.array([0, 1, 1, 0, 1])
    assert Judge(find_metric("accuracy"), 2).baseline(truth, learnt) == 0.4
    assert Judge(find_metric("balanced_accuracy"), 2, 0.1).baseline(truth, learnt) == 0.5
    expected = reference.log_loss(truth, np.tile([0.7, 0.3], (5, 1)))
    assert Judge(find_metric("log_loss"), 2).baseline(truth, learnt) == pytest.approx(expected)


def test_rows_of_a_class_that_is_not_known_are_wrong_where_classes_are_said_and_not_judged_by_probability():
    truth, outputs = np.array([0, 1, -1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert Judge(find_metric("accuracy"), 2).score(truth, outputs) == pytest.approx(2 / 3)
    assert Judge(find_metric("auc"), 2).score(truth, outputs) == 1
    assert np.isnan(Judge(find_metric("auc"), 2).score(truth[:1], outputs[:1]))


# ---- Thresholds


@pytest.mark.parametrize("model", [LOGISTIC, ("--members", 2), ("--model", "mlp", "--hidden", 4, "--epochs", 5)])
def test_a_threshold_is_chosen_for_the_metric_and_stays_in_the_model(diaphane, write, model):
    source = write(rare())
    answer = diaphane("train", source, *model, "--threshold", "auto")
    kept = load_model(Path("model"))
    assert kept.threshold is not None
    assert "note: threshold: 'yes' from" in answer.out
    assert "test balanced accuracy" in answer.out
    said, probabilities = predicted(diaphane("predict", "model", source, "--proba").out)
    clear = np.abs(probabilities[:, 1] - kept.threshold) > 1e-5
    np.testing.assert_array_equal((said == "yes")[clear], (probabilities[:, 1] >= kept.threshold)[clear])


def test_no_other_threshold_is_better_on_the_validation_rows(write):
    table = read_table(write(rare()))
    for metric in ("balanced_accuracy", "f1", "accuracy"):
        outcome = fit_table(table, Options(model="logistic", metric=metric, threshold="auto"), progress=False)
        part = outcome.parts.of["validation"]
        outputs = outcome.model.outputs(part.features)
        others = [
            Judge(find_metric(metric), 2, float(t)).score(part.y, outputs)
            for t in np.concatenate([[0], outputs[:, 1], outputs[:, 1] + 1e-6, [1]])
        ]
        assert outcome.scores["validation"]["score"] == pytest.approx(max(others))


def test_a_threshold_may_be_given(diaphane, write):
    source = write(rare())
    found = []
    for threshold in (0.05, 0.5, 0.95):
        answer = diaphane("train", source, *LOGISTIC, "--threshold", threshold, "--metric", "auc")
        assert f"threshold: 'yes' from {threshold:g} on" in answer.out
        assert "test AUC" in answer.out
        found.append(diaphane("predict", "model", source).out.splitlines().count("yes"))
    assert found[0] > found[1] > found[2]


def test_an_exported_model_says_that_its_label_knows_no_threshold(diaphane, write):
    pytest.importorskip("onnx")
    diaphane("train", write(rare()), *LOGISTIC, "--threshold", 0.2)
    out = diaphane("export", "model", "m.onnx").out
    assert "label is the more probable class; the model's threshold is 0.2 for 'yes'" in out


def test_where_accuracy_misleads_a_note_says_so(diaphane, write):
    source = write(rare(share=0.03, apart=0.3))
    assert "note: accuracy misleads: " in diaphane("train", source, *LOGISTIC).out
    assert "accuracy misleads" not in diaphane("train", source, *LOGISTIC, "--metric", "auc").out
    assert "accuracy misleads" not in diaphane("train", write(rare(share=0.5, apart=4)), *LOGISTIC).out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--metric", "acuracy"], ["--metric: there is no metric 'acuracy'", "Did you mean 'accuracy'?"]),
        (["--metric", "r2"], ["--metric r2 is for regression, and the target 'y' has 2 classes", "accuracy, auc"]),
        (["--metric", "auc", "--target", "a"], ["--metric auc is for classification, and the target 'a' is a number"]),
        (["--metric", "log_loss", "--model", "perceptron"], ["a perceptron knows sides", "--model logistic"]),
        (["--threshold", "1.5"], ["--threshold must be a probability greater than 0 and less than 1, got 1.5"]),
        (["--threshold", "nan"], ["--threshold must be a probability"]),
        (["--threshold", "best"], ["--threshold takes auto, or a probability such as 0.3; got 'best'"]),
        (["--threshold", "0.3", "--target", "a"], ["--threshold parts two classes, and the target 'a' is a number"]),
        (["--threshold", "auto", "--metric", "auc"], ["--threshold auto: no threshold changes auc", "give a number"]),
        (["--threshold", "0.3", "--model", "perceptron"], ["--model perceptron has no use for --threshold"]),
    ],
)
def test_a_score_that_makes_no_sense_is_named_before_the_training(diaphane, good, options, said):
    assert_one_line(diaphane("train", good, *options), *said)
    assert not Path("model/model.safetensors").exists()


def test_three_classes_have_no_threshold_and_no_metric_of_two(diaphane):
    assert_one_line(diaphane("train", "iris", "--threshold", "auto"), "parts two classes", "'species' has 3 classes")
    assert_one_line(diaphane("train", "iris", "--metric", "f1_positive"), "is for two classes", "'species' has 3")


def test_validation_rows_of_one_class_choose_no_threshold_and_lose_no_model(diaphane, write):
    text = "a,y\n" + "".join(f"{i % 17},{'no' if i else 'yes'}\n" for i in range(60))
    answer = diaphane("train", write(text + "3,yes\n"), *LOGISTIC, "--threshold", "auto")
    assert answer.code == 0
    assert "no threshold was chosen, the more probable class is said" in answer.out


def test_an_r2_of_rows_that_are_all_alike_is_no_number():
    judge = Judge(find_metric("r2"), 0)
    assert np.isnan(judge.score(np.ones(3), np.arange(3.0)))
    far = 1e200 * np.arange(4.0)
    assert judge.score(far, far * 1.1) == pytest.approx(reference.r2_score(np.arange(4.0), 1.1 * np.arange(4.0)))


def test_a_table_of_one_column_is_refused_whatever_is_asked(diaphane, write):
    for command in (["train"], ["search"], ["compare"]):
        assert_one_line(diaphane(*command, write("y\n" + "p\nq\n" * 9)), "one column, 'y'")


def test_the_class_said_first_is_the_more_probable_one():
    table = Table({"a": np.arange(40.0), "y": ["n", "p"] * 20})
    model = fit_table(table, Options(model="logistic"), progress=False).model
    assert model.decide(np.array([[0.5, 0.5], [0.4, 0.6]])) == ["n", "p"]
