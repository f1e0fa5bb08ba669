"""What is refused, and that the message names what was given, what was expected and where."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import diaphane.graph as dia

N = dia.Dim("N")


def line():
    """The number of the caller's line."""
    return inspect.currentframe().f_back.f_lineno


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((2, 3), (4, 5)),
        ((N, 3), (4, 2)),
        ((3,), (4,)),
        ((2, 3, 4), (2, 3, 4)),
        ((N, 3), (N, 3)),
        ((2, 2, 3), (3, 3, 5)),
    ],
)
def test_a_product_of_matrices_that_do_not_fit_names_both_nodes_and_shapes(left, right):
    a, b = dia.placeholder(left, "float64", "activations"), dia.placeholder(right, "float64", "kernel")
    with pytest.raises(dia.ShapeError) as caught:
        a @ b
    for word in ("activations", "kernel"):
        assert word in str(caught.value)
    if len(left) > 1:
        assert dia.sizes.show(left) in str(caught.value)
        assert dia.sizes.show(right) in str(caught.value)


def test_a_product_with_a_number_says_what_scales():
    with pytest.raises(dia.ShapeError, match=r"\* to scale"):
        dia.matmul(3.0, [1.0, 2.0])


def test_shapes_that_do_not_broadcast_are_named_with_short_formulas():
    x, w = dia.variable(np.ones((2, 3)), "x"), dia.variable(np.ones(4), "w")
    with pytest.raises(dia.ShapeError) as caught:
        x * 2 + w
    for word in ("add", "x·2", "'w'", "(2, 3)", "(4,)", "axis -1"):
        assert word in str(caught.value)


def test_shape_errors_are_value_errors_and_dtype_errors_are_type_errors():
    assert issubclass(dia.ShapeError, ValueError)
    assert issubclass(dia.FeedError, ValueError)
    assert issubclass(dia.DTypeError, TypeError)
    assert issubclass(dia.NotDifferentiableError, TypeError)


@pytest.mark.parametrize("given", [(3,), (3, 2), (2, 3, 1), ()])
def test_feeding_another_shape_names_the_placeholder_and_both_shapes(given):
    x = dia.placeholder((N, 3), "float64", "features")
    with pytest.raises(dia.ShapeError) as caught:
        dia.evaluate(dia.sum(x), {x: np.ones(given)})
    for word in ("features", "(N, 3)", str(given)):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "given"),
    [("int64", "float64"), ("bool", "int64"), ("float64", "complex128"), ("float64", "U3"), ("float32", "O")],
)
def test_feeding_another_kind_of_number_names_the_placeholder_and_both_dtypes(asked, given):
    x = dia.placeholder((2,), asked, "features")
    with pytest.raises(TypeError, match="features is of dtype") as caught:
        dia.evaluate(x + x, {x: np.zeros(2, given)})
    assert asked in str(caught.value)
    assert str(np.dtype(given)) in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "given"),
    [("float32", "float64"), ("float64", "float32"), ("float64", "int32"), ("int64", "uint8"), ("float32", "bool")],
)
def test_feeding_what_keeps_its_kind_is_cast(asked, given):
    x = dia.placeholder((2,), asked, "features")
    got = dia.evaluate(x * 1, {x: np.ones(2, given)})
    assert got.dtype == asked
    assert got.tolist() == [1, 1]


def test_feeding_an_unknown_name_lists_the_names_that_there_are():
    x, w = dia.placeholder((), "float64", "x"), dia.variable(1.0, "w")
    with pytest.raises(dia.FeedError, match=r"'y'; there are: w, x"):
        dia.evaluate(x * w, {"y": 1.0})


def test_feeding_a_name_that_two_leaves_have_is_refused():
    a, b = dia.placeholder((), "float64", "x"), dia.placeholder((), "float64", "x")
    with pytest.raises(dia.FeedError, match="2 leaves are called 'x'"):
        dia.evaluate(a + b, {"x": 1.0})


def test_a_placeholder_without_a_value_is_named_and_says_what_to_do():
    x = dia.placeholder((), "float64", "x")
    with pytest.raises(dia.FeedError, match=r"x is a placeholder.*evaluate"):
        dia.evaluate(x * 2)
    with pytest.raises(dia.FeedError, match="x is a placeholder"):
        _ = (x * 2).value


@pytest.mark.parametrize("dtype", ["float16", "longdouble", "complex64", "U3", "O", "datetime64[s]"])
def test_constants_and_variables_of_other_types_are_refused_by_name(dtype):
    array = np.zeros(2, dtype)
    for make in (dia.constant, dia.variable, dia.negative):
        with pytest.raises(TypeError, match=r"float32, float64, integers and booleans") as caught:
            make(array)
        assert str(array.dtype) in str(caught.value)


@pytest.mark.parametrize("dtype", ["float16", "complex64", "U3"])
def test_placeholders_of_other_types_are_refused(dtype):
    with pytest.raises(TypeError, match=str(np.dtype(dtype))):
        dia.placeholder((2,), dtype, "x")


