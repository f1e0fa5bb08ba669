"""How a fit of networks for tables goes and ends: its bar, Ctrl-C, and what is known of the rows held out."""

import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from diaphane.data import Table
from diaphane.engines import NonFiniteError, Program
from diaphane.estimators import TabularClassifier, TabularRegressor
from diaphane.estimators.tabular import Recipe
from diaphane.estimators.tabular.network import TabularPlan
from diaphane.training import InterruptedWarning

SMALL = Recipe(hidden=(32,), steps=300)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = np.where(X[:, 0] + 0.5 * RNG.normal(size=120) > 0, "up", "down")


def classifier(members=4, **settings):
    return TabularClassifier(members, **{"recipe": SMALL, "random_state": 0, "n_jobs": 1, **settings})


@pytest.fixture
def press_ctrl_c():
    """Send the process an interrupt from a thread, and come back when it has arrived."""
    arrived, before = threading.Event(), signal.getsignal(signal.SIGINT)

    def handle(number, frame):
        arrived.set()
        raise KeyboardInterrupt

    def press():
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        assert arrived.wait(10)
        # Time for the main thread to say so to the members.
        time.sleep(0.3)

    signal.signal(signal.SIGINT, handle)
    yield press
    signal.signal(signal.SIGINT, before)


# ── Ctrl-C ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_interrupted_fit_keeps_the_members_that_had_a_look_each_at_its_best(monkeypatch, press_ctrl_c):
    whole, looks, judge = classifier().fit(X, Y), [], TabularPlan.judge
    assert whole.stopped_ == ""

    def judged(plan, *given):
        looks.append(given)
        if len(looks) == len(whole.members_[0].curve) + 3:
            press_ctrl_c()
        return judge(plan, *given)

    monkeypatch.setattr(TabularPlan, "judge", judged)
    with pytest.warns(InterruptedWarning, match="2 of 4 members are kept"):
        model = classifier().fit(X, Y)
    assert (model.stopped_, len(model.members_)) == ("interrupted", 2)
    assert model.members_[0].curve == whole.members_[0].curve
    cut, other = model.members_[1], whole.members_[1]
    # The look that was going on, and perhaps one more until the members heard of it.
    assert len(cut.curve) in (3, 4)
    assert cut.curve == other.curve[: len(cut.curve)]
    assert cut.best_epoch == min(cut.curve, key=lambda look: (look.validation, -look.epoch)).epoch
    assert np.isfinite(model.predict_proba(X)).all()
    rows, _ = model.held_out_predictions()
    assert set(rows) == {*model.members_[0].held_out, *model.members_[1].held_out}


def test_an_interrupt_before_the_first_look_goes_on_up_and_leaves_nothing_half_fitted(monkeypatch, press_ctrl_c):
    model, run_batches = classifier().fit(X, Y), Program.run_batches

    def begun(program, *given, **named):
        press_ctrl_c()
        return run_batches(program, *given, **named)

    monkeypatch.setattr(Program, "run_batches", begun)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert not hasattr(model, "members_")


