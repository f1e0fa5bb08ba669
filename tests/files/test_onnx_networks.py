"""Networks, estimators and models of tables in ONNX: onnxruntime gives the same numbers, and errors say what to do."""

import sys
from dataclasses import dataclass

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from files.conftest import FUNCTIONS, LAYERS  # noqa: E402
from files.onnx_models import BATCHES, assert_same, run, session  # noqa: E402

import diaphane as dia  # noqa: E402
from diaphane import nn  # noqa: E402
from diaphane.app.averaged import AveragedMembers, Member  # noqa: E402
from diaphane.data import ColumnEncoder, Table, TargetScaler  # noqa: E402
from diaphane.estimators.export import export_model  # noqa: E402
from diaphane.files import ExportError, FileError  # noqa: E402
from diaphane.files.onnx import exports, registry  # noqa: E402
from diaphane.graph.record import Record  # noqa: E402

MORE = {f"activation {name}": (nn.Sequential([nn.Dense(4), nn.Activation(name)]), (3,)) for name in nn.ACTIVATIONS}
MORE |= {
    "layers in a function": (lambda x, context: nn.Dense(3, "tanh")(x[:, ::-1], context) * x[:, :1], (4,)),
    "rows of any number of steps": (nn.Sequential([nn.Dense(4, "tanh"), nn.BatchNorm()]), (dia.Dim("T"), 3)),
    "tangent": (nn.Sequential([nn.TangentDense(5, "relu"), nn.TangentDense(2)]), (4,)),
    "embedded numbers": (
        nn.Sequential([nn.FeatureScale(), nn.PeriodicEmbedding(columns=2, width=3, frequencies=4), nn.Dense(2)]),
        (5,),
    ),
    "averaged classes": (AveragedMembers(nn.Sequential([nn.Dense(4, "tanh"), nn.Dense(3)]), 2, (1, 0, 2)), (3,)),
    "averaged numbers": (AveragedMembers(nn.Sequential([nn.Dense(1)]), 3, (0, 1), False, -9.0, 9.0), (2,)),
    "one of them": (Member(nn.Sequential([nn.Dense(2)])), (3,)),
    "noise": (nn.Sequential([nn.GaussianNoise(0.1), nn.Dense(3)]), (4,)),
    "flattened steps": (nn.Sequential([nn.Dense(4), nn.Flatten()]), (dia.Dim("T"), 3)),
}
ALL = LAYERS | MORE | FUNCTIONS


def numbers(rng, shape, n, dtype):
    return rng.normal(size=(n, *(5 if isinstance(e, dia.Size) else e for e in shape))).astype(dtype)


def moved(network, seed=3):
    """Values that are not the first ones."""
    rng = np.random.default_rng(seed)
    state = network.initial_state(rng)
    return state.replace({v: a + rng.uniform(0.1, 0.3, a.shape).astype(a.dtype) for v, a in state.items()})


def test_every_layer_there_is_has_a_network_here():
    layers = {
        name
        for name, kind in Record.KINDS.items()
        if issubclass(kind, nn.Layer) and kind.__module__.startswith("diaphane.")
    }
    used = "".join(repr(architecture) for architecture, _ in (LAYERS | MORE).values())
    assert not {name for name in layers if f"{name}(" not in used}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_a_network_gives_the_same_outputs_at_any_batch_size(name, dtype, tmp_path):
    if name in FUNCTIONS and dtype == "float32":
        dtype = "float64"  # their variables are
    architecture, shape = ALL[name]
    network = nn.Network(architecture, shape, dtype=dtype)
    state, rng = moved(network), np.random.default_rng(0)
    model = session(dia.export_onnx(tmp_path / "model.onnx", network, state))
    for n in BATCHES:
        x = numbers(rng, shape, n, dtype)
        assert_same(run(model, {"x": x})["output"], network.predict(state, x), f"{n} rows")


@pytest.mark.parametrize("opset", [18, 21, onnx.defs.onnx_opset_version()])
@pytest.mark.parametrize("name", ["maxout", "batch norm", "recurrent", "convolution", "named sizes"])
def test_an_older_and_the_newest_opset_give_the_same(name, opset, tmp_path):
    architecture, shape = ALL[name]
    network = nn.Network(architecture, shape, dtype="float64")
    state = moved(network)
    path = dia.export_onnx(tmp_path / "model.onnx", network, state, opset=opset)
    assert [(o.domain, o.version) for o in onnx.load(path).opset_import] == [("", opset)]
    x = numbers(np.random.default_rng(0), shape, 7, "float64")
    assert_same(run(session(path), {"x": x})["output"], network.predict(state, x), name)


