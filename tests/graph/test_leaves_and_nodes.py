"""Nodes as values: sharing, types, names, formulas, and when they are let go."""

import gc
import re
import weakref

import hypothesis.strategies as st
import numpy as np
import pytest
from graph.operation_table import PROPERTY
from hypothesis import assume, given, settings

import diaphane.graph as dia

N = dia.Dim("N")


def test_the_same_operation_on_the_same_inputs_is_the_same_node():
    x, y = dia.variable(1.0), dia.variable(2.0)
    assert x + y is x + y
    assert dia.sum(dia.exp(x) * 2.0) is dia.sum(dia.exp(x) * 2.0)
    assert x + y is not y + x
    assert dia.sum(dia.stack([x, y]), 0) is not dia.sum(dia.stack([x, y]), 0, keepdims=True)


def test_variables_and_placeholders_are_never_the_same():
    assert dia.variable(1.0, "x") is not dia.variable(1.0, "x")
    assert dia.placeholder((), "float64", "x") is not dia.placeholder((), "float64", "x")


def test_constants_are_the_same_when_their_bits_are():
    same = [
        (1.0, 1.0),
        (np.nan, np.nan),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan])),
        (np.zeros((2, 0)), np.zeros((2, 0))),
    ]
    for a, b in same:
        first, second = dia.constant(a), dia.constant(b)
        assert first is second


def test_constants_of_other_bits_types_or_shapes_are_others():
    values = [0.0, -0.0, 0, False, np.float32(0), [0.0], [[0.0]], np.zeros((0, 2)), np.zeros((2, 0)), np.zeros(20)]
    values.append(np.r_[np.zeros(19), 1.0])
    nodes = [dia.constant(v) for v in values]
    assert len(set(nodes)) == len(values)


def test_nodes_of_different_names_are_different_nodes():
    x = dia.variable(1.0)
    assert dia.exp(x).named("a") is not dia.exp(x).named("b")
    assert dia.exp(x).named("a") is dia.exp(x).named("a")
    assert dia.exp(x).named("a").name == "a"
    assert float(dia.exp(x).named("a").value) == float(dia.exp(x).value)


def test_nodes_are_compared_and_hashed_by_identity():
    x, y = dia.variable(1.0), dia.variable(1.0)
    assert len({x, x}) == 1
    assert x != y
    assert len({x, y, x + y, x + y}) == 3


def test_a_later_change_of_an_array_changes_no_leaf():
    array = np.array([1.0, 2.0])
    constant, variable = dia.constant(array), dia.variable(array)
    array[0] = 99.0
    assert constant.value.tolist() == [1.0, 2.0]
    assert variable.value.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "make",
    [
        dia.constant,
        dia.variable,
        lambda a: dia.reshape(dia.variable(a), (2, 1)),
    ],
)
def test_a_change_of_a_value_that_came_out_changes_no_leaf(make):
    node = make([1.0, 2.0])
    value = node.value
    try:
        value[0] = 99.0
    except ValueError:
        assert not value.flags.writeable
    assert node.value.ravel().tolist() == [1.0, 2.0]


def test_a_fed_array_is_not_changed_by_a_run():
    x = dia.placeholder((2,), "float64", "x")
    array = np.array([1.0, 2.0])
    dia.evaluate([x, dia.relu(x), x + 1], {x: array})
    assert array.tolist() == [1.0, 2.0]


def result_dtype(a, b):
    return (a + b).dtype.name


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        ("float32", "float32", "float32"),
        ("float32", "float64", "float64"),
        ("int64", "float32", "float32"),
        ("uint8", "float32", "float32"),
        ("bool", "float32", "float32"),
        ("int64", "float64", "float64"),
        ("int32", "int64", "int64"),
        ("uint8", "int8", "int16"),
        ("bool", "int32", "int32"),
    ],
)
def test_floats_win_over_integers_and_keep_their_width(left, right, result):
    a, b = dia.placeholder((2,), left), dia.placeholder((2,), right)
    assert result_dtype(a, b) == result_dtype(b, a) == result