FITTING = """
import warnings
import numpy as np
from diaphane.estimators import TabularClassifier
from diaphane.estimators.tabular import Recipe
x = np.random.default_rng(0).normal(size=(400, 4))
y = x[:, 0] > 0
long = Recipe(steps=10**8, most_epochs=10**6, looks=10**5, patience=1.0)
TabularClassifier(1, random_state=0, recipe=Recipe(steps=20)).fit(x, y)  # so that nothing is compiled any more
print("fitting", flush=True)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model = TabularClassifier(random_state=0, recipe=long).fit(x, y)
print([type(w.message).__name__ for w in caught], model.stopped_, model.score(x, y) > 0.9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise")
def test_a_real_interrupt_ends_a_long_fit_with_a_model():
    with subprocess.Popen([sys.executable, "-c", FITTING], stdout=-1, stderr=-1, text=True) as running:
        assert running.stdout.readline() == "fitting\n"
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(2)
        running.send_signal(signal.SIGINT)
        try:
            out, err = running.communicate(timeout=60)
        finally:
            running.kill()
    assert out.splitlines() == ["['InterruptedWarning'] interrupted True"], err


def test_the_error_of_one_member_is_raised_and_the_others_end_early(monkeypatch):
    looks, judge = [], TabularPlan.judge

    def judged(plan, *given):
        looks.append(given)
        if len(looks) == 5:
            raise ValueError("the disk is on fire")
        return judge(plan, *given)

    monkeypatch.setattr(TabularPlan, "judge", judged)
    with pytest.raises(ValueError, match="on fire"):
        classifier().fit(X, Y)
    assert len(looks) == 5


def test_a_member_that_diverges_keeps_its_best_and_one_that_never_was_finite_is_an_error(monkeypatch):
    run, calls = Program.run_batches, []

    def fails(program, *given, **named):
        calls.append(program)
        if len(calls) in failing:
            raise NonFiniteError(None, 1, None, None)
        return run(program, *given, **named)

    whole = classifier(1).fit(X, Y)
    monkeypatch.setattr(Program, "run_batches", fails)
    # A look is a run of its own where the engine has no way by rows.
    failing = range(8, 10**9)
    model = classifier(1).fit(X, Y)
    curve = model.members_[0].curve
    assert 1 <= len(curve) < len(whole.members_[0].curve)
    assert curve == whole.members_[0].curve[: len(curve)]
    failing = range(1, 10**9)
    with pytest.raises(NonFiniteError):
        classifier(1).fit(X, Y)


# ── the bar ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr("rich.console.Console.is_terminal", property(lambda self: True))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")


def test_a_bar_goes_over_the_epochs_of_all_members_and_changes_no_bit(terminal, capsys):
    plain = classifier().fit(X, Y)
    assert capsys.readouterr() == ("", "")
    shown = classifier(progress=True, n_jobs=2).fit(X, Y)
    out, err = capsys.readouterr()
    assert out == ""
    total = 4 * 100  # 300 steps in epochs of 3 batches, four times
    assert f"{total}/{total}" in err
    assert "loss" in err
    assert "validation" in err
    assert err.rfind("\x1b[?25h") > err.rfind("\x1b[?25l")  # the cursor is shown again
    assert np.array_equal(plain.predict_proba(X), shown.predict_proba(X))


def test_progress_is_true_or_false():
    with pytest.raises(ValueError, match="progress must be True or False, got 'yes'"):
        classifier(progress="yes").fit(X, Y)


# ── rows held out ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [TabularClassifier, TabularRegressor])
def test_what_is_predicted_for_a_row_held_out_is_the_mean_of_the_members_that_held_it_out(kind):
    x, y = X[:9], Y[:9] if kind is TabularClassifier else X[:9, 0]
    model = kind(12, recipe=SMALL, random_state=0).fit(x, y)  # more than rows: some are held out twice
    rows, found = model.held_out_predictions()
    assert list(rows) == list(range(9))
    everyone, answers = list(model.members_), []
    for member in everyone:
        model.members_ = [member]
        answers.append(model.predict_proba(x) if kind is TabularClassifier else model.predict(x))
    for row in rows:
        holding = [a[row] for a, member in zip(answers, everyone, strict=True) if row in member.held_out]
        assert len(holding) in (1, 2)
        np.testing.assert_allclose(found[row], np.mean(holding, axis=0), rtol=1e-4, atol=1e-4)


def test_predictions_of_rows_held_out_know_nothing_of_their_labels():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(600, 5)), rng.integers(0, 2, 600)
    model = TabularClassifier(5, recipe=Recipe(patience=1.0, looks=1), random_state=0).fit(x, y)
    rows, found = model.held_out_predictions()
    assert len(rows) == 600
    assert log_loss(y, model.predict_proba(x)) < 0.6 < log_loss(y, found)
    assert np.mean((found[:, 1] > 0.5) == y) == pytest.approx(0.5, abs=0.07)


def test_rows_held_out_are_counted_in_the_table_as_it_was_given():
    y = X[:, 0].copy()
    y[[2, 50]] = np.nan
    with pytest.warns(UserWarning, match="2 of 120 rows"):
        model = TabularRegressor(5, recipe=SMALL, random_state=0).fit(X, y, np.arange(120) != 7)
    rows, found = model.held_out_predictions()
    assert list(rows) == [row for row in range(120) if row not in (2, 7, 50)]
    assert np.corrcoef(found, y[rows])[0, 1] > 0.9


def test_a_single_member_holds_out_a_fifth():
    rows, found = classifier(1).fit(X, Y).held_out_predictions()
    assert (len(rows), found.shape) == (24, (24, 2))


def test_numbers_learnt_are_counted():
    plain = Recipe(hidden=(7,), steps=20, embedding=False, feature_scale=False)
    assert TabularRegressor(3, recipe=plain).fit(X, X[:, 0]).n_parameters_ == 3 * (3 * 7 + 7 + 7 * 1 + 1)


# ── what columns are called ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_table_needs_no_pandas_and_its_columns_are_found_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    table = Table({"size": X[:, 0], "colour": np.where(X[:, 1] > 0, "red", "blue")})
    model = classifier(1).fit(table, Y)
    assert list(model.feature_names_in_) == ["size", "colour"]
    found = model.predict_proba(table)
    assert np.array_equal(model.predict_proba(table.select(["colour", "size"])), found)
    with pytest.raises(ValueError, match="unseen: more"):
        model.predict(table.with_column("more", X[:, 2]))
    with pytest.raises(ValueError, match="missing: size"):
        model.predict(table.drop(["size"]))
    monkeypatch.undo()
    frame = pd.DataFrame({"size": table["size"], "colour": table["colour"]})
    assert np.array_equal(model.predict_proba(frame), found)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names", "ignore:X has feature names")
def test_columns_without_names_are_taken_by_their_place_as_in_scikit_learn():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    named, unnamed = classifier(1).fit(frame, Y), classifier(1).fit(X, Y)
    found = named.predict_proba(frame)
    for model, x in ((named, X), (unnamed, X), (unnamed, frame)):
        assert np.array_equal(model.predict_proba(x), found)
