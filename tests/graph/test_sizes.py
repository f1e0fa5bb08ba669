"""Named sizes: arithmetic, what is known before they are bound, and what a binding refuses."""

import hypothesis.strategies as st
import numpy as np
import pytest
from graph.operation_table import PROPERTY
from hypothesis import given

import diaphane.graph as dia
from diaphane.graph.sizes import bind, bind_shape, exact_quotient, extent_product, show

N, M, T = dia.Dim("N"), dia.Dim("M"), dia.Dim("T")
BOUND = st.fixed_dictionaries({name: st.integers(0, 50) for name in "NMT"})
NAMES = {"N": N, "M": M, "T": T}


def expressions(names):
    """Python expressions over named sizes and whole numbers."""
    leaves = st.one_of(st.sampled_from(sorted(names)), st.integers(-5, 9).map(lambda i: f"({i})"))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
            st.tuples(inner, st.integers(1, 7)).map(lambda p: f"({p[0]} // {p[1]})"),
            inner.map(lambda e: f"(-{e})"),
        ),
        max_leaves=6,
    )


@PROPERTY
@given(expressions("NMT"), BOUND)
def test_a_bound_expression_is_the_expression_of_the_bound_numbers(expression, bindings):
    symbolic = eval(expression, {}, dict(NAMES))
    assert bind(symbolic, bindings) == eval(expression, {}, bindings)
    assert bind_shape((symbolic, 3), bindings) == (eval(expression, {}, bindings), 3)


@PROPERTY
@given(expressions("NMT"), expressions("NMT"))
def test_equal_sizes_have_equal_hashes_and_texts(left, right):
    a, b = eval(left, {}, dict(NAMES)), eval(right, {}, dict(NAMES))
    if a == b:
        assert hash(a) == hash(b)
        assert str(a) == str(b)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("N + M", "M + N"),
        ("N * M * 2", "2 * M * N"),
        ("N * (M + 1)", "N * M + N"),
        ("N - N + 3", "3"),
        ("N * 0", "0"),
        ("(4 * N + 2) // 2", "2 * N + 1"),
        ("(N - 2) // 3 - (N - 2) // 3", "0"),
        ("-(-N)", "N"),
    ],
)
def test_sizes_that_are_always_equal_are_equal(left, right):
    assert eval(left, {}, dict(NAMES)) == eval(right, {}, dict(NAMES))


@pytest.mark.parametrize(("left", "right"), [("(N - 1) // 2 + 1", "(N + 1) // 2"), ("(N + 4) // 2", "N // 2 + 2")])
def test_quotients_that_are_always_equal_are_equal(left, right):
    assert eval(left, {}, dict(NAMES)) == eval(right, {}, dict(NAMES))


def test_sizes_that_may_differ_are_not_equal():
    assert N != M
    assert N != 5
    assert N + 1 != N
    assert N * N != N


def test_what_is_known_is_a_plain_number():
    assert type(N - N) is int
    assert type(N - N + 4) is int
    assert type(N * 0) is int


def test_sizes_print_as_a_person_writes_them():
    assert [str(e) for e in (N, 2 * N, N * T, T - 1, -N, N + M, 1 - N, N * N)] == [
        "N",
        "2·N",
        "N·T",
        "T − 1",
        "−N",
        "M + N",
        "−N + 1",
        "N·N",
    ]
    assert [show(s) for s in ((), (3,), (N, 64), (N,), (N, T - 1))] == ["()", "(3,)", "(N, 64)", "(N,)", "(N, T − 1)"]


@pytest.mark.parametrize("name", ["", "2N", "a b", "N-1", 3, None])
def test_a_name_is_an_identifier(name):
    with pytest.raises(ValueError, match="identifier"):
        dia.Dim(name)


def test_a_size_without_a_value_is_named():
    with pytest.raises(dia.ShapeError, match="T has no value"):
        bind(N * (T - 1), {"N": 3})


