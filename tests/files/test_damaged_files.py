"""Files that are damaged, foreign, too new or hostile: an error that names them, or exactly the model; no crash."""

import ast
import copy
import json
import pickle
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

import diaphane as dia
from diaphane import nn
from diaphane.files import FileError, checkpoint

from .conftest import FUNCTIONS, LAYERS, make

MUCH = 20_000_000
"""Bytes: some hundred times what the files here need."""


def outcome(path):
    """What loading gives, with the memory watched: a network and its state, or the message of the error."""
    tracemalloc.start()
    try:
        return dia.load(path)
    except FileError as error:
        return str(error) if path.name in str(error) else pytest.fail(f"{path.name} is not named: {error}")
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < MUCH


def refused(path, data=None):
    if data is not None:
        path.write_bytes(data)
    message = outcome(path)
    assert isinstance(message, str), "a file that should be refused was read"
    return message


def assert_same_model(found, network, state, x):
    again, values = found
    np.testing.assert_array_equal(again.predict(values, x), network.predict(state, x))


@pytest.fixture(scope="module")
def layered(tmp_path_factory):
    network, state, x = make("dropout", "float32")
    path = dia.save(tmp_path_factory.mktemp("layered") / "model.safetensors", network, state)
    return network, state, x, path.read_bytes(), path.with_name("spoiled.safetensors")


@pytest.fixture(scope="module")
def of_graph(tmp_path_factory):
    network, state, x = make("constants")
    path = dia.save(tmp_path_factory.mktemp("graph") / "model.safetensors", network, state)
    return network, state, x, path.read_bytes(), path.with_name("spoiled.safetensors")


# Damage


@pytest.mark.parametrize("kind", ["layered", "of_graph"])
def test_a_file_cut_at_any_tenth_byte_is_refused(kind, request):
    *_, data, path = request.getfixturevalue(kind)
    for length in range(0, len(data), 10):
        assert refused(path, data[:length])


@pytest.mark.parametrize("kind", ["layered", "of_graph"])
def test_a_file_cut_in_half_is_said_to_be_cut_off_or_damaged(kind, request):
    *_, data, path = request.getfixturevalue(kind)
    assert any(word in refused(path, data[: len(data) // 2]) for word in ("cut off", "damaged"))
    assert "damaged" in refused(path, data[:-1])
    assert "damaged" in refused(path, data + b"\0")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_a_flipped_bit_is_noticed_or_changes_nothing(layered, of_graph, data):
    network, state, x, whole, path = data.draw(st.sampled_from([layered, of_graph]))
    spoiled = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        spoiled[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(spoiled)
    found = outcome(path)
    if not isinstance(found, str):
        assert_same_model(found, network, state, x)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_bytes_that_are_missing_doubled_or_overwritten_are_noticed(layered, data):
    network, state, x, whole, path = layered
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start, min(start + 300, len(whole))))
    middle = data.draw(st.sampled_from([b"", whole[start:end] * 2, b"\0" * (end - start), b"\xff" * 8]))
    path.write_bytes(whole[:start] + middle + whole[end:])
    found = outcome(path)
    if not isinstance(found, str):
        assert_same_model(found, network, state, x)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_refused(layered, data):
    assert refused(layered[-1], data)


@pytest.mark.parametrize("length", [2**64 - 1, 2**63, 2**40, 10**9, 10**8, 10**5, 0, 1])
def test_a_header_that_claims_another_length_is_refused_and_costs_no_memory(layered, length):
    *_, data, path = layered
    assert refused(path, struct.pack("<Q", length) + data[8:])


def parts(data):
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def joined(header, rest):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + rest


HEADERS = {
    "another type": {"dtype": "F64"},
    "a type of no width here": {"dtype": "BF16"},
    "an unknown type": {"dtype": "Q7"},
    "another shape": {"shape": [3, 5]},
    "a vast shape": {"shape": [10**9, 10**9]},
    "a shape past counting": {"shape": [2**62, 2**62, 5]},
    "a negative shape": {"shape": [-4, -5]},
    "no shape": {"shape": None},
    "offsets past the end": {"data_offsets": [0, 10**12]},
    "offsets backwards": {"data_offsets": [80, 0]},
    "negative offsets": {"data_offsets": [-80, 0]},
    "fractions": {"data_offsets": [0, 80.5]},
}


@pytest.mark.parametrize("case", HEADERS)
def test_an_array_that_is_declared_wrongly_is_refused(layered, case):
    *_, data, path = layered
    header, rest = parts(data)
    header["values/dense_1/kernel"] |= HEADERS[case]
    assert refused(path, joined(header, rest))


def test_arrays_that_are_missing_doubled_or_renamed_are_refused(layered):
    *_, data, path = layered
    header, rest = parts(data)
    lacking = {k: v for k, v in header.items() if k != "values/dense_1/kernel"}
    assert refused(path, joined(lacking, rest))
    assert refused(path, joined({**lacking, "values/other": header["values/dense_1/kernel"]}, rest))
    assert refused(path, joined({**header, "values/more": header["values/dense_1/kernel"]}, rest))


# Not ours


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\0" * 1000,
        b"\xff" * 1000,
        PNG,
        b"a,b,c\n1,2,3\n",
        b"{}",
        b"PK\3\4" + b"\0" * 100,
        safetensors.numpy.save({"weight": np.ones(3)}),
        safetensors.numpy.save({"weight": np.ones(3)}, {"format": "pt"}),
        joined([1, 2], b""),
        joined({"__metadata__": ["diaphane"]}, b""),
        joined({"__metadata__": {"format": "diaphane"}}, b""),
        struct.pack("<Q", 50_000) + b"[" * 50_000,
    ],
    ids=range(14),
)
def test_a_file_of_another_kind_is_refused_and_named(tmp_path, data):
    message = refused(tmp_path / "picture.png", data)
    assert any(words in message for words in ("not a file written by diaphane", "empty or cut off", "format version"))


