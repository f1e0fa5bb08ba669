"""Many parameters as one vector: there and back, and its gradient."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes

import diaphane as dia
from diaphane import optim

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
shapes = st.lists(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), min_size=1, max_size=5)


@PROPERTY
@given(shapes=shapes, dtype=st.sampled_from(["float32", "float64"]), seed=st.integers(0, 2**32 - 1))
def test_pack_and_unpack_are_each_others_inverse(shapes, dtype, seed):
    rng = np.random.default_rng(seed)
    nodes = [dia.variable(np.zeros(shape, dtype), f"p{i}") for i, shape in enumerate(shapes)]
    values = {node: rng.normal(size=node.shape).astype(dtype) for node in nodes}
    flat = optim.flatten(nodes)
    vector = flat.pack(values)
    assert vector.shape == flat.vector.shape == (sum(v.size for v in values.values()),)
    assert vector.dtype == flat.vector.dtype == np.dtype(dtype)
    back = flat.unpack(vector)
    assert list(back) == nodes
    for node in nodes:
        np.testing.assert_array_equal(back[node], values[node])
        assert back[node].shape == node.shape
    np.testing.assert_array_equal(flat.pack(back), vector)


@PROPERTY
@given(shapes=shapes, seed=st.integers(0, 2**32 - 1))
def test_the_views_are_the_parameters_parts_of_the_vector(shapes, seed):
    rng = np.random.default_rng(seed)
    nodes = [dia.variable(rng.normal(size=shape), f"p{i}") for i, shape in enumerate(shapes)]
    flat = optim.flatten(nodes)
    vector = rng.normal(size=flat.vector.shape)
    expected = flat.unpack(vector)
    views = dia.evaluate([flat.views[node] for node in nodes], {flat.vector: vector})
    for node, view in zip(nodes, views, strict=True):
        np.testing.assert_array_equal(view, expected[node])


def test_the_vector_begins_with_the_parameters_own_first_values():
    nodes = [dia.variable([[1.0, 2.0]], "a"), dia.variable(3.0, "b"), dia.variable([4.0], "c")]
    np.testing.assert_array_equal(optim.flatten(nodes).vector.value, [1, 2, 3, 4])


def test_the_vectors_gradient_is_the_gradients_one_after_another():
    a, b = dia.variable([[1.0, 2.0], [3.0, 4.0]], "a"), dia.variable([5.0, 6.0], "b")
    flat = optim.flatten([a, b])
    [loss] = dia.substitute([dia.sum((a @ b) ** 2)], flat.views)
    together = flat.gradient(dia.gradient(loss, list(flat.views.values())))
    [direct] = dia.gradient(loss, [flat.vector])
    A, v = a.value, b.value
    by_hand = np.concatenate([(2 * np.outer(A @ v, v)).ravel(), 2 * A.T @ (A @ v)])
    np.testing.assert_allclose(together.value, by_hand, rtol=1e-14)
    np.testing.assert_allclose(direct.value, by_hand, rtol=1e-14)


def test_unpacked_values_are_copies():
    w = dia.variable([1.0, 2.0], "w")
    flat = optim.flatten([w])
    vector = np.array([1.0, 2.0])
    flat.unpack(vector)[w][0] = 9
    np.testing.assert_array_equal(vector, [1, 2])


def test_parameters_of_two_dtypes_are_refused():
    with pytest.raises(TypeError, match="float32, float64"):
        optim.flatten([dia.variable(np.float32(1), "a"), dia.variable(np.float64(1), "b")])


def test_no_parameters_at_all_are_refused_with_what_to_do():
    with pytest.raises(ValueError, match="no parameter"):
        optim.flatten([])
