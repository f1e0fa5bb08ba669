"""Loops: recurrent networks against PyTorch, gradients through time as one product, nesting, and what is refused."""

import itertools

import numpy as np
import pytest
from graph.operation_table import central_difference, classes_in, tensors

import diaphane.graph as dia

T = dia.Dim("T")


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def elman_values(steps=4, batch=3, inputs=2, units=5):
    """x, h₀, W, U, b."""
    rng = np.random.default_rng(steps)
    shapes = [(steps, batch, inputs), (batch, units), (inputs, units), (units, units), (units,)]
    return [rng.normal(0, 0.7, shape) for shape in shapes]


def elman(x, h, w, u, b, **settings):
    """hₜ = tanh(xₜW + hₜ₋₁U + b), as ``nn.RNN``."""

    def body(h, x):
        new = dia.tanh(x @ w + h @ u + b)
        return new, new

    return dia.scan(body, h, x, **settings)


def elman_in_torch(torch, x, h, w, u, b, reverse=False):
    states = []
    for item in x.flip(0) if reverse else x:
        h = torch.tanh(item @ w + h @ u + b)
        states.append(h)
    if not states:
        return h, torch.zeros((0, *h.shape), dtype=h.dtype)
    return h, torch.stack(states[::-1] if reverse else states)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_recurrent_network_has_pytorchs_values_and_gradients(torch, reverse):
    values = elman_values()
    nodes = [dia.variable(v) for v in values]
    last, states = elman(*nodes, reverse=reverse)
    leaves = tensors(torch, values)
    last_there, states_there = elman_in_torch(torch, *leaves, reverse=reverse)
    np.testing.assert_allclose(last.value, last_there.detach().numpy(), rtol=1e-13)
    np.testing.assert_allclose(states.value, states_there.detach().numpy(), rtol=1e-13)
    rng = np.random.default_rng(9)
    on_last, on_states = rng.normal(size=last.shape), rng.normal(size=states.shape)
    loss = dia.sum(last * on_last) + dia.sum(states**2 * on_states)
    there = (last_there * torch.tensor(on_last)).sum() + (states_there**2 * torch.tensor(on_states)).sum()
    for g, want in zip(dia.gradient(loss, nodes), torch.autograd.grad(there, leaves), strict=True):
        np.testing.assert_allclose(g.value, want.numpy(), rtol=1e-11, atol=1e-13)


def test_a_recurrent_network_is_pytorchs_module(torch):
    x, h, w, u, b = elman_values()
    module = torch.nn.RNN(2, 5, dtype=torch.float64)
    with torch.no_grad():
        for name, value in {"weight_ih": w.T, "weight_hh": u.T, "bias_ih": b, "bias_hh": 0 * b}.items():
            getattr(module, f"{name}_l0").copy_(torch.tensor(value))
    want, _ = module(torch.tensor(x), torch.tensor(h)[None])
    _, states = elman(*map(dia.constant, (x, h, w, u, b)))
    np.testing.assert_allclose(states.value, want.detach().numpy(), rtol=1e-12)


