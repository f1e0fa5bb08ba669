"""One hidden layer comes as near as its units allow; a polynomial activation never below the best polynomial."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diaphane.insight.theory import (
    OneHiddenLayer,
    best_polynomial,
    modulus_of_continuity,
    polynomial_degree,
    relu_interpolant,
)
from diaphane.nn import ACTIVATIONS
from diaphane.selection import universal_approximation

FINE = np.linspace(-1, 1, 4001)[:, np.newaxis]


def square(a):
    return a * a


def cube(a):
    return a * a * a


def bump(x, y):
    return np.abs(x - y) / 2 + np.cos(3 * x) * y


@pytest.fixture(scope="module")
def study():
    return universal_approximation(np.abs, units=[1, 2, 4, 8], activations=["tanh", "relu", square, cube], n_starts=2)


waves = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.1, 20), st.floats(0, 6)), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(waves=waves, n_units=st.integers(1, 60))
def test_the_error_of_the_constructed_network_is_at_most_the_modulus_of_continuity_at_the_knots_distance(
    waves, n_units
):
    def function(x):
        return sum(a * np.sin(k * x + p) for a, k, p in waves)

    network = relu_interpolant(function, (-1, 1), n_units + 1)
    h = 2 / n_units
    # |sin u − sin v| ≤ 2·sin(|u − v|/2), up to the whole range of 2.
    bound = sum(2 * abs(a) * np.sin(min(k * h / 2, np.pi / 2)) for a, k, _ in waves)
    assert network.n_units == n_units
    assert np.abs(network(FINE) - function(FINE[:, 0])).max() <= bound + 1e-9


@settings(max_examples=40, deadline=None)
@given(knots=st.lists(st.integers(-50, 50), min_size=2, max_size=20, unique=True), seed=st.integers(0, 100))
def test_the_constructed_network_is_numpys_broken_line_through_the_knots(knots, seed):
    places = np.sort(np.array(knots)) / 10.0
    heights = np.random.default_rng(seed).standard_normal(len(places))
    network = relu_interpolant(lambda x: np.interp(x, places, heights), (-5, 5), places)
    between = np.linspace(places[0], places[-1], 301)
    np.testing.assert_allclose(network(between[:, np.newaxis]), np.interp(between, places, heights), atol=1e-9)


def test_the_bound_on_the_root_is_the_root_of_the_knots_distance_and_halves_need_four_times_the_units():
    x = np.linspace(0, 1, 20001)
    errors = []
    for n in (4, 16, 64):
        error = np.abs(relu_interpolant(np.sqrt, (0, 1), n + 1)(x[:, np.newaxis]) - np.sqrt(x)).max()
        assert error <= np.sqrt(1 / n)
        errors.append(error)
    np.testing.assert_allclose(np.array(errors[1:]) / errors[:-1], 0.5, rtol=1e-3)


@pytest.mark.parametrize("h", [0.01, 0.1, 0.5])
def test_the_modulus_of_continuity_is_the_closed_form(h):
    assert modulus_of_continuity(np.sqrt, h, (0, 1), n_points=20001) == pytest.approx(np.sqrt(h), rel=1e-9)
    wave = modulus_of_continuity(lambda x: np.sin(4 * x), h, (-2, 2), n_points=20001)
    assert wave == pytest.approx(2 * np.sin(min(4 * h / 2, np.pi / 2)), rel=1e-4)


def test_the_network_that_a_constructed_layer_becomes_predicts_the_same():
    layer = relu_interpolant(np.sin, (0, 3), 12)
    network, state = layer.to_network()
    points = np.linspace(-1, 4, 50)[:, np.newaxis]
    np.testing.assert_allclose(network.predict(state, points)[:, 0], layer(points), atol=1e-12)


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
def test_the_best_polynomial_of_a_power_is_chebyshevs(degree):
    found = best_polynomial(lambda x: x ** (degree + 1), (-1, 1), degree)
    assert found.error == pytest.approx(2.0**-degree, rel=1e-3)
    # x^(m+1) less its best approximation is the Chebyshev polynomial over its leading coefficient.
    rest = FINE[:, 0] ** (degree + 1) - found(FINE)
    expected = np.polynomial.chebyshev.chebval(FINE[:, 0], [0] * (degree + 1) + [2.0**-degree])
    np.testing.assert_allclose(rest, expected, atol=2e-3)


def test_the_best_polynomial_does_not_depend_on_where_the_interval_lies_nor_on_a_further_variable():
    assert best_polynomial(lambda x: 3 * np.abs(x - 7), (5, 9), 2).error == pytest.approx(3 * 2 / 8, rel=1e-6)
    assert best_polynomial(lambda x, y: np.abs(x) + 0 * y, ((-1, 1), (0, 5)), 2).error == pytest.approx(1 / 8, rel=1e-6)
    assert best_polynomial(lambda x, y: x * y, ((-1, 1), (-1, 1)), 1).error == pytest.approx(1, rel=1e-6)
    assert best_polynomial(lambda x, y: x * y, ((-1, 1), (-1, 1)), 2).error == pytest.approx(0, abs=1e-8)


def test_polynomials_are_recognised_and_no_other_activation_is_taken_for_one():
    elementwise = [name for name in ACTIVATIONS if name not in ("softmax", "log_softmax")]
    assert {name: polynomial_degree(name) for name in elementwise if polynomial_degree(name) is not None} == {
        "identity": 1
    }
    assert [polynomial_degree(phi) for phi in (square, cube, lambda a: a**5 - a, lambda a: 0 * a + 2)] == [2, 3, 5, 0]


@pytest.mark.parametrize("name", ["tanh", "relu", "relu, constructed"])
def test_the_worst_error_of_an_activation_that_is_no_polynomial_falls_with_the_units(study, name):
    errors = study.errors(name)
    assert (np.diff(errors) <= 0).all()
    assert errors[-1] < 0.15 * errors[0]
    assert errors[-1] < 1 / 8 - 0.05


@pytest.mark.parametrize("name", ["square", "cube"])
def test_a_polynomial_activation_is_never_below_the_best_polynomial_and_comes_near_it(study, name):
    degree, floor = study.floors[name]
    assert degree == {"square": 2, "cube": 3}[name]
    # Of |x| on [−1, 1] it is 1/8 for both degrees.
    assert floor == pytest.approx(1 / 8, rel=1e-6)
    every = np.concatenate([a.errors for a in study.of(name)])
    assert (every >= 1 / 8 - 1e-9).all()
    assert study.errors(name)[-1] < 1.05 / 8
    assert "tanh" not in study.floors


def test_errors_are_those_of_the_networks_that_are_returned_measured_by_numpy_alone(study):
    phi = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "square": np.square, "cube": lambda a: a**3}
    for found in study.approximations:
        activation = phi[found.name.split(",")[0]]
        layer = found.network
        outputs = activation(study.points @ layer.kernel + layer.bias) @ layer.coef + layer.intercept
        assert found.error == pytest.approx(np.abs(outputs - np.abs(study.points[:, 0])).max(), rel=1e-9)
        # A narrower network stands for a wider one of which some units count nothing.
        assert layer.n_units <= found.n_units


def test_of_two_variables_the_error_falls_and_a_polynomial_stays_above_its_floor():
    domain = ((-1, 1), (-1, 1))
    study = universal_approximation(bump, domain, [2, 16], ["tanh", square], n_starts=1, n_train=21, n_points=61)
    tanh, parabola = study.errors("tanh"), study.errors("square")
    floor = best_polynomial(bump, domain, 2, n_points=61).error
    assert tanh[1] < 0.35 * tanh[0]
    assert tanh[1] < 0.5 * floor
    assert (parabola >= floor - 1e-9).all()
    assert parabola[1] < 1.05 * floor
    assert study.names == ("tanh", "square")
    assert len(study.plot().axes_) == 4


def test_a_function_moved_and_stretched_is_learnt_as_well():
    near = universal_approximation(np.abs, units=[4], n_starts=1, max_iter=50)
    far = universal_approximation(lambda x: 1000 * np.abs(x - 52) / 2, (50, 54), [4], n_starts=1, max_iter=50)
    assert far.errors("tanh")[0] / 1000 == pytest.approx(near.errors("tanh")[0], rel=0.2)


def test_the_same_random_state_gives_the_same_networks_and_another_one_others():
    def weights(seed):
        settings = {"units": [3], "n_starts": 1, "max_iter": 20, "random_state": seed}
        return universal_approximation(np.abs, **settings).approximations[0].network.kernel

    assert np.array_equal(weights(5), weights(5))
    assert not np.array_equal(weights(5), weights(6))


def test_the_picture_has_every_fit_the_errors_and_the_floors(study):
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    display = study.plot(show=[1, 8])
    assert [ax.get_title() for ax in display.axes_] == [*study.names, "worst error"]
    for name in study.names:
        np.testing.assert_allclose(display.lines_[name].get_ydata(), study.errors(name), rtol=1e-12)
    levels = [line.get_ydata()[0] for line in display.ax_.lines if "E" in str(line.get_label())]
    np.testing.assert_allclose(levels, [1 / 8, 1 / 8], rtol=1e-6)
    assert [t.get_text() for t in display.axes_[0].get_legend().get_texts()] == ["f", "1 unit", "8 units"]
    with pytest.raises(ValueError, match="show has 3; there are fits of 1, 2, 4, 8 units"):
        study.plot(show=[3])
    plt.close("all")


def test_the_table_and_the_words_say_what_was_measured(study):
    rows = study.table()
    assert [r["error"] for r in rows if r["activation"] == "relu"] == study.errors("relu").tolist()
    assert {r["floor"] for r in rows if r["activation"] == "tanh"} == {None}
    assert all(r["error"] <= r["bound"] for r in rows if r["activation"] == "relu, constructed")
    assert "square: 0.1" in study.verdict
    assert "none is nearer than 0.125" in study.verdict
    assert len(str(study).splitlines()) == 1 + len(study.names)


@pytest.mark.parametrize(
    ("error", "settings", "said"),
    [
        (ValueError, {"domain": (1, -1)}, "a < b, both finite"),
        (ValueError, {"domain": (0, np.inf)}, "a < b, both finite"),
        (ValueError, {"domain": "all"}, r"expected \(a, b\)"),
        (ValueError, {"domain": [(0, 1)] * 3}, r"expected \(a, b\)"),
        (ValueError, {"units": []}, "rise from at least 1"),
        (ValueError, {"units": [4, 2]}, "rise from at least 1"),
        (ValueError, {"units": [0, 2]}, "rise from at least 1"),
        (ValueError, {"activations": "rulu"}, "there is no activation 'rulu'"),
        (ValueError, {"activations": []}, "activations is empty"),
        (ValueError, {"activations": [lambda a: a, lambda a: a * a]}, "give a mapping of names"),
        (ValueError, {"n_starts": 0}, "n_starts"),
        (ValueError, {"function": lambda x: 1 / np.where(x == 0, np.nan, x)}, r"not finite at \[0.0\]"),
        (ValueError, {"function": lambda x: x[:3]}, r"gives shape \(3,\) for 401 points"),
        (TypeError, {"function": lambda x, y: x}, "expected one of 1 variable"),
    ],
)
def test_bad_input_is_named(error, settings, said):
    function = settings.pop("function", np.abs)
    with pytest.raises(error, match=said):
        universal_approximation(function, **settings)


def test_bad_knots_and_widths_are_named():
    with pytest.raises(ValueError, match="expected at least 2"):
        relu_interpolant(np.abs, (-1, 1), 1)
    with pytest.raises(ValueError, match="at least two that rise"):
        relu_interpolant(np.abs, (-1, 1), [0.5, 0.2])
    with pytest.raises(ValueError, match="outside of"):
        relu_interpolant(np.abs, (-1, 1), [-2, 0])
    with pytest.raises(ValueError, match="of one variable"):
        relu_interpolant(np.abs, ((-1, 1), (0, 1)), 3)
    with pytest.raises(ValueError, match="at least a step of the grid"):
        modulus_of_continuity(np.abs, 1e-6, (-1, 1))
    with pytest.raises(ValueError, match="degree is -1"):
        best_polynomial(np.abs, (-1, 1), -1)


def test_a_layer_of_a_function_of_a_node_computes_what_the_function_says():
    layer = OneHiddenLayer(np.array([[2.0]]), np.array([1.0]), np.array([3.0]), -1.0, square)
    assert layer([[1.0], [-0.5]]).tolist() == [26.0, -1.0]
