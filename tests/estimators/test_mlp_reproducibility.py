"""The same random_state gives the same bits; predictions do not depend on how many rows come or who else asks."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.datasets import make_classification

from diaphane.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(300, 10, n_informative=6, n_classes=3, random_state=0)
SETTINGS = {"hidden_layer_sizes": (16, 8), "max_iter": 6}
WAYS = {
    "adam": {},
    "sgd": {"solver": "sgd"},
    "dropout": {"dropout": (0.5, 0.2)},
    "early stopping": {"early_stopping": True},
    "lbfgs": {"solver": "lbfgs"},
    "lbfgs with dropout": {"solver": "lbfgs", "dropout": 0.5},
    "float32": {"dtype": "float32"},
}


def bits(model):
    return b"".join(a.tobytes() for a in model.coefs_ + model.intercepts_)


@pytest.mark.parametrize("way", WAYS)
def test_the_same_random_state_gives_the_same_bits_and_another_gives_others(way):
    fits = [MLPClassifier(random_state=s, **SETTINGS, **WAYS[way]).fit(X, Y) for s in (7, 7, 8)]
    assert bits(fits[0]) == bits(fits[1])
    assert fits[0].loss_curve_ == fits[1].loss_curve_
    assert bits(fits[0]) != bits(fits[2])


@pytest.mark.parametrize("way", WAYS)
def test_a_second_fit_of_the_same_estimator_gives_the_same_bits(way):
    model = MLPClassifier(random_state=7, **SETTINGS, **WAYS[way]).fit(X, Y)
    first = bits(model)
    model.predict(X)
    assert bits(model.fit(X, Y)) == first


def test_another_process_gives_the_same_bits():
    code = (
        "import sys, warnings, hashlib\n"
        "warnings.simplefilter('ignore')\n"
        "from sklearn.datasets import make_classification\n"
        "from diaphane.estimators import MLPClassifier\n"
        "X, Y = make_classification(300, 10, n_informative=6, n_classes=3, random_state=0)\n"
        "m = MLPClassifier((16, 8), dropout=0.2, max_iter=6, random_state=7).fit(X, Y)\n"
        "print(hashlib.sha256(b''.join(a.tobytes() for a in m.coefs_ + m.intercepts_)).hexdigest())\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert len(runs[0].strip()) == 64
    assert runs[0] == runs[1]


def test_without_a_random_state_two_fits_differ():
    assert bits(MLPClassifier(**SETTINGS).fit(X, Y)) != bits(MLPClassifier(**SETTINGS).fit(X, Y))


def test_fitting_and_predicting_change_neither_the_data_nor_the_global_random_state():
    x, y = X.copy(), Y.copy()
    x.setflags(write=False)
    y.setflags(write=False)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    MLPClassifier(random_state=0, dropout=0.1, **SETTINGS).fit(x, y).predict(x)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_one_row_is_predicted_as_among_many_and_thousands_as_a_few(kind):
    model = kind(random_state=0, **SETTINGS).fit(X, Y)
    predict = model.predict_proba if kind is MLPClassifier else model.predict
    together = predict(X)
    np.testing.assert_allclose(np.concatenate([predict(row[None]) for row in X[:20]]), together[:20], rtol=1e-12)
    many = np.tile(X, (40, 1))
    np.testing.assert_allclose(predict(many), np.concatenate([together] * 40), rtol=1e-12)


def test_several_threads_may_predict_with_one_estimator_at_once():
    model = MLPClassifier(random_state=0, **SETTINGS).fit(X, Y)
    pieces = [X[i : i + 1 + i % 37] for i in range(0, 240, 3)]
    expected = [model.predict_proba(piece) for piece in pieces]
    fresh = MLPClassifier(random_state=0, **SETTINGS).fit(X, Y)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(fresh.predict_proba, pieces * 3))
    for a, b in zip(found, expected * 3, strict=True):
        np.testing.assert_array_equal(a, b)


def test_several_threads_may_fit_estimators_of_their_own_at_once():
    def fit(seed):
        return bits(MLPClassifier(random_state=seed, dropout=0.3, **SETTINGS).fit(X, Y))

    alone = [fit(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(fit, range(4))) == alone
