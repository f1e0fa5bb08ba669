"""Every operation against a float64 oracle, PyTorch, finite differences and its own promises."""

import itertools
import math
import warnings
import zlib

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.special
from graph.operation_table import (
    EPSILON,
    PROPERTY,
    SPECIAL,
    TABLE,
    Row,
    assert_close,
    central_difference,
    classes_in,
    house_operations,
    rows,
    tensors,
    torch_gradients,
)
from hypothesis import given
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import diaphane.graph as dia

SIZES = (0, 1, 2, 5)
DTYPES = ("float32", "float64")


def test_every_operation_has_a_row():
    named = {name for row in TABLE for name in row.operations.split()}
    assert {name for name, _ in house_operations()} == named


def test_every_public_function_has_a_row():
    named = {name for row in TABLE for name in row.functions.split()}
    assert set(dia.operations.__all__) == named


def test_row_names_are_unique():
    assert len({row.name for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize("row", rows(lambda r: r.torch is None))
def test_a_row_without_pytorch_says_why(row):
    assert row.without_torch


@pytest.mark.parametrize("row", rows())
def test_a_row_puts_the_operations_that_it_names_into_the_graph(row):
    assert set(row.operations.split()) <= classes_in([row.build(*row.placeholders("float64"))])


def drawn(row: Row, n: int, dtype: str) -> list[np.ndarray]:
    rng = np.random.default_rng([n, zlib.crc32(row.name.encode())])
    return [g.draw(rng, n, dtype) for g in row.given]


def fits(row: Row, n: int) -> bool:
    """Whether the row has a value at this N: an index into an empty axis has none."""
    try:
        row.expected(*drawn(row, n, "float64"))
    except (IndexError, ValueError):
        return False
    return True


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", rows())
def test_value_shape_and_dtype_are_the_oracles_for_each_size_that_a_name_is_bound_to(row, dtype):
    xs = row.placeholders(dtype)
    y = row.build(*xs)
    assert y.dtype == np.dtype(row.result or dtype)
    for n in filter(lambda n: fits(row, n), SIZES):
        arrays = drawn(row, n, dtype)
        want = row.expected(*arrays)
        got = dia.evaluate(y, dict(zip(xs, arrays, strict=True)))
        assert got.dtype == y.dtype
        assert got.ndim == y.ndim
        assert all(got.shape[i] == e for i, e in enumerate(y.shape) if isinstance(e, int))
        assert_close(got, want, str(y.dtype) if y.dtype.kind == "f" else dtype, what=f"N = {n}")


@pytest.mark.parametrize("row", rows())
def test_fixed_sizes_give_the_shape_before_the_run_and_the_same_value(row):
    arrays = drawn(row, 2, "float64")
    named, fixed = row.placeholders("float64"), row.placeholders("float64", [a.shape for a in arrays])
    y = row.build(*fixed)
    got = dia.evaluate(y, dict(zip(fixed, arrays, strict=True)))
    assert got.shape == y.shape
    np.testing.assert_array_equal(got, dia.evaluate(row.build(*named), dict(zip(named, arrays, strict=True))))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", rows(lambda r: r.torch is not None))
def test_value_is_pytorchs(row, dtype):
    torch = pytest.importorskip("torch")
    xs = row.placeholders(dtype)
    y = row.build(*xs)
    for n in filter(lambda n: fits(row, n), SIZES if row.torch_takes_nothing else SIZES[1:]):
        arrays = drawn(row, n, dtype)
        got = dia.evaluate(y, dict(zip(xs, arrays, strict=True)))
        want = row.torch(torch, *[torch.tensor(a) for a in arrays]).numpy()
        assert want.dtype == got.dtype
        assert_close(got, want, str(y.dtype) if y.dtype.kind == "f" else dtype, what=f"N = {n}")


@pytest.mark.parametrize("row", rows(lambda r: r.broadcasts))
@PROPERTY
@given(data=st.data())
def test_broadcasting_is_numpys_in_value_and_gradient(row, data):
    shapes = data.draw(
        mutually_broadcastable_shapes(num_shapes=len(row.given), max_dims=3, min_side=0, max_side=3)
    ).input_shapes
    dtype = data.draw(st.sampled_from(DTYPES))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    arrays = [
        np.asarray(g.sample(rng, shape)).astype(g.dtype or dtype) for g, shape in zip(row.given, shapes, strict=True)
    ]
    xs = row.placeholders(dtype, shapes)
    y = row.build(*xs)
    feeds = dict(zip(xs, arrays, strict=True))
    got = dia.evaluate(y, feeds)
    assert got.shape == y.shape == np.broadcast_shapes(*shapes)
    assert_close(got, row.expected(*arrays), dtype)
    total = dia.sum(dia.astype(y, dtype))
    for x, g in zip(row.floats(xs), dia.gradient(total, row.floats(xs)), strict=True):
        assert (g.shape, g.dtype) == (x.shape, x.dtype)
        assert dia.evaluate(g, feeds).shape == x.shape


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", rows(lambda r: r.broadcasts and r.special and r.takes_floats_only))
def test_elementwise_values_at_nan_infinity_and_zeros(row, dtype):
    grid = np.array(list(itertools.product(SPECIAL, repeat=len(row.given))), dtype).T
    xs = row.placeholders(dtype, [(grid.shape[1],)] * len(row.given))
    got = dia.evaluate(row.build(*xs), dict(zip(xs, grid, strict=True)))
    with np.errstate(over="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = row.expected(*grid)
        want = want.astype(dtype).astype("float64") if want.dtype.kind == "f" else want
    for point, g, w in zip(grid.T, got, want, strict=True):
        np.testing.assert_allclose(
            g, w, rtol=64 * EPSILON[dtype], atol=64 * EPSILON[dtype], err_msg=f"{row.name} at {point}"
        )


@pytest.mark.parametrize("row", rows(lambda r: r.broadcasts and r.special and r.torch and r.takes_floats_only))
def test_elementwise_values_at_nan_infinity_and_zeros_are_pytorchs(row):
    torch = pytest.importorskip("torch")
    if row.torch_differs:
        grid = np.array([p for p in itertools.product(SPECIAL, repeat=len(row.given)) if not np.isnan(p).any()]).T
    else:
        grid = np.array(list(itertools.product(SPECIAL, repeat=len(row.given)))).T
    xs = row.placeholders("float64", [(grid.shape[1],)] * len(row.given))
    got = dia.evaluate(row.build(*xs), dict(zip(xs, grid, strict=True)))
    want = row.torch(torch, *[torch.tensor(g) for g in grid]).numpy()
    for point, g, w in zip(grid.T, got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12, atol=1e-12, err_msg=f"{row.name} at {point}")


@pytest.mark.parametrize("row", rows(lambda r: not r.broadcasts and r.special and r.floats(r.given)))
@PROPERTY
@given(data=st.data())
def test_other_values_at_nan_infinity_and_zeros(row, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    kinds = data.draw(st.sets(st.sampled_from(SPECIAL[:7]), min_size=1))
    arrays = drawn(row, 2, "float64")
    arrays = [
        rng.choice(sorted(kinds, key=repr), a.shape) if g.dtype is None else a
        for g, a in zip(row.given, arrays, strict=True)
    ]
    xs = row.placeholders("float64")
    y = row.build(*xs)
    got = dia.evaluate(y, dict(zip(xs, arrays, strict=True)))
    assert_close(got, row.expected(*arrays), str(y.dtype) if y.dtype.kind == "f" else "float64")


@pytest.mark.parametrize("row", rows(lambda r: r.derivative in ("smooth", "rounded") and r.torch is not None))
def test_gradient_and_second_derivative_are_pytorchs(row):
    torch = pytest.importorskip("torch")
    xs = row.placeholders("float64")
    y = row.build(*xs)
    u = dia.placeholder(y.shape, y.dtype, "u")
    first = dia.gradient(y, row.floats(xs), upstream=u)
    directions = [dia.placeholder(x.shape, "float64", "v") for x in row.floats(xs)]
    slope = dia.constant(0.0)
    for v, g in zip(directions, first, strict=True):
        slope = slope + dia.sum(v * g)
    second = dia.gradient(slope, [*row.floats(xs), u])
    tolerance = "float32" if row.derivative == "rounded" else "float64"
    for n in filter(lambda n: fits(row, n), SIZES if row.torch_takes_nothing else SIZES[1:]):
        arrays = drawn(row, n, "float64")
        rng = np.random.default_rng(n)
        leaves = tensors(torch, arrays)
        value = row.torch(torch, *leaves)
        upstream = rng.normal(size=value.shape).astype(y.dtype)
        ways = [rng.normal(size=a.shape) for a in row.floats(arrays)]
        feeds = dict(zip([*xs, u, *directions], [*arrays, upstream, *ways], strict=True))
        up = torch.tensor(upstream, requires_grad=True)
        want = torch_gradients(torch, (value * up).sum(), row.floats(leaves), create_graph=True)
        along = sum((torch.tensor(v) * g).sum() for v, g in zip(ways, want, strict=True))
        want_second = torch_gradients(torch, along, [*row.floats(leaves), up])
        got = dia.evaluate([*first, *second], feeds)
        for i, (g, w) in enumerate(zip(got, [*want, *want_second], strict=True)):
            order = "first" if i < len(want) else "second"
            assert_close(g, w.detach().numpy(force=True), tolerance, ulps=4096, what=f"{order} derivative, N = {n}")


@pytest.mark.parametrize("row", rows(lambda r: r.derivative == "smooth" and r.given))
def test_gradient_and_second_derivative_are_the_central_differences(row):
    arrays = drawn(row, 2, "float64")
    xs = row.placeholders("float64", [a.shape for a in arrays])
    y = row.build(*xs)
    rng = np.random.default_rng(1)
    total = dia.sum(y * rng.normal(size=y.shape))
    first = dia.gradient(total, row.floats(xs))
    slope = sum((dia.sum(g * rng.normal(size=g.shape)) for g in first), start=dia.constant(0.0))
    second = dia.gradient(slope, row.floats(xs))

    def at(moved):
        floats = iter(moved)
        return {x: next(floats) if g.moves else a for x, g, a in zip(xs, row.given, arrays, strict=True)}

    for value, derivatives in [(total, first), (slope, second)]:
        want = central_difference(lambda *moved, value=value: dia.evaluate(value, at(moved)), row.floats(arrays))
        for g, w in zip(dia.evaluate(derivatives, at(row.floats(arrays))), want, strict=True):
            np.testing.assert_allclose(g, w, rtol=0, atol=2e-7 * max(1, np.abs(w).max(initial=0)))


@pytest.mark.parametrize("row", rows(lambda r: r.derivative == "none" and r.floats(r.given)))
def test_gradient_is_zero_where_the_value_is_constant_piece_by_piece(row):
    xs = row.placeholders("float64")
    total = dia.sum(dia.astype(row.build(*xs), "float64"))
    for n in filter(lambda n: fits(row, n), SIZES):
        arrays = drawn(row, n, "float64")
        gradients = dia.evaluate(dia.gradient(total, row.floats(xs)), dict(zip(xs, arrays, strict=True)))
        for g, x in zip(gradients, row.floats(arrays), strict=True):
            np.testing.assert_array_equal(g, np.zeros(x.shape))


@pytest.mark.parametrize("row", rows(lambda r: r.derivative == "refused"))
def test_gradient_is_refused_where_asking_for_it_is_a_mistake(row):
    xs = row.placeholders("float64")
    with pytest.raises(dia.NotDifferentiableError, match=row.operations.lower()):
        dia.gradient(dia.sum(dia.astype(row.build(*xs), "float64")), row.floats(xs))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", rows(lambda r: r.derivative == "smooth" and r.floats(r.given)))
def test_gradients_have_their_inputs_shape_and_dtype(row, dtype):
    xs = row.placeholders(dtype)
    for x, g in zip(row.floats(xs), dia.gradient(dia.sum(row.build(*xs)), row.floats(xs)), strict=True):
        assert (g.shape, g.dtype) == (x.shape, x.dtype)
    arrays = drawn(row, 2, dtype)
    wide = row.placeholders("float64")
    values = dia.evaluate(dia.gradient(dia.sum(row.build(*xs)), row.floats(xs)), dict(zip(xs, arrays, strict=True)))
    exact = dia.evaluate(
        dia.gradient(dia.sum(row.build(*wide)), row.floats(wide)),
        {x: a.astype(x.dtype) for x, a in zip(wide, arrays, strict=True)},
    )
    for value, want in zip(values, exact, strict=True):
        assert value.dtype == np.dtype(dtype)
        assert_close(value, want, dtype)


def c_pow(a, b):
    """C's pow, which Python's is but for the errors that it raises instead of ±inf and NaN."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -np.inf if a < 0 and b % 2 == 1 else np.inf
    except ValueError:
        if a != 0:
            return np.nan
        return np.copysign(np.inf, a) if b % 2 == 1 else np.inf


ELEMENTWISE = [pytest.param(op, id=name) for name, op in house_operations() if issubclass(op, dia.Elementwise)]
SCALARS = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "erf": scipy.special.erf,
    "fabs": np.fabs,
    "floor": np.floor,
    "isnan": np.isnan,
    "pow": c_pow,
}


@pytest.mark.parametrize("op", ELEMENTWISE)
def test_the_scalar_expression_is_what_the_operation_computes(op):
    code = compile(op.expression, op.__name__, "eval")
    letters = [letter for letter in "abc" if letter in code.co_names]
    assert letters == list("abc")[: len(letters)]
    assert set(code.co_names) <= {*letters, *SCALARS}
    kinds = ["float64"] * len(letters)
    if op.__name__.startswith("Logical"):
        kinds = ["bool"] * len(letters)
    if op.__name__ == "Where":
        kinds[0] = "bool"
    rng = np.random.default_rng(0)
    chosen = {
        "float64": [*SPECIAL, *rng.normal(0, 3, 6), *rng.normal(0, 1e-9, 2)],
        "bool": [False, True],
    }
    points = np.array(list(itertools.product(*[chosen[kind] for kind in kinds])))
    xs = [dia.placeholder((len(points),), kind) for kind in kinds]
    arrays = [column.astype(kind) for column, kind in zip(points.T, kinds, strict=True)]
    got = dia.evaluate(dia.apply(op(), *xs), dict(zip(xs, arrays, strict=True)))
    with np.errstate(all="ignore"):
        want = [
            eval(code, {"__builtins__": {}, **SCALARS}, dict(zip("abc", at, strict=False)))
            for at in zip(*arrays, strict=True)
        ]
    for at, g, w in zip(points, got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-14, atol=1e-16, err_msg=f"{op.__name__} at {at}")


# Conventions that another reading would decide otherwise.


def slope_at(f, *points):
    """df/dx at each of the points, for each of the arguments."""
    xs = [dia.variable(np.asarray(p, "float64"), "x") for p in points]
    return [g.value.tolist() for g in dia.gradient(dia.sum(f(*xs)), xs)]


def test_relu_has_derivative_zero_at_zero():
    assert slope_at(dia.relu, [-1.0, -0.0, 0.0, 1e-300]) == [[0.0, 0.0, 0.0, 1.0]]


def test_abs_has_derivative_zero_at_zero():
    assert slope_at(dia.abs, [-2.0, -0.0, 0.0, 2.0]) == [[-1.0, 0.0, 0.0, 1.0]]


def test_sign_of_both_zeros_is_zero_and_of_nan_is_nan():
    np.testing.assert_array_equal(dia.sign([-0.0, 0.0, np.nan, -np.inf]).value, [0.0, 0.0, np.nan, -1.0])


def test_leaky_relu_has_its_slope_as_derivative_at_zero():
    assert slope_at(lambda a: dia.leaky_relu(a, 0.2), [0.0, 1.0, -1.0]) == [[0.2, 1.0, 0.2]]


def test_prelu_gives_its_slope_the_negative_input_as_derivative():
    assert slope_at(dia.prelu, [-3.0, 0.0, 2.0], [0.1, 0.1, 0.1])[1] == [-3.0, 0.0, 0.0]


def test_elu_has_alpha_as_derivative_at_zero():
    assert slope_at(lambda a: dia.elu(a, 1.7), [0.0, 1.0]) == [[1.7, 1.0]]


def test_elu_and_its_derivative_are_finite_far_from_zero():
    assert dia.elu([-1e4, 1e4]).value.tolist() == [-1.0, 1e4]
    assert slope_at(dia.elu, [-1e4, 1e4, -np.inf, np.inf]) == [[0.0, 1.0, 0.0, 1.0]]


@pytest.mark.parametrize("f", [dia.maximum, dia.minimum])
def test_a_tie_of_two_gives_each_half_of_the_gradient(f):
    assert slope_at(f, [1.0, 0.0, -0.0], [1.0, 0.0, 0.0]) == [[0.5] * 3, [0.5] * 3]


def test_the_winner_of_two_takes_the_whole_gradient():
    assert slope_at(dia.maximum, [1.0, 2.0], [3.0, 0.0]) == [[0.0, 1.0], [1.0, 0.0]]
    assert slope_at(dia.minimum, [1.0, 2.0], [3.0, 0.0]) == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("f", [dia.max, dia.min])
def test_ties_in_a_reduction_share_the_gradient_evenly(f):
    sign = 1 if f is dia.max else -1
    a = [[sign * 4.0, sign * 4.0, 0.0, sign * 4.0], [sign * 1.0, 0.0, 0.0, 0.0]]
    third = 1 / 3
    assert slope_at(lambda a: f(a, 1), a) == [[[third, third, 0.0, third], [1.0, 0.0, 0.0, 0.0]]]


def test_maxout_shares_ties_evenly():
    assert slope_at(lambda a: dia.maxout(a, 2), [1.0, 1.0, 2.0, 0.0]) == [[0.5, 0.5, 1.0, 0.0]]


def test_clip_passes_the_gradient_at_its_bounds_and_not_beyond():
    assert slope_at(lambda a: dia.clip(a, -1.0, 1.0), [-2.0, -1.0, 0.0, 1.0, 2.0]) == [[0.0, 1.0, 1.0, 1.0, 0.0]]


def test_clip_with_crossed_bounds_gives_the_upper_one():
    assert dia.clip([-5.0, 0.0, 5.0], 1.0, -1.0).value.tolist() == [-1.0, -1.0, -1.0]


@pytest.mark.parametrize(
    ("factors", "slopes"),
    [
        ([2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
        ([0.0, 3.0, 4.0], [12.0, 0.0, 0.0]),
        ([0.0, 3.0, 0.0], [0.0, 0.0, 0.0]),
        ([-0.0, -3.0, 4.0], [-12.0, 0.0, 0.0]),
        ([0.0], [1.0]),
    ],
)
def test_the_derivative_of_a_product_is_the_product_of_the_others_also_where_factors_are_zero(factors, slopes):
    assert slope_at(dia.prod, factors) == [slopes]


def test_the_second_derivative_of_a_product_is_the_product_of_the_others_where_no_factor_is_zero():
    a = dia.variable([2.0, 3.0, 5.0])
    hessian = dia.jacobian(dia.gradient(dia.prod(a), [a])[0], a)
    np.testing.assert_allclose(hessian.value, [[0, 5, 3], [5, 0, 2], [3, 2, 0]], atol=1e-12)


def test_the_second_derivative_of_a_product_is_symmetric_where_a_factor_is_zero():
    for factors, want in [
        ([0.0, 3.0, 5.0], [[0, 5, 3], [5, 0, 0], [3, 0, 0]]),
        ([0.0, 3.0, 0.0], [[0, 0, 3], [0, 0, 0], [3, 0, 0]]),
        ([0.0, 0.0, 0.0], np.zeros((3, 3))),
    ]:
        a = dia.variable(factors)
        hessian = dia.jacobian(dia.gradient(dia.prod(a), [a])[0], a)
        np.testing.assert_allclose(hessian.value, want, atol=1e-12)


def test_zero_to_the_zeroth_is_one():
    assert dia.power([0.0, -0.0, np.nan, np.inf], [0.0, 0.0, 0.0, 0.0]).value.tolist() == [1.0] * 4


def test_power_at_base_zero_has_the_derivatives_of_its_limits():
    by_base, by_exponent = slope_at(dia.power, [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 2.0, 3.0, 0.5])
    assert by_base == [0.0, 1.0, 0.0, 0.0, np.inf]
    assert by_exponent == [0.0, 0.0, 0.0, 0.0, 0.0]


def test_power_of_a_negative_base_is_right_for_whole_exponents():
    assert dia.power([-2.0, -2.0, -2.0], [3.0, 2.0, -1.0]).value.tolist() == [-8.0, 4.0, -0.5]
    assert slope_at(lambda a: dia.power(a, 3), [-2.0]) == [[12.0]]


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 0.5, -1, -2.0])
def test_power_by_a_number_is_power_by_a_constant_array(exponent):
    a = np.array([0.25, 1.0, 4.0])
    x = dia.variable(a)
    by_number, by_array = x**exponent, dia.power(x, np.full(3, float(exponent)))
    np.testing.assert_allclose(by_number.value, a**exponent, rtol=1e-15)
    for y in (by_number, by_array):
        [g] = dia.gradient(dia.sum(y), [x])
        np.testing.assert_allclose(g.value, exponent * a ** (exponent - 1.0), rtol=1e-14)


def test_sqrt_has_an_infinite_derivative_at_zero():
    assert slope_at(dia.sqrt, [0.0, 4.0]) == [[np.inf, 0.25]]


def test_softmax_has_derivative_o_j_times_delta_minus_o_k():
    a = dia.variable([0.3, -1.2, 2.0])
    o = dia.softmax(a)
    want = np.diag(o.value) - np.outer(o.value, o.value)
    np.testing.assert_allclose(dia.jacobian(o, a).value, want, atol=1e-15)


def test_the_gradient_of_minus_log_softmax_is_output_minus_target():
    a, y = dia.variable([0.3, -1.2, 2.0]), np.array([0.0, 1.0, 0.0])
    [g] = dia.gradient(-dia.sum(dia.log_softmax(a) * y), [a])
    np.testing.assert_allclose(g.value, dia.softmax(a).value - y, atol=1e-15)


def test_sigmoid_has_derivative_sigma_times_one_minus_sigma():
    x = np.linspace(-6, 6, 25)
    s = scipy.special.expit(x)
    np.testing.assert_allclose(slope_at(dia.sigmoid, x)[0], s * (1 - s), rtol=1e-14)


def test_tanh_is_twice_the_sigmoid_of_twice_its_argument_minus_one():
    x = dia.variable(np.linspace(-8, 8, 33))
    np.testing.assert_allclose(dia.tanh(x).value, (2 * dia.sigmoid(2 * x) - 1).value, atol=1e-15)
    [left], [right] = (dia.gradient(dia.sum(f), [x]) for f in (dia.tanh(x), 2 * dia.sigmoid(2 * x) - 1))
    np.testing.assert_allclose(left.value, right.value, atol=1e-14)


def test_softmax_of_two_is_the_sigmoid_of_the_difference():
    a = np.random.default_rng(0).normal(0, 3, (20, 2))
    np.testing.assert_allclose(dia.softmax(a).value[:, 0], dia.sigmoid(a[:, 0] - a[:, 1]).value, rtol=1e-13)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_and_softplus_do_not_overflow(dtype):
    a = dia.variable(np.array([-1000.0, 1000.0, -np.inf, np.inf], dtype))
    assert dia.sigmoid(a).value.tolist() == [0.0, 1.0, 0.0, 1.0]
    assert dia.softplus(a).value.tolist() == [0.0, 1000.0, 0.0, np.inf]
    for f, slopes in [(dia.sigmoid, [0.0] * 4), (dia.softplus, [0.0, 1.0, 0.0, 1.0])]:
        assert dia.gradient(dia.sum(f(a)), [a])[0].value.tolist() == slopes


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_and_log_softmax_do_not_overflow(dtype):
    a = dia.variable(np.array([1e4, -1e4, 1e4], dtype))
    np.testing.assert_array_equal(dia.softmax(a).value, [0.5, 0.0, 0.5])
    np.testing.assert_allclose(dia.log_softmax(a).value, [-np.log(2), -2e4 - np.log(2), -np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(dia.logsumexp(a).value, 1e4 + np.log(2), rtol=1e-6)
    np.testing.assert_allclose(dia.logsumexp(-a).value, 1e4, rtol=1e-6)
    for f in (dia.softmax(a)[0], dia.log_softmax(a)[1], dia.logsumexp(a)):
        assert np.isfinite(dia.gradient(f, [a])[0].value).all()


def test_minus_infinity_is_a_logit_that_is_never_chosen():
    a = dia.variable([-np.inf, 0.0, 0.0])
    assert dia.softmax(a).value.tolist() == [0.0, 0.5, 0.5]
    np.testing.assert_allclose(dia.log_softmax(a).value, [-np.inf, -np.log(2), -np.log(2)])
    np.testing.assert_allclose(dia.logsumexp(a).value, np.log(2))
    for f, slopes in [
        (dia.softmax(a)[1], [0.0, 0.25, -0.25]),
        (dia.log_softmax(a)[1], [0.0, 0.5, -0.5]),
        (dia.logsumexp(a), [0.0, 0.5, 0.5]),
    ]:
        np.testing.assert_allclose(dia.gradient(f, [a])[0].value, slopes, atol=1e-15)


def test_nothing_but_minus_infinity_has_no_softmax():
    a = dia.constant([-np.inf, -np.inf])
    assert np.isnan(dia.softmax(a).value).all()
    assert np.isnan(dia.log_softmax(a).value).all()
    assert dia.logsumexp(a).value == -np.inf


def test_logsumexp_of_plus_infinity_is_plus_infinity_and_of_nan_is_nan():
    assert dia.logsumexp([np.inf, 1.0]).value == np.inf
    assert np.isnan(dia.logsumexp([np.nan, 1.0]).value)


def test_softmax_spreads_nan_over_its_axis_only():
    got = dia.softmax([[np.nan, 0.0], [0.0, 0.0]]).value
    np.testing.assert_array_equal(got, [[np.nan, np.nan], [0.5, 0.5]])


def test_reductions_over_nothing():
    a = dia.constant(np.zeros((2, 0)))
    assert dia.sum(a, 1).value.tolist() == [0.0, 0.0]
    assert dia.prod(a, 1).value.tolist() == [1.0, 1.0]
    assert dia.max(a, 1).value.tolist() == [-np.inf, -np.inf]
    assert dia.min(a, 1).value.tolist() == [np.inf, np.inf]
    assert dia.logsumexp(a, 1).value.tolist() == [-np.inf, -np.inf]
    assert np.isnan(dia.mean(a, 1).value).all()


def test_extrema_of_integers_and_booleans():
    bytes_ = dia.constant(np.array([[0, 5, 255]], np.uint8))
    smallest = dia.constant(np.array([np.iinfo("int64").min, 0]))
    flags = dia.constant([[True, False], [True, True]])
    assert (dia.max(bytes_, 1).value.tolist(), dia.min(bytes_, 1).value.tolist()) == ([255], [0])
    assert int(dia.min(smallest).value) == np.iinfo("int64").min
    assert dia.max(flags, 1).value.tolist() == [True, True]
    assert dia.min(flags, 1).value.tolist() == [False, True]


def test_argmax_names_the_first_of_equals_and_nan_where_there_is_one():
    assert dia.argmax([[1.0, 3.0, 3.0], [0.0, np.nan, 9.0]]).value.tolist() == [1, 1]


def test_comparisons_with_nan_are_false_but_for_not_equal():
    nan = dia.constant([np.nan])
    for f in (dia.less, dia.less_equal, dia.greater, dia.greater_equal, dia.equal):
        assert f(nan, nan).value.tolist() == [False]
    assert dia.not_equal(nan, nan).value.tolist() == [True]


def test_where_keeps_nan_of_the_branch_not_taken_out_of_value_and_gradient():
    a = dia.variable([1.0, np.nan])
    y = dia.where([True, False], a, 0.0)
    assert y.value.tolist() == [1.0, 0.0]
    assert dia.gradient(dia.sum(y), [a])[0].value.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("fill", [-np.inf, np.nan, 2.5])
def test_pad_writes_any_number(fill):
    a = dia.constant([1.0])
    zeros, others = dia.pad(a, [(1, 1)]), dia.pad(a, [(1, 1)], fill)
    np.testing.assert_array_equal(zeros.value, [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(others.value, [fill, 1.0, fill])


def test_a_float_becomes_an_integer_by_cutting_its_fraction_off():
    assert dia.astype([1.9, -1.9, -0.5], "int64").value.tolist() == [1, -1, 0]


@pytest.mark.parametrize("f", [dia.exp, dia.log, dia.sqrt, dia.sigmoid, dia.mean, dia.softmax, dia.logsumexp])
def test_functions_with_fractional_values_take_integers_as_float64(f):
    got = f(dia.constant([1, 2, 3]))
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got.value, f(dia.constant([1.0, 2.0, 3.0])).value)


def test_a_user_operation_in_the_registry_does_not_need_a_row():
    class Tripled(dia.Elementwise):
        """3a."""

        expression = "3.0 * a"

    try:
        assert "Tripled" in dia.OPERATIONS
        assert "Tripled" not in dict(house_operations())
    finally:
        del dia.OPERATIONS["Tripled"]
