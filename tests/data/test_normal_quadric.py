"""The law of a quadratic function of normal variables, beside SciPy's distributions and plain integration."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2, ncx2, norm

from diaphane.data.normal_quadric import negative_probability


@pytest.mark.parametrize("d", [1, 2, 3, 10, 60])
@pytest.mark.parametrize("probability", [1e-6, 0.02, 0.5, 0.999])
def test_a_ball_holds_what_chi_square_says(d, probability):
    squared_radius = chi2.ppf(probability, d)
    found = negative_probability(np.zeros(d), np.eye(d), np.eye(d), np.zeros(d), -squared_radius)
    assert found == pytest.approx(probability, abs=1e-12)
    turned = negative_probability(np.zeros(d), np.eye(d), -np.eye(d), np.zeros(d), squared_radius)
    assert turned == pytest.approx(1 - probability, abs=1e-12)


@pytest.mark.parametrize("squared_distance", [0.1, 5.0, 400.0])
@pytest.mark.parametrize("probability", [1e-4, 0.3, 0.99])
def test_a_ball_beside_the_mean_holds_what_noncentral_chi_square_says(squared_distance, probability):
    mean = np.array([np.sqrt(squared_distance), 0.0, 0.0])
    squared_radius = ncx2.ppf(probability, 3, squared_distance)
    found = negative_probability(mean, np.eye(3), np.eye(3), np.zeros(3), -squared_radius)
    assert found == pytest.approx(probability, abs=1e-10)


def parabola(m, b, c):
    """P(m·z² + b·z + c < 0), from its roots without cancellation."""
    root = b * b - 4 * m * c
    if root <= 0:
        return float(m < 0)
    q = -0.5 * (b + np.copysign(np.sqrt(root), b))
    low, high = sorted((q / m, c / q))
    between = norm.cdf(high) - norm.cdf(low)
    return between if m > 0 else 1 - between


def test_a_parabola_is_negative_between_its_roots_however_flat_it_is():
    random = np.random.default_rng(0)
    for _ in range(150):
        m = random.normal() * 10 ** random.uniform(-9, 2)
        b = random.normal() * 10 ** random.uniform(-2, 1)
        c = random.normal() * 10 ** random.uniform(-1, 1.3)
        found = negative_probability(np.zeros(1), np.eye(1), np.array([[m]]), np.array([b]), c)
        assert found == pytest.approx(parabola(m, b, c), abs=1e-11)


@pytest.mark.parametrize("seed", range(4))
def test_conics_in_the_plane_hold_what_integration_says(seed):
    random = np.random.default_rng(seed)
    m, b, c = random.normal(size=2), random.normal(size=2), random.normal()

    def slice_at(z):
        return parabola(m[0], b[0], m[1] * z * z + b[1] * z + c) * norm.pdf(z)

    # Where a slice begins to cut the conic the integrand has a corner.
    corners = np.roots([-4 * m[0] * m[1], -4 * m[0] * b[1], b[0] ** 2 - 4 * m[0] * c])
    corners = corners[np.isreal(corners)].real
    edges = [-10.0, *sorted(corners[np.abs(corners) < 10]), 10.0]
    expected = sum(quad(slice_at, low, high, epsabs=1e-12, limit=400)[0] for low, high in pairwise(edges))
    found = negative_probability(np.zeros(2), np.eye(2), np.diag(m), b, c)
    assert found == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("d", [3, 8])
def test_quadrics_hold_what_a_sample_says(d):
    random = np.random.default_rng(d)
    factor, quadratic = random.normal(size=(d, d)), random.normal(size=(d, d))
    quadratic = quadratic + quadratic.T
    mean, linear = random.normal(size=d), random.normal(size=d)
    found = negative_probability(mean, factor @ factor.T, quadratic, linear, 1.0)
    x = mean + random.normal(size=(200_000, d)) @ factor.T
    share = np.mean(np.einsum("ni,ij,nj->n", x, quadratic, x) + x @ linear + 1.0 < 0)
    assert found == pytest.approx(share, abs=4 * np.sqrt(0.25 / len(x)))


def test_a_plane_and_a_constant_are_quadrics_too():
    zero = np.zeros((2, 2))
    assert negative_probability(np.ones(2), np.eye(2), zero, np.array([3.0, 4.0]), -7.0) == pytest.approx(0.5)
    assert negative_probability(np.zeros(2), np.eye(2), zero, np.array([3.0, 4.0]), 5.0) == norm.cdf(-1)
    assert negative_probability(np.ones(2), np.eye(2), zero, np.zeros(2), -1.0) == 1.0


def test_what_is_hopelessly_far_has_probability_nought():
    assert negative_probability(np.full(2, 1e4), np.eye(2), np.eye(2), np.zeros(2), -1.0) == 0.0
    assert negative_probability(np.full(2, 1e4), np.eye(2), -np.eye(2), np.zeros(2), 1.0) == 1.0