def test_a_folder_or_a_file_that_is_not_there_is_named(tmp_path):
    assert "cannot read" in refused(tmp_path)
    assert "cannot read" in refused(tmp_path / "missing.safetensors")


@pytest.mark.parametrize("version", ["2", "10", "999", "1.5", "²", "", "one", "9" * 5000, "-1", " 1"])
def test_a_file_of_a_newer_or_unknown_version_is_refused_with_the_versions(tmp_path, monkeypatch, version):
    network, state, _ = make("dense")
    monkeypatch.setattr(checkpoint, "VERSION", version)
    path = dia.save(tmp_path / "newer.safetensors", network, state)
    monkeypatch.undo()
    message = refused(path)
    assert "version" in message
    assert "update" in message


# Hostile: with a right checksum


def replacements():
    return st.sampled_from(
        [None, True, -1, 0, 7, 10**18, 10**400, 1.5, 1e308, "", "x", "relu", "Add", "N", [], {}, [1], {"type": "Dense"}]
        + [{"type": "Adam"}, {"float": "x"}, {"node": 0}, {"array": "none"}, {"dtype": "O"}, {"size": [[["N"], 2]]}]
        + [{"zeros": True}, [10**9, 10**9], {"quotient": [3, 0]}, {"type": "Sequential", "layers": None}]
    )


def places(value, path=()):
    """Every place in nested lists and objects."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [p for k, v in inner for p in [(*path, k), *places(v, (*path, k))]]


def changed(value, place, new):
    value = copy.deepcopy(value)
    at = value
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = new
    return value


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """Arrays and plain data of networks, and a path to write what was made of them to."""
    folder = tmp_path_factory.mktemp("hostile")
    found = {}
    for name in [*LAYERS, *FUNCTIONS]:
        network, state, _ = make(name)
        found[name] = checkpoint.read(dia.save(folder / "model", network, state))
    return found, folder / "hostile.safetensors"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_content_that_was_tampered_with_under_a_right_checksum_is_refused_or_a_network(contents, data):
    found, path = contents
    arrays, content = found[data.draw(st.sampled_from(sorted(found)))]
    for _ in range(data.draw(st.integers(1, 2))):
        content = changed(content, data.draw(st.sampled_from(places(content))), data.draw(replacements()))
    checkpoint.write(path, arrays, content)
    loaded = outcome(path)
    assert isinstance(loaded, str) or isinstance(loaded[0], nn.Network)


@pytest.mark.parametrize("content", ["", "nope", "[]", "null", "3", "[" * 100_000, '{"kind": "network"}'])
def test_content_that_is_no_network_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.setattr(checkpoint.json, "dumps", lambda *_, **__: content)
    path = checkpoint.write(tmp_path / "strange.safetensors", {}, {})
    monkeypatch.undo()
    assert refused(path)


def test_a_variable_of_petabytes_costs_no_memory(tmp_path):
    size = {"size": [[["N"], 1]]}
    leaf = {"inputs": [], "name": "x"}
    x = {**leaf, "op": "Placeholder", "fields": {"extents": [size, 2], "element": {"dtype": "float32"}}}
    fields = {"extents": [10**7, 10**8], "element": {"dtype": "float64"}, "initial": {"zeros": True}, "role": "state"}
    huge = {**leaf, "op": "Variable", "fields": fields}
    content = {"input_shape": [2], "dtype": "float32", "graph": {"nodes": [x, huge], "outputs": [0, 1]}}
    assert refused(checkpoint.write(tmp_path / "huge.safetensors", {}, content))


def test_a_layer_of_petabytes_costs_no_memory(tmp_path):
    content = {"input_shape": [2], "dtype": "float32", "architecture": {"type": "Dense", "units": 10**15}}
    assert refused(checkpoint.write(tmp_path / "huge.safetensors", {}, content))


# Nothing is run


class Payload:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_and_not_run(tmp_path, protocol):
    marker = tmp_path / "was run"
    refused(tmp_path / "model.pkl", pickle.dumps(Payload(marker), protocol))
    np.save(tmp_path / "model.npy", np.array([Payload(marker)], dtype=object), allow_pickle=True)
    refused(tmp_path / "model.npy")
    assert not marker.exists()


def test_no_module_of_the_package_imports_what_runs_code():
    runs = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "importlib", "runpy", "torch"}
    calls = {"eval", "exec", "compile", "__import__"}
    for source in Path(dia.files.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {a.name.split(".")[0] for a in node.names} | {
                    (getattr(node, "module", None) or "").split(".")[0]
                }
                assert not names & runs, source
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in calls, source


def test_a_file_may_name_operations_and_layers_only(contents, tmp_path):
    found, _ = contents
    arrays, content = found["dense"]
    for name in ("os.system", "builtins.eval", "Payload", "Network", "Adam", "FileError", "__init__", "Layer"):
        tampered = changed(content, ("architecture", "type"), name)
        assert refused(checkpoint.write(tmp_path / "tampered.safetensors", arrays, tampered))
    arrays, content = found["shared weights"]
    for name in ("os.system", "Payload", "Operation", "Elementwise", "Dense"):
        tampered = changed(content, ("graph", "nodes", 0, "op"), name)
        assert repr(name) in refused(checkpoint.write(tmp_path / "tampered.safetensors", arrays, tampered))
