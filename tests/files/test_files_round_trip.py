"""What is saved is read back the same, in this process and in another."""

import json
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from safetensors import safe_open

import diaphane as dia
from diaphane import nn
from diaphane.files import FileError

from .conftest import CASES, FUNCTIONS, LAYERS, make


@dataclass(frozen=True)
class Stretch(nn.Layer):
    """A layer of a user's."""

    factor: float = 2.0

    def forward(self, x, context):
        return x * self.factor + context.parameter("offset", (x.shape[1],), 0.5)


def by_name(network, state):
    return {name: state[v] for name, v in network.named_variables().items()}


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_another_process_predicts_the_same_bits(written, case):
    network, state, x, _, read = written[case]
    expected = network.predict(state, x)
    assert read.dtype == expected.dtype == case[1]
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_values_dtype_and_names_are_read_back(written, case):
    network, state, x, path, _ = written[case]
    again, values = dia.load(path)
    assert (again.dtype, again.input_shape) == (network.dtype, network.input_shape)
    before, after = by_name(network, state), by_name(again, values)
    assert sorted(before) == sorted(after)
    for name, array in before.items():
        assert (after[name].dtype, after[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(after[name], array)
    np.testing.assert_array_equal(again.predict(values, x[:0]).shape, network.predict(state, x[:0]).shape)
    assert {v.name: v.op.role for v in again.variables} == {v.name: v.op.role for v in network.variables}


@pytest.mark.parametrize("name", LAYERS)
def test_an_architecture_of_layers_is_read_back_equal(written, name):
    network, _, _, path, _ = written[name, "float32"]
    again, _ = dia.load(path)
    assert again.architecture == network.architecture
    assert [line.shape for line in again.summary()] == [line.shape for line in network.summary()]


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_what_was_read_can_be_saved_again_and_has_the_same_content(written, case, tmp_path):
    _, _, x, path, read = written[case]
    second = dia.save(tmp_path / "second.safetensors", *dia.load(path))
    network, state = dia.load(second)
    np.testing.assert_array_equal(network.predict(state, x), read)


@pytest.mark.parametrize("name", ["dropout", "batch norm", "convolution", "shared weights", "recurrent"])
def test_what_was_read_can_be_trained_on_as_the_original(written, name):
    network, state, x, path, _ = written[name, "float64"]
    y = np.random.default_rng(0).normal(size=network.predict(state, x).shape)

    def trained(net, values):
        trainer = dia.training.Trainer(
            net, "squared_error", dia.optim.SGD(0.01), epochs=3, batch_size=4, random_state=0
        )
        result = trainer.fit(x, y, state=values)
        return by_name(net, result.state)

    before, after = trained(network, state), trained(*dia.load(path))
    for key, array in before.items():
        np.testing.assert_allclose(after[key], array, rtol=1e-10, atol=1e-12)


def test_saving_leaves_the_values_and_the_file_name_alone(tmp_path):
    network, state, x = make("dense")
    before = network.predict(state, x)
    path = dia.save(str(tmp_path / "any name, é.bin"), network, state)
    assert [p.name for p in tmp_path.iterdir()] == [path.name] == ["any name, é.bin"]
    np.testing.assert_array_equal(network.predict(state, x), before)
    again, values = dia.load(str(path))
    np.testing.assert_array_equal(again.predict(values, x), before)


def test_any_reader_of_safetensors_can_read_the_arrays(tmp_path):
    network, state, _ = make("dense")
    path = dia.save(tmp_path / "m.safetensors", network, state)
    with safe_open(path, "numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    np.testing.assert_array_equal(
        sorted(a.sum() for a in arrays.values()), sorted(a.sum() for a in by_name(network, state).values())
    )
    assert json.loads(metadata["content"])["architecture"]["units"] == 3


def test_what_json_can_hold_may_be_put_beside(tmp_path):
    network, state, _ = make("dense")
    dia.save(tmp_path / "m", network, state, {"classes": ["œuf", "lait"], "n": 3})
    with safe_open(tmp_path / "m", "numpy") as file:
        assert json.loads(file.metadata()["content"])["extra"] == {"classes": ["œuf", "lait"], "n": 3}


def test_whoever_may_read_the_folders_other_files_may_read_it(tmp_path):
    network, state, _ = make("dense")
    (tmp_path / "other").write_bytes(b"")
    path = dia.save(tmp_path / "m", network, state)
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_layer_of_ones_own_is_read_back_where_its_module_is_imported(tmp_path):
    network = nn.Network(nn.Sequential([nn.Dense(3), Stretch(3.0)]), (2,))
    state = network.initial_state()
    again, values = dia.load(dia.save(tmp_path / "m", network, state))
    assert again.architecture.layers[1] == Stretch(3.0)
    x = np.ones((2, 2), "float32")
    np.testing.assert_array_equal(again.predict(values, x), network.predict(state, x))


def test_where_its_module_is_not_imported_the_error_names_the_layer_and_says_what_to_do(tmp_path):
    network = nn.Network(nn.Sequential([nn.Dense(3), Stretch(3.0)]), (2,))
    path = dia.save(tmp_path / "m.safetensors", network, network.initial_state())
    code = "import sys, diaphane as dia\ntry:\n    dia.load(sys.argv[1])\nexcept dia.FileError as e:\n    print(e)"
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    for part in ("m.safetensors", "'Stretch'", "import the module"):
        assert part in ran.stdout


def test_an_activation_without_a_name_is_refused_with_advice_and_nothing_is_written(tmp_path):
    for layer in (nn.Dense(2, lambda a: a * a), nn.Activation(lambda a: a * a)):
        network = nn.Network(nn.Sequential([layer]), (3,))
        with pytest.raises(TypeError, match=r"activation|function.*register_activation"):
            dia.save(tmp_path / "m", network, network.initial_state())
    assert not list(tmp_path.iterdir())


def test_a_registered_activation_is_saved_by_its_name_and_asked_for_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(nn.activations, "ACTIVATIONS", nn.activations.ACTIVATIONS.copy())
    nn.register_activation("cubed", lambda a: a**3)
    network = nn.Network(nn.Dense(2, "cubed"), (3,))
    state = network.initial_state()
    path = dia.save(tmp_path / "m.safetensors", network, state)
    again, values = dia.load(path)
    x = np.ones((1, 3), "float32")
    np.testing.assert_array_equal(again.predict(values, x), network.predict(state, x))
    del nn.activations.ACTIVATIONS["cubed"]
    with pytest.raises(FileError, match=r"m\.safetensors.*no activation 'cubed'"):
        dia.load(path)


def test_the_state_of_another_network_is_refused_and_nothing_is_written(tmp_path):
    network, other = (nn.Network(nn.Dense(3), (2,)) for _ in range(2))
    with pytest.raises((ValueError, KeyError), match="dense_1/kernel"):
        dia.save(tmp_path / "m", network, other.initial_state())
    assert not list(tmp_path.iterdir())


def test_values_that_do_not_fit_their_variables_are_refused_and_those_of_another_width_cast(tmp_path):
    network = nn.Network(nn.Dense(3), (2,))
    state = network.initial_state()
    kernel, _ = network.variables
    with pytest.raises(ValueError, match=r"dense_1/kernel.*\(2, 3\).*\(3, 2\)"):
        dia.save(tmp_path / "m", network, dia.State({**state, kernel: np.ones((3, 2), "float32")}))
    assert not list(tmp_path.iterdir())
    doubled = dia.State({v: a.astype("float64") for v, a in state.items()})
    again, values = dia.load(dia.save(tmp_path / "m", network, doubled))
    x = np.ones((1, 2), "float32")
    np.testing.assert_array_equal(again.predict(values, x), network.predict(state, x))


def test_a_long_chain_of_nodes_is_saved_and_read(tmp_path):
    def chain(x):
        for i in range(3000):
            x = x + (0.001 if i % 2 else -0.001)
        return x

    network = nn.Network(chain, (2,), dtype="float64")
    state = network.initial_state()
    again, values = dia.load(dia.save(tmp_path / "m", network, state))
    np.testing.assert_array_equal(again.predict(values, np.ones((2, 2))), network.predict(state, np.ones((2, 2))))


def test_a_function_network_is_read_without_the_function(written):
    for name in FUNCTIONS:
        network, _, _, path, _ = written[name, "float64"]
        again, _ = dia.load(path)
        assert again.architecture is not network.architecture
        assert str(again.output) == str(network.output)
