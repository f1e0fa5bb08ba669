"""``diaphane search``: candidates by cross-validation, the best trained anew, the test rows waiting for the end."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score

from diaphane.app.choosing import search as searching
from diaphane.app.choosing.search import SearchOptions
from diaphane.app.choosing.spaces import read_space
from diaphane.app.model import load_model
from diaphane.app.options import Options
from diaphane.app.parts import divide
from diaphane.app.scoring import Judge
from diaphane.data import choose_target, load, read_table
from diaphane.selection import find_metric

from .test_command_mistakes import assert_one_line

SMALL = ("--folds", 2, "--epochs", 3, "--try", "units=4,8", "--try", "alpha=1e-4..1", "--candidates", 3)


def table_of(path: str = "model/search.csv") -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_the_model_and_the_options_of_the_best_are_written(diaphane, good, tmp_path):
    answer = diaphane("search", good, *SMALL)
    assert (answer.code, answer.err) == (0, "")
    assert "9 test rows set aside first: they are looked at once, at the end; 51 rows in 2 folds" in answer.out
    rows = table_of()
    assert [row["place"] for row in rows] == [str(k + 1) for k in range(len(rows))]
    for row in rows:
        folds = np.array([float(row["fold_1"]), float(row["fold_2"])])
        assert float(row["mean"]) == pytest.approx(folds.mean())
        assert float(row["standard_error"]) == pytest.approx(folds.std(ddof=1) / np.sqrt(2))
    best = rows[0]
    assert f"{float(best['mean']):.4f} ± {float(best['standard_error']):.4f}" in answer.out
    learnt = load_model(tmp_path / "model").facts["options"]
    assert "x".join(map(str, learnt["hidden"])) == best["hidden"]
    assert learnt["alpha"] == float(best["alpha"])
    for command in (["predict", "model", good], ["draw", "model"], ["health", "model", good]):
        assert diaphane(*command).code == 0


def test_train_repeats_the_best_to_the_byte(diaphane, good, tmp_path):
    diaphane("search", good, *SMALL)
    assert diaphane("train", "--config", "model/best.toml", "--out", "again").code == 0
    one, again = (tmp_path / folder / "model.safetensors" for folder in ("model", "again"))
    assert one.read_bytes() == again.read_bytes()


def test_no_row_to_test_on_changes_what_is_chosen(diaphane, good, write, sums, lines):
    found = []
    for seed in (1, 2):
        test = write(lines(sums(20, seed=seed)), f"t{seed}.csv")
        out = diaphane("search", good, *SMALL, "--test", test, "--out", f"m{seed}").out
        assert f"20 test rows of {test} wait for the end" in out
        rows = table_of(f"m{seed}/search.csv")
        found.append([{k: v for k, v in row.items() if k != "seconds"} for row in rows])
    assert found[0] == found[1]


def test_the_same_seed_gives_the_same_table_on_any_number_of_threads(diaphane, good):
    found = []
    for k, threads in enumerate((1, 2)):
        diaphane("search", good, *SMALL, "--threads", threads, "--seed", 4, "--out", f"m{k}")
        found.append([{k: v for k, v in row.items() if k != "seconds"} for row in table_of(f"m{k}/search.csv")])
    assert found[0] == found[1]


@pytest.mark.parametrize(("strategy", "candidates"), [("random", 3), ("grid", 4), ("bayes", 3), ("halving", 3)])
def test_each_strategy_tries_what_it_should(diaphane, good, strategy, candidates):
    if strategy == "bayes":
        pytest.importorskip("optuna")
    how = ("--candidates", 3) if strategy != "grid" else ()
    tries = ("--try", "units=2,4", "--try", "dropout=0,0.5", "--folds", 2, "--epochs", 3)
    answer = diaphane("search", good, *tries, *how, "--strategy", strategy)
    assert answer.code == 0
    assert f"{candidates} candidates; the baseline is the majority class" in answer.out
    if strategy == "halving":
        assert {row["epochs"] for row in table_of()} == {"1", "3"}
        assert table_of()[0]["epochs"] == "3"


def test_the_scores_are_those_of_scikit_learns_cross_validation():
    options, wanted = Options(source="iris"), SearchOptions("grid", None, 3, 4, ("alpha=0.01",))
    table = load("iris")
    target = choose_target(table, None)
    parts = divide(table, target, options.seed, learn_from_both=True)
    crossed = searching._Crossed(parts, Judge(find_metric("log_loss"), 3), wanted, 0)
    crossed.run({"alpha": [0.01]})
    model = crossed.search.estimator.set_params(alpha=0.01, random_state=crossed.search._seed())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = -cross_val_score(model, crossed.x, crossed.y, cv=crossed.folds, scoring="neg_log_loss")
    np.testing.assert_allclose(crossed.results()[0].scores, expected, rtol=1e-4)


def test_a_number_is_scored_in_its_own_unit(diaphane, numbers, write):
    text = numbers.read_text().splitlines()
    large = [text[0], *(f"{a},{b},{1000 * float(y):.4f}" for a, b, y in (line.split(",") for line in text[1:]))]
    errors = []
    for source in (numbers, write("\n".join(large) + "\n", "large.csv")):
        assert diaphane("search", source, *SMALL, "--metric", "mae").code == 0
        errors.append(float(table_of()[0]["mean"]))
    assert errors[1] == pytest.approx(1000 * errors[0], rel=0.05)
    rows = table_of()
    assert [float(r["mean"]) for r in rows if r["epochs"] == "3"] == sorted(
        float(r["mean"]) for r in rows if r["epochs"] == "3"
    )


def test_a_space_may_stand_in_a_file_and_try_wins(write):
    file = write('dropout = [0, 0.2]\nhidden = ["8", "16x8", [4, 4]]\nlearning-rate = "1e-4..1e-1"\n', "s.toml")
    space = read_space(["dropout=0.5"], file, grid=False)
    assert space["dropout"] == [0.5]
    assert space["hidden"] == [(8,), (16, 8), (4, 4)]
    assert space["learning_rate"].ppf([1e-12, 0.5, 1]) == pytest.approx([1e-4, 10**-2.5, 0.1])
    assert read_space(["alpha=1e-4..1"], None, grid=True)["alpha"] == pytest.approx([1e-4, 1e-2, 1])
    assert read_space(["units=8,16", "depth=1,2"], None, grid=True)["hidden"] == [(8,), (16,), (8, 8), (16, 16)]
    assert read_space(["batch-size=16..64"], None, grid=False)["batch_size"] == [16, 20, 24, 29, 35, 43, 53, 64]
    assert read_space(["dropout=0..0.5"], None, grid=False)["dropout"].ppf([0, 1]).tolist() == [0, 0.5]
    assert read_space(["activation=relu,tanh"], None, grid=False)["activation"] == ["relu", "tanh"]
    assert read_space([], None, grid=True) is None


def test_ctrl_c_keeps_what_is_known(diaphane, monkeypatch, good):
    score, calls = searching._OfScaled.__call__, []

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) > 8:
            raise KeyboardInterrupt
        return score(self, *arguments)

    tries = ("--strategy", "random", "--candidates", 6, "--folds", 2, "--epochs", 2, "--try", "alpha=1e-4..1")
    with monkeypatch.context() as patch:
        patch.setattr(searching._OfScaled, "__call__", interrupted)
        answer = diaphane("search", good, *tries, "--threads", 1)
    assert answer.code == 130
    assert 1 <= len(table_of()) <= 3
    assert "diaphane train --config model/best.toml trains the best" in answer.out
    assert diaphane("train", "--config", "model/best.toml", "--out", "again").code == 0


def test_a_candidate_that_fails_is_named_and_the_others_are_judged(diaphane, good):
    answer = diaphane(
        "search", good, "--try", "schedule=cosine,plateau:0.5,", "--strategy", "grid", "--folds", 2, "--epochs", 2
    )
    assert_one_line(answer, "--try schedule has no values, or an empty one")
    answer = diaphane(
        "search", good, "--try", "schedule=cosine,plateau", "--strategy", "grid", "--folds", 2, "--epochs", 2
    )
    assert answer.code == 0
    assert "candidate 1 (schedule='plateau')" in answer.out
    assert len(table_of()) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--try", "alhpa=1,2"], ["there is no setting 'alhpa' to search for", "Did you mean 'alpha'?"]),
        (["--try", "zzz=1,2"], ["there is no setting 'zzz'", "There are hidden, activation"]),
        (["--try", "epochs=1,2"], ["epochs are not tried but given, with --epochs"]),
        (["--try", "alpha"], ["--try takes a name and its values", "got 'alpha'"]),
        (["--try", "alpha="], ["--try alpha has no values"]),
        (["--try", "alpha=1,x"], ["--try alpha takes a number; got 'x'"]),
        (["--try", "alpha=nan"], ["--try alpha: --alpha must be a number of at least 0, got nan"]),
        (["--try", "dropout=0,2"], ["--try dropout: --dropout must be at least 0 and less than 1, got 2.0"]),
        (["--try", "alpha=1..1e-3"], ["a range goes from a smaller number to a greater one", "got '1..1e-3'"]),
        (["--try", "activation=relu..tanh"], ["there is no range of activation"]),
        (["--try", "activation=relu,rellu"], ["--try activation: --activation must be", "Did you mean 'relu'?"]),
        (["--try", "hidden=8,x"], ["--try hidden takes layers such as 64 or 128x64; got 'x'"]),
        (["--try", "hidden=8", "--try", "depth=2"], ["hidden says units and depth"]),
        (["--try", "units=0"], ["--try units must be a whole number of at least 1, got 0"]),
        (["--space", "no.toml"], ["--space: cannot read no.toml"]),
        (["--space", "empty.toml"], ["--space: empty.toml names nothing to try"]),
        (["--space", "bad.toml"], ["bad.toml: alpa: there is no setting 'alpa'", "Did you mean 'alpha'?"]),
        (
            ["--strategy", "halfing"],
            ["--strategy must be one of halving, random, grid, bayes", "Did you mean 'halving'?"],
        ),
        (["--strategy", "grid", "--candidates", 3], ["a grid tries every combination"]),
        (["--candidates", 0], ["--candidates must be from 1"]),
        (["--folds", 1], ["--folds must be from 2"]),
        (["--folds", 60], ["--folds 60 needs as many rows, and there are 51"]),
        (["--folds", 40], ["the class 'pos' has 21", "fewer than the 40 folds", "take --folds"]),
        (["--epochs", 0], ["--epochs must be from 1"]),
        (["--threads", 0], ["--threads must be from 1"]),
        (["--metric", "acuracy"], ["--metric: there is no metric 'acuracy'. Did you mean 'accuracy'?"]),
        (["--metric", "mae"], ["--metric mae is for regression"]),
        (["--out", ""], ["--out takes a path; got ''"]),
        (["--out", "good.csv"], ["--out: good.csv is a file"]),
    ],
)
def test_a_mistake_in_asking_is_named_before_anything_is_trained(diaphane, monkeypatch, write, good, options, said):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it was trained all the same")

    write("", "empty.toml")
    write("alpa = [1]", "bad.toml")
    monkeypatch.setattr("diaphane.selection.search.search.Search.fit", refuse)
    assert_one_line(diaphane("search", good, *options), *said)
    assert not Path("model/search.csv").exists()


def test_what_the_table_cannot_be_is_said_as_of_train(diaphane, write):
    head = "a,b,y\n"
    assert_one_line(
        diaphane("search", write(head + "".join(f"{i},inf,{'pq'[i % 2]}\n" for i in range(40)))), "infinite"
    )
    words = diaphane("search", write(head + "".join(f"{i},{i},x\n" for i in range(40))))
    assert_one_line(words, "one class only")
    assert read_table(write(head + "1,,p\n2,3,q\n")).n_rows == 2
