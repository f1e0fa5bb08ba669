"""``diaphane compare``: our models beside scikit-learn's on the same folds."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

from diaphane.app.choosing import contenders
from diaphane.data import ColumnEncoder, read_table

from .test_command_mistakes import assert_one_line

QUICK = ("--models", "constant,linear,sklearn-linear,neighbours", "--folds", 3)


def table_of(path: str = "compare.csv") -> dict[str, dict[str, float]]:
    with open(path, encoding="utf-8", newline="") as file:
        return {row.pop("model"): {k: float(v) for k, v in row.items()} for row in csv.DictReader(file)}


def test_the_best_comes_first_and_the_others_with_their_paired_difference(diaphane, good):
    answer = diaphane("compare", good, *QUICK)
    assert (answer.code, answer.err) == (0, "")
    found = table_of()
    means = [row["mean"] for row in found.values()]
    assert means == sorted(means, reverse=True)
    assert set(found) == {"constant", "linear", "sklearn-linear", "neighbours"}
    best = next(iter(found.values()))
    for row in found.values():
        folds = np.array([row[f"fold_{k}"] - best[f"fold_{k}"] for k in (1, 2, 3)])
        assert row["difference"] == pytest.approx(folds.mean())
        assert row["difference_error"] == pytest.approx(folds.std(ddof=1) / np.sqrt(3))
        assert row["seconds"] > 0
    worst = found["constant"]
    assert f"{worst['difference']:+.4f} ± {worst['difference_error']:.4f}" in answer.out
    assert "60 rows in 3 folds" in answer.out


def test_scikit_learns_models_have_the_scores_that_it_gives_them(diaphane, good, numbers):
    diaphane("compare", good, *QUICK, "--metric", "log_loss", "--seed", 3)
    table = read_table(good)
    x, y = ColumnEncoder.fit(table.drop(["y"])), table["y"].astype(str)
    folds = list(StratifiedKFold(3, shuffle=True, random_state=3).split(np.zeros(60), y))
    expected = []
    for learnt, judged in folds:
        # Columns are scaled by the rows learnt from, so that no fold tells of itself.
        encoder = ColumnEncoder.fit(table.drop(["y"]).take(learnt))
        one = [(np.arange(len(learnt)), np.arange(len(learnt), 60))]
        both = encoder.transform(table.drop(["y"]).take(np.concatenate([learnt, judged])))
        labels = np.concatenate([y[learnt], y[judged]])
        score = cross_val_score(LogisticRegression(max_iter=1000), both, labels, cv=one, scoring="neg_log_loss")
        expected.append(-score[0])
    found = table_of()["sklearn-linear"]
    np.testing.assert_allclose([found[f"fold_{k}"] for k in (1, 2, 3)], expected, rtol=1e-6)
    assert x.names_in == ("a", "b")
    diaphane("compare", numbers, "--models", "constant,linear", "--folds", 3)
    target = read_table(numbers)["y"]
    cv = KFold(3, shuffle=True, random_state=0)
    expected = cross_val_score(DummyRegressor(), np.zeros((60, 1)), target, cv=cv, scoring="r2")
    found = table_of()["constant"]
    np.testing.assert_allclose([found[f"fold_{k}"] for k in (1, 2, 3)], expected, atol=1e-9)


def test_of_losses_the_least_is_the_best(diaphane, good):
    answer = diaphane("compare", good, *QUICK, "--metric", "log_loss")
    means = [row["mean"] for row in table_of().values()]
    assert means == sorted(means)
    assert "less is better" in answer.out


def test_every_model_is_compared_and_named_by_the_help(diaphane, good):
    answer = diaphane("compare", good, "--folds", 2)
    assert answer.code == 0
    names = [contender.name for contender in contenders.CONTENDERS]
    assert set(table_of()) == set(names)
    said = diaphane("compare", "--help").said
    assert all(name in said for name in names)


def test_rows_without_a_target_are_left_out_and_words_are_taken_as_they_are(diaphane, write):
    text = "a,w,y\n" + "".join(f"{i % 11},{'uvw'[i % 3]},{'pq'[i % 3 == 0] if i % 10 else ''}\n" for i in range(60))
    answer = diaphane("compare", write(text), "--models", "tabular,neighbours", "--folds", 2)
    assert answer.code == 0
    assert "54 rows in 2 folds" in answer.out
    assert table_of()["tabular"]["mean"] > 0.9


def test_ctrl_c_tells_and_writes_what_is_known(diaphane, monkeypatch, good):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    first, *others = contenders.CONTENDERS
    late = contenders.Contender("mlp", "mlp", interrupt)
    monkeypatch.setattr(contenders, "CONTENDERS", (first, others[0], late))
    answer = diaphane("compare", good, "--folds", 2)
    assert answer.code == 130
    assert set(table_of()) == {"constant", "linear"}
    assert "wrote compare.csv" in answer.out


@pytest.mark.parametrize("name", ["tabular", "mlp"])
def test_a_model_that_keeps_what_it_has_at_ctrl_c_is_interrupted_all_the_same(diaphane, monkeypatch, good, name):
    from diaphane.app import fitting

    fit = {"tabular": "_trained_tabular", "mlp": "_fit_network"}[name]
    whole = getattr(fitting, fit)

    def interrupted(*arguments, **more):
        trained = whole(*arguments, **more)
        trained.history.stopped = "interrupted"
        return trained

    monkeypatch.setattr(fitting, fit, interrupted)
    answer = diaphane("compare", good, "--folds", 2, "--models", f"constant,{name}")
    assert answer.code == 130
    assert set(table_of()) == {"constant"}


def test_a_model_that_cannot_be_trained_is_named_and_the_others_compared(diaphane, monkeypatch, good):
    def fail(*_: object) -> None:
        raise ValueError("this one never works")

    first = contenders.CONTENDERS[0]
    monkeypatch.setattr(contenders, "CONTENDERS", (first, contenders.Contender("mlp", "mlp", fail)))
    answer = diaphane("compare", good, "--folds", 2)
    assert answer.code == 0
    assert "note: mlp is left out: this one never works" in answer.out
    assert set(table_of()) == {"constant"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--models", "tabula"], ["--models: there is no 'tabula'", "Did you mean 'tabular'?"]),
        (["--models", ","], ["--models names none; there are constant, linear"]),
        (["--metric", "acuracy"], ["--metric: there is no metric 'acuracy'", "Did you mean 'accuracy'?"]),
        (["--metric", "r2"], ["--metric r2 is for regression"]),
        (["--folds", 1], ["--folds must be from 2"]),
        (["--folds", 61], ["--folds 61 needs as many rows, and there are 60"]),
        (["--folds", 40], ["fewer than the 40 folds", "take --folds"]),
        (["--out", ""], ["--out takes the path of a file"]),
        (["--out", "good.csv/c.csv"], ["--out"]),
        (["--target", "z"], ["there is no target column 'z'"]),
    ],
)
def test_a_mistake_is_named_before_anything_is_trained(diaphane, good, options, said):
    assert_one_line(diaphane("compare", good, *options), *said)
    assert not Path("compare.csv").exists()
