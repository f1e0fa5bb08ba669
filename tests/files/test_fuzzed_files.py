"""Files that were made wrong, at random and on purpose, read in a process whose memory is limited.

Each gives a :class:`FileError` or a network, in a few times the file's size and in little time; what was only damaged
gives the same network or an error. ``DIAPHANE_FUZZ=3000`` makes so many of them.
"""

import base64
import json
import os
import struct
import subprocess
import sys
import tracemalloc
import zlib
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import diaphane as dia
from diaphane import nn
from diaphane.files import FileError, checkpoint, runs, soundness

from .conftest import FUNCTIONS, LAYERS, make
from .test_damaged_files import changed, joined, parts, places

EXAMPLES = int(os.environ.get("DIAPHANE_FUZZ", "200"))
PREDICT = bool(os.environ.get("DIAPHANE_FUZZ"))
"""With more examples what is read also predicts, on the native engine: that compiles for minutes."""

READER = """
import json, pathlib, resource, sys, time, tracemalloc
import numpy as np
import diaphane as dia
from diaphane.files import FileError
folder, predict = pathlib.Path(sys.argv[1]), sys.argv[2] == "True"
dia.load(folder / "first")
resource.setrlimit(resource.RLIMIT_AS, (2**30 * (4 if predict else 1) + 2**29,) * 2)
found = {}
for path in sorted(folder.glob("*.file")):
    (folder / "now").write_text(path.name)
    tracemalloc.start()
    start = time.perf_counter()
    try:
        network, state = dia.load(path)
        outcome = "network"
    except FileError as error:
        outcome = str(error)
        assert path.name in outcome, outcome
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    outputs = None
    if outcome == "network" and (predict or path.with_suffix(".x.npy").exists()):
        x = np.load(path.with_suffix(".x.npy")) if path.with_suffix(".x.npy").exists() else None
        if x is None:
            x = np.ones((3, *(e if isinstance(e, int) else 2 for e in network.input_shape)), network.dtype)
        try:
            np.save(path.with_suffix(".y.npy"), network.predict(state, x, engine="native" if predict else "reference"))
        except Exception as error:
            outputs = f"{type(error).__name__}: {error}"
    found[path.name] = [outcome, seconds, peak, path.stat().st_size, outputs]
print(json.dumps(found))
"""


def read_all(folder):
    """What another process makes of each file of a folder: outcome, seconds, peak of memory, size."""
    pytest.importorskip("resource", reason="this system has no limits for a process")
    network, state, _ = make("dense", "float32")
    dia.save(folder / "first", network, state)
    command = [sys.executable, "-X", "faulthandler", "-c", READER, str(folder), str(PREDICT)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60 if not PREDICT else 3600)
    assert ran.returncode == 0, f"{(folder / 'now').read_text()}: {ran.stderr[-3000:]}"
    found = json.loads(ran.stdout)
    for name, (outcome, seconds, peak, size, _) in found.items():
        assert seconds < 5, f"{name} took {seconds} s: {outcome[:200]}"
        assert peak < 20 * size + 8_000_000, f"{name} of {size} bytes took {peak}: {outcome[:200]}"
    return found


