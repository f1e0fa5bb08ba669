"""What training reaches, and every step on the way, against closed forms, scikit-learn, PyTorch and a loop."""

import numpy as np
import pytest
from scipy import sparse

import diaphane as dia
from diaphane import nn, optim
from diaphane.training import Trainer

RNG = np.random.default_rng(8)


def network_of(*layers, inputs, dtype="float64"):
    return nn.Network(nn.Sequential(layers), (inputs,), dtype=dtype)


def linear(inputs, outputs=1, **settings):
    return network_of(nn.Dense(outputs, **settings), inputs=inputs)


def values(network, state):
    return {v.name: state[v] for v in network.variables}


def assert_same(network, one, other):
    for node in network.variables:
        np.testing.assert_array_equal(one[node], other[node])


# ── where it ends ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("outputs", [1, 3])
def test_linear_regression_reaches_the_closed_form(outputs):
    x, y = RNG.normal(size=(60, 4)), RNG.normal(size=(60, outputs))
    network = linear(4, outputs)
    trainer = Trainer(network, "squared_error", optim.Momentum(0.05), batch_size=60, epochs=600, random_state=0)
    result = trainer.fit(x, y)
    want, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(60)]), y, rcond=None)
    kernel, bias = (result.state[p] for p in network.parameters)
    np.testing.assert_allclose(np.vstack([kernel, bias]), want, atol=1e-9)


def test_a_plain_function_with_one_vector_of_weights_learns():
    x = RNG.normal(size=(40, 3))
    y = x @ [1.0, -2.0, 3.0]
    w = dia.variable(np.zeros(3), "w")
    network = nn.Network(lambda a: a @ w, (3,), dtype="float64")
    result = Trainer(network, "squared_error", optim.SGD(0.1), batch_size=40, epochs=300).fit(x, y)
    np.testing.assert_allclose(result.state[w], [1, -2, 3], atol=1e-9)
    assert result.history.last("loss") < 1e-15


def test_logistic_regression_reaches_scikit_learns_optimum():
    from sklearn.linear_model import LogisticRegression

    n, strength = 80, 2.0
    x = RNG.normal(size=(n, 3))
    y = (x @ [1.0, -1.0, 0.5] + RNG.normal(size=n) > 0).astype(int)
    network = linear(3, kernel_initializer="zeros")

    def penalty(net, examples):
        return dia.sum(net.variable("dense_1/kernel") ** 2) / (2 * strength * examples)

    trainer = Trainer(
        network, "binary_cross_entropy", optim.Momentum(0.5), batch_size=n, epochs=800, penalty=penalty, shuffle=False
    )
    result = trainer.fit(x, y)
    oracle = LogisticRegression(C=strength, tol=1e-12, max_iter=1000).fit(x, y)
    kernel, bias = (result.state[p] for p in network.parameters)
    np.testing.assert_allclose(kernel.ravel(), oracle.coef_.ravel(), atol=1e-6)
    np.testing.assert_allclose(bias, oracle.intercept_, atol=1e-6)


def test_softmax_regression_reaches_scikit_learns_probabilities():
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    x, y = load_iris(return_X_y=True)
    x = (x - x.mean(0)) / x.std(0)
    network = linear(4, 3)
    n = len(y)

    def penalty(net, examples):
        return dia.sum(net.variable("dense_1/kernel") ** 2) / (2 * examples)

    trainer = Trainer(
        network, "categorical_cross_entropy", optim.Nesterov(0.5), batch_size=n, epochs=1500, penalty=penalty,
        random_state=0,
    )  # fmt: skip
    logits = network.predict(trainer.fit(x, y).state, x)
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(
        softmax, LogisticRegression(tol=1e-10, max_iter=2000).fit(x, y).predict_proba(x), atol=1e-5
    )


XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])


def test_xor_is_learnt_by_four_hidden_units_from_nearly_every_start():
    solved = 0
    for seed in range(5):
        network = network_of(nn.Dense(4, "tanh"), nn.Dense(1), inputs=2)
        trainer = Trainer(network, "binary_cross_entropy", optim.Adam(0.1), batch_size=4, epochs=300, random_state=seed)
        scores = network.predict(trainer.fit(*XOR).state, XOR[0])
        solved += np.array_equal(scores.ravel() > 0, XOR[1] == 1)
    assert solved >= 4


def test_xor_is_not_learnt_by_a_line():
    network = linear(2)
    scores = network.predict(
        Trainer(network, "binary_cross_entropy", optim.Adam(0.1), epochs=300).fit(*XOR).state, XOR[0]
    )
    assert np.mean((scores.ravel() > 0) == (XOR[1] == 1)) < 1