@pytest.mark.parametrize(
    ("array", "number", "result"),
    [
        ("float32", 2.5, "float32"),
        ("float32", 2, "float32"),
        ("float32", True, "float32"),
        ("float64", 2, "float64"),
        ("int64", 2, "int64"),
        ("int32", 2, "int32"),
        ("uint8", 2, "uint8"),
        ("int64", 2.5, "float64"),
        ("bool", 2, "int64"),
        ("bool", 2.5, "float64"),
    ],
)
def test_python_numbers_take_the_type_of_what_they_meet(array, number, result):
    x = dia.variable(np.ones(2, array))
    for y in (x * number, number * x, x + number, number - x if array != "bool" else x + number):
        assert y.dtype == result
        assert y.value.dtype == result
    np.testing.assert_array_equal((x * number).value, [number] * 2)


def test_numpy_numbers_keep_their_own_type():
    x = dia.variable(np.ones(2, "float32"))
    for factor in (2.0, 1.0):
        assert (x * np.float64(factor)).dtype == np.float64
        assert (np.float64(factor) * x).dtype == np.float64
        assert (x * np.float32(factor)).dtype == np.float32


def test_one_is_a_factor_like_any_other_in_type():
    x = dia.variable(np.ones(2, "float32"))
    assert (x * dia.constant(1.0)).dtype == (x * dia.constant(2.0)).dtype
    i = dia.variable(np.ones(2, "int64"))
    assert (i**1.0).dtype == (i**3.0).dtype
    assert (i**2.0).dtype == (i**3.0).dtype


@pytest.mark.parametrize("numbers", [[0.5, 2.5], [[0.5]]])
@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_a_list_of_floats_among_integers_is_not_cut_to_whole_numbers(numbers, dtype):
    i = dia.constant(np.ones(2, dtype))
    np.testing.assert_array_equal((i + numbers).value, np.ones(2) + np.array(numbers))


def test_a_list_of_integers_beside_booleans_counts():
    np.testing.assert_array_equal((dia.constant([True, True]) + [2, 3]).value, [3, 4])


def test_a_list_takes_the_width_of_the_floats_it_meets():
    x = dia.variable(np.ones(2, "float32"))
    assert (x + [0.5, 0.25]).dtype == np.float32
    assert (x + np.array([0.5, 0.25])).dtype == np.float64


def test_the_quotient_of_integers_is_float64():
    y = dia.constant([1, 2]) / dia.constant([2, 4])
    assert y.dtype == np.float64
    assert y.value.tolist() == [0.5, 0.5]


def test_arrays_and_numbers_stand_on_either_side_of_the_operators():
    x, a = dia.variable([2.0, 3.0]), np.array([4.0, 5.0])
    for got, want in [
        (a + x, [6, 8]),
        (a - x, [2, 2]),
        (a * x, [8, 15]),
        (a / x, [2, 5 / 3]),
        (a**x, [16, 125]),
        (2 ** (x), [4, 8]),
        (a @ x, 23),
        (x @ a, 23),
        (1 - x, [-1, -2]),
        (6 / x, [3, 2]),
        (-x, [-2, -3]),
        (abs(-x), [2, 3]),
    ]:
        assert isinstance(got, dia.Node)
        np.testing.assert_allclose(got.value, want)


def test_comparisons_and_logic_are_operators():
    x = dia.variable([1.0, 2.0, 3.0])
    assert (x < 2).value.tolist() == [True, False, False]
    assert (x > 2).value.tolist() == [False, False, True]
    assert (x <= 2).value.tolist() == [True, True, False]
    assert (x >= 2).value.tolist() == [False, True, True]
    assert ((x > 1) & (x < 3)).value.tolist() == [False, True, False]
    assert ((x < 2) | (x > 2)).value.tolist() == [True, False, True]
    assert (~(x < 2)).value.tolist() == [False, True, True]


def test_a_value_can_be_fed_by_node_or_by_name():
    x, w = dia.placeholder((), "float64", "x"), dia.variable(2.0, "w")
    y = x * w
    assert dia.evaluate(y, {"x": 3.0}) == 6.0
    assert dia.evaluate(y, {"x": 3.0, "w": 5.0}) == 15.0
    assert dia.evaluate(y, {x: 3.0, "w": 5.0}) == 15.0
    assert float(w.value) == 2.0


def test_a_node_inside_can_be_fed_and_is_then_not_computed():
    x = dia.placeholder((), "float64", "x")
    h = dia.exp(x)
    assert dia.evaluate(h * 2, {h: 3.0}) == 6.0