def examples(strategy, count):
    """So many values of a strategy, the same ones each time."""
    found = []

    @settings(
        max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(strategy)
    def collect(value):
        found.append(value)

    collect()
    return found[:count]


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Networks of layers and of functions, and what a checkpoint of a run holds: name → bytes, arrays, content."""
    folder, found = tmp_path_factory.mktemp("originals"), {}
    for name in [*LAYERS, *FUNCTIONS]:
        network, state, x = make(name)
        path = dia.save(folder / "network", network, state)
        found[name] = (path.read_bytes(), *checkpoint.read(path), network.predict(state, x, engine="reference"), x)
    return found


def spoils():
    """How bytes are damaged: a function from bytes to bytes, and where."""
    place, bit = st.floats(0, 1), st.integers(0, 7)
    flip = st.tuples(st.just("flip"), place, bit)
    cut = st.tuples(st.just("cut"), place)
    insert = st.tuples(st.just("insert"), place, st.binary(min_size=1, max_size=40))
    overwrite = st.tuples(st.just("overwrite"), place, st.binary(min_size=1, max_size=12))
    length = st.tuples(st.just("length"), st.sampled_from([0, 1, 2**16, 2**31, 2**32, 2**63, 2**64 - 1, 10**8]))
    return st.lists(flip | cut | insert | overwrite | length, min_size=1, max_size=3)


def spoiled(data, steps):
    data = bytearray(data)
    for kind, *rest in steps:
        at = int(rest[0] * max(len(data) - 1, 0)) if kind != "length" else 0
        if kind == "flip" and data:
            data[at] ^= 1 << rest[1]
        elif kind == "cut":
            del data[at:]
        elif kind == "insert":
            data[at:at] = rest[1]
        elif kind == "overwrite":
            data[at : at + len(rest[1])] = rest[1]
        elif kind == "length":
            data[:8] = struct.pack("<Q", rest[0])
    return bytes(data)


def test_damage_at_random_gives_an_error_or_the_same_model(originals, tmp_path):
    choices = st.tuples(st.sampled_from(sorted(originals)), spoils())
    expected = {}
    for i, (name, steps) in enumerate(examples(choices, EXAMPLES)):
        path = tmp_path / f"{i:05}.file"
        path.write_bytes(spoiled(originals[name][0], steps))
        np.save(path.with_suffix(".x.npy"), originals[name][4])
        expected[path.name] = originals[name][3]
    found = read_all(tmp_path)
    assert len(found) == len(expected) == EXAMPLES
    for name, (outcome, *_) in found.items():
        if outcome == "network":
            np.testing.assert_allclose(np.load((tmp_path / name).with_suffix(".y.npy")), expected[name], rtol=1e-9)
    assert sum(outcome != "network" for outcome, *_ in found.values()) > EXAMPLES * 0.8


HOSTILE = [
    *(None, True, False, -1, 0, 1, 2, 7, 63, 2**31, 10**12, -(2**40), 10**18, 10**400, 1.5, 1e308, -0.5),
    *("", "x", "N", "relu", "Add", "__class__", "__import__('os').system('true')", "O", "V1000000000", "float16"),
    *([], {}, [1], [[]], ["N"], [0, 0], [1, 0], [10**9, 10**9], [-1, -1], [2**62] * 5),
    *({"type": "Dense"}, {"type": "Dense", "units": 10**12}, {"type": "Adam"}, {"type": "__init__"}),
    *({"type": "Sequential", "layers": None}, {"float": "x"}, {"float": "nan"}, {"node": 0}, {"node": -1}),
    *({"array": "none"}, {"dtype": "O"}, {"dtype": "V1000000000"}, {"dtype": "int64"}, {"zeros": True}),
    *({"size": [[["N"], 2]]}, {"size": [[["N"] * 3, 1]]}, {"size": [[[{"quotient": [{"size": [[["N"], 1]]}, 0]}], 1]]}),
]


def test_content_that_was_made_up_under_a_right_checksum_gives_an_error_or_a_network(originals, tmp_path):
    change = st.tuples(st.floats(0, 1), st.integers(0, len(HOSTILE) - 1))
    choices = st.tuples(st.sampled_from(sorted(originals)), st.lists(change, min_size=1, max_size=3))
    for i, (name, changes) in enumerate(examples(choices, EXAMPLES)):
        _, arrays, content, *_ = originals[name]
        for where, which in changes:
            there = places(content)
            content = changed(content, there[int(where * (len(there) - 1))], HOSTILE[which])
        checkpoint.write(tmp_path / f"{i:05}.file", arrays, content)
    found = read_all(tmp_path)
    assert len(found) == EXAMPLES
    kinds = {outcome == "network" for outcome, *_ in found.values()}
    assert kinds == {True, False}


def layers(architecture):
    return {"input_shape": [4], "dtype": "float32", "kind": "network", "architecture": architecture}


def graph(*nodes, outputs=(0, -1)):
    """A network's content from its nodes after the input, (op, inputs, fields)."""
    x = ("Placeholder", [], {"extents": [N, 4], "element": {"dtype": "float32"}})
    entries = [{"op": op, "inputs": inputs, "name": None, "fields": fields} for op, inputs, fields in (x, *nodes)]
    return {
        "kind": "network",
        "input_shape": [4],
        "dtype": "float32",
        "graph": {"nodes": entries, "outputs": [i % len(entries) for i in outputs]},
    }


N = {"size": [[["N"], 1]]}


def halves_and_thirds(depth):
    """Each size is a half and a third of the one before: written out it doubles each time."""
    nodes, last = [], 0
    for _ in range(depth):
        k = len(nodes)
        nodes.append(("Reshape", [last], {"target": [1, N, 4]}) if not nodes else ("Concat", [last], {"axis": 0}))
        nodes.append(("Windows", [k + 1], {"sizes": [1], "strides": [2]}))
        nodes.append(("Windows", [k + 1], {"sizes": [1], "strides": [3]}))
        nodes.append(("Concat", [k + 2, k + 3], {"axis": 1}))
        last = k + 4
        nodes.append(("Reshape", [last], {"target": [1]}))
        nodes.pop()
    return nodes


def long_product():
    names = [{"size": [[[f"a{i}"], 1] for i in range(40)]}] * 40
    return [
        ("Placeholder", [], {"extents": names, "element": {"dtype": "float32"}}),
        ("Reshape", [1], {"target": names[::-1]}),
    ]


def nested(depth):
    inner = {"type": "Dense", "units": 1}
    for _ in range(depth):
        inner = {"type": "Sequential", "layers": [inner]}
    return inner


DENSE = {"type": "Dense", "units": 3}
MADE_UP = {
    "a trillion units": layers({**DENSE, "units": 10**12}),
    "units without end": layers({**DENSE, "units": 10**4000}),
    "negative units": layers({**DENSE, "units": -3}),
    "units in words": layers({**DENSE, "units": "three"}),
    "units that are a list": layers({**DENSE, "units": [3]}),
    "units of an array": layers({**DENSE, "units": {"array": "values/dense_1/kernel"}}),
    "an unknown layer": layers({"type": "Dnse", "units": 3}),
    "the name of a method": layers({"type": "__init__"}),
    "a class of the language": layers({"type": "object"}),
    "a field of the class": layers({**DENSE, "__class__": "os.system"}),
    "an activation in code": layers({**DENSE, "activation": "__import__('os').system('touch pwned')"}),
    "an optimizer for a layer": layers({"type": "Adam"}),
    "layers 200 deep": layers(nested(200)),
    "layers 400 deep": layers(nested(400)),
    "a shape of numbers without end": layers({"type": "Reshape", "shape": [10**18, 10**18]}),
    "pieces without end": layers({"type": "Sequential", "layers": [DENSE, {"type": "Maxout", "pieces": 10**15}]}),
    "an input of petabytes": {**layers(DENSE), "input_shape": [10**15]},
    "a text for a shape": {**layers(DENSE), "input_shape": "abc"},
    "a hundred axes": {**layers(DENSE), "input_shape": [1] * 100},
    "half precision": {**layers(DENSE), "dtype": "float16"},
    "a dtype of gigabytes": {**layers(DENSE), "dtype": "V1000000000"},
    "no architecture": {"kind": "network", "input_shape": [4], "dtype": "float32"},
    "a reshape beyond its array": graph(("Reshape", [0], {"target": [N, 20_000_000]})),
    "a slice beyond its array": graph(("Slice", [0], {"spans": [[0, N, 1], [0, 4, 1000]]})),
    "a slice from before": graph(("Slice", [0], {"spans": [[0, N, 1], [-4000, 4, 1]]})),
    "an axis that is not there": graph(("Softmax", [0], {"axis": 7})),
    "axes twice": graph(("Sum", [0], {"axes": [1, 1], "keepdims": False})),
    "an order of no axes": graph(("PermuteDims", [0], {"axes": [0, 0]})),
    "a node after itself": graph(("Add", [1, 0], {})),
    "a node from the end": graph(("Add", [-1, 0], {})),
    "too many operands": graph(("Exp", [0, 0, 0], {})),
    "numbers added to truths": graph(("Less", [0, 0], {}), ("Add", [0, 1], {})),
    "a choice by numbers": graph(("Where", [0, 0, 0], {})),
    "a cast to objects": graph(("Astype", [0], {"target": "O"})),
    "a cast to gigabytes": graph(("Astype", [0], {"target": "V1000000000"})),
    "a placed value that does not fit": graph(
        ("Place", [0], {"spans": [[0, N, 1], [0, 9, 1]], "target": [N, 10], "fill": {"float": "0x0p+0"}})
    ),
    "windows folded beyond": graph(
        ("Windows", [0], {"sizes": [2], "strides": [1]}),
        ("Fold", [1], {"sizes": [2], "strides": [1], "target": [N, 1000]}),
    ),
    "a final of no scan": graph(("Final", [0], {"position": 0})),
    "a trace of no scan": graph(("Trace", [0], {"node": {"node": 0}})),
    "a scan of what does not fit": graph(
        ("Bound", [], {"extents": [4], "element": {"dtype": "float32"}}),
        ("Bound", [], {"extents": [1000], "element": {"dtype": "float32"}}),
        (
            "Scan",
            [0, 0],
            {
                "carries": [{"node": 1}],
                "items": [{"node": 2}],
                "outer": [],
                "next_carries": [{"node": 1}],
                "length": N,
                "reverse": False,
            },
        ),
        ("Final", [3], {"position": 0}),
    ),
    "sizes that double when written": graph(*halves_and_thirds(60)),
    "a product of sizes without end": graph(*long_product()),
    "a size of very many factors": graph(("Reshape", [0], {"target": [{"size": [[["N"] * 100_000, 1]]}, 4]})),
    "a size divided by nothing": graph(
        ("Reshape", [0], {"target": [{"size": [[[{"quotient": [N, 0]}], 1]]}, 4]}),
    ),
    "no nodes": {"kind": "network", "input_shape": [4], "dtype": "float32", "graph": {"nodes": [], "outputs": [0, 0]}},
    "no graph": {"kind": "network", "input_shape": [4], "dtype": "float32", "graph": None},
    "content without a network": {"kind": "network", "extra": {}},
}
BOMBS = {
    "lists a hundred thousand deep": "[" * 100_000 + "]" * 100_000,
    "a million empty lists": '{"kind": "network", "a": [' + "[]," * 1_100_000 + "[]]}",
    "a number that is none": '{"kind": "network", "input_shape": [NaN], "dtype": "float32"}',
    "a number without end": '{"kind": "network", "input_shape": [' + "9" * 500_000 + '], "dtype": "float32"}',
    "the same key twice": '{"kind": "network", "kind": "model", "input_shape": [4], "dtype": "float32"}',
    "very many keys": json.dumps({"kind": "network", **{f"k{i}": i for i in range(100_000)}}),
}


def test_what_was_made_up_on_purpose_is_refused_quickly_and_in_little_memory(tmp_path, monkeypatch):
    names = [*MADE_UP, *BOMBS]
    for i, name in enumerate(names):
        path = tmp_path / f"{i:05}.file"
        if name in MADE_UP:
            checkpoint.write(path, {}, MADE_UP[name])
            continue
        monkeypatch.setattr(checkpoint.json, "dumps", lambda *_, text=BOMBS[name], **__: text)
        monkeypatch.setattr(checkpoint, "_with_sorted_metadata", lambda data: data)
        monkeypatch.setattr(checkpoint, "MOST_PARTS", 10**9)
        checkpoint.write(path, {}, {})
        monkeypatch.undo()
    found = read_all(tmp_path)
    read = [names[int(file[:5])] for file, (outcome, *_) in found.items() if outcome == "network"]
    assert not read
    assert len(found) == len(names)
    assert not (tmp_path / "pwned").exists()


def test_every_operation_of_the_library_is_checked_when_it_is_read():
    kinds = [kind for kind in dia.OPERATIONS.values() if kind.__module__.startswith("diaphane.")]
    assert not [kind for kind in kinds if not set(kind.__mro__) & set(soundness.CHECKS)]


@dataclass(frozen=True)
class Weighed(dia.Operation):
    """A user's, of two dtypes."""

    def shape(self, *inputs):
        return inputs[1].shape

    def dtype(self, *inputs):
        return inputs[1].dtype

    def compute(self, backend, *arrays):
        return arrays[0] * arrays[1]


def test_an_operation_of_ones_own_is_read_back(tmp_path):
    network = nn.Network(lambda x: dia.apply(Weighed(), dia.constant(3), x), (2,), dtype="float64")
    again, state = dia.load(dia.save(tmp_path / "m", network, network.initial_state()))
    np.testing.assert_array_equal(again.predict(state, np.ones((1, 2)), engine="reference"), [[3.0, 3.0]])


def test_doubled_keys_in_the_header_are_refused(tmp_path):
    network, state, _ = make("dense", "float32")
    data = dia.save(tmp_path / "m", network, state).read_bytes()
    header, rest = parts(data)
    text = json.dumps(header)
    name = next(k for k in header if k.startswith("values/"))
    doubled = text[:-1] + f", {json.dumps(name)}: {json.dumps(header[name])}" + "}"
    (tmp_path / "m").write_bytes(struct.pack("<Q", len(doubled)) + doubled.encode() + rest)
    with pytest.raises(FileError, match="not a file written by diaphane"):
        dia.load(tmp_path / "m")
    (tmp_path / "m").write_bytes(joined(header, rest))
    dia.load(tmp_path / "m")


def test_a_large_file_takes_a_few_times_its_size(tmp_path):
    network = nn.Network(nn.Dense(2000), (2000,))
    path = dia.save(tmp_path / "0.file", network, network.initial_state())
    [(outcome, _, peak, size, _)] = read_all(tmp_path).values()
    assert outcome == "network"
    assert size > 16e6
    assert peak < 4 * size
    half = path.read_bytes()[: size // 2]
    path.write_bytes(half)
    [(outcome, _, peak, size, _)] = read_all(tmp_path).values()
    assert "damaged" in outcome
    assert peak < 4 * size


def test_what_could_not_be_read_back_is_not_written(tmp_path):
    with pytest.raises(FileError, match="parts, too many to read back"):
        checkpoint.write(tmp_path / "m", {}, {"a": [[]] * 600_000})
    assert not list(tmp_path.iterdir())


VERSION_1 = {
    "layers": (
        "eNq1k79v1DAUx1lYmJlR5QmkQGMnl8tVQiehijJVAkauil6SF85qzrk6TqE93cjMCqzsnWGqxD+BkGBgZoBKsPMcF+iPHOUGvCR+7+uP"
        "3y+/uHypXTOWJBM0kIOBJGFrM5ZVyqAybI3NRmxbqnzE1lZGTKF5UuntEfNoI9W0MUk9hila7yOxZa252XP7ESvKCkwUOjXobCwNZqbR"
        "rZu4f5QPcaeh6ySUTlzCHuq6pZ7SraOq0UkaJU2rEC09M3IXjKyUExpQY6fbRq2wTCTJCS/3UTvF47LSlUkIU1R64rSphPq8kn6q+vjS"
        "GhMrsg6jG5x7p/O4AyYbb/7mTaoJZdVMrNO/xa0Jp7UsXZQcb/q9s4R1XU2rxrjzGgy6s4Er+C5qg/mi27uqw89XRzVl+f8rszVv031q"
        "NLTtns+ZxywQ7FTlEqZjUEg2GiDRi8iWDsI09gciDgdR2i/yMOtjwTMRiigNBoMAitSPenGW+n2ehwi9tN/HLO8HcU4HBBCL6lNTlgTj"
        "bE5bKBusV1PblUTR3QlfnSAoO+HtnJLwbhS6IOzOzjBrX0FVFDWamky+x6OtBbA6gxKXovHIC8RC3FgWZilcILwwXoTbBS1BZcsFGMZe"
        "FJ4g5naoCGabuxQoCr3Y7wC5sfsLyuuAxdQFLs7RxAVh8Y4GcOFx4XegLg6sCycosuDkgOTuBVOm9vkuxnWwgsjjIRV/vuLWq5d2vR2e"
        "/h6d+f67/8bo+bsf1z8Od25fef96+unwwZtrz77c/3Z47/P+1YONo8NfuoMNa/g6dP7vx+c/DH8CACEgdQ==",
        [[2.376558782577853], [-2.269557924189492]],
    ),
    "a graph": (
        "eNrFVrtu2zAUzdyvMDgLiEXJkpwlaQtka1E0QBfbMK4kKiFCU4JEJXEDo/2z/EALdOpcoGuHfEIvSTm1LT+HJlz4uo9zn+TXV0dm3JPx"
        "eMIUpKBgPCYn9yTJpWJSkRNyPyTXXKZDctIZEsnUbV5eD4mDGy6LWo2rKyiYvh3QkT5N1dTuhyQTOajAt9SXJRRX+hwFyjxlleHBTV5Y"
        "6g8CEnaVi5SVC/ItmZEsYdIIvrMEGWcirRqZ7E4DfpJa8c8W1WAwJO+HBCW4o9HM6ViUTLAJkje86zDPZki8AO8jayxdgdZdwiZrIVrQ"
        "FJSXzOgauEbmFnArWt/mslKggW7zyFqtUJYwXV03cTjutg18VwvFCzFtWzh32hZ1ezrL+9/OSqDtKhTj7+GuO26W3WeKgNuOwCcoOcSC"
        "7Ur/2x3pTw/IcquJKw5iE1LakJW5aNgLKBGM0oW6YsKbvNa9Yjv+BFVMX6CEN2Z45HSCAzN8L0O5YpOXsBPUpBbtOsBCDg8083XaNrKP"
        "+NwD5VwkINc1lh56fg9UNmf4v0dDvyB6Hc0Mq3Z0687t2su8Npm6fBlYfPNtaEklhma8QZVLLY1g8lKZl4yaqmA3rKwMRQaiYiuGn3MJ"
        "a0KxRyMs8grLMpfP2ZS8djJdCJ60O5Lb262pKkBaah1p12b17vRyfaTcoxznsV1MJzccmVaFYSyhoSMOyfJyAvozk3K0EiTDM3ygaC/A"
        "szhJUt/zGO1FQZikMaRRSjMKQMNe5gW+l7AMaBaHzO/2k5j5rBfSGOIY1wkeoCydARgpFOZiq5w/sfofZcoVz88D3+rUO4wSMV+tPMsq"
        "pio86TrR6InTPYQzctBZT6x0Myt1aJvbDRx/QbO3hb3N7EdO4GvmGxA1q45vD1Qe+E4fsc869hd6dGanX6fL8+ODnX+cLtM9zu+/eGb8"
        "Pv3+TY8/D5kZP5v90dlfEw9a3Q==",
        [[1.0, -12.250000000000002], [4.5, 16.375]],
    ),
}
"""Files of the first version of the format, compressed, and what their networks give for two rows."""


@pytest.mark.parametrize("name", VERSION_1)
def test_files_of_the_first_version_are_read(name, tmp_path):
    text, want = VERSION_1[name]
    path = tmp_path / "old.safetensors"
    path.write_bytes(zlib.decompress(base64.b64decode(text)))
    network, state = dia.load(path)
    found = network.predict(state, np.array([[1.0, -2.0], [0.5, 3.0]]), engine="reference")
    np.testing.assert_allclose(found, want, rtol=1e-6)


def run_content():
    """What a run keeps beside its arrays, by a few of everything."""
    callback = {"best": {"$float": "inf"}, "waited": 3}
    random = {"key": {"$array": [1, 2, 3], "dtype": "<u4"}, "pos": 3}
    run = {"epoch": 2, "history": [{"loss": 0.5}], "callbacks": {"0": callback}, "random": random}
    return {"kind": "run", "version": runs.VERSION, "run": run, "same": {"again": "weights"}}


def test_a_checkpoint_of_a_run_that_was_made_wrong_is_refused_or_the_same(tmp_path):
    arrays = {"weights": np.arange(6.0), "step": np.array(7)}
    path = tmp_path / "checkpoint-0000000007.safetensors"
    whole = checkpoint.write(path, arrays, run_content()).read_bytes()
    folder = runs.RunFolder(tmp_path)
    try:
        for steps in examples(spoils(), EXAMPLES // 2):
            path.write_bytes(spoiled(whole, steps))
            found = outcome_of(folder)
            assert found is None or found.content["callbacks"]["0"] == {"best": np.inf, "waited": 3}
        change = st.tuples(st.floats(0, 1), st.integers(0, len(HOSTILE) - 1))
        for where, which in examples(change, EXAMPLES // 2):
            there = places(run_content())
            content = changed(run_content(), there[int(where * (len(there) - 1))], HOSTILE[which])
            checkpoint.write(path, arrays, content)
            outcome_of(folder)
        for array in (
            {"$array": [0] * 9, "dtype": "V1000000000"},
            {"$array": [10**30], "dtype": "<i4"},
            {"$float": []},
        ):
            checkpoint.write(path, arrays, changed(run_content(), ("run", "random"), array))
            assert outcome_of(folder) is None
    finally:
        folder.close()


def outcome_of(folder):
    """The newest run of a folder, or None where it is refused; in little memory."""
    tracemalloc.start()
    try:
        return folder.newest()
    except FileError:
        return None
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8_000_000