def test_names_sizes_and_producer_are_in_the_model(tmp_path):
    network = nn.Network(nn.Sequential([nn.Dense(4, "relu"), nn.Flatten()]), (dia.Dim("T"), 3))
    model = onnx.load(dia.export_onnx(str(tmp_path / "m.onnx"), network, network.initial_state()))
    assert (model.producer_name, model.producer_version) == ("diaphane", dia.__version__)
    [x], [output] = model.graph.input, model.graph.output
    assert (x.name, output.name) == ("x", "output")
    assert [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim] == ["N", "T", 3]
    assert {t.name for t in model.graph.initializer} >= {"dense_1/kernel", "dense_1/bias"}
    kernel = next(t for t in model.graph.initializer if t.name == "dense_1/kernel")
    assert onnx.numpy_helper.to_array(kernel).shape == (3, 4)


def test_dropout_is_not_there_at_inference_and_refused_where_it_draws(tmp_path):
    network = nn.Network(nn.Sequential([nn.Dense(4), nn.Dropout(0.5)]), (3,))
    path = dia.export_onnx(tmp_path / "m.onnx", network, network.initial_state())
    assert {n.op_type for n in onnx.load(path).graph.node} == {"MatMul", "Add", "Identity"}
    noisy = nn.Network(lambda x: x + dia.normal(x.shape, stream=0), (3,))
    with pytest.raises(ExportError, match=r"Normal.*draws random numbers.*inference"):
        dia.export_onnx(tmp_path / "noisy.onnx", noisy, noisy.initial_state())
    assert not (tmp_path / "noisy.onnx").exists()


@dataclass(frozen=True)
class Cosh(dia.Elementwise):
    """An operation of a user's."""

    expression = "(exp(a) + exp(-a)) / 2"

    def compute(self, backend, *arrays):
        return backend.xp.cosh(arrays[0])


def test_an_operation_of_ones_own_is_asked_for_and_then_written_by_its_rule(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "RULES", dict(registry.RULES))
    network = nn.Network(lambda x: dia.apply(Cosh(), x), (3,))
    state = network.initial_state()
    with pytest.raises(ExportError, match=r"no rule.*Cosh.*@diaphane\.files\.onnx\.exports\(Cosh\)"):
        dia.export_onnx(tmp_path / "m.onnx", network, state)

    @exports(Cosh)
    def cosh(write, node, inputs):
        e = write.emit("Exp", inputs[0])
        return write.emit("Div", write.emit("Add", e, write.emit("Reciprocal", e)), write.constant(np.float32(2)))

    model = session(dia.export_onnx(tmp_path / "m.onnx", network, state))
    x = np.linspace(-2, 2, 6, dtype="float32").reshape(2, 3)
    np.testing.assert_allclose(run(model, {"x": x})["output"], np.cosh(x), rtol=1e-5)


def test_a_size_that_no_input_carries_is_named(tmp_path):
    network = nn.Network(lambda x: x * dia.extent_value(dia.Dim("K"), "float32"), (3,))
    with pytest.raises(ExportError, match="size K is in no input's shape"):
        dia.export_onnx(tmp_path / "m.onnx", network, network.initial_state())


@pytest.mark.parametrize("opset", [17, 0, -1, 10**6, 18.0, True, "18", None])
def test_an_opset_that_cannot_be_is_refused_with_those_that_can(opset, tmp_path):
    network = nn.Network(nn.Dense(1), (1,))
    with pytest.raises(ValueError, match=r"opset is .*expected one from 18 to"):
        dia.export_onnx(tmp_path / "m.onnx", network, network.initial_state(), opset=opset)