@PROPERTY
@given(st.integers(1, 9), st.integers(1, 9), st.sets(st.sampled_from("NMT")), st.sets(st.sampled_from("NMT")), BOUND)
def test_an_exact_quotient_times_its_divisor_is_the_total(a, b, left, right, bindings):
    part = extent_product([b, *(NAMES[n] for n in sorted(right))])
    total = extent_product([a * b, *(NAMES[n] for n in sorted(left)), *(NAMES[n] for n in sorted(right))])
    rest = exact_quotient(total, part)
    assert rest is not None
    assert bind(rest, bindings) * bind(part, bindings) == bind(total, bindings)


@pytest.mark.parametrize(("total", "part"), [(7, 2), (N, M), (N, 2), (N * T + 1, N), (N, N * T), (3, N), (5, 0)])
def test_a_quotient_that_is_not_always_whole_is_none(total, part):
    assert exact_quotient(total, part) is None


@pytest.mark.parametrize(
    ("total", "part", "rest"),
    [
        (12, 4, 3),
        (6 * N, 3, 2 * N),
        (N * T * 4, 2 * N, 2 * T),
        (N * M + N, N, M + 1),
        (N - 1, N - 1, 1),
        (0, 3, 0),
    ],
)
def test_an_exact_quotient(total, part, rest):
    assert exact_quotient(total, part) == rest


@pytest.mark.parametrize(
    ("shape", "asked", "result"),
    [
        ((N, 2, 3), (N, -1), (N, 6)),
        ((N, 2, 3), (-1,), (6 * N,)),
        ((N, T, 4), (-1, 4), (N * T, 4)),
        ((N, T, 4), (N, -1), (N, 4 * T)),
        ((N * T, 4), (N, T, -1), (N, T, 4)),
        ((N, 4), (2, -1), (2, 2 * N)),
        ((N, 6), (N, 2, -1), (N, 2, 3)),
        ((N, 0), (N, 0), (N, 0)),
        ((T - 1, 6), (-1, 3), (2 * T - 2, 3)),
    ],
)
def test_reshape_works_out_what_is_left_over_named_sizes(shape, asked, result):
    x = dia.placeholder(shape, "float64", "x")
    y = dia.reshape(x, asked)
    assert y.shape == result


def test_reshape_works_out_what_is_left_beside_a_sum_of_sizes():
    x = dia.placeholder((T, 6), "float64", "x")
    y = dia.reshape(x[1:], (T - 1, -1))
    assert y.shape == (T - 1, 6)


@pytest.mark.parametrize("asked", [(4, -1), (M, -1), (N, 5), (N + 1, 6), (-1, -1), (N, -2)])
def test_a_reshape_that_does_not_always_fit_is_refused_with_the_shapes(asked):
    x = dia.placeholder((N, 6), "float64", "x")
    with pytest.raises(dia.ShapeError, match=r"x of shape \(N, 6\)"):
        dia.reshape(x, asked)


@pytest.mark.parametrize(
    ("left", "right"),
    [((N,), (5,)), ((N,), (M,)), ((N, 3), (M, 3)), ((N + 1,), (N,)), ((N, T), (T, N)), ((2 * N,), (N,))],
)
def test_different_sizes_do_not_broadcast_and_the_message_names_both_nodes_and_shapes(left, right):
    a, b = dia.placeholder(left, "float64", "alpha"), dia.placeholder(right, "float64", "beta")
    for f in (dia.add, dia.maximum, dia.less):
        with pytest.raises(dia.ShapeError) as caught:
            f(a, b)
        for word in ("alpha", "beta", show(left), show(right)):
            assert word in str(caught.value)


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [((N,), (1,), (N,)), ((N, 3), (3,), (N, 3)), ((N, 1), (1, T), (N, T)), ((), (N,), (N,))],
)
def test_one_broadcasts_to_any_named_size(left, right, result):
    a, b = dia.placeholder(left, "float64"), dia.placeholder(right, "float64")
    assert (a + b).shape == (b * a).shape == result