def test_several_nodes_are_evaluated_at_once():
    x = dia.variable(2.0)
    a, b = dia.evaluate([x + 1, x * 5])
    assert (float(a), float(b)) == (3.0, 10.0)
    assert dia.evaluate([]) == []


def test_a_variable_from_an_initialiser_has_its_shape_and_dtype():
    class Sevens:
        def sample(self, rng, shape, dtype):
            return np.full(shape, 7, dtype)

    w = dia.variable(Sevens(), "w", shape=(2, 3))
    assert (w.shape, w.dtype) == ((2, 3), np.float32)
    np.testing.assert_array_equal(w.value, np.full((2, 3), 7.0))
    with pytest.raises(dia.ShapeError, match="shape"):
        dia.variable(Sevens(), "w")


def test_substitute_replaces_leaves_and_leaves_the_rest():
    x, y, z = dia.variable(2.0), dia.variable(3.0), dia.variable(5.0)
    h = dia.exp(y)
    [replaced] = dia.substitute([x * x + h], {x: z})
    assert float(replaced.value) == pytest.approx(25 + np.exp(3))
    assert h in dia.ancestors([replaced])


def test_ancestors_come_before_their_users_and_once():
    x = dia.variable(1.0)
    y = dia.exp(x) * x + dia.exp(x)
    order = dia.ancestors([y, y])
    assert len(order) == len(set(order)) == 4
    for i, node in enumerate(order):
        assert all(order.index(value) < i for value in node.inputs)


def test_nodes_that_nobody_holds_are_freed():
    x = dia.variable(np.zeros(1000))
    y = dia.exp(x) * 3.0
    watched = [weakref.ref(n) for n in dia.ancestors([y])]
    assert len(watched) == 4
    del x, y
    gc.collect()
    assert [w() for w in watched] == [None] * 4


def test_a_gradient_and_a_loop_are_freed_too():
    x = dia.variable(np.zeros(3))
    last, states = dia.scan(lambda c, v: (dia.tanh(c * v), c), dia.variable(1.0), x)
    [g] = dia.gradient(last + dia.sum(states), [x])
    _ = g.value
    # A constant may be another graph's too.
    watched = [weakref.ref(n) for n in dia.ancestors([g, last, states]) if x in dia.ancestors([n])]
    del x, last, states, g
    gc.collect()
    assert [w() for w in watched] == [None] * len(watched)


def test_what_is_held_stays():
    x = dia.variable(1.0)
    y = dia.exp(x) * 2.0
    inner = weakref.ref(y.inputs[0])
    gc.collect()
    assert inner() is not None
    assert dia.exp(x) is inner()


def test_a_node_prints_as_its_formula():
    a, b, c = (dia.variable(1.0, n) for n in "abc")
    w, x = dia.variable(np.ones((3, 2)), "W"), dia.variable(np.ones((4, 3)), "X")
    assert [
        str(n)
        for n in (
            a - (b - c),
            a - b - c,
            (a + b) * c,
            a * b + c,
            a / (b * c),
            a / b / c,
            -(a + b),
            (a + b) ** 2,
            -(a**2),
            (-a) ** 2,
            dia.exp(a + b),
            dia.sigmoid(a) * 2,
            a ** (b + c),
            dia.sqrt(a + b),
            x @ w,
            w.T,
            a,
        )
    ] == [
        "a − (b − c)",
        "a − b − c",
        "(a + b)·c",
        "a·b + c",
        "a / (b·c)",
        "a / b / c",
        "−(a + b)",
        "(a + b)²",
        "−a²",
        "(−a)²",
        "exp(a + b)",
        "σ(a)·2",
        "a^(b + c)",
        "√(a + b)",
        "X @ W",
        "Wᵀ",
        "a",
    ]


FORMULAS = st.recursive(
    st.sampled_from("abc"),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "/"]), inner, inner),
        st.tuples(st.sampled_from(["neg", "square", "exp"]), inner),
        st.tuples(st.just("pow"), inner, inner),
    ),
    max_leaves=6,
)
LEAVES = {"a": 1.3, "b": 0.7, "c": 2.1}