@pytest.mark.parametrize(
    "layer", [nn.Dropout(0.2), nn.Dropout(0.2, inverted=False), nn.BatchNorm(), nn.PRelu()], ids=repr
)
def test_networks_with_every_kind_of_layer_learn(layer):
    x = RNG.normal(size=(200, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    network = network_of(nn.Dense(24, "relu"), layer, nn.Dense(2), inputs=2, dtype="float32")
    trainer = Trainer(network, "categorical_cross_entropy", optim.Adam(0.01), epochs=60, random_state=0)
    result = trainer.fit(x, y)
    assert np.mean(network.predict(result.state, x).argmax(1) == y) > 0.93
    assert result.history["loss"][-1] < 0.6 * result.history["loss"][0]
    moved = {v.name for v in network.variables if not np.array_equal(result.state[v], network.initial_state()[v])}
    if isinstance(layer, nn.BatchNorm):
        assert {"batch_norm_1/mean", "batch_norm_1/variance", "batch_norm_1/scale"} <= moved


# ── every step on the way ────────────────────────────────────────────────────────────────────────────────────────────


def torch_twin(network, state, torch):
    """The network in PyTorch, with these values."""
    modules, take = [], iter([])
    for layer in network.architecture.layers:
        kind = f"{layer.label()}_{1 + sum(type(m[0]) is type(layer) for m in modules)}"
        take = {v.name.split("/")[1]: state[v] for v in network.variables if v.name.startswith(kind + "/")}
        if isinstance(layer, nn.Dense):
            module = torch.nn.Linear(*take["kernel"].shape, dtype=torch.float64)
            module.weight.data, module.bias.data = torch.tensor(take["kernel"].T.copy()), torch.tensor(take["bias"])
        elif isinstance(layer, nn.BatchNorm):
            module = torch.nn.BatchNorm1d(len(take["scale"]), dtype=torch.float64)
        else:
            module = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[layer.function]()
        modules.append((layer, module))
    return torch.nn.Sequential(*[m for _, m in modules])


@pytest.mark.parametrize(
    ("ours", "theirs", "settings"),
    [
        (optim.SGD(0.1), "SGD", {"lr": 0.1}),
        (optim.Nesterov(0.05), "SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
        (optim.Adam(0.01), "Adam", {"lr": 0.01}),
    ],
    ids=["SGD", "Nesterov", "Adam"],
)
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_training_is_pytorchs_loop_step_by_step(task, ours, theirs, settings):
    torch = pytest.importorskip("torch")
    n, batch_size, epochs = 22, 6, 5  # 20 steps; the last batch of an epoch has 4 rows
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 5))
    y = rng.integers(0, 3, n) if task == "classification" else rng.normal(size=(n, 3))
    layers = [nn.Dense(7), nn.BatchNorm(), nn.Activation("tanh"), nn.Dense(6), nn.Activation("relu"), nn.Dense(3)]
    network = network_of(*layers, inputs=5)
    start = network.initial_state(np.random.default_rng(1))

    class Record(dia.training.Callback):
        def __init__(self):
            self.states = []

        def on_step_end(self, run):
            self.states.append(run.network_state)

    record = Record()
    trainer = Trainer(
        network,
        "categorical_cross_entropy" if task == "classification" else "squared_error",
        ours, batch_size=batch_size, epochs=epochs, shuffle=False, callbacks=[record],
    )  # fmt: skip
    result = trainer.fit(x, y, state=start)

    module = torch_twin(network, start, torch)
    optimizer = getattr(torch.optim, theirs)(module.parameters(), **settings)
    tx, ty = torch.tensor(x), torch.tensor(y)
    states = iter(record.states)
    for epoch in range(epochs):
        total = 0.0
        for i in range(0, n, batch_size):
            optimizer.zero_grad()
            out, target = module(tx[i : i + batch_size]), ty[i : i + batch_size]
            if task == "classification":
                loss = torch.nn.functional.cross_entropy(out, target)
            else:
                loss = ((out - target) ** 2).sum(1).mean()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(target)
            got = values(network, next(states))
            for name, tensor in {
                "dense_1/kernel": module[0].weight.T, "dense_1/bias": module[0].bias,
                "batch_norm_1/scale": module[1].weight, "batch_norm_1/shift": module[1].bias,
                "batch_norm_1/mean": module[1].running_mean, "batch_norm_1/variance": module[1].running_var,
                "dense_2/kernel": module[3].weight.T, "dense_3/kernel": module[5].weight.T,
                "dense_3/bias": module[5].bias,
            }.items():  # fmt: skip
                want = tensor.detach().numpy()
                np.testing.assert_allclose(got[name], want, rtol=1e-6, atol=1e-8 if name == "dense_1/bias" else 1e-10)
        assert result.history["loss"][epoch] == pytest.approx(total / n, rel=1e-9)
    assert next(states, None) is None


def test_a_penalty_is_the_weight_decay_of_pytorchs_sgd():
    """λ·wᵀw gives w ← (1 − 2λε)·w − ε∇l: PyTorch's weight_decay is 2λ."""
    torch = pytest.importorskip("torch")
    strength, rate = 0.1, 0.05
    x, y = RNG.normal(size=(10, 3)), RNG.normal(size=(10, 1))
    network = linear(3, use_bias=False)
    start = network.initial_state(np.random.default_rng(0))
    trainer = Trainer(
        network, "squared_error", optim.SGD(rate), batch_size=10, epochs=15, shuffle=False,
        penalty=lambda net, examples: strength * dia.sum(net.parameters[0] ** 2),
    )  # fmt: skip
    result = trainer.fit(x, y, state=start)
    module = torch.nn.Linear(3, 1, bias=False, dtype=torch.float64)
    module.weight.data = torch.tensor(start[network.parameters[0]].T.copy())
    optimizer = torch.optim.SGD(module.parameters(), lr=rate, weight_decay=2 * strength)
    for _ in range(15):
        optimizer.zero_grad()
        ((module(torch.tensor(x)) - torch.tensor(y)) ** 2).mean().backward()
        optimizer.step()
    np.testing.assert_allclose(result.state[network.parameters[0]].T, module.weight.detach().numpy(), rtol=1e-10)


def test_the_penalty_is_told_how_many_examples_a_batch_has():
    x, y = np.zeros((7, 1)), np.zeros(7)
    network = nn.Network(nn.Dense(1, kernel_initializer="zeros"), (1,), dtype="float64")
    trainer = Trainer(
        network, "squared_error", optim.SGD(1e-9), batch_size=3, epochs=1, penalty=lambda net, examples: 1.0 / examples
    )
    # Batches of 3, 3 and 1: the mean by rows of 1/3, 1/3 and 1.
    assert trainer.fit(x, y).history["loss"] == pytest.approx([(3 / 3 + 3 / 3 + 1) / 7])
    weights = np.full(7, 2.0)
    assert trainer.fit(x, y, sample_weight=weights).history["loss"] == pytest.approx([(3 / 6 + 3 / 6 + 1 / 2) / 7])


# ── losses, weights, validation ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("batch_size", [1, 3, 7, 10, 11, 100])
def test_the_epochs_loss_is_the_mean_over_examples_with_a_short_last_batch(batch_size):
    x, y = RNG.normal(size=(10, 2)), RNG.normal(size=10)
    network = linear(2)
    state = network.initial_state(np.random.default_rng(0))
    trainer = Trainer(network, "squared_error", optim.SGD(1e-14), batch_size=batch_size, epochs=1)
    want = np.mean((network.predict(state, x).ravel() - y) ** 2)
    assert trainer.fit(x, y, state=state).history["loss"] == pytest.approx([want], rel=1e-9)


@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
def test_whole_weights_are_repeated_rows_in_a_full_batch(loss):
    x, y = RNG.normal(size=(12, 3)), RNG.integers(0, 2, 12).astype(float)
    weights = RNG.integers(0, 4, 12)
    network = network_of(nn.Dense(4, "tanh"), nn.Dense(1), inputs=3)

    def fit(x, y, **settings):
        trainer = Trainer(network, loss, optim.Adam(0.02), batch_size=100, epochs=25, random_state=0)
        return trainer.fit(x, y, **settings)

    weighted = fit(x, y, sample_weight=weights)
    repeated = fit(np.repeat(x, weights, 0), np.repeat(y, weights))
    for node in network.variables:
        np.testing.assert_allclose(weighted.state[node], repeated.state[node], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(weighted.history["loss"], repeated.history["loss"], rtol=1e-8)


def test_equal_weights_are_no_weights():
    x, y = RNG.normal(size=(12, 3)), RNG.normal(size=12)
    network = linear(3)

    def fit(**settings):
        trainer = Trainer(network, "squared_error", optim.SGD(0.05), batch_size=5, epochs=5, random_state=0)
        return trainer.fit(x, y, **settings).state

    for node, value in fit().items():
        np.testing.assert_allclose(fit(sample_weight=np.full(12, 3.5))[node], value, rtol=1e-12)
        np.testing.assert_allclose(fit(sample_weight=[2] * 12)[node], value, rtol=1e-12)


def test_held_out_rows_are_never_learnt_from():
    """Row i alone moves weight i: those of held-out rows stay where they were."""
    n = 20
    network = linear(n, use_bias=False, kernel_initializer="zeros")
    trainer = Trainer(network, "squared_error", optim.SGD(0.1), batch_size=4, epochs=5, random_state=3)
    result = trainer.fit(np.eye(n), np.ones(n), validation_fraction=0.25)
    moved = result.state[network.parameters[0]].ravel() != 0
    assert moved.sum() == 15
    assert result.history["validation_loss"] == pytest.approx([1.0] * 5)
    assert result.history["loss"][-1] < 1


def test_which_rows_are_held_out_is_random():
    n, network = 20, linear(20, use_bias=False, kernel_initializer="zeros")

    def held(seed):
        trainer = Trainer(network, "squared_error", optim.SGD(0.1), epochs=1, random_state=seed)
        kernel = trainer.fit(np.eye(n), np.ones(n), validation_fraction=0.5).state[network.parameters[0]]
        return tuple(np.flatnonzero(kernel.ravel() == 0))

    assert held(0) == held(0)
    assert len({held(seed) for seed in range(5)}) == 5


def test_validation_data_are_looked_at_and_never_learnt_from():
    n = 10
    network = linear(n, use_bias=False, kernel_initializer="zeros")
    trainer = Trainer(
        network, "squared_error", optim.SGD(0.1), epochs=3, metrics={"mean": lambda out, y: float(out.mean())}
    )
    result = trainer.fit(np.eye(n)[:6], np.ones(6), validation_data=(np.eye(n)[6:], np.ones(4)))
    np.testing.assert_array_equal(result.state[network.parameters[0]].ravel() != 0, np.arange(n) < 6)
    assert result.history["validation_loss"] == [1, 1, 1]
    assert result.history["validation_mean"] == [0, 0, 0]


def test_validation_is_the_evaluation_of_the_epochs_parameters_with_weights_and_metrics():
    x, y, other, target = (RNG.normal(size=s) for s in ((30, 3), (30, 2), (11, 3), (11, 2)))
    weights = RNG.uniform(0, 2, 11)
    network = network_of(nn.Dense(4, "tanh"), nn.Dropout(0.5), nn.Dense(2), inputs=3)
    metrics = {"worst": lambda out, t: np.abs(out - t).max()}
    trainer = Trainer(network, "squared_error", epochs=3, metrics=metrics, random_state=0)
    result = trainer.fit(x, y, validation_data=(other, target, weights))
    out = network.predict(result.state, other)
    want = np.average(((out - target) ** 2).sum(1), weights=weights)
    assert result.history.last("validation_loss") == pytest.approx(want, rel=1e-12)
    assert result.history.last("validation_worst") == pytest.approx(np.abs(out - target).max(), rel=1e-12)
    assert trainer.evaluate(result.state, other, target, weights) == {
        "loss": result.history.last("validation_loss"), "worst": result.history.last("validation_worst")
    }  # fmt: skip


def test_evaluation_goes_over_many_rows_in_pieces_without_changing_the_result():
    x, y = RNG.normal(size=(9000, 2)), RNG.normal(size=9000)
    network = linear(2)
    state = network.initial_state(np.random.default_rng(0))
    found = Trainer(network, "absolute_error", metrics={"n": lambda out, t: len(out)}).evaluate(state, x, y)
    assert found["loss"] == pytest.approx(np.abs(network.predict(state, x).ravel() - y).mean(), rel=1e-12)
    assert found["n"] == 9000


def test_lists_are_data_too():
    network = linear(1)
    trainer = Trainer(network, "squared_error", epochs=1)
    result = trainer.fit([[1.0], [2.0]], [1.0, 2.0], sample_weight=[1, 2], validation_data=([[3.0]], [3.0], [1.0]))
    assert len(result.history["validation_loss"]) == 1


# ── what data lie in ─────────────────────────────────────────────────────────────────────────────────────────────────


def sources(x, folder):
    np.save(folder / "x.npy", x)
    return {
        "csr matrix": sparse.csr_matrix(x),
        "csr array": sparse.csr_array(x),
        "memory map": np.load(folder / "x.npy", mmap_mode="r"),
        "fortran": np.asfortranarray(x),
        "list": x.tolist(),
    }


@pytest.mark.parametrize("fraction", [0.0, 0.2])
@pytest.mark.parametrize("kind", ["csr matrix", "csr array", "memory map", "fortran", "list"])
def test_sparse_and_mapped_rows_train_as_dense_ones_bit_for_bit(kind, fraction, tmp_path):
    x = np.round(RNG.normal(size=(40, 6)), 1) * (RNG.random((40, 6)) < 0.5)
    y = RNG.integers(0, 3, 40)
    network = network_of(nn.Dense(5, "relu"), nn.Dropout(0.3), nn.Dense(3), inputs=6)

    def fit(rows):
        trainer = Trainer(network, "categorical_cross_entropy", batch_size=7, epochs=4, random_state=2)
        return trainer.fit(rows, y, validation_fraction=fraction)

    dense, other = fit(x), fit(sources(x, tmp_path)[kind])
    assert_same(network, dense.state, other.state)
    assert dense.history["loss"] == other.history["loss"]
    if fraction:
        assert dense.history["validation_loss"] == other.history["validation_loss"]


@pytest.mark.parametrize("dtype", ["uint8", "float16", "int32", "bool"])
def test_small_dtypes_train_as_their_float32_values(dtype):
    x, y = RNG.integers(0, 2, (30, 4)).astype(dtype), RNG.normal(size=30)
    network = network_of(nn.Dense(3, "tanh"), nn.Dense(1), inputs=4, dtype="float32")

    def fit(rows):
        return Trainer(network, "squared_error", epochs=3, batch_size=8, random_state=0).fit(rows, y).state

    assert_same(network, fit(x), fit(x.astype("float32")))


@pytest.mark.parametrize("fraction", [0.0, 0.01])
def test_a_memory_map_is_never_read_whole(fraction, tmp_path):
    import tracemalloc

    n, width = 4000, 250
    np.save(tmp_path / "x.npy", RNG.normal(size=(n, width)))
    x, y = np.load(tmp_path / "x.npy", mmap_mode="r"), np.zeros(n)
    network = linear(width)
    trainer = Trainer(network, "squared_error", optim.SGD(1e-4), batch_size=50, epochs=1, random_state=0)
    # What is compiled is compiled here, whose memory is not the data's.
    trainer.fit(x[:100], y[:100], validation_fraction=0.1)
    tracemalloc.start()
    try:
        trainer.fit(x, y, validation_fraction=fraction)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < x.nbytes / 4


# ── bad input ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "value"), [("batch_size", 0), ("batch_size", -1), ("epochs", -1)])
def test_sizes_that_cannot_be_are_refused_by_name_and_value(name, value):
    with pytest.raises(ValueError, match=rf"{name}.*{value}"):
        Trainer(linear(2), "squared_error", **{name: value})


def test_an_unknown_loss_or_optimizer_or_engine_lists_those_there_are():
    for settings, word in (({"loss": "mse"}, "squared_error"), ({"optimizer": "adamm"}, "adagrad")):
        with pytest.raises(ValueError, match=word):
            Trainer(linear(2), **{"loss": "squared_error", **settings})
    with pytest.raises(ValueError, match="reference"):
        Trainer(linear(2), "squared_error", engine="cuda", epochs=1).fit(np.ones((3, 2)), np.ones(3))


@pytest.mark.parametrize(
    ("x", "y", "settings", "words"),
    [
        (np.ones((4, 2)), np.ones(3), {}, "x has 4, y has 3"),
        (np.ones((4, 2)), np.ones(4), {"sample_weight": np.ones(5)}, "x has 4, y has 4, sample_weight has 5"),
        (np.ones((0, 2)), np.ones(0), {}, "no rows"),
        (np.ones((4, 3)), np.ones(4), {}, r"\(N, 2\).*\(4, 3\)"),
        (np.ones(4), np.ones(4), {}, r"\(N, 2\).*\(4,\)"),
        (np.ones((4, 2)), np.ones((4, 3)), {}, r"\(N, 1\).*\(N, 3\)"),
        (np.ones((4, 2)), np.ones(4), {"validation_fraction": 1.0}, "validation_fraction=1.0 of 4 rows"),
        (np.ones((4, 2)), np.ones(4), {"validation_fraction": 0.01}, "leaves 0 to validate"),
        (np.ones((4, 2)), np.ones(4), {"validation_fraction": -0.5}, "validation_fraction=-0.5"),
    ],
)  # fmt: skip
def test_data_that_do_not_fit_are_refused_with_what_was_given(x, y, settings, words):
    with pytest.raises(ValueError, match=words):
        Trainer(linear(2), "squared_error", epochs=1).fit(x, y, **settings)


def test_a_network_without_parameters_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match="Dense"):
        Trainer(network_of(nn.Dropout(0.5), inputs=2), "squared_error").fit(np.ones((3, 2)), np.ones((3, 2)))
