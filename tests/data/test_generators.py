"""Points whose law is known, and the sets that need no file."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.special import ndtr

from diaphane.data import (
    BUILT_IN,
    DataError,
    bayes_error,
    circles,
    gaussians,
    is_built_in,
    load,
    moons,
    spirals,
    xor,
)

GENERATORS = [xor, moons, circles, spirals, gaussians]


@pytest.mark.parametrize("generate", GENERATORS)
def test_shapes_dtypes_and_balance(generate):
    X, y = generate(n_samples=101, random_state=0)
    assert X.shape == (101, 2)
    assert X.dtype == np.float64
    assert y.dtype == np.int64
    assert sorted(np.bincount(y)) == [50, 51]


@pytest.mark.parametrize("generate", GENERATORS)
def test_every_kind_of_random_state_is_taken_and_seeds_repeat(generate):
    for make in (lambda: 3, lambda: np.random.RandomState(3), lambda: np.random.default_rng(3)):
        first, second = generate(20, random_state=make())[0], generate(20, random_state=make())[0]
        np.testing.assert_array_equal(first, second)
    generator = np.random.default_rng(3)
    assert not np.array_equal(generate(20, random_state=generator)[0], generate(20, random_state=generator)[0])
    assert generate(20).__len__() == 2


@pytest.mark.parametrize("seed", [-1, 0.5, "a", True, 2**32])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(DataError, match=r"random_state is .*expected None, an integer"):
        xor(random_state=seed)


@pytest.mark.parametrize("generate", GENERATORS)
def test_too_few_samples_are_refused(generate):
    with pytest.raises(DataError, match="n_samples is 1; expected at least 2"):
        generate(1)


@pytest.mark.parametrize("generate", [xor, moons, circles, spirals])
def test_negative_noise_is_refused(generate):
    with pytest.raises(DataError, match="noise is -1; expected a standard deviation"):
        generate(noise=-1)


def test_xor_reaches_its_closed_form_error():
    noise = 0.7
    X, y = xor(40_000, noise=noise, random_state=0)
    wrong = ndtr(-1 / noise)
    assert np.mean((X[:, 0] * X[:, 1] < 0) != y) == pytest.approx(2 * wrong * (1 - wrong), abs=0.006)


def test_spirals_are_separated_by_their_angle_when_there_is_no_noise():
    X, y = spirals(500, noise=0.0, random_state=0, turns=2)
    radius, angle = np.hypot(*X.T), np.arctan2(X[:, 1], X[:, 0])
    arm = np.round((angle - 4 * np.pi * radius) / np.pi).astype(int) % 2
    np.testing.assert_array_equal(arm, y)


def test_gaussians_have_their_means_and_covariances():
    covariance = np.array([[[1.0, 0.3], [0.3, 2.0]], [[0.5, 0.0], [0.0, 0.1]]])
    X, y = gaussians(60_000, 0, means=[[0, 0], [3, -1]], covariance=covariance)
    for k, mean in enumerate([[0, 0], [3, -1]]):
        np.testing.assert_allclose(X[y == k].mean(axis=0), mean, atol=0.03)
        np.testing.assert_allclose(np.cov(X[y == k].T), covariance[k], atol=0.05)


def test_bayes_error_is_that_of_the_best_line():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    parameters = {"means": [[0.0, 0.0, 0.0], [1.0, 0.5, -1.0]], "covariance": np.diag([1.0, 0.5, 2.0]) + 0.2}
    X, y = gaussians(60_000, 0, **parameters)
    score = LinearDiscriminantAnalysis().fit(X, y).score(X, y)
    assert 1 - score == pytest.approx(bayes_error(**parameters), abs=0.005)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"means": [[0, 0]]}, "expected two rows"),
        ({"covariance": np.eye(3)}, r"covariance has shape \(3, 3\); expected \(2, 2\)"),
        ({"covariance": [[1, 0.5], [0, 1]]}, "not symmetric"),
        ({"covariance": [[1, 2], [2, 1]]}, "not positive definite"),
    ],
)
def test_gaussians_that_cannot_be_are_refused(parameters, message):
    with pytest.raises(DataError, match=message):
        gaussians(10, **parameters)


def test_bayes_error_of_two_covariances_is_that_of_the_best_conic():
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

    parameters = {"means": [[0.0, 0.0], [1.0, 0.5]], "covariance": [np.eye(2), [[3.0, 0.5], [0.5, 0.4]]]}
    X, y = gaussians(60_000, 0, **parameters)
    score = QuadraticDiscriminantAnalysis().fit(X, y).score(X, y)
    assert 1 - score == pytest.approx(bayes_error(**parameters), abs=0.005)


@pytest.mark.parametrize("priors", [(0.5,), (0.2, 0.9), (0.0, 1.0), (-0.5, 1.5), (np.nan, 1)])
def test_priors_that_are_none_are_refused(priors):
    with pytest.raises(DataError, match="expected two positive numbers that add up to 1"):
        bayes_error(priors=priors)


@pytest.mark.parametrize(("generate", "options"), [(circles, {"factor": 1.0}), (spirals, {"turns": 0})])
def test_shapes_out_of_range_are_refused(generate, options):
    with pytest.raises(DataError, match=f"{next(iter(options))} is"):
        generate(10, **options)


@pytest.mark.parametrize(
    ("name", "n_rows", "n_features", "n_values"),
    [
        ("digits", 1797, 64, 10),
        ("iris", 150, 4, 3),
        ("wine", 178, 13, 3),
        ("breast_cancer", 569, 30, 2),
        ("diabetes", 442, 10, 214),
        ("xor", 400, 2, 2),
        ("moons", 400, 2, 2),
        ("circles", 400, 2, 2),
        ("spirals", 400, 2, 2),
        ("gaussians", 400, 2, 2),
    ],
)
def test_built_in_sets_have_their_target_last(name, n_rows, n_features, n_values):
    table = load(name)
    assert (table.n_rows, len(table.names) - 1) == (n_rows, n_features)
    assert len(set(table[table.names[-1]].tolist())) == n_values
    assert is_built_in(name)
    assert name in BUILT_IN


def test_classes_with_names_are_named():
    assert set(load("breast_cancer")["diagnosis"]) == {"malignant", "benign"}


def test_an_unknown_set_is_answered_with_those_there_are():
    with pytest.raises(DataError, match=r"no built-in set 'Moon'; there are digits, .*Did you mean 'moons'\?"):
        load("Moon")


def test_importing_loads_no_library_that_only_some_functions_need():
    heavy = "{'sklearn', 'pandas', 'polars', 'skrub', 'skops', 'scipy', 'matplotlib'}"
    code = (
        "import sys, diaphane; before = set(sys.modules); import diaphane.data; "
        f"print(sorted({heavy} & set(sys.modules) - before))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
