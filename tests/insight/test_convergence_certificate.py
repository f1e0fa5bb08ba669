"""Novikoff's theorem beside the mistakes, and the proof where no hyperplane separates."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize
from scipy.stats import special_ortho_group
from sklearn.svm import SVC

from diaphane.insight.theory import convergence_certificate
from diaphane.insight.theory.margin import largest_margin


def separable_blobs(n=60, d=2, gap=0.5, shift=0.0, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, d))
    y = np.where(X[:, 0] > 0, 1, -1)
    X[:, 0] += gap * y
    return X + shift, y


def augmented(X, y):
    return np.column_stack([X, np.ones(len(X))]) * np.asarray(y)[:, None]


def rosenblatt(X, y, most=100_000):
    """The rule as a textbook writes it, an example at a time."""
    w, mistakes = np.zeros(X.shape[1] + 1), 0
    rows = augmented(X, y)
    while True:
        before = mistakes
        for row in rows:
            if row @ w <= 0:
                w, mistakes = w + row, mistakes + 1
        if mistakes == before or mistakes > most:
            return mistakes


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    d=st.integers(1, 5),
    gap=st.floats(0.05, 3.0),
    shift=st.floats(-30, 30),
    scale=st.floats(0.01, 100.0),
)
def test_perceptron_mistakes_never_exceed_the_novikoff_bound(seed, d, gap, shift, scale):
    X, y = separable_blobs(40, d, gap, seed=seed)
    if d > 1:
        X = X @ special_ortho_group(d, seed=seed).rvs()
    certificate = convergence_certificate(scale * X + shift, y, trace=True, max_mistakes=20_000)
    assert certificate.separable
    assert certificate.mistakes <= certificate.bound
    assert certificate.trace.holds


@pytest.mark.parametrize("seed", range(4))
def test_mistakes_are_those_of_the_textbook_loop(seed):
    X, y = separable_blobs(300, 3, 0.1, seed=seed)
    certificate = convergence_certificate(X, y)
    assert certificate.converged
    assert certificate.mistakes == rosenblatt(X, y)


@pytest.mark.parametrize(("d", "shift", "seed"), list(itertools.product((1, 2, 6), (0.0, 3.0), (0, 1))))
def test_margin_is_that_of_the_support_vector_machine_without_intercept(d, shift, seed):
    X, y = separable_blobs(80, d, shift=shift, seed=seed)
    rows = augmented(X, y)
    # Of the examples and their mirror images the machine with an intercept has none.
    machine = SVC(kernel="linear", C=1e10, tol=1e-9).fit(np.vstack([rows, -rows]), np.repeat([1, -1], len(rows)))
    assert abs(machine.intercept_[0]) < 1e-6
    certificate = convergence_certificate(X, y)
    assert certificate.exact
    assert certificate.margin == pytest.approx(1 / np.linalg.norm(machine.coef_), rel=1e-4)
    assert np.linalg.norm(certificate.separator) == pytest.approx(1.0, abs=1e-12)
    assert (rows @ certificate.separator).min() == pytest.approx(certificate.margin, rel=1e-9)


def test_margin_is_the_greatest_that_a_general_optimiser_finds():
    X, y = separable_blobs(30, 2, 0.3, shift=2.0)
    rows = augmented(X, y)
    found = minimize(
        lambda w: w @ w,
        convergence_certificate(X, y).separator * 50,
        jac=lambda w: 2 * w,
        constraints={"type": "ineq", "fun": lambda w: rows @ w - 1, "jac": lambda w: rows},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert convergence_certificate(X, y).margin == pytest.approx(1 / np.linalg.norm(found.x), rel=1e-6)


def test_the_margin_of_a_machine_with_an_intercept_gives_a_bound_that_is_false():
    random = np.random.default_rng(0)
    X = np.vstack([random.normal(20, 0.5, (100, 2)), random.normal(22.5, 0.5, (100, 2))])
    y = np.repeat([-1, 1], 100)
    certificate = convergence_certificate(X, y)
    with_intercept = 1 / np.linalg.norm(SVC(kernel="linear", C=1e10).fit(X, y).coef_)
    wrong = (np.linalg.norm(X, axis=1).max() / with_intercept) ** 2
    assert certificate.separable
    assert certificate.converged
    assert wrong < 6_000 < 20_000 < certificate.mistakes <= certificate.bound


def test_normalising_x_alone_can_destroy_what_normalising_the_augmented_vector_keeps():
    X, y = np.array([[3.0, 4.0], [6.0, 8.0]]), [0, 1]
    normalised = X / np.linalg.norm(X, axis=1, keepdims=True)
    assert not convergence_certificate(normalised, y, max_mistakes=100).separable
    certificate = convergence_certificate(X, y, unit_norm=True)
    assert certificate.separable
    assert certificate.radius == pytest.approx(1.0)
    assert certificate.mistakes <= certificate.bound


def test_the_proofs_two_inequalities_are_those_of_the_weights():
    X, y = separable_blobs(50, 2, 0.2, shift=1.0)
    certificate = convergence_certificate(X, y, trace=True)
    trace, rows = certificate.trace, augmented(X, y)
    weights = np.cumsum(rows[trace.example], axis=0)
    steps = np.arange(1, certificate.mistakes + 1)
    np.testing.assert_allclose(trace.alignment, weights @ certificate.separator, rtol=1e-9)
    np.testing.assert_allclose(trace.squared_norm, (weights**2).sum(axis=1), rtol=1e-9)
    np.testing.assert_allclose(trace.growth, steps * certificate.margin)
    np.testing.assert_allclose(trace.ceiling, steps * certificate.radius**2)
    assert trace.holds
    assert not type(trace)(trace.example, trace.growth * 10, trace.alignment, trace.squared_norm, trace.ceiling).holds


# Not separable


@pytest.mark.parametrize(("d", "shift", "seed"), list(itertools.product((1, 2, 8), (0.0, 20.0), (0, 1))))
def test_the_witness_adds_up_to_nothing(d, shift, seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(60, d)) + shift, random.permutation(60) % 2
    certificate = convergence_certificate(X, y, max_mistakes=500)
    assert not certificate.separable
    assert certificate.separator is None
    assert certificate.bound == np.inf
    witness, rows = certificate.witness, augmented(X, 2 * y - 1)
    assert (witness.multipliers > 0).all()
    assert witness.multipliers.sum() == pytest.approx(1.0)
    combined = witness.multipliers @ rows[witness.examples]
    assert np.linalg.norm(combined) < 1e-12 * certificate.radius
    assert np.linalg.norm(combined) == pytest.approx(witness.residual, abs=1e-14 * certificate.radius)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.booleans()), min_size=2, max_size=12))
def test_separable_is_what_linear_programming_says_of_small_whole_numbers(points):
    X, y = np.array([p[:2] for p in points], dtype=float), np.array([p[2] for p in points])
    if y.all() or not y.any():
        return
    rows = augmented(X, np.where(y, 1, -1))
    feasible = linprog(np.zeros(3), A_ub=-rows, b_ub=-np.ones(len(rows)), bounds=(None, None)).status == 0
    certificate = convergence_certificate(X, y, max_mistakes=2000)
    assert certificate.separable == feasible
    assert (certificate.witness is None) == feasible


def test_the_same_point_with_both_labels_is_its_own_witness():
    certificate = convergence_certificate([[1.0, 2.0], [5.0, 5.0], [1.0, 2.0]], [0, 1, 1], max_mistakes=50)
    assert set(certificate.witness.examples) == {0, 2}
    np.testing.assert_allclose(certificate.witness.multipliers, 0.5)
    assert "not separable" in str(certificate)
    assert "never stops" in str(certificate)


def hulls_meet(X, y, tolerance=0):
    """Whether some point is a mean of examples of either class, in fractions where there is one feature."""
    if X.shape[1] == 1:
        low, high = X[y == 0, 0], X[y == 1, 0]
        return low.min() <= high.max() and high.min() <= low.max()
    around = X - X.mean(axis=0)
    system = np.column_stack([np.vstack([around.T * np.where(y, 1, -1), y == 0, y == 1])])
    found = linprog(np.zeros(len(X)), A_eq=system, b_eq=[0] * X.shape[1] + [1, 1], method="highs-ds")
    return found.status == 0


@pytest.mark.parametrize("shift", [0.0, 1e7, 1e8, 1e9, 1e12])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_witnesses_own_examples_cannot_be_parted_however_far_from_the_origin(d, shift):
    for seed in range(8):
        random = np.random.default_rng(seed)
        X, y = random.normal(size=(40, d)) + shift, random.permutation(40) % 2
        witness = convergence_certificate(X, y, max_mistakes=5).witness
        assert witness.proved
        assert hulls_meet(X[witness.examples], y[witness.examples])


def test_a_witness_needs_all_three_examples_where_any_two_can_be_parted():
    X, y = np.array([[1.7e9], [1.7e9 + 103], [1.7e9 + 150]]), np.array([1, 0, 1])
    assert not hulls_meet(X[:2], y[:2])
    witness = convergence_certificate(X, y, max_mistakes=5).witness
    np.testing.assert_array_equal(witness.examples, [0, 1, 2])
    np.testing.assert_allclose(witness.multipliers, [47 / 300, 1 / 2, 103 / 300])


def test_examples_whose_gap_is_rounding_are_not_said_to_be_inseparable():
    X, y = np.array([[0, 0], [1, 1], [0.5, 0.5 + 1e-15], [2, 2]]), [0, 0, 1, 0]
    w = [-1, 1, Fraction(-1, 10**16)]
    products = [sum(Fraction(a) * b for a, b in zip((*x, 1), w, strict=True)) for x in X.tolist()]
    assert [product > 0 for product in products] == [False, False, True, False]
    certificate = convergence_certificate(X, y, max_mistakes=50)
    assert not certificate.witness.proved
    assert str(certificate).startswith("cannot be told from not separable")
    assert "never" not in str(certificate)


def test_touching_hulls_are_not_separable():
    assert not convergence_certificate([[0.0], [1.0], [1.0], [2.0]], [0, 0, 1, 1], max_mistakes=50).separable


# Hard cases


def test_many_examples_have_a_margin_proved_from_both_sides():
    X, y = separable_blobs(60_000, 5, 0.2)
    few, many = largest_margin(augmented(X, y) / 16, all_at_once=100_000), largest_margin(augmented(X, y) / 16)
    assert many.at_least == pytest.approx(few.at_least, rel=1e-8)
    assert many.at_least <= few.at_most * (1 + 1e-12)
    certificate = convergence_certificate(X, y)
    assert certificate.margin == pytest.approx(16 * few.at_least, rel=1e-8)
    assert certificate.mistakes <= certificate.bound


def test_many_examples_that_are_not_separable_have_a_witness():
    X, y = separable_blobs(20_000, 5, 0.2)
    y[:3] *= -1
    certificate = convergence_certificate(X, y, max_mistakes=500)
    assert not certificate.separable
    assert certificate.witness.residual < 1e-12


@pytest.mark.parametrize("shift", [1e3, 1e5, 1e7])
def test_examples_far_from_the_origin_are_still_seen_to_be_separable(shift):
    X, y = separable_blobs(100, 3, 0.1)
    certificate = convergence_certificate(X + shift, y, max_mistakes=1000)
    assert certificate.separable
    assert not certificate.converged
    assert certificate.margin <= certificate.margin_at_most
    y[:5] *= -1
    assert not convergence_certificate(X + shift, y, max_mistakes=1000).separable


def test_a_margin_that_is_not_proved_to_be_the_largest_is_said():
    X, y = separable_blobs(100, 3, 0.1)
    certificate = convergence_certificate(X + 1e7, y, max_mistakes=100)
    assert not certificate.exact
    assert "at least" in str(certificate)
    assert "counting stopped there" in str(certificate)


def test_features_of_1e300_are_no_trouble():
    certificate = convergence_certificate([[1e300, 1.0], [-1e300, 1.0], [1e300, 2.0]], [1, 0, 1], trace=True)
    assert certificate.separable
    assert certificate.bound == pytest.approx(1.0)
    assert certificate.mistakes == 1
    assert certificate.trace.holds


@pytest.mark.parametrize(
    ("X", "y", "margin"),
    [
        # Next to these features 1 is nothing, or all: the best w̃ is found by looking.
        ([[1e300], [-1.0]], [0, 1], 2**0.5),
        ([[1e300], [1.0]], [0, 1], 1.0),
        ([[1e200], [-1.0]], [0, 1], 2**0.5),
        ([[1e-200], [-1e-200]], [0, 1], 1e-200),
        ([[1e-300], [-1e-300]], [0, 1], 1e-300),
    ],
)
def test_a_bound_too_large_for_a_float_is_told_and_no_crash(X, y, margin):
    certificate = convergence_certificate(X, y, trace=True, max_mistakes=50)
    assert certificate.separable
    assert certificate.bound == np.inf
    assert 0 < certificate.margin <= margin * (1 + 1e-9)
    assert certificate.margin_at_most >= margin * (1 - 1e-9)
    assert "finite, but too large for a float" in str(certificate)


def test_the_smallest_floats_are_not_said_to_be_inseparable():
    certificate = convergence_certificate([[5e-324], [-5e-324]], [0, 1], max_mistakes=50)
    assert str(certificate).startswith("cannot be told from not separable")


def test_neighbouring_floats_are_separable():
    X = [[1.0], [1.0 + 2**-52]]
    certificate = convergence_certificate(X, [1, 0], max_mistakes=100)
    assert certificate.separable
    assert 0 < certificate.margin <= certificate.margin_at_most < 1e-15
    exact = [sum(Fraction(a) * Fraction(w) for a, w in zip((*x, 1.0), certificate.separator, strict=True)) for x in X]
    assert exact[1] < 0 < exact[0]
    assert not convergence_certificate([[1.0], [1.0]], [1, 0], max_mistakes=100).separable


def test_a_constant_feature_and_more_features_than_examples_are_fine():
    random = np.random.default_rng(0)
    X = np.column_stack([np.full(10, 3.0), random.normal(size=(10, 40))])
    certificate = convergence_certificate(X, random.permutation(10) % 2, trace=True)
    assert certificate.separable
    assert certificate.exact
    assert certificate.trace.holds


@pytest.mark.parametrize("labels", [(0, 1), ("no", "yes"), (-1.5, 2.5), (False, True)])
def test_any_two_labels_will_do(labels):
    X, y = separable_blobs()
    certificate = convergence_certificate(X, np.array(labels)[(y > 0).astype(int)])
    assert certificate.classes.tolist() == list(labels)
    assert certificate.mistakes == convergence_certificate(X, y).mistakes


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [2.0]], [1, 1], r"y has 1 value \(1\); expected examples of another class"),
        ([[1.0], [2.0], [3.0]], [1, 2, 3], "y has 3 values .*compare one with the rest"),
        ([[1.0], [np.nan]], [0, 1], "NaN or infinity in row 1"),
        ([1.0, 2.0], [0, 1], "reshape"),
        ([[1.0], [2.0]], [0, 1, 1], r"y has shape \(3,\); expected \(2,\)"),
        (np.empty((0, 2)), [], "at least one row"),
    ],
)
def test_examples_that_cannot_be_are_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        convergence_certificate(X, y)


def test_sparse_examples_are_refused_with_what_to_do():
    from scipy.sparse import csr_array

    with pytest.raises(TypeError, match="toarray"):
        convergence_certificate(csr_array(np.eye(2)), [0, 1])


@pytest.mark.parametrize("most", [0, 1.5, True])
def test_a_cap_that_is_none_is_refused(most):
    with pytest.raises(ValueError, match="max_mistakes is"):
        convergence_certificate([[1.0], [2.0]], [0, 1], max_mistakes=most)