def test_an_lstm_cell_with_two_carries_has_pytorchs_values_and_gradients(torch):
    rng = np.random.default_rng(1)
    x, h0, c0 = rng.normal(size=(6, 2, 3)), rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    w, u, b = rng.normal(size=(3, 16)) * 0.5, rng.normal(size=(4, 16)) * 0.5, rng.normal(size=16)
    values = [x, h0, c0, w, u, b]
    nodes = [dia.variable(v) for v in values]
    x_, h_, c_, w_, u_, b_ = nodes

    def body(carry, item):
        h, c = carry
        i, f, g, o = dia.split(item @ w_ + h @ u_ + b_, 4, axis=1)
        c = dia.sigmoid(f) * c + dia.sigmoid(i) * dia.tanh(g)
        h = dia.sigmoid(o) * dia.tanh(c)
        return (h, c), (h, c)

    (last, cell), (hs, cs) = dia.scan(body, (h_, c_), x_)
    leaves = tensors(torch, values)
    cellule = torch.nn.LSTMCell(3, 4, dtype=torch.float64)
    there = {"weight_ih": leaves[3].T, "weight_hh": leaves[4].T, "bias_ih": leaves[5], "bias_hh": 0 * leaves[5]}
    h, c = leaves[1], leaves[2]
    outputs, cells = [], []
    for item in leaves[0]:
        h, c = torch.func.functional_call(cellule, there, (item, (h, c)))
        outputs.append(h)
        cells.append(c)
    np.testing.assert_allclose(hs.value, torch.stack(outputs).detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(cell.value, c.detach().numpy(), rtol=1e-12)
    loss = dia.sum(last**2) + dia.sum(cell) + dia.sum(hs * cs)
    loss_there = (h**2).sum() + c.sum() + (torch.stack(outputs) * torch.stack(cells)).sum()
    for g, want in zip(dia.gradient(loss, nodes), torch.autograd.grad(loss_there, leaves), strict=True):
        np.testing.assert_allclose(g.value, want.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
def test_outputs_stay_in_the_rows_order(reverse):
    x = dia.constant([1.0, 2.0, 4.0])
    total, sums = dia.scan(lambda c, v: (c + v, c + v), dia.constant(0.0), x, reverse=reverse)
    assert float(total.value) == 7.0
    assert sums.value.tolist() == ([7.0, 6.0, 4.0] if reverse else [1.0, 3.0, 7.0])


def test_several_sequences_and_outputs():
    a, b = dia.constant([1.0, 2.0]), dia.constant([[1.0, 10.0], [2.0, 20.0]])
    total, (products, before) = dia.scan(
        lambda c, items: (c + items[0], (items[0] * items[1], c)), dia.constant(0.0), (a, b)
    )
    assert float(total.value) == 3.0
    assert products.value.tolist() == [[1.0, 10.0], [4.0, 40.0]]
    assert before.value.tolist() == [0.0, 1.0]


def test_no_sequence_but_a_length():
    last, powers = dia.scan(lambda c, _: (2.0 * c, c), dia.constant(1.0), length=5)
    assert float(last.value) == 32.0
    assert powers.value.tolist() == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_arrays_and_numbers_are_constants_to_a_loop():
    last, outputs = dia.scan(lambda c, v: (c + v, 1.0), np.zeros(2), np.ones((3, 2)))
    assert last.value.tolist() == [3.0, 3.0]
    assert outputs.value.tolist() == [1.0, 1.0, 1.0]
    total, _ = dia.scan(lambda c, v: (c + v, ()), 0.0, np.array([1.0, 2.0]))
    assert float(total.value) == 3.0


def test_a_carry_of_integers_counts():
    count, _ = dia.scan(lambda c, v: (c + 1, v), dia.constant(0), dia.constant([5.0, 6.0, 7.0]))
    assert count.dtype == np.int64
    assert int(count.value) == 3


def test_no_carry_is_a_map():
    x = dia.variable([1.0, 2.0, 3.0])
    nothing, squares = dia.scan(lambda _, v: ((), v * v), (), x)
    assert nothing == ()
    assert squares.value.tolist() == [1.0, 4.0, 9.0]
    assert dia.gradient(dia.sum(squares), [x])[0].value.tolist() == [2.0, 4.0, 6.0]


@pytest.mark.parametrize("steps", [0, 1, 2, 7])
def test_one_graph_serves_every_length(torch, steps):
    x = dia.placeholder((T, 3, 2), "float64", "x")
    values = elman_values(steps)
    parameters = [dia.variable(v) for v in values[1:]]
    last, states = elman(x, *parameters)
    assert states.shape == (T, 3, 5)
    loss = dia.sum(last) + dia.sum(states**2)
    got = dia.evaluate([last, states, *dia.gradient(loss, [x, *parameters])], {x: values[0]})
    leaves = tensors(torch, values)
    last_there, states_there = elman_in_torch(torch, *leaves)
    there = torch.autograd.grad(last_there.sum() + (states_there**2).sum(), leaves, allow_unused=True)
    want = [
        last_there,
        states_there,
        *(torch.zeros_like(v) if g is None else g for v, g in zip(leaves, there, strict=True)),
    ]
    for g, w in zip(got, want, strict=True):
        assert g.shape == tuple(w.shape)
        np.testing.assert_allclose(g, w.detach().numpy(), rtol=1e-11, atol=1e-13)


def test_a_length_may_be_a_named_size_without_a_sequence():
    x = dia.placeholder((T,), "float64", "x")
    last, _ = dia.scan(lambda c, _: (c * 2.0, c), dia.constant(1.0), length=T)
    for steps in (0, 1, 5):
        assert dia.evaluate(last + 0 * dia.sum(x), {x: np.ones(steps)}) == 2.0**steps


def test_the_second_derivative_through_a_loop_is_the_difference_of_the_first():
    values = elman_values(3, 2, 2, 2)
    nodes = [dia.variable(v) for v in values]
    last, states = elman(*nodes)
    loss = dia.sum(last**2) + dia.sum(states**3)
    rng = np.random.default_rng(3)
    first = dia.gradient(loss, nodes)
    slope = sum((dia.sum(g * rng.normal(size=g.shape)) for g in first), start=dia.constant(0.0))
    got = [g.value for g in dia.gradient(slope, nodes)]
    want = central_difference(lambda *v: dia.evaluate(slope, dict(zip(nodes, v, strict=True))), values)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-6, atol=1e-7)


def test_the_third_derivative_through_a_loop():
    x = dia.variable(1.1)
    y, _ = dia.scan(lambda c, _: (c * x, c), dia.constant(1.0), length=5)
    for factor in (5, 20, 60):
        [y] = dia.gradient(y, [x])
        power = {5: 4, 20: 3, 60: 2}[factor]
        assert float(y.value) == pytest.approx(factor * 1.1**power, rel=1e-12)


def nested(x, w, first):
    """Rows from top to bottom, each from left to right, the carry going through all."""

    def line(c, row):
        return dia.scan(lambda c, v: (dia.tanh(c * w + v), dia.sin(c) * w), c, row)

    return dia.scan(line, first, x)


def test_loops_nest_in_value_gradient_and_second_derivative():
    rng = np.random.default_rng(5)
    values = [rng.normal(size=(3, 4)), np.array(0.7), np.array(0.2)]
    x, w, first = (dia.variable(v) for v in values)
    last, outputs = nested(x, w, first)
    c, want = 0.2, np.empty((3, 4))
    for i, j in np.ndindex(3, 4):
        want[i, j], c = np.sin(c) * 0.7, np.tanh(c * 0.7 + values[0][i, j])
    np.testing.assert_allclose(outputs.value, want, rtol=1e-13)
    np.testing.assert_allclose(last.value, c, rtol=1e-13)
    loss = last + dia.sum(outputs**2)
    nodes = [x, w, first]
    for _ in range(2):
        gradients = dia.gradient(loss, nodes)
        differences = central_difference(
            lambda *v, loss=loss: dia.evaluate(loss, dict(zip(nodes, v, strict=True))), values
        )
        for g, d in zip(gradients, differences, strict=True):
            np.testing.assert_allclose(g.value, d, rtol=1e-6, atol=1e-7)
        loss = sum((dia.sum(g * g) for g in gradients), start=dia.constant(0.0))


def test_what_is_computed_outside_may_be_used_inside():
    w = dia.variable(2.0)
    outside = dia.exp(w)
    x = dia.constant([1.0, 2.0])
    last, outputs = dia.scan(lambda c, v: (c + outside * v, outside * w), dia.constant(0.0), x)
    assert float(last.value) == pytest.approx(3 * np.exp(2))
    np.testing.assert_allclose(outputs.value, [2 * np.exp(2)] * 2)
    [g] = dia.gradient(last + dia.sum(outputs), [w])
    assert float(g.value) == pytest.approx(3 * np.exp(2) + 2 * (np.exp(2) + 2 * np.exp(2)))


def test_a_way_between_two_nodes_from_outside_is_counted_once():
    w = dia.variable(0.5)
    outside, x = dia.exp(w), dia.constant([1.0, 2.0])
    last, _ = dia.scan(lambda c, v: (c * w + outside * v, c), dia.constant(0.0), x)
    [g] = dia.gradient(last, [w])
    # last = (eʷ·1)·w + eʷ·2
    assert float(g.value) == pytest.approx(np.exp(0.5) * (0.5 + 1 + 2), rel=1e-12)


def test_a_loop_inside_that_does_not_depend_on_the_step():
    w, x = dia.variable(0.5), dia.constant([1.0, 2.0])

    def cube(start):
        return dia.scan(lambda c, _: (c * w, c), start, length=3)[0]

    last, _ = dia.scan(lambda c, v: (c * w + cube(dia.constant(1.0)) * v, c), dia.constant(0.0), x)
    [g] = dia.gradient(last, [w])
    # last = w³·w + 2·w³
    assert float(last.value) == pytest.approx(0.5**4 + 2 * 0.5**3)
    assert float(g.value) == pytest.approx(4 * 0.5**3 + 6 * 0.5**2)


def test_a_node_outside_may_be_the_next_carry_or_the_output_itself():
    w, x = dia.variable(2.0), dia.variable([1.0, 3.0, 5.0])
    last, (same, items) = dia.scan(lambda c, v: (w, (w, v)), dia.constant(0.0), x)
    assert (float(last.value), same.value.tolist(), items.value.tolist()) == (2.0, [2.0] * 3, [1.0, 3.0, 5.0])
    by_w, by_x = dia.gradient(last + dia.sum(same) + dia.sum(items**2), [w, x])
    assert (float(by_w.value), by_x.value.tolist()) == (4.0, [2.0, 6.0, 10.0])


def test_carries_may_change_places():
    a, b = dia.variable(1.0), dia.variable(10.0)
    (first, second), _ = dia.scan(lambda c, _: ((c[1], c[0] * 2.0), ()), (a, b), length=3)
    assert (float(first.value), float(second.value)) == (20.0, 4.0)
    assert [float(g.value) for g in dia.gradient(first + second, [a, b])] == [4.0, 2.0]


def test_an_embedding_is_looked_up_inside_and_its_gradient_adds_up():
    table = dia.variable(np.arange(8.0).reshape(4, 2))
    rows = dia.constant([3, 1, 3])
    total, _ = dia.scan(lambda c, i: (c + dia.take(table, i), c), dia.constant(np.zeros(2)), rows)
    assert total.value.tolist() == [14.0, 17.0]
    [g] = dia.gradient(dia.sum(total * [1.0, 10.0]), [table])
    assert g.value.tolist() == [[0.0, 0.0], [1.0, 10.0], [0.0, 0.0], [2.0, 20.0]]


def test_random_nodes_inside_the_body_differ_by_step_and_not_by_run():
    _, draws = dia.scan(lambda c, _: (c, dia.uniform((3,), stream=1, dtype="float64")), dia.constant(0.0), length=4)
    values = dia.evaluate(draws, seed=5)
    assert len(np.unique(values)) == 12
    np.testing.assert_array_equal(values, dia.evaluate(draws, seed=5))
    assert not np.isin(dia.evaluate(draws, seed=6), values).any()


def test_random_nodes_of_nested_loops_differ_by_both_steps():
    def outer(c, _):
        return dia.scan(lambda c, _: (c, dia.uniform((), stream=1, dtype="float64")), c, length=3)

    _, draws = dia.scan(outer, dia.constant(0.0), length=4)
    assert draws.shape == (4, 3)
    assert len(np.unique(draws.value)) == 12


def test_a_loop_that_only_draws_differs_by_the_step_of_the_loop_around_it():
    def outer(c, _):
        return c, dia.scan(lambda i, _: (i, dia.uniform((), stream=1, dtype="float64")), dia.constant(0.0), length=3)[1]

    _, draws = dia.scan(outer, dia.constant(0.0), length=4)
    assert len(np.unique(draws.value)) == 12


def test_the_gradient_sees_the_draws_of_the_forward_pass():
    x = dia.variable(np.ones(3))

    def body(c, _):
        mask = dia.uniform((3,), stream=1, dtype="float64")
        return c + mask * x, mask

    total, masks = dia.scan(body, dia.constant(np.zeros(3)), length=4)
    [g], draws = (dia.evaluate(n, seed=2) for n in (dia.gradient(dia.sum(total), [x]), masks))
    np.testing.assert_allclose(g, draws.sum(0), rtol=1e-14)


def test_a_mask_drawn_outside_is_the_same_at_every_step():
    mask = dia.uniform((3,), stream=1, dtype="float64")
    _, masks = dia.scan(lambda c, _: (c, mask * 1.5), dia.constant(0.0), length=4)
    once, every = dia.evaluate([mask, masks], seed=2)
    np.testing.assert_array_equal(every, np.tile(1.5 * once, (4, 1)))


def scans_in(node):
    return [n for n in dia.ancestors([node]) if type(n.op).__name__ == "Scan"]


def test_a_weights_gradient_is_one_product_over_all_steps():
    x, h, w, u, b = (dia.variable(v) for v in elman_values(steps=6, batch=3, inputs=2, units=5))
    _, states = elman(x, h, w, u, b)
    loss = dia.sum(states**2)
    for weight, extents in [(w, (2, 5)), (u, (5, 5))]:
        [g] = dia.gradient(loss, [weight])
        loops = set(scans_in(g))
        inside_loops = set().union(*(dia.ancestors(loop.inputs) for loop in loops), loops)
        outside = [n for n in dia.ancestors([g]) if n not in inside_loops]
        products = [n for n in outside if type(n.op).__name__ == "Matmul"]
        assert [p.shape for p in products] == [extents]
        assert {6 * 3} == {n.shape[-1] for p in products for n in p.inputs[:1]}
        for loop in loops:
            assert extents not in [carry.shape for carry in loop.op.carries]


def test_a_biass_gradient_is_one_sum_over_all_steps():
    x, h, w, u, b = (dia.variable(v) for v in elman_values())
    _, states = elman(x, h, w, u, b)
    [g] = dia.gradient(dia.sum(states**2), [b])
    for loop in scans_in(g):
        assert (5,) not in [carry.shape for carry in loop.op.carries]


def test_the_gradient_runs_the_forward_loop_once():
    x, h, w, u, b = (dia.variable(v) for v in elman_values())
    last, states = elman(x, h, w, u, b)
    loss = dia.sum(states**2) + dia.sum(last)
    loops = {loop for node in (loss, *dia.gradient(loss, [x, h, w, u, b])) for loop in scans_in(node)}
    assert sorted(loop.op.reverse for loop in loops) == [False, True]


def test_the_loop_is_never_unrolled():
    sizes = []
    for steps in (2, 50):
        nodes = [dia.variable(v) for v in elman_values(steps)]
        _, states = elman(*nodes)
        sizes.append(len(dia.ancestors(dia.gradient(dia.sum(states), nodes))))
    assert sizes[0] == sizes[1]


def test_the_body_is_drawn_once():
    calls = []

    def body(c, v):
        calls.append(v)
        return c + v, ()

    total, _ = dia.scan(body, dia.constant(0.0), dia.constant(np.ones(10)))
    assert float(total.value) == 10.0
    assert len(calls) == 1


def test_the_jacobian_of_a_loops_result(torch):
    values = elman_values(3, 1, 2, 2)
    nodes = [dia.variable(v) for v in values]
    last, _ = elman(*nodes)
    got = dia.jacobian(dia.reshape(last, (2,)), nodes[3])
    fixed = [torch.tensor(v) for v in values]
    want = torch.autograd.functional.jacobian(
        lambda u: elman_in_torch(torch, *fixed[:3], u, fixed[4])[0].reshape(2), fixed[3]
    )
    np.testing.assert_allclose(got.value, want.numpy(), rtol=1e-10, atol=1e-13)


def test_a_jacobian_inside_a_loop():
    w = dia.variable([[0.5, -1.0], [2.0, 0.3]])

    def newton(c, _):
        residual = dia.tanh(c @ w) - 0.1
        return c - 0.1 * dia.jacobian(residual, c) @ residual, dia.jacobian(residual, c)

    last, jacobians = dia.scan(newton, dia.variable([0.3, -0.2]), length=3)
    c, want = np.array([0.3, -0.2]), []
    for _ in range(3):
        a = np.tanh(c @ w.value)
        want.append((w.value * (1 - a**2)).T)
        c = c - 0.1 * want[-1] @ (a - 0.1)
    np.testing.assert_allclose(jacobians.value, want, rtol=1e-12)
    np.testing.assert_allclose(last.value, c, rtol=1e-12)
    [g] = dia.gradient(dia.sum(last), [w])
    [difference] = central_difference(lambda v: dia.evaluate(dia.sum(last), {w: v}), [w.value])
    np.testing.assert_allclose(g.value, difference, rtol=1e-6, atol=1e-8)


def test_a_gradient_inside_a_loop_is_gradient_descent():
    w = dia.variable([3.0, -2.0])

    def step(parameters, rate):
        loss = dia.sum(parameters**2)
        return parameters - rate * dia.gradient(loss, [parameters])[0], loss

    last, losses = dia.scan(step, w, dia.constant([0.1, 0.2, 0.25]))
    np.testing.assert_allclose(last.value, np.array([3.0, -2.0]) * 0.8 * 0.6 * 0.5)
    np.testing.assert_allclose(losses.value, 13 * np.array([1, 0.64, 0.64 * 0.36]))


@pytest.mark.parametrize(("asked", "given"), list(itertools.product(["float32", "float64"], repeat=2)))
def test_a_loop_keeps_its_dtypes(asked, given):
    x = dia.variable(np.ones((3, 2), given))
    last, states = dia.scan(
        lambda c, v: (dia.astype(c + v, asked), dia.astype(c * v, given)), dia.constant(np.zeros(2, asked)), x
    )
    [g] = dia.gradient(dia.sum(dia.astype(last, given)) + dia.sum(states), [x])
    assert (last.dtype, states.dtype, g.dtype) == (asked, given, given)
    assert (last.value.dtype, states.value.dtype, g.value.dtype) == (asked, given, given)


def test_a_body_that_changes_the_carrys_shape_is_refused_with_both_shapes():
    x = dia.constant(np.ones((3, 2)))
    with pytest.raises(dia.ShapeError, match=r"carry of shape \(\) float64.*returns.*\(2,\) float64"):
        dia.scan(lambda c, v: (c + v, c), dia.constant(0.0), x)


def test_a_body_that_changes_the_carrys_dtype_is_refused():
    x = dia.constant(np.ones(3))
    with pytest.raises(dia.ShapeError, match=r"float32.*float64"):
        dia.scan(lambda c, v: (c + v, c), dia.constant(np.float32(0.0)), x)


def test_a_body_that_returns_another_number_of_carries_is_refused():
    x = dia.constant(np.ones(3))
    with pytest.raises(dia.ShapeError, match="2 nodes, the body returned 1"):
        dia.scan(lambda c, v: ((c[0],), v), (x[0], x[1]), x)


@pytest.mark.parametrize(
    ("sequences", "length", "words"),
    [
        ([(3, 2), (4, 2)], None, r"\(3, 2\).*\(4, 2\)"),
        ([(3, 2)], 4, r"\(3, 2\)"),
        ([(T, 2), (3, 2)], None, r"\(T, 2\).*\(3, 2\)"),
        ([()], None, r"\(\)"),
        ([], None, "no sequence and no length"),
    ],
)
def test_sequences_of_different_lengths_are_refused_with_their_shapes(sequences, length, words):
    nodes = tuple(dia.placeholder(s, "float64", f"s{i}") for i, s in enumerate(sequences))
    with pytest.raises(dia.ShapeError, match=words):
        dia.scan(lambda c, v: (c, c), dia.constant(0.0), nodes or None, length=length)


def test_an_error_inside_the_body_is_the_bodys_own():
    x = dia.constant(np.ones((3, 2)))
    with pytest.raises(dia.ShapeError, match=r"add.*\(2,\).*\(5,\)"):
        dia.scan(lambda c, v: (c, v + np.ones(5)), dia.constant(0.0), x)


def test_a_loops_operations_are_in_the_graph():
    last, states = elman(*(dia.variable(v) for v in elman_values()))
    assert {"Scan", "Final", "Trace", "Bound", "Matmul", "Tanh"} <= classes_in([last, states])


def test_a_gradient_after_substitution_is_taken_where_the_substitutes_lead():
    rng = np.random.default_rng(8)
    w, v = dia.variable(rng.normal(size=(3, 3)), "w"), dia.variable(rng.normal(size=(3, 3)), "v")
    xs = dia.constant(rng.normal(size=(4, 2, 3)))

    def loss(kernel: dia.Node) -> dia.Node:
        first = dia.constant(np.zeros((2, 3)))
        last, states = dia.scan(lambda h, x: (dia.tanh(h @ kernel.T + x), dia.sin(h)), first, xs)
        return dia.sum(last) + dia.mean(states**2)

    [moved] = dia.substitute([loss(w)], {w: v * 2.0})
    [got] = dia.gradient(moved, [v])
    [want] = dia.gradient(loss(v * 2.0), [v])
    np.testing.assert_allclose(got.value, want.value, rtol=1e-13)
    assert w not in dia.ancestors([got])