def test_a_name_bound_to_one_still_does_not_broadcast():
    x, y = dia.placeholder((N, 3), "float64", "x"), dia.placeholder((N, 1), "float64", "y")
    total = dia.sum(x + y, 0)
    np.testing.assert_array_equal(dia.evaluate(total, {x: np.ones((1, 3)), y: np.ones((1, 1))}), [2.0] * 3)
    with pytest.raises(dia.ShapeError, match=r"N is 1 in .* and 4 in"):
        dia.evaluate(total, {x: np.ones((1, 3)), y: np.ones((4, 1))})


def test_disagreeing_bindings_name_both_placeholders_and_both_numbers():
    x, y = dia.placeholder((N, 3), "float64", "features"), dia.placeholder((N,), "int64", "labels")
    both = dia.sum(x) + dia.astype(dia.sum(y), "float64")
    with pytest.raises(dia.ShapeError, match=r"N is 5 in features and 4 in labels|N is 4 in labels and 5 in features"):
        dia.evaluate(both, {x: np.ones((5, 3)), y: np.ones(4, int)})


def test_a_size_made_of_a_name_is_checked_when_it_is_fed():
    x, y = dia.placeholder((T, 2), "float64", "x"), dia.placeholder((T - 1, 2), "float64", "y")
    total = dia.sum(x[1:] + y)
    assert dia.evaluate(total, {x: np.ones((4, 2)), y: np.ones((3, 2))}) == 12.0
    with pytest.raises(dia.ShapeError, match=r"y has an axis of T − 1 = 3, got 4"):
        dia.evaluate(total, {x: np.ones((4, 2)), y: np.ones((4, 2))})


@pytest.mark.parametrize("n", [1, 3, 128])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mean_divides_by_the_bound_size(n, dtype):
    x = dia.placeholder((N, 2), dtype, "x")
    values = np.arange(2.0 * n, dtype=dtype).reshape(n, 2)
    np.testing.assert_allclose(dia.evaluate(dia.mean(x, 0), {x: values}), values.mean(0), rtol=1e-6)
    [g] = dia.gradient(dia.mean(x), [x])
    assert g.dtype == dtype
    np.testing.assert_allclose(dia.evaluate(g, {x: values}), np.full((n, 2), 1 / (2 * n)), rtol=1e-6)


def test_a_short_last_batch_has_its_own_mean_and_variance():
    x = dia.placeholder((N,), "float64", "x")
    outputs = [dia.mean(x), dia.var(x), dia.var(x, correction=1)]
    data = np.random.default_rng(0).normal(size=10)
    for batch in (data[:4], data[4:8], data[8:]):
        got = dia.evaluate(outputs, {x: batch})
        np.testing.assert_allclose(got, [batch.mean(), batch.var(), batch.var(ddof=1)], rtol=1e-13)


def test_the_mean_of_nothing_is_nan_and_the_sum_is_zero():
    x = dia.placeholder((N,), "float64", "x")
    total, mean = dia.evaluate([dia.sum(x), dia.mean(x)], {x: np.zeros(0)})
    assert total == 0
    assert np.isnan(mean)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 6])
@pytest.mark.parametrize("key", [np.s_[:], np.s_[::2], np.s_[::3], np.s_[::-1], np.s_[0:0]])
def test_slices_along_a_named_size_are_numpys(n, key):
    x = dia.placeholder((N, 2), "float64", "x")
    values = np.arange(2.0 * n).reshape(n, 2)
    y = x[key]
    got = dia.evaluate(y, {x: values})
    np.testing.assert_array_equal(got, values[key])
    assert bind_shape(y.shape, {"N": n}) == got.shape


@pytest.mark.parametrize("key", [np.s_[1:], np.s_[:-1], np.s_[-2:], np.s_[1:-1], np.s_[1::2], np.s_[2], np.s_[-1]])
def test_bounds_along_a_named_size_count_from_either_end(key):
    x = dia.placeholder((N, 2), "float64", "x")
    for n in (3, 4, 7):
        values = np.arange(2.0 * n).reshape(n, 2)
        np.testing.assert_array_equal(dia.evaluate(x[key], {x: values}), values[key])