def test_what_is_no_model_or_lacks_its_values_is_refused(tmp_path):
    network = nn.Network(nn.Dense(1), (1,))
    with pytest.raises(TypeError, match=r"export_onnx\(path, network, state\)"):
        dia.export_onnx(tmp_path / "m.onnx", network)
    with pytest.raises(TypeError, match=r"has its values with it"):
        dia.export_onnx(tmp_path / "m.onnx", dia.estimators.Ridge(), network.initial_state())
    with pytest.raises(TypeError, match=r"MLPClassifier.*got dict"):
        dia.export_onnx(tmp_path / "m.onnx", {})
    with pytest.raises(TypeError, match=r"got Ridge; diaphane\.export_onnx takes estimators"):
        dia.files.export_onnx(tmp_path / "m.onnx", dia.estimators.Ridge(), None)
    with pytest.raises(ValueError, match="not fitted"):
        dia.export_onnx(tmp_path / "m.onnx", dia.estimators.Ridge())
    with pytest.raises((KeyError, ValueError), match="dense_1/kernel"):
        dia.export_onnx(tmp_path / "m.onnx", network, nn.Network(nn.Dense(1), (1,)).initial_state())
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_to_is_named_and_the_old_file_stays(tmp_path, monkeypatch):
    network = nn.Network(nn.Dense(1), (1,))
    state = network.initial_state()
    with pytest.raises(FileError, match=r"cannot write .*choose another folder"):
        dia.export_onnx(tmp_path / "missing" / "m.onnx", network, state)
    path = dia.export_onnx(tmp_path / "m.onnx", network, state)
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FileError, match="No space left"):
        dia.export_onnx(path, network, moved(network))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_without_the_package_the_error_says_what_to_install(tmp_path, monkeypatch):
    network = nn.Network(nn.Dense(1), (1,))
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "diaphane\[onnx\]"'):
        dia.export_onnx(tmp_path / "m.onnx", network, network.initial_state())


# Estimators


def classes(kind, n_classes, rng):
    x = rng.normal(size=(90, 4))
    y = (x @ rng.normal(size=(4, n_classes))).argmax(1)
    names = {"int": np.arange(10, 10 + n_classes), "str": np.array(["œuf", "lait", "miel"])[:n_classes]}
    names |= {"bool": np.array([False, True]), "float": np.array([1.0, 2.0, 3.0])[:n_classes]}
    return x, names[kind][y]