@pytest.mark.parametrize("dtype", ["float16", "complex64", "U3", "longdouble"])
def test_casts_to_other_types_are_refused(dtype):
    with pytest.raises(TypeError, match=str(np.dtype(dtype))):
        dia.astype(dia.variable(1.0), dtype)


@pytest.mark.parametrize("index", [3, -1, 100])
def test_an_index_outside_is_named_when_it_runs(index):
    i = dia.placeholder((2,), "int64", "i")
    for f in (lambda: dia.take(np.zeros((3, 2)), i), lambda: dia.scatter_add(np.zeros((2, 2)), i, 3)):
        with pytest.raises(IndexError, match=rf"{index} is outside 0 … 2"):
            dia.evaluate(f(), {i: [0, index]})


def test_an_index_outside_a_known_axis_is_refused_at_once():
    x = dia.variable(np.zeros((3, 2)), "x")
    with pytest.raises(dia.ShapeError, match=r"3 is outside an axis of 3 of x"):
        x[3]
    with pytest.raises(dia.ShapeError, match=r"-3 is outside an axis of 2"):
        x[:, -3]


def test_iterating_a_node_ends_at_its_length():
    x = dia.variable([1.0, 2.0, 3.0])
    assert [float(part.value) for part in x] == [1.0, 2.0, 3.0]
    assert len(x) == 3


@pytest.mark.parametrize("shape", [(), (N, 3)])
def test_a_node_without_a_known_length_cannot_be_iterated(shape):
    x = dia.placeholder(shape, "float64", "x")
    with pytest.raises(TypeError, match=r"x of shape .* cannot be iterated"):
        iter(x)
    with pytest.raises(TypeError, match=r"x of shape .* no fixed length"):
        len(x)


def test_indices_that_are_not_integers_are_refused_with_their_dtype():
    x = dia.variable(np.zeros(3), "x")
    with pytest.raises(TypeError, match="float64"):
        dia.take(x, dia.variable([0.0, 1.0], "i"))
    with pytest.raises(TypeError, match="bool"):
        x[dia.greater(x, 0)]
    with pytest.raises(TypeError, match=r"take.*where"):
        x[1.5]


def test_too_many_indices_are_refused_with_the_shape():
    x = dia.variable(np.zeros((3, 2)), "x")
    for key in [(0, 0, 0), (..., 0, 0, 0), (..., ...)]:
        with pytest.raises(dia.ShapeError, match=r"x of shape \(3, 2\)"):
            x[key]


@pytest.mark.parametrize("axis", [2, -3, 1.0, True, "rows"])
def test_an_axis_that_is_not_there_is_named(axis):
    x = dia.variable(np.zeros((3, 2)))
    for f in (dia.softmax, dia.argmax, dia.log_softmax):
        with pytest.raises(dia.ShapeError, match=f"no axis {axis!r} in a value of 2 axes"):
            f(x, axis)


def test_an_axis_named_twice_is_refused():
    with pytest.raises(dia.ShapeError, match="twice"):
        dia.sum(np.zeros((2, 3)), (0, -2))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x: dia.transpose(x[0]), r"transpose takes a matrix.*\(3,\)"),
        (lambda x: dia.permute_dims(x, (0, 0)), r"\(0, 0\) does not name each of the 2 axes once"),
        (lambda x: dia.squeeze(x, 0), r"extent 1 in x of shape \(2, 3\)"),
        (lambda x: dia.broadcast_to(x, (2, 4)), r"\(2, 3\) does not broadcast to \(2, 4\)"),
        (lambda x: dia.broadcast_to(x, (3,)), r"\(2, 3\) does not broadcast to \(3,\)"),
        (lambda x: dia.concat([x, x[:, :2]]), r"\(2, 3\).*\(2, 2\) differ elsewhere than on axis 0"),
        (lambda x: dia.concat([1.0, 2.0]), "use stack"),
        (lambda x: dia.split(x, 2, 1), r"axis 1 of x has 3 elements: not 2 equal parts"),
        (lambda x: dia.split(x, [1, 1], 1), r"\(1, 1\) do not add up to the 3 of axis 1"),
        (lambda x: dia.split(x, 0, 1), "not 0 equal parts"),
        (lambda x: dia.pad(x, [(1, 1)]), r"x has 2 axes and needs a pair"),
        (lambda x: dia.pad(x, [(0, 0), (-1, 0)]), "≥ 0"),
        (lambda x: dia.maxout(x, 2), "axis of 3 does not part into groups of 2"),
        (lambda x: dia.scatter_add(x, [0, 1, 2], 3), r"\(2, 3\).*\(3,\) differ"),
        (lambda x: dia.reshape(x, (4, 2)), r"x of shape \(2, 3\) has 6 elements, \(4, 2\) has 8"),
        (lambda x: dia.stack([x, x[0]]), r"\(1, 2, 3\).*\(1, 3\)"),
    ],
)
def test_arrangements_that_do_not_fit_say_what_was_given_and_expected(make, words):
    with pytest.raises(dia.ShapeError, match=words):
        make(dia.variable(np.zeros((2, 3)), "x"))


