"""Backpropagation from graph to graph: the textbook's examples, second derivatives, fan-outs, what has no gradient."""

import gc
import weakref

import numpy as np
import pytest
from graph.operation_table import central_difference, tensors

import diaphane.graph as dia


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def test_the_textbooks_product_of_a_sum():
    x, y, z = dia.variable(-2.0, "x"), dia.variable(5.0, "y"), dia.variable(-4.0, "z")
    f = (x + y) * z
    assert f.value == -12.0
    assert [float(g.value) for g in dia.gradient(f, [x, y, z])] == [-4.0, -4.0, 3.0]


def one_hidden_layer(batch):
    """x, y, W¹, b¹, W², b² and the mean cross-entropy of softmax(σ(xW¹ + b¹)W² + b²)."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, 4))
    y = np.eye(3)[rng.integers(0, 3, batch)]
    w1, b1 = dia.variable(rng.normal(size=(4, 5)), "W1"), dia.variable(rng.normal(size=5), "b1")
    w2, b2 = dia.variable(rng.normal(size=(5, 3)), "W2"), dia.variable(rng.normal(size=3), "b2")
    h = dia.sigmoid(x @ w1 + b1)
    logits = h @ w2 + b2
    loss = -dia.mean(dia.sum(dia.log_softmax(logits) * y, axis=1))
    return x, y, h.value, dia.softmax(logits).value, (w1, b1, w2, b2), loss


def test_the_one_hidden_layer_softmax_networks_gradients_by_hand_for_one_example():
    x, y, h, o, (w1, b1, w2, b2), loss = one_hidden_layer(1)
    error = (o - y)[0]
    back = (w2.value @ error) * h[0] * (1 - h[0])
    got = [g.value for g in dia.gradient(loss, [w1, b1, w2, b2])]
    for g, want in zip(got, [np.outer(x[0], back), back, np.outer(h[0], error), error], strict=True):
        np.testing.assert_allclose(g, want, rtol=1e-12, atol=1e-15)


def test_the_gradients_of_a_batch_are_the_means_of_the_examples():
    x, y, h, o, (w1, b1, w2, b2), loss = one_hidden_layer(7)
    n = len(x)
    error = o - y
    back = (error @ w2.value.T) * h * (1 - h)
    got = [g.value for g in dia.gradient(loss, [w1, b1, w2, b2])]
    for g, want in zip(got, [x.T @ back / n, back.mean(0), h.T @ error / n, error.mean(0)], strict=True):
        np.testing.assert_allclose(g, want, rtol=1e-12, atol=1e-15)


def test_the_sum_of_a_batch_is_not_its_mean():
    *_, (w1, *_), loss = one_hidden_layer(7)
    [mean], [total] = dia.gradient(loss, [w1]), dia.gradient(7 * loss, [w1])
    np.testing.assert_allclose(total.value, 7 * mean.value)
    assert not np.allclose(total.value, mean.value)


def small_loss(w, b):
    x = np.array([[0.3, -1.2], [2.0, 0.5], [-0.7, 0.1]])
    return dia.mean(dia.softplus(dia.tanh(x @ w + b) ** 2) * dia.exp(0.1 * w[0, 0]))


def small_loss_in_torch(torch, w, b):
    x = torch.tensor([[0.3, -1.2], [2.0, 0.5], [-0.7, 0.1]], dtype=torch.float64)
    return (torch.nn.functional.softplus(torch.tanh(x @ w + b) ** 2) * torch.exp(0.1 * w[0, 0])).mean()


W, B = np.array([[0.4, -0.3, 0.9], [1.1, 0.2, -0.5]]), np.array([0.1, -0.2, 0.3])


def test_the_hessian_times_a_vector_is_the_gradient_of_gradient_times_vector(torch):
    v = np.array([[1.0, 0.5, -2.0], [0.3, -1.0, 0.7]])
    w = dia.variable(W)
    [g] = dia.gradient(small_loss(w, B), [w])
    [got] = dia.gradient(dia.sum(g * v), [w])
    _, want = torch.autograd.functional.hvp(
        lambda w: small_loss_in_torch(torch, w, torch.tensor(B)), torch.tensor(W), torch.tensor(v)
    )
    np.testing.assert_allclose(got.value, want.numpy(), rtol=1e-10, atol=1e-14)


def test_the_third_derivative_is_a_gradient_too():
    x = dia.variable(0.7)
    y = dia.sin(x) * x**3
    for _ in range(3):
        [y] = dia.gradient(y, [x])
    s, c = np.sin(0.7), np.cos(0.7)
    want = -c * 0.7**3 - 3 * s * 3 * 0.7**2 + 3 * c * 6 * 0.7 + s * 6
    assert float(y.value) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize(("m", "n"), [(3, 3), (2, 3), (4, 3)])
def test_the_jacobian_is_m_by_n(torch, m, n):
    a, x = np.random.default_rng(0).normal(size=(n, m)), np.array([0.5, -1.0, 2.0])
    v = dia.variable(x)
    got = dia.jacobian(dia.tanh(v**2 @ a), v)
    want = torch.autograd.functional.jacobian(lambda x: torch.tanh(x**2 @ torch.tensor(a)), torch.tensor(x))
    assert got.shape == (m, n)
    np.testing.assert_allclose(got.value, want.numpy(), rtol=1e-10, atol=1e-14)


def test_the_jacobian_of_arrays_has_the_values_shape_followed_by_the_variables(torch):
    w = dia.variable(W)
    x = np.array([[0.3, -1.2], [2.0, 0.5]])
    got = dia.jacobian(dia.softmax(x @ w), w)
    want = torch.autograd.functional.jacobian(lambda w: torch.softmax(torch.tensor(x) @ w, -1), torch.tensor(W))
    assert got.shape == (2, 3, 2, 3)
    np.testing.assert_allclose(got.value, want.numpy(), rtol=1e-10, atol=1e-14)


def test_the_jacobian_of_a_number_is_its_gradient_and_by_a_number_a_vector():
    x, c = dia.variable([1.0, 2.0]), dia.variable(3.0)
    np.testing.assert_array_equal(dia.jacobian(dia.sum(x**2), x).value, [2.0, 4.0])
    np.testing.assert_array_equal(dia.jacobian(c * np.array([1.0, 2.0]), c).value, [1.0, 2.0])


def test_the_jacobian_over_a_named_size_is_bound_when_it_runs():
    x = dia.placeholder((dia.Dim("N"),), "float64", "x")
    jacobian = dia.jacobian(x**2, x)
    for n in (0, 1, 3):
        values = np.arange(1.0, n + 1)
        np.testing.assert_array_equal(dia.evaluate(jacobian, {x: values}), np.diag(2 * values))


def test_the_jacobian_of_the_gradient_is_the_hessian(torch):
    w = dia.variable(W)
    hessian = dia.jacobian(dia.gradient(small_loss(w, B), [w])[0], w)
    want = torch.autograd.functional.hessian(lambda w: small_loss_in_torch(torch, w, torch.tensor(B)), torch.tensor(W))
    np.testing.assert_allclose(hessian.value, want.numpy(), rtol=1e-9, atol=1e-14)


def test_the_jacobian_of_a_random_layer_sees_the_draws_of_the_forward_pass():
    x = dia.variable(np.arange(1.0, 5.0))
    mask = dia.uniform((4,), stream=0, dtype="float64")
    y = x * mask
    draws, jacobian = dia.evaluate([mask, dia.jacobian(y, x)], seed=3)
    np.testing.assert_allclose(jacobian, np.diag(draws))


def test_the_contributions_at_a_fan_out_differ_and_add_up_to_the_gradient():
    x = dia.variable(2.0, "x")
    square, double = x * x, 2 * x
    y = square * double  # 2x³
    walk = dia.backpropagate({y: dia.constant(1.0)}, [x])
    by_edge = [float(part.value) for (node, i), part in walk.contributions.items() if node.inputs[i] is x]
    assert sorted(by_edge) == [8.0, 8.0, 8.0]
    assert float(walk.gradients[x].value) == 24.0
    by_use = {n: float(walk.gradients[n].value) for n in (square, double)}
    assert by_use == {square: 4.0, double: 4.0}


def test_the_contributions_of_every_node_add_up_to_its_gradient():
    *_, parameters, loss = one_hidden_layer(4)
    walk = dia.backpropagate({loss: dia.constant(1.0)}, parameters)
    parts = {}
    for (node, i), part in walk.contributions.items():
        parts.setdefault(node.inputs[i], []).append(part)
    assert set(parameters) <= set(parts)
    for node, contributions in parts.items():
        total = np.sum([part.value for part in contributions], axis=0)
        assert total.shape == node.value.shape
        np.testing.assert_allclose(total, walk.gradients[node].value, rtol=1e-12, atol=1e-15)


def test_one_input_used_twice_by_one_node_gets_two_contributions():
    x = dia.variable(3.0)
    y = x * x
    walk = dia.backpropagate({y: dia.constant(1.0)}, [x])
    assert [float(walk.contributions[y, i].value) for i in (0, 1)] == [3.0, 3.0]
    assert float(walk.gradients[x].value) == 6.0


def test_upstream_is_dl_by_dy():
    w, x = dia.variable(W), np.array([[0.3, -1.2], [2.0, 0.5]])
    upstream = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]])
    [got] = dia.gradient(x @ w, [w], upstream=dia.constant(upstream))
    np.testing.assert_allclose(got.value, x.T @ upstream)


def test_upstream_of_another_shape_is_refused_with_both_shapes():
    w = dia.variable(W, "w")
    with pytest.raises(dia.ShapeError, match=r"\(3,\).*w.*\(2, 3\)"):
        dia.gradient(w, [w], upstream=dia.constant(B))


def test_the_gradient_of_more_than_one_number_is_refused_and_says_what_to_do():
    w = dia.variable(W, "w")
    with pytest.raises(dia.ShapeError, match=r"w has shape \(2, 3\).*sum or mean.*upstream.*jacobian"):
        dia.gradient(w, [w])


def test_the_gradient_by_what_a_value_does_not_depend_on_is_zeros_of_its_shape_and_type():
    x, other = dia.variable(1.0), dia.variable(np.ones((2, 3), "float32"))
    [g] = dia.gradient(x * x, [other])
    assert (g.shape, g.dtype) == ((2, 3), np.float32)
    np.testing.assert_array_equal(g.value, np.zeros((2, 3)))


def test_the_gradient_by_a_node_inside_the_graph_stops_there():
    x = dia.variable(2.0)
    h = dia.exp(x)
    [by_h, by_x] = dia.gradient(h * h + x, [h, x])
    np.testing.assert_allclose([by_h.value, by_x.value], [2 * np.exp(2), 2 * np.exp(4) + 1])


def test_the_gradient_of_a_node_by_itself_is_one():
    x = dia.variable(2.0)
    [g] = dia.gradient(x, [x])
    assert g.value == 1.0


def test_the_same_node_asked_for_twice_is_answered_twice():
    x = dia.variable(2.0)
    assert [float(g.value) for g in dia.gradient(x * x, [x, x])] == [4.0, 4.0]


def test_a_path_through_argmax_only_is_refused_by_name():
    x = dia.variable([1.0, 3.0], "x")
    with pytest.raises(dia.NotDifferentiableError, match=r"x only through argmax.*stop_gradient"):
        dia.gradient(dia.astype(dia.argmax(x), "float64") * 2.0, [x])


def test_a_second_path_beside_argmax_has_its_gradient():
    x = dia.variable([1.0, 3.0], "x")
    [g] = dia.gradient(dia.sum(x * dia.astype(dia.argmax(x), "float64")), [x])
    assert g.value.tolist() == [1.0, 1.0]


def test_stop_gradient_is_a_constant_to_the_gradient():
    x = dia.variable(3.0)
    assert [float(g.value) for g in dia.gradient(x * dia.stop_gradient(x**2), [x])] == [9.0]
    assert [float(g.value) for g in dia.gradient(dia.stop_gradient(x**2), [x])] == [0.0]


def test_stop_gradient_says_that_no_gradient_through_argmax_is_meant():
    x = dia.variable([1.0, 3.0])
    y = dia.astype(dia.argmax(dia.stop_gradient(x)), "float64")
    assert dia.gradient(y, [x])[0].value.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_the_gradient_by_integers_and_booleans_is_refused(dtype):
    i = dia.placeholder((3,), dtype, "i")
    with pytest.raises(TypeError, match=f"i is of dtype {dtype}"):
        dia.gradient(dia.sum(dia.astype(i, "float64")), [i])


def test_the_gradient_by_what_is_not_a_node_is_refused():
    x = dia.variable(1.0)
    with pytest.raises(TypeError, match="nodes"):
        dia.gradient(x * x, [np.ones(3)])


def test_a_chain_of_a_hundred_thousand_nodes_is_walked_evaluated_differentiated_and_let_go():
    y = x = dia.variable(1.0, "x")
    for i in range(100_000):
        y = y * 1.0000001 if i % 4 == 0 else y + 1.0
    assert len(dia.ancestors([y])) > 100_000
    [g] = dia.gradient(y, [x])
    assert float(g.value) == pytest.approx(1.0000001**25_000, rel=1e-9)
    first = weakref.ref(x)
    del x, y, g
    gc.collect()
    assert first() is None


def test_a_fan_out_at_every_level_is_walked_once():
    x = dia.variable(1.0)
    y = x
    for _ in range(60):
        y = 0.5 * (y + y)
    [g] = dia.gradient(y, [x])
    assert float(g.value) == 1.0


def test_repeated_indices_of_take_add_up_in_the_gradient():
    table = dia.variable(np.zeros((4, 2)))
    weights = np.array([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]])
    [g] = dia.gradient(dia.sum(dia.take(table, [2, 0, 2]) * weights), [table])
    assert g.value.tolist() == [[10.0, 20.0], [0.0, 0.0], [101.0, 202.0], [0.0, 0.0]]


def test_the_gradient_passes_casts_in_the_type_of_the_input():
    x = dia.variable(np.array([1.5, -2.0], "float32"))
    [g] = dia.gradient(dia.sum(dia.astype(x, "float64") ** 3), [x])
    assert g.dtype == np.float32
    np.testing.assert_allclose(g.value, [6.75, 12.0], rtol=1e-6)


def test_the_gradient_of_a_cast_to_integers_and_back_is_zero():
    x = dia.variable([1.5, -2.5])
    [g] = dia.gradient(dia.sum(dia.astype(dia.astype(x, "int64"), "float64") * x), [x])
    assert g.value.tolist() == [1.0, -2.0]


def test_the_gradient_of_where_goes_to_the_branch_that_was_chosen():
    a, b = dia.variable([1.0, 2.0, 3.0]), dia.variable(10.0)
    [by_a, by_b] = dia.gradient(dia.sum(dia.where(dia.greater(a, 1.5), a * a, b)), [a, b])
    assert by_a.value.tolist() == [0.0, 4.0, 6.0]
    assert float(by_b.value) == 1.0


def test_a_class_is_picked_by_one_hot_with_its_gradient():
    scores = dia.variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    [g] = dia.gradient(dia.sum(scores * dia.one_hot([1, 0, 1], 2)), [scores])
    assert g.value.tolist() == [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]


def test_broadcast_inputs_get_the_sum_over_what_they_were_repeated_along():
    row, column = dia.variable(np.zeros(3)), dia.variable(np.zeros((2, 1)))
    weights = np.arange(6.0).reshape(2, 3)
    by_row, by_column = dia.gradient(dia.sum((row + column) * weights), [row, column])
    assert by_row.value.tolist() == [3.0, 5.0, 7.0]
    assert by_column.value.tolist() == [[3.0], [12.0]]


def test_a_composed_expression_agrees_with_pytorch_and_differences(torch):
    arrays = [W, B]
    leaves = tensors(torch, arrays)
    want = torch.autograd.grad(small_loss_in_torch(torch, *leaves), leaves)
    w, b = dia.variable(W), dia.variable(B)
    loss = small_loss(w, b)
    differences = central_difference(lambda w_, b_: dia.evaluate(loss, {w: w_, b: b_}), arrays)
    for g, t, d in zip(dia.gradient(loss, [w, b]), want, differences, strict=True):
        np.testing.assert_allclose(g.value, t.numpy(), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(g.value, d, rtol=1e-6, atol=1e-9)


def test_one_node_in_place_of_a_list_is_refused_with_what_to_write():
    w = dia.variable(np.ones((2, 3)), "w")
    with pytest.raises(dia.DTypeError, match=r"a list of nodes is wanted, got one: gradient\(y, \[w\]\)"):
        dia.gradient(dia.sum(w**2), w)