def node_of(tree, leaves):
    if isinstance(tree, str):
        return leaves[tree]
    f = {
        "+": dia.add,
        "-": dia.subtract,
        "*": dia.multiply,
        "/": dia.divide,
        "neg": dia.negative,
        "square": dia.square,
        "exp": dia.exp,
        "pow": dia.power,
    }[tree[0]]
    return f(*(node_of(part, leaves) for part in tree[1:]))


def has_a_power_of_a_power(tree):
    if isinstance(tree, str):
        return False
    if tree[0] in ("pow", "square") and tree[1][0] in ("pow", "square"):
        return True
    return any(has_a_power_of_a_power(part) for part in tree[1:])


def read(text):
    """The value of a printed formula, by the rules of arithmetic."""
    names = dict(LEAVES)
    for line in text.splitlines():
        name, _, right = line.rpartition(" = ")
        python = right.replace("·", "*").replace("−", "-").replace("^", "**").replace("²", "**2")
        python = re.sub(r"\bexp\(", "np.exp(", python)
        value = eval(python, {"np": np}, {n: np.float64(v) for n, v in names.items()})
        names[name or "result"] = value
    return names["result"]


@settings(PROPERTY, max_examples=300)
@given(FORMULAS)
def test_a_printed_formula_read_by_the_rules_of_arithmetic_is_the_node(tree):
    assume(not has_a_power_of_a_power(tree))
    leaves = {name: dia.variable(value, name) for name, value in LEAVES.items()}
    node = node_of(tree, leaves)
    want = float(node.value)
    assume(np.isfinite(want) and abs(want) < 1e100)
    with np.errstate(all="ignore"):
        got = read(str(node))
    assert got == pytest.approx(want, rel=1e-9), str(node)


@pytest.mark.parametrize(
    "tree",
    [
        ("square", ("pow", "a", "b")),
        ("pow", ("pow", "a", "b"), "c"),
        ("pow", ("square", "a"), "b"),
        ("square", ("square", "a")),
    ],
)
def test_a_power_of_a_power_is_printed_with_brackets(tree):
    leaves = {name: dia.variable(value, name) for name, value in LEAVES.items()}
    node = node_of(tree, leaves)
    assert read(str(node)) == pytest.approx(float(node.value), rel=1e-9)
    assert "²²" not in str(node)


def test_a_value_with_a_name_or_several_uses_gets_a_line_of_its_own():
    x, w = dia.variable(1.0, "x"), dia.variable(2.0, "w")
    h = dia.tanh(x * w).named("h")
    assert str(h * h + 1) == "h = tanh(x·w)\nh·h + 1"
    assert str(dia.exp(h)) == "h = tanh(x·w)\nexp(h)"
    shared = dia.exp(x)
    assert str(shared * (shared + 1)).splitlines()[-1] == "v1·(v1 + 1)"


def test_different_computations_of_the_same_leaves_print_differently():
    a, b = (dia.variable(np.ones((2, 2)), n) for n in "ab")
    c = dia.variable(np.ones((2, 2)), "c")
    nodes = [
        a * b,
        a @ b,
        (a * b) @ c,
        a * (b @ c),
        (a @ b) * c,
        a @ (b * c),
        dia.sum(a, 0),
        dia.sum(a, 0, keepdims=True),
        dia.sum(a),
        dia.softmax(a, 0),
        dia.softmax(a, 1),
        a[0],
        a[:1],
        a[::-1],
        dia.maximum(a, b),
        dia.minimum(a, b),
        dia.astype(a, "float32"),
        dia.stop_gradient(a),
        a,
    ]
    texts = [str(n) for n in nodes]
    assert sorted(t for t in set(texts) if texts.count(t) > 1) == []


def test_the_formula_of_a_deep_graph_is_written_without_recursion():
    x = dia.variable(0.0, "x")
    y = x
    for _ in range(5000):
        y = dia.sin(y)
    assert "sin" in str(y)


def test_a_node_shows_its_label_shape_and_dtype():
    x = dia.placeholder((N, 3), "float32", "x")
    assert repr(x) == "<x (N, 3) float32>"
    assert repr(dia.exp(x)) == "<exp (N, 3) float32>"
    assert repr(dia.exp(x).named("h")) == "<h (N, 3) float32>"