def test_a_node_has_no_truth_value():
    x = dia.variable(1.0, "x")
    for decide in (lambda: bool(x), lambda: not x, lambda: 1 if dia.greater(x, 0) else 2, lambda: 0 < x < 2):
        with pytest.raises(TypeError, match=r"no truth value.*where"):
            decide()


def test_numpy_does_not_take_a_node_for_an_array():
    x = dia.variable([1.0, 2.0], "x")
    for convert in (np.asarray, np.array, np.linalg.norm, np.concatenate):
        with pytest.raises(TypeError):
            convert(x)
    with pytest.raises(TypeError, match=r"x is a node, not an array.*value.*diaphane\.graph"):
        np.asarray(x)
    with pytest.raises(TypeError, match="Node"):
        np.sin(x)


def test_what_is_not_an_array_is_refused():
    x = dia.variable(1.0)
    for wrong in ("two", object(), [[1.0], [1.0, 2.0]]):
        with pytest.raises((TypeError, ValueError)):
            x + wrong


def test_none_is_not_a_number():
    with pytest.raises(TypeError):
        dia.variable(1.0) + None


def test_nodes_are_not_made_by_hand():
    with pytest.raises(TypeError, match="variable"):
        dia.Node()


def test_apply_takes_nodes_only():
    with pytest.raises(TypeError, match="constant"):
        dia.apply(dia.OPERATIONS["Exp"](), 1.0)


def test_a_node_cannot_be_pickled_and_says_what_to_do():
    x = dia.variable(1.0, "x")
    with pytest.raises(TypeError, match=r"x cannot be pickled.*save"):
        pickle.dumps(x)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps({"layers": [x * 2]})


def test_a_copy_of_a_node_is_the_node():
    x = dia.variable([1.0], "x")
    y = {"inputs": [x * 2]}
    assert copy.copy(x) is x
    assert copy.deepcopy(y)["inputs"][0] is y["inputs"][0]


def test_a_variables_initial_value_is_not_a_node():
    with pytest.raises(TypeError, match="value"):
        dia.variable(dia.variable(1.0) * 2)


@pytest.mark.parametrize("extent", [-1, 2.0, "N", True, None])
def test_extents_are_whole_numbers_or_dims(extent):
    with pytest.raises(dia.ShapeError, match="whole number"):
        dia.placeholder((extent, 3), name="x")


def test_a_variables_shape_that_is_not_its_values_is_refused():
    with pytest.raises(dia.ShapeError, match=r"w.*\(2,\).*\(3,\)"):
        dia.variable([1.0, 2.0], "w", shape=(3,))


def test_a_role_that_there_is_not_lists_those_that_there_are():
    with pytest.raises(ValueError, match=r"parameter, state, hyperparameter.*'weights'"):
        dia.variable(1.0, role="weights")


def test_a_node_knows_the_users_file_and_line():
    x, first = dia.variable(1.0, "x"), line()
    y, second = dia.softplus(x) * 2 + dia.mean(x), line()
    [g], third = dia.gradient(y, [x]), line()
    assert x.site == (__file__, first)
    assert {n.site for n in dia.ancestors([y]) if n.inputs} == {(__file__, second)}
    assert g.site == (__file__, third)


def test_a_node_inside_a_loop_knows_the_line_of_the_body():
    lines = []

    def body(c, v):
        lines.append((c * v, line()))
        return lines[-1][0], ()

    dia.scan(body, dia.constant(1.0), dia.constant([1.0, 2.0]))
    assert lines[0][0].site == (__file__, lines[0][1])


def test_an_error_is_raised_at_the_users_line():
    x, w = dia.variable(np.ones((2, 3)), "x"), dia.variable(np.ones(4), "w")
    with pytest.raises(dia.ShapeError) as caught:
        x + w
    own = [entry for entry in caught.traceback if str(entry.path) == __file__]
    assert "x + w" in str(own[-1].statement)


@pytest.mark.parametrize("index", [-1, 3])
def test_one_hot_refuses_an_index_without_a_class(index):
    with pytest.raises(IndexError, match=rf"one_hot: the index {index} is outside 0 … 2"):
        dia.one_hot([0, index], 3).value  # noqa: B018


def test_a_leaf_is_not_named_afterwards():
    w = dia.variable(1.0, "w")
    assert w.named("w") is w
    with pytest.raises(TypeError, match="w is a variable: name it where it is made"):
        w.named("v")


def test_an_error_while_computing_notes_the_node_and_its_line():
    x = dia.placeholder((3,), "float64", "x")
    picked, here = dia.take(x, [5]).named("picked"), line()
    with pytest.raises(IndexError, match="5 is outside") as caught:
        dia.evaluate(picked, {x: [1.0, 2.0, 3.0]})
    assert caught.value.__notes__ == [f"while computing 'picked' of shape (1,) (made at {__file__}:{here})"]


def test_a_class_of_the_users_does_not_take_the_name_of_a_built_in_one():
    from dataclasses import dataclass

    from diaphane.nn import Layer

    with pytest.raises(TypeError, match="has a class Add already"):

        @dataclass(frozen=True)
        class Add(dia.Operation):
            pass

    with pytest.raises(TypeError, match="has a class Dense already"):

        @dataclass(frozen=True)
        class Dense(Layer):
            pass
