"""sin and cos of the native engine: near 0 by polynomials, far from it by the math library."""

import numpy as np
import pytest

import diaphane as dia
from diaphane.engines.native.element import FARTHEST

FUNCTIONS = {"sin": (dia.sin, np.sin), "cos": (dia.cos, np.cos)}
TRUER = {"float32": np.float64, "float64": np.longdouble}


def native(function, x, dtype):
    a = dia.placeholder((dia.Dim("N"),), dtype, "a")
    program = dia.Program({"y": function(a)}, engine="native")
    return program.run(feeds={"a": np.asarray(x, dtype)})[0]["y"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_are_below_a_rounding_of_one_everywhere_and_of_the_value_where_it_is_small(name, dtype):
    function, numpy_function = FUNCTIONS[name]
    rng = np.random.default_rng(0)
    scales = (1e-30, 1e-3, 1, 4, 30, 1000, 0.999 * FARTHEST[dtype])
    x = np.concatenate([rng.uniform(-1, 1, 20_000) * s for s in scales] + [np.arange(-900, 900) * np.pi / 2])
    x = x.astype(dtype)
    found, truth = native(function, x, dtype), numpy_function(x.astype(TRUER[dtype]))
    eps = float(np.finfo(dtype).eps)
    error = np.abs(found - truth).astype(np.float64)
    assert error.max() < eps
    if name == "sin":
        small = np.abs(x) < 0.7
        assert (error[small] <= 2 * eps * np.abs(truth[small])).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_argument_far_from_0_and_all_are_right(name, dtype):
    function, numpy_function = FUNCTIONS[name]
    x = np.array([0.5, 1e5, 3.0, -2e5, 1e6, 2.5e9, -7e17, 1e30, 1.25], dtype)
    found = native(function, x, dtype)
    np.testing.assert_allclose(found, numpy_function(x), rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinities_give_nan_nan_stays_and_so_does_the_sign_of_0(dtype):
    for around in ([], [1e30]):
        sines = native(dia.sin, [np.inf, -np.inf, np.nan, -0.0, 0.0, *around], dtype)
        assert np.isnan(sines[:3]).all()
        assert np.signbit(sines[3:5]).tolist() == [True, False]
        assert native(dia.cos, [0.0, -0.0, *around], dtype)[:2].tolist() == [1.0, 1.0]


def test_an_argument_that_the_loop_computes_itself_is_asked_too():
    a = dia.placeholder((dia.Dim("N"), 3), "float64", "a")
    inner = dia.exp(a * 2.0)
    program = dia.Program({"y": dia.sin(inner) + dia.cos(dia.sin(inner) * 3.0)}, engine="native")
    x = np.random.default_rng(1).uniform(-1, 1, (50, 3))
    for far in (0.0, 15.0):
        x[7, 1] = far
        truth = np.sin(np.exp(2 * x)) + np.cos(3 * np.sin(np.exp(2 * x)))
        np.testing.assert_allclose(program.run(feeds={"a": x})[0]["y"], truth, rtol=1e-12, atol=1e-14)


def test_where_the_result_takes_the_place_of_its_argument_each_is_computed_once():
    a = dia.variable(np.array([0.3, 1e7, -2.0]), "a", dtype="float64")
    program = dia.Program({}, updates={a: dia.sin(a)}, engine="native")
    state = program.initial_state()
    expected = np.array([0.3, 1e7, -2.0])
    for _ in range(3):
        _, state = program.run(state)
        expected = np.sin(expected)
    np.testing.assert_allclose(state[a], expected, rtol=1e-14)