@pytest.mark.parametrize("key", [np.s_[3:], np.s_[:3], np.s_[2], np.s_[-3:], np.s_[-3]])
def test_bounds_outside_of_the_bound_size_are_refused_when_it_runs(key):
    x = dia.placeholder((N,), "float64", "x")
    with pytest.raises(dia.ShapeError, match="index"):
        dia.evaluate(x[key], {x: np.zeros(2)})


def test_numpy_integers_are_bounds_like_pythons():
    x = dia.placeholder((N,), "float64", "x")
    got = dia.evaluate(x[np.int64(-2) :], {x: np.arange(5.0)})
    assert got.tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda n: dia.one_hot([0, 1], n), (2, 3)),
        (lambda n: dia.arange(n), (3,)),
        (lambda n: dia.uniform((n, n), stream=0), (3, 3)),
        (lambda n: dia.permutation(n, stream=0), (3,)),
        (lambda n: dia.broadcast_to(dia.variable(1.0), (2, n)), (2, 3)),
        (lambda n: dia.split(dia.variable(np.zeros(5)), [n, 2])[0], (3,)),
        (lambda n: dia.pad(dia.variable(np.zeros(2)), [(n, n)]), (8,)),
        (lambda n: dia.slice_axis(dia.variable(np.zeros(5)), 0, 0, n), (3,)),
        (lambda n: dia.windows(dia.variable(np.zeros((1, 5))), [n], [n]), (1, 1, 3)),
        (lambda n: dia.scatter_add(dia.variable(np.zeros(2)), [0, 1], n), (3,)),
        (lambda n: dia.reshape(dia.variable(np.zeros(6)), (n, -1)), (3, 2)),
        (lambda n: dia.variable(np.zeros((2, 3))).reshape(n, 2), (3, 2)),
        (lambda n: dia.sum(dia.variable(np.zeros((2, 3, 4, 5))), n), (2, 3, 4)),
        (lambda n: dia.scan(lambda c, _: (c, c), dia.variable(0.0), length=n)[1], (3,)),
    ],
)
def test_numpy_integers_are_extents_like_pythons(make, shape):
    y = make(np.int64(3))
    assert y.shape == y.value.shape == shape
    total = dia.mean(dia.astype(y, "float64"))
    assert np.isfinite(total.value)


def test_sizes_flow_through_reshape_and_products():
    x = dia.placeholder((N, T, 3), "float64", "x")
    rows = dia.reshape(x, (-1, 3)) @ np.ones((3, 2))
    assert rows.shape == (N * T, 2)
    back = dia.reshape(rows, (N, T, 2))
    values = np.random.default_rng(0).normal(size=(4, 5, 3))
    np.testing.assert_allclose(dia.evaluate(back, {x: values}), values @ np.ones((3, 2)))


def test_concatenated_sizes_add_up():
    x, y = dia.placeholder((N, 2), "float64", "x"), dia.placeholder((M, 2), "float64", "y")
    z = dia.concat([x, y, x, np.ones((1, 2))])
    assert z.shape == (2 * N + M + 1, 2)
    assert dia.evaluate(z, {x: np.ones((3, 2)), y: np.ones((4, 2))}).shape == (11, 2)


def test_a_size_that_nothing_carries_is_named_when_it_runs():
    x = dia.placeholder((N,), "float64", "x")
    y = dia.sum(x) + dia.sum(dia.uniform((M,), stream=0, dtype="float64"))
    with pytest.raises(dia.ShapeError, match="M has no value"):
        dia.evaluate(y, {x: np.ones(3)})


def test_the_size_of_a_node_is_the_product_of_its_shape():
    x = dia.placeholder((N, T, 3), "float64", "x")
    assert x.size == 3 * N * T
    assert x.ndim == 3
    assert dia.constant(np.zeros((2, 3))).size == 6
