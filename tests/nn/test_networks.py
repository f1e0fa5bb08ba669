"""Networks: parameters of their own, shared between passes; prediction on any rows; plain functions."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

import diaphane as dia
from diaphane import nn

RNG = np.random.default_rng(31)


def mlp(dtype="float64", shape=(4,)):
    return nn.Network(nn.Sequential([nn.Dense(6, "tanh"), nn.Dense(3)]), shape, dtype=dtype)


def by_hand(network, state, x):
    w1, b1, w2, b2 = (state[p] for p in network.parameters)
    return np.tanh(x @ w1 + b1) @ w2 + b2


@pytest.mark.parametrize("n", [0, 1, 2, 17])
@pytest.mark.parametrize("batch_size", [None, 1, 5, 100])
def test_prediction_is_right_for_any_number_of_rows(n, batch_size):
    network = mlp()
    state, x = network.initial_state(np.random.default_rng(0)), RNG.normal(size=(n, 4))
    got = network.predict(state, x, batch_size=batch_size)
    assert got.shape == (n, 3)
    np.testing.assert_allclose(got, by_hand(network, state, x), rtol=1e-12)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("batch_size", [None, 3])
def test_sparse_rows_predict_as_dense_ones(kind, batch_size):
    network = mlp()
    state, x = network.initial_state(np.random.default_rng(0)), RNG.normal(size=(10, 4)) * (RNG.random((10, 4)) < 0.4)
    np.testing.assert_array_equal(
        network.predict(state, kind(x), batch_size=batch_size), network.predict(state, x, batch_size=batch_size)
    )
    assert network.predict(state, kind(x)[:0]).shape == (0, 3)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float64", "bool"])
def test_rows_of_any_dtype_are_cast_to_the_networks(dtype):
    network = mlp("float32")
    state, x = network.initial_state(np.random.default_rng(0)), RNG.integers(0, 2, (5, 4)).astype(dtype)
    got = network.predict(state, x)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, network.predict(state, x.astype("float32")))


@pytest.mark.parametrize("kind", ["sparse", "memory map"])
def test_prediction_never_makes_dense_or_reads_whole_what_is_sparse_or_on_disk(kind, tmp_path):
    n, width = 40_000, 60
    network = nn.Network(nn.Dense(1), (width,))
    state = network.initial_state(np.random.default_rng(0))
    if kind == "sparse":
        x = sparse.random(n, width, 0.001, "csr", rng=np.random.default_rng(0))
    else:
        np.save(tmp_path / "x.npy", np.zeros((n, width), "float32"))
        x = np.load(tmp_path / "x.npy", mmap_mode="r")
    network.predict(state, x[:5])
    tracemalloc.start()
    try:
        assert network.predict(state, x).shape == (n, 1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * n * width / 2


def test_lists_of_rows_are_taken():
    network = mlp()
    state = network.initial_state()
    np.testing.assert_array_equal(
        network.predict(state, [[1, 2, 3, 4]]), network.predict(state, np.array([[1.0, 2, 3, 4]]))
    )


@pytest.mark.parametrize("shape", [(2, 3), (2, 5), (4,), (2, 4, 1), ()])
def test_inputs_of_another_width_are_refused_with_both_shapes(shape):
    network = mlp()
    with pytest.raises(ValueError, match=r"\(n, 4,?\)") as error:
        network.predict(network.initial_state(), np.zeros(shape))
    assert str(shape) in str(error.value)


def test_two_passes_share_the_networks_parameters():
    network = mlp()
    n = dia.Dim("N")
    a, b = dia.placeholder((n, 4), "float64", "a"), dia.placeholder((n, 4), "float64", "b")
    distance = dia.sum((network.forward(a).output - network.forward(b, training=True).output) ** 2)
    leaves = [node for node in dia.ancestors([distance]) if not node.inputs and node.op.label() == "variable"]
    assert set(leaves) == set(network.parameters)
    x = RNG.normal(size=(3, 4))
    assert dia.evaluate(distance, {a: x, b: x}) == 0
    together = dia.gradient(distance, network.parameters)
    feeds = {a: x, b: RNG.normal(size=(3, 4)), **network.initial_state(np.random.default_rng(3))}
    w = network.parameters[0]
    step = 1e-6 * RNG.normal(size=w.shape)
    up, down = (dia.evaluate(distance, {**feeds, w: feeds[w] + s * step}) for s in (1, -1))
    assert (dia.evaluate(together[0], feeds) * step).sum() == pytest.approx((up - down) / 2, rel=1e-5)


def test_a_pass_over_another_input_is_the_same_network():
    network = mlp()
    x = dia.placeholder((dia.Dim("N"), 4), "float64", "other")
    state, rows = network.initial_state(np.random.default_rng(1)), RNG.normal(size=(5, 4))
    got, _ = dia.Program(network.forward(2 * x).output).run(state, {x: rows})
    np.testing.assert_array_equal(got, network.predict(state, 2 * rows))
    with pytest.raises(ValueError, match="4"):
        network.forward(dia.placeholder((dia.Dim("N"), 5), "float64", "wide"))


def test_two_networks_of_one_architecture_share_nothing():
    one, other = mlp(), mlp()
    assert one.architecture == other.architecture
    assert not set(one.variables) & set(other.variables)


def test_one_layer_twice_in_a_network_has_parameters_twice():
    layer = nn.Dense(4)
    network = nn.Network(nn.Sequential([layer, layer]), (4,))
    names = [p.name for p in network.parameters]
    assert names == ["dense_1/kernel", "dense_1/bias", "dense_2/kernel", "dense_2/bias"]


def test_parameters_are_counted_and_summed_up_by_layer():
    network = nn.Network(nn.Sequential([nn.Dense(6), nn.BatchNorm(), nn.Dropout(0.5), nn.Dense(3)]), (4,))
    assert network.n_parameters == 4 * 6 + 6 + 12 + 6 * 3 + 3
    assert [line.parameters for line in network.summary()] == [30, 12, 0, 21]
    assert [line.shape for line in network.summary()] == ["(N, 6)", "(N, 6)", "(N, 6)", "(N, 3)"]


def test_an_unknown_variable_lists_those_there_are():
    with pytest.raises(KeyError, match=r"dense_3.*dense_1/kernel"):
        mlp().variable("dense_3/kernel")


def test_a_plain_function_of_nodes_is_a_network():
    w, b = dia.variable(RNG.normal(size=(4, 3)), "w"), dia.variable(np.zeros(3), "b")
    network = nn.Network(lambda x: dia.tanh(x @ w + b) + 1, (4,), dtype="float64")
    assert network.parameters == (w, b)
    x = RNG.normal(size=(6, 4))
    np.testing.assert_allclose(network.predict(network.initial_state(), x), np.tanh(x @ w.value) + 1)
    other = network.forward(dia.placeholder((dia.Dim("N"), 4), "float64", "z") * 2).output
    np.testing.assert_allclose(dia.evaluate(other, {"z": x}), np.tanh(2 * x @ w.value) + 1)


@pytest.mark.parametrize("names", [("w", "w"), (None, None), ("w", None), (None, "variable_0"), (None, "variable_1")])
def test_every_variable_of_a_plain_function_belongs_to_the_network_whatever_its_name(names):
    first, second = (dia.variable(np.full((2, 2), float(i + 1)), name) for i, name in enumerate(names))
    network = nn.Network(lambda x: x @ first @ second, (2,), dtype="float64")
    assert set(network.parameters) == {first, second}
    np.testing.assert_array_equal(network.predict(network.initial_state(), [[1.0, 1.0]]), [[8.0, 8.0]])


def test_a_function_that_gives_no_node_is_refused():
    with pytest.raises(TypeError, match="node"):
        nn.Network(lambda x: 3.0, (2,))


def test_an_output_without_the_examples_axis_is_refused():
    with pytest.raises(ValueError, match="N"):
        nn.Network(lambda x: dia.sum(x), (2,))


@pytest.mark.parametrize("dtype", ["int64", "float16", "bool", "complex128", "longdouble"])
def test_a_network_computes_in_float32_or_float64_only(dtype):
    with pytest.raises(TypeError, match="float32 or float64"):
        mlp(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_and_outputs_are_of_the_networks_dtype(dtype):
    network = mlp(dtype)
    state = network.initial_state()
    assert {value.dtype for value in state.values()} == {np.dtype(dtype)}
    assert network.predict(state, np.zeros((2, 4))).dtype == np.dtype(dtype)


def test_the_state_of_one_use_is_not_in_the_graph_for_another():
    network = mlp()
    one = network.initial_state(np.random.default_rng(0))
    other = one.replace({p: np.zeros(p.shape) for p in network.parameters})
    x = RNG.normal(size=(3, 4))
    before = network.predict(one, x)
    assert not network.predict(other, x).any()
    np.testing.assert_array_equal(network.predict(one, x), before)


def test_two_fits_on_one_network_never_meet():
    network = mlp()
    x, y = RNG.normal(size=(40, 4)), RNG.normal(size=(40, 3))

    def fit(sign, seed):
        trainer = dia.training.Trainer(network, "squared_error", "adam", epochs=3, random_state=seed)
        return trainer.fit(x, sign * y).state

    alone = fit(1, 0)
    kept = {node: value.copy() for node, value in alone.items()}
    fit(-1, 1)
    again = fit(1, 0)
    for node, value in kept.items():
        np.testing.assert_array_equal(alone[node], value)
        np.testing.assert_array_equal(again[node], value)


def test_an_input_without_further_axes_is_a_network_too():
    network = nn.Network(lambda x: 2 * x, (), dtype="float64")
    np.testing.assert_array_equal(network.predict(network.initial_state(), [1.0, 2.0]), [2, 4])


def test_a_network_takes_sequences_of_any_length():
    w, u = dia.variable(np.full((3, 4), 0.1), "w"), dia.variable(np.eye(4) * 0.5, "u")

    def recurrent(x):
        steps = dia.permute_dims(x, (1, 0, 2))
        first = dia.broadcast_to(dia.constant(0.0), (x.shape[0], 4))
        last, _ = dia.scan(lambda h, v: (dia.tanh(v @ w + h @ u), h), first, steps)
        return last

    network = dia.nn.Network(recurrent, (dia.Dim("T"), 3), dtype="float64")
    state = network.initial_state()
    rng = np.random.default_rng(0)
    for length in (1, 5, 9):
        x = rng.normal(size=(2, length, 3))
        h = np.zeros((2, 4))
        for t in range(length):
            h = np.tanh(x[:, t] @ state[w] + h @ state[u])
        np.testing.assert_allclose(network.predict(state, x), h, rtol=1e-12)
    x, y = rng.normal(size=(20, 6, 3)), rng.normal(size=(20, 4))
    result = dia.training.Trainer(network, "squared_error", "adam", epochs=20, random_state=0).fit(x, y)
    assert result.history.last("loss") < result.history["loss"][0]


def test_a_function_of_two_arguments_gets_a_context_to_call_layers_with():
    def residual(x, context):
        h = dia.nn.Dense(4, "relu")(x, context)
        h = dia.nn.Dropout(0.5)(h, context)
        return x + dia.nn.Dense(4)(h, context)

    network = dia.nn.Network(residual, (4,), dtype="float64")
    names = [p.name for p in network.parameters]
    assert names == ["dense_1/kernel", "dense_1/bias", "dense_2/kernel", "dense_2/bias"]
    x = np.random.default_rng(0).normal(size=(30, 4))
    result = dia.training.Trainer(network, "squared_error", "adam", epochs=3, random_state=0).fit(x, x * 2)
    once, twice = network.predict(result.state, x), network.predict(result.state, x)
    np.testing.assert_array_equal(once, twice)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dia.nn.Network([dia.nn.Dense(3)], (4,)), r"Sequential\(\[…\]\) for several, or a function; got \["),
        (
            lambda: dia.nn.Network(dia.nn.Dense(3), 4),
            r"input_shape is a tuple, such as \(4,\) for four features, got 4",
        ),
        (lambda: dia.nn.Sequential(dia.nn.Dense(3), dia.nn.Dense(1)), "takes one list of layers"),
    ],
)
def test_a_network_put_together_wrongly_says_how(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_a_network_prints_its_layers_and_their_parameters():
    network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(3, "relu"), dia.nn.Dense(1)]), (2,))
    assert repr(network).splitlines()[0] == "Network of 13 parameters, inputs (N, 2)"
    assert repr(network).splitlines()[2].endswith("→ (N, 1), 4 parameters")
