from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from diaphane.app.model import load_model, save_model
from diaphane.data import read_table

from .test_command_mistakes import assert_one_line


def test_health_shows_each_layer_and_a_verdict(diaphane, classes, good):
    answer = diaphane("health", classes, good)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"{classes} on 60 rows of {good}\n")
    for layer in ("dense_1", "dense_2"):
        assert layer in answer.out


def test_health_tells_a_network_whose_units_are_all_saturated(diaphane, tmp_path, good):
    arguments = ("--hidden", "16,16,16", "--activation", "sigmoid", "--epochs", 1, "--out", "model")
    assert diaphane("train", good, *arguments).code == 0
    model = load_model(tmp_path / "model")
    kernels = [p for p in model.network.parameters if p.ndim > 1][:-1]
    broken = model.state.replace({p: model.state[p] * np.float32(1e4) for p in kernels})
    save_model(tmp_path / "model", type(model)(**{**vars(model), "state": broken}))
    answer = diaphane("health", "model", good)
    assert answer.code == 0
    assert "saturated" in answer.out.split("\n\n")[-1]


@pytest.mark.parametrize("model", ["perceptron", "logistic"])
def test_health_looks_at_linear_models_too(diaphane, good, model):
    diaphane("train", good, "--model", model)
    assert diaphane("health", "model", good).code == 0


def test_health_of_a_number_is_drawn(diaphane, values, numbers, tmp_path):
    pytest.importorskip("matplotlib")
    answer = diaphane("health", values, numbers, "--plot", "h.png", "--rows", 20)
    assert answer.code == 0
    assert answer.out.endswith("wrote h.png\n")
    assert (tmp_path / "h.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere", "good.csv"), ["there is no nowhere", "diaphane train"]),
        (("classes", "nowhere.csv"), ["there is no file nowhere.csv"]),
        (("classes", "good.csv", "--rows", 0), ["--rows must be at least 1, got 0"]),
        (("classes", "good.csv", "--plot", "h.doc"), ["--plot takes a file that ends in .png, .svg or .pdf"]),
        (("classes", "good.csv", "--plot", "no/h.png"), ["cannot write no/h.png", "--plot"]),
    ],
)
def test_a_mistake_in_asking_for_health_is_named(diaphane, classes, good, arguments, said):
    answer = diaphane("health", *arguments)
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 1
    for word in said:
        assert word in answer.err


def test_health_needs_the_target_known(diaphane, classes, write):
    assert_one_line(diaphane("health", classes, write("a,b\n1,2\n")), "has no column 'y'")
    assert_one_line(diaphane("health", classes, write("a,b,y\n1,2,strange\n")), "no row with a value of 'y'")


@pytest.fixture
def run_onnx():
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")

    def run(path, x):
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(None, {"x": x}), strict=True))

    return run


def test_an_exported_model_takes_columns_and_gives_the_commands_labels(diaphane, classes, good, run_onnx):
    answer = diaphane("export", classes, "m.onnx")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "wrote m.onnx\nx: 2 columns: a, b\ngives: probabilities, label\n"
    table, model = read_table(good), load_model(classes)
    found = run_onnx("m.onnx", np.column_stack([table["a"], table["b"]]))
    expected = model.outputs(table)
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)
    predicted = diaphane("predict", classes, good).out.splitlines()[1:]
    assert [str(label) for label in found["label"]] == predicted


def test_an_exported_number_is_in_the_targets_unit(diaphane, values, numbers, run_onnx):
    assert diaphane("export", values, "m.onnx").code == 0
    table = read_table(numbers)
    found = run_onnx("m.onnx", np.column_stack([table["a"], table["b"]]))
    np.testing.assert_allclose(np.ravel(found["output"]), load_model(values).outputs(table), rtol=1e-4, atol=1e-5)


def test_a_model_of_words_takes_its_own_features(diaphane, write, run_onnx):
    source = write("a,w,y\n" + "".join(f"{i},{'uv'[i % 2]},{'pq'[i % 2]}\n" for i in range(40)))
    diaphane("train", source, "--epochs", 2, "--hidden", 4, "--target", "y")
    answer = diaphane("export", "model", "m.onnx")
    assert "features, as the model makes them of its columns" in answer.out
    x = load_model(Path("model")).encoder.transform(read_table(source).drop(["y"]))
    assert run_onnx("m.onnx", x)["probabilities"].shape == (40, 2)


def test_an_exported_perceptron_gives_scores_since_it_has_no_probabilities(diaphane, good, run_onnx):
    diaphane("train", good, "--model", "perceptron")
    assert diaphane("export", "model", "m.onnx").out.endswith("gives: scores, label\n")
    table = read_table(good)
    found = run_onnx("m.onnx", np.column_stack([table["a"], table["b"]]))
    assert [str(label) for label in found["label"]] == diaphane("predict", "model", good).out.splitlines()[1:]
    np.testing.assert_array_equal(found["scores"].argmax(axis=1), (found["label"] == "pos").astype(int))


def test_a_picture_that_finds_no_room_leaves_nothing_half_written(diaphane, classes, good, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")

    def no_space(figure, path, **settings):
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", no_space)
    (tmp_path / "h.png").write_bytes(b"before")
    answer = diaphane("health", classes, good, "--plot", "h.png")
    assert (answer.code, answer.err.count("cannot write h.png: No space left")) == (2, 1)
    assert (tmp_path / "h.png").read_bytes() == b"before"
    assert not list(tmp_path.glob("*part*")) + list(tmp_path.glob(".*part*"))


def test_the_picture_of_one_layer_counts_layers_in_whole_numbers(diaphane, good):
    pytest.importorskip("matplotlib")
    from diaphane.insight import gradient_health

    diaphane("train", good, "--model", "logistic")
    model, table = load_model(Path("model")), read_table(good)
    y = (table["y"] == "pos").astype(np.int64)
    x = model.encoder.transform(table.drop(["y"]))
    report = gradient_health(model.network, x, y, state=model.state, loss="categorical_cross_entropy")
    for ax in report.plot().axes_:
        assert all(float(tick).is_integer() for tick in ax.get_xticks())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("classes", "m.txt"), "ends in .onnx, got m.txt; try m.onnx"),
        (("nowhere", "m.onnx"), "there is no nowhere"),
        (("classes", "no/m.onnx"), "m.onnx"),
        (("classes", ""), "OUT takes the path of a file to write"),
        (("classes", "m.onnx", "--opset", 3), "opset is 3; expected one from 18 to"),
    ],
)
def test_a_mistake_in_exporting_is_named(diaphane, classes, arguments, said):
    pytest.importorskip("onnx")
    assert_one_line(diaphane("export", *arguments), said)


def test_exporting_without_the_library_names_the_extra(diaphane, classes, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "onnx", None)
    assert_one_line(diaphane("export", classes, "m.onnx"), "diaphane[onnx]")


def test_a_profile_is_of_the_step_that_the_model_was_trained_with(diaphane, good):
    diaphane("train", good, "--epochs", 1, "--hidden", 8, "--dropout", 0.3, "--optimizer", "sgd", "--clip-norm", 1)
    out = diaphane("profile", "model", good, "--steps", 2).out
    assert "bernoulli" in out or "where" in out
    assert "mean_square" not in out