@pytest.mark.parametrize(
    ("kind", "n_classes"), [("int", 2), ("str", 2), ("bool", 2), ("int", 3), ("str", 3), ("float", 3)]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_classifier_gives_its_probabilities_and_labels(kind, n_classes, dtype, tmp_path):
    x, y = classes(kind, n_classes, np.random.default_rng(0))
    x = x.astype(dtype)
    model = dia.estimators.MLPClassifier((5,), solver="lbfgs", max_iter=500, random_state=0).fit(x, y)
    found = session(dia.export_onnx(tmp_path / "m.onnx", model))
    for n in BATCHES:
        got = run(found, {"x": x[:n]})
        assert_same(got["probabilities"], model.predict_proba(x[:n]), "probabilities")
        np.testing.assert_array_equal(got["label"].astype(y.dtype), model.predict(x[:n]))


def test_labels_of_several_classes_at_once_and_scores_without_probabilities(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    several = dia.estimators.MLPClassifier((5,), solver="lbfgs", max_iter=300).fit(x, (x[:, :2] > 0).astype(int))
    got = run(session(dia.export_onnx(tmp_path / "m.onnx", several)), {"x": x})
    np.testing.assert_array_equal(got["label"], several.predict(x))
    assert_same(got["probabilities"], several.predict_proba(x), "probabilities")
    for y in ((x[:, 0] > 0).astype(int), np.digitize(x[:, 0], [-0.5, 0.5])):
        hinge = dia.estimators.MLPClassifier((5,), solver="lbfgs", loss="hinge", max_iter=500).fit(x, y)
        got = run(session(dia.export_onnx(tmp_path / "m.onnx", hinge)), {"x": x})
        assert_same(got["scores"], hinge.decision_function(x), "scores")
        np.testing.assert_array_equal(got["label"], hinge.predict(x))


@pytest.mark.parametrize("targets", [1, 2])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_a_regressor_gives_its_numbers(targets, loss, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = np.exp(x @ rng.normal(size=(3, targets)) / 3)
    y = y[:, 0] if targets == 1 else y
    model = dia.estimators.MLPRegressor(loss, (5,), solver="lbfgs", max_iter=500, random_state=0).fit(x, y)
    found = session(dia.export_onnx(tmp_path / "m.onnx", model))
    for n in BATCHES[:2]:
        assert_same(run(found, {"x": x[:n]})["output"], model.predict(x[:n]), "output")


LINEAR = {
    "logistic": dia.estimators.LogisticRegression(),
    "least loss": dia.estimators.LinearClassifier(loss="logistic", solver="lbfgs"),
    "hinge": dia.estimators.LinearClassifier(solver="lbfgs"),
    "perceptron": dia.estimators.Perceptron(max_iter=5, tol=None),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_classifier_gives_its_probabilities_or_scores(name, n_classes, tmp_path):
    x, y = classes("int", n_classes, np.random.default_rng(1))
    model = LINEAR[name].fit(x, y)
    got = run(session(dia.export_onnx(tmp_path / "m.onnx", model)), {"x": x})
    np.testing.assert_array_equal(got["label"], model.predict(x))
    if hasattr(model, "predict_proba"):
        assert_same(got["probabilities"], model.predict_proba(x), "probabilities")
    else:
        assert_same(got["scores"], model.decision_function(x), "scores")


@pytest.mark.parametrize("targets", [None, 1, 2])
@pytest.mark.parametrize("kind", ["LinearRegression", "Ridge"])
def test_a_linear_regression_gives_its_numbers(kind, targets, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = x @ rng.normal(size=(3, targets or 1)) + 1
    model = getattr(dia.estimators, kind)().fit(x, y[:, 0] if targets is None else y)
    got = run(session(dia.export_onnx(tmp_path / "m.onnx", model)), {"x": x})["output"]
    assert_same(got, model.predict(x), "output")


def test_a_perceptron_of_voters_is_refused(tmp_path):
    x, y = classes("int", 2, np.random.default_rng(0))
    model = dia.estimators.Perceptron(average="voted", max_iter=200).fit(x[:10], y[:10])
    with pytest.raises(TypeError, match="voters"):
        dia.export_onnx(tmp_path / "m.onnx", model)


# Models of tables


def table(n=40):
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(3, 10, n), rng.exponential(1e6, n), np.full(n, 4.0)
    b[::5] = np.nan
    c[::7] = np.nan
    return Table({"a": a, "b": b, "same": c})


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_columns_of_numbers_are_scaled_inside_the_model(bounded, dtype, tmp_path):
    rows = table()
    encoder = ColumnEncoder.fit(rows, dtype=dtype, bounded=bounded)
    width = len(encoder.feature_names_out)
    assert width == 4  # a, b, "b is missing" and "same is missing"
    network = nn.Network(nn.Dense(1), (width,), dtype=dtype)
    state, scaler = moved(network), TargetScaler(30.0, 7.0)
    options = {"network": network, "state": state, "encoder": encoder}
    written = export_model(tmp_path / "m.onnx", task="regression", scaler=scaler, **options)
    assert (written.raw, written.inputs, written.outputs) == (True, ("a", "b", "same"), ("output",))
    far = Table({"a": [1e300, np.nan, 3.0], "b": [np.nan, 2e6, -5.0], "same": [np.nan, 4.0, 9.0]})
    for given in (rows, far):
        x = np.column_stack([given[name] for name in written.inputs])
        want = scaler.inverse(network.predict(state, encoder.transform(given))[:, 0])
        np.testing.assert_allclose(run(session(written.path), {"x": x})["output"], want, rtol=1e-5)
    network = nn.Network(nn.Dense(3), (width,), dtype=dtype)
    options |= {"network": network, "state": (state := moved(network))}
    written = export_model(tmp_path / "m.onnx", task="classification", labels=("no", "yes", "rest"), **options)
    assert written.outputs == ("probabilities", "label")
    got = run(session(written.path), {"x": np.column_stack([rows[name] for name in written.inputs])})
    raw = network.predict(state, encoder.transform(rows))
    np.testing.assert_array_equal(got["label"], np.array(["no", "yes", "rest"])[raw.argmax(1)])
    np.testing.assert_allclose(got["probabilities"].sum(1), 1, rtol=1e-5)


def test_columns_of_words_are_left_to_the_encoder(tmp_path):
    rows = Table({"a": [1.0, 2.0, 3.0, 4.0], "b": ["x", "y", "x", "y"]})
    encoder = ColumnEncoder.fit(rows)
    network = nn.Network(nn.Dense(2), (3,))
    options = {"network": network, "state": (state := moved(network)), "encoder": encoder, "labels": (1, 2)}
    written = export_model(tmp_path / "m.onnx", task="classification", **options)
    assert (written.raw, written.inputs) == (False, ("a", "b = x", "b = y"))
    got = run(session(written.path), {"x": (x := encoder.transform(rows))})
    np.testing.assert_array_equal(got["label"], network.predict(state, x).argmax(1) + 1)
    assert {p.key: p.value for p in onnx.load(written.path).metadata_props}["task"] == "classification"
    with pytest.raises(ValueError, match="expected 'classification' or 'regression'"):
        export_model(tmp_path / "m.onnx", task="clustering", **options)
