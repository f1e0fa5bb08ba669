"""Ctrl-C ends a fit with a warning and a model that predicts."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression

from diaphane.estimators import MLPClassifier, MLPRegressor
from diaphane.training import Callback, InterruptedWarning

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(80, 5, random_state=0)
XR, YR = make_regression(80, 5, random_state=0)
SETTINGS = {"hidden_layer_sizes": (6,), "batch_size": 20, "random_state": 0}
KINDS = pytest.mark.parametrize(("kind", "y"), [(MLPClassifier, Y), (MLPRegressor, YR)], ids=["classes", "numbers"])
ENGINES = pytest.mark.parametrize("engine", ["reference", "native"])


class Interrupt(Callback):
    def __init__(self, moment, epoch):
        self.moment, self.epoch = moment, epoch

    def _at(self, moment, run):
        if (moment, run.epoch) == (self.moment, self.epoch):
            raise KeyboardInterrupt

    def on_epoch_start(self, run):
        self._at("epoch start", run)

    def on_step_end(self, run):
        self._at("step end", run)

    def on_epoch_end(self, run):
        self._at("epoch end", run)


@ENGINES
@KINDS
@pytest.mark.parametrize(("moment", "epoch", "whole"), [("step end", 4, 3), ("epoch start", 4, 3), ("epoch end", 3, 3)])
def test_an_interrupted_fit_has_the_weights_of_its_last_whole_epoch(kind, y, engine, moment, epoch, whole):
    with pytest.warns(InterruptedWarning, match="Training interrupted by user"):
        model = kind(engine=engine, callbacks=[Interrupt(moment, epoch)], **SETTINGS).fit(X, y)
    want = kind(engine=engine, max_iter=whole, **SETTINGS).fit(X, y)
    for a, b in zip(model.coefs_ + model.intercepts_, want.coefs_ + want.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (model.n_iter_, model.t_, model.history_.stopped) == (whole, whole * 80, "interrupted")
    assert model.loss_curve_ == want.loss_curve_
    assert (model.loss_, model.best_loss_) == (want.loss_, want.best_loss_)
    np.testing.assert_array_equal(model.predict(X), want.predict(X))


@ENGINES
@KINDS
@pytest.mark.parametrize("moment", ["epoch start", "step end"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_one_that_is_interrupted_in_its_first_epoch_predicts_with_its_first_weights(
    kind, y, engine, moment, early_stopping
):
    model = kind(engine=engine, early_stopping=early_stopping, callbacks=[Interrupt(moment, 1)], **SETTINGS)
    with pytest.warns(InterruptedWarning, match="after 0 epochs"):
        model.fit(X, y)
    assert (model.n_iter_, model.loss_curve_, model.history_.stopped) == (0, [], "interrupted")
    assert np.isfinite(model.predict(X)).all()
    unmoved = kind(solver="sgd", learning_rate_init=1e-300, momentum=0.0, max_iter=1, **SETTINGS).fit(X, y)
    for a, b in zip(model.coefs_ + model.intercepts_, unmoved.coefs_ + unmoved.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_early_stopping_keeps_the_best_of_the_epochs_that_were_whole():
    settings = {**SETTINGS, "early_stopping": True, "learning_rate_init": 0.05}
    with pytest.warns(InterruptedWarning):
        model = MLPClassifier(callbacks=[Interrupt("epoch end", 7)], **settings).fit(X, Y)
    want = MLPClassifier(max_iter=7, **settings).fit(X, Y)
    for a, b in zip(model.coefs_, want.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.best_validation_score_ == max(model.validation_scores_) == want.best_validation_score_


def test_an_interrupted_model_goes_on():
    with pytest.warns(InterruptedWarning):
        model = MLPClassifier(callbacks=[Interrupt("step end", 3)], **SETTINGS).fit(X, Y)
    assert model.set_params(callbacks=None).partial_fit(X, Y).n_iter_ == 1
    assert model.set_params(max_iter=4).fit(X, Y).n_iter_ == 4


FITTING = """
import sys, warnings
from sklearn.datasets import load_digits
from diaphane.estimators import MLPClassifier
warnings.simplefilter("ignore")
X, y = load_digits(return_X_y=True)
model = MLPClassifier({hidden}, engine={engine!r}, tol=0, n_iter_no_change=10**8, random_state=0)
model.set_params(max_iter=2).fit(X, y)  # so that nothing is compiled any more
print("fitting", flush=True)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model.set_params(max_iter=10**8).fit(X, y)
print([type(w.message).__name__ for w in caught], model.history_.stopped)
print(model.n_iter_ == len(model.loss_curve_), model.score(X, y) > 0.5)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise")
@pytest.mark.parametrize(("engine", "hidden"), [("reference", (8,)), ("native", (8,)), ("native", (256, 256))])
def test_a_real_interrupt_ends_a_long_fit(engine, hidden):
    code = FITTING.format(engine=engine, hidden=hidden)
    with subprocess.Popen([sys.executable, "-c", code], stdout=-1, stderr=-1, text=True) as running:
        assert running.stdout.readline() == "fitting\n"
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(2)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=100)
    assert out.splitlines() == ["['InterruptedWarning'] interrupted", "True True"], err
