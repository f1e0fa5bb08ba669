"""``--model tabular``, which is the default: what is learnt, kept in the file, and looked into."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from diaphane.app.averaged import AveragedMembers, averaged_network, member_of
from diaphane.app.fitting import fit_table
from diaphane.app.model import load_model
from diaphane.app.options import Options, read_options
from diaphane.app.parts import Part
from diaphane.app.repeating import as_command, as_python
from diaphane.app.tabular import fit_tabular
from diaphane.data import Table, load, read_table
from diaphane.data.target import Target
from diaphane.files import checkpoint
from diaphane.nn import Dense, Sequential

from .conftest import mixed_table
from .test_command_mistakes import assert_one_line


def test_without_a_setting_of_networks_tables_are_learnt_by_several_networks(diaphane, averaged):
    model = load_model(averaged["classes"])
    assert model.facts["model"] == "tabular"
    assert model.n_members == 2
    assert set(model.facts["options"]) == {"task", "model", "members", "seed"}
    answer = diaphane("train", averaged["classes"].parent / "classes.csv", "--members", 1)
    assert (answer.code, answer.err) == (0, "")
    assert "held out" in answer.out
    assert "1 network (kept: epoch " in answer.out


def test_the_test_rows_are_those_of_every_other_model(averaged):
    table = read_table(averaged["classes"].parent / "classes.csv")
    one = fit_table(table, Options(model="tabular", members=1), progress=False)
    other = fit_table(table, Options(model="logistic"), progress=False)
    for name in one.parts.of["test"].features.names:
        np.testing.assert_array_equal(one.parts.of["test"].features[name], other.parts.of["test"].features[name])
    assert one.parts.rows["train"] == other.parts.rows["train"] + other.parts.rows["validation"]


def test_the_file_holds_the_estimator_that_python_fits(averaged):
    """Its probabilities and numbers are those of TabularClassifier and TabularRegressor, made as the report says."""
    for name, method in (("classes", "predict_proba"), ("numbers", "predict")):
        source = averaged[name].parent / f"{name}.csv"
        space: dict[str, object] = {}
        exec(as_python(Options(source=str(source), members=2), "tabular", classify=name == "classes"), space)
        model, table = load_model(averaged[name]), read_table(source)
        expected = getattr(space["model"], method)(table.drop([model.target]))
        np.testing.assert_allclose(model.outputs(table), expected, rtol=1e-4, atol=1e-5)


def test_the_validation_score_is_of_rows_that_a_network_did_not_learn_from(averaged):
    source = averaged["classes"].parent / "classes.csv"
    space: dict[str, object] = {}
    exec(as_python(Options(source=str(source), members=2), "tabular", classify=True), space)
    rows, outputs = space["model"].held_out_predictions()
    truth = space["y"][space["rows"]][rows]
    expected = np.mean(space["model"].classes_[outputs.argmax(axis=1)] == truth)
    facts = load_model(averaged["classes"]).facts
    assert facts["rows"]["validation"] == len(rows)
    assert facts["scores"]["validation"]["score"] == pytest.approx(expected)


def test_another_process_of_the_same_seed_writes_the_same_bytes(diaphane, averaged, tmp_path):
    source = averaged["numbers"].parent / "numbers.csv"
    diaphane("train", source, "--members", 2, "--out", "again")
    diaphane("train", source, "--members", 2, "--seed", 1, "--out", "other")
    one, again, other = (
        (folder / "model.safetensors").read_bytes()
        for folder in (averaged["numbers"], tmp_path / "again", tmp_path / "other")
    )
    assert one == again
    assert one != other


def test_the_history_says_of_which_network_each_look_is(averaged):
    lines = (averaged["classes"] / "history.jsonl").read_text(encoding="utf-8").splitlines()
    history = [json.loads(line) for line in lines]
    assert {record["member"] for record in history} == {1, 2}
    assert all({"epoch", "loss", "validation_loss"} <= set(record) for record in history)


def test_an_average_is_that_of_its_members():
    rng, layers = np.random.default_rng(0), Sequential([Dense(4, "tanh"), Dense(3)])
    for classify in (True, False):
        layer = AveragedMembers(layers, 3, (2, 0, 1), classify, -0.1, 0.1)
        shapes = {"dense_1/kernel": (3, 4), "dense_1/bias": (4,), "dense_2/kernel": (4, 3), "dense_2/bias": (3,)}
        values = [{name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(3)]
        network, state = averaged_network(layer, values)
        x = rng.normal(size=(5, 3)).astype(np.float32)
        raw = []
        for v in values:
            hidden = np.tanh(x[:, [2, 0, 1]] @ v["dense_1/kernel"] + v["dense_1/bias"])
            raw.append(hidden @ v["dense_2/kernel"] + v["dense_2/bias"])
        one, own = member_of(network, state, 2)
        np.testing.assert_allclose(one.predict(own, x[:, [2, 0, 1]]), raw[1], rtol=1e-5, atol=1e-6)
        if classify:
            powers = np.exp(raw)
            expected = np.log(np.mean(powers / powers.sum(axis=2, keepdims=True), axis=0))
        else:
            expected = np.clip(np.mean(raw, axis=0), -0.1, 0.1)
        np.testing.assert_allclose(network.predict(state, x), expected, rtol=1e-4, atol=1e-5)


def test_a_class_of_which_nothing_was_learnt_has_no_probability():
    features = Table({"a": np.arange(30.0), "b": np.arange(30.0) % 7})
    y = np.where(np.arange(30) < 15, 0, 2)
    target = Target("y", "classification", y, ("a", "b", "c"), np.arange(30), 0)
    fit = fit_tabular(Part(features, y), target, Options(model="tabular", members=1), progress=False)
    assert fit.estimator.classes_.tolist() == ["a", "c"]
    assert fit.held_outputs.shape[1] == 3
    raw = fit.network.predict(fit.state, fit.encoder.transform(features))
    powers = np.exp(raw - raw.max(axis=1, keepdims=True))
    found = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(found[:, 1], 0)
    expected = fit.estimator.predict_proba(features)
    for place, label in enumerate(fit.estimator.classes_):
        np.testing.assert_allclose(found[:, target.labels.index(label)], expected[:, place], atol=1e-5)


# ---- Which model is taken


@pytest.mark.parametrize("option", [("--epochs", 200), ("--hidden", 8), ("--dropout", 0.1)])
def test_a_setting_of_networks_takes_the_mlp_and_a_note_says_so(diaphane, good, option):
    answer = diaphane("train", good, *option, "--patience", 1)
    assert f"note: --model mlp, which {', '.join(sorted([option[0], '--patience']))} is for" in answer.out
    assert load_model(Path("model")).facts["model"] == "mlp"


def test_what_is_dumped_names_the_model_that_the_settings_meant(diaphane, write):
    assert '\nmodel = "mlp"\n' in diaphane("train", "iris", "--epochs", 200, "--dump-config").out
    dumped = diaphane("train", "iris", "--seed", 3, "--dump-config").out
    assert '\nmodel = "auto"\n' in dumped
    again = read_options({"source": "iris"}, {})
    assert again.model == "auto"
    config = write(dumped, "c.toml")
    assert diaphane("train", "--config", config, "--dump-config").out == dumped
    assert '\nmodel = "mlp"\n' in diaphane("train", "--config", config, "--epochs", 3, "--dump-config").out


def test_a_file_too_large_for_memory_is_read_in_chunks_by_an_mlp(diaphane, monkeypatch, write):
    from diaphane.app import streams

    source = write("a,b,y\n" + "".join(f"{i % 13},{i % 7},{'np'[i % 2]}\n" for i in range(300)))
    monkeypatch.setattr(streams, "_free_memory", lambda: 1000.0)
    out = diaphane("train", source).out
    assert "may not fit in memory" in out
    assert "read in chunks" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--members", 2, "--epochs", 3], ["--members is for --model tabular, which has no use for --epochs"]),
        (["--members", 2, "--model", "mlp"], ["--model mlp has no use for --members", "--model tabular"]),
        (["--model", "tabular", "--dropout", 0.5], ["--model tabular has no use for --dropout", "take --model mlp"]),
        (["--model", "tabular", "--stream"], ["has no use for --stream"]),
        (["--members", 0], ["--members must be from 1 to 1000, got 0"]),
        (["--model", "tabula"], ["--model must be auto, tabular, mlp", "Did you mean 'tabular'?"]),
        (["--class-weight", "nag=2"], ["there is no class 'nag'", "Did you mean 'neg'?"]),
        (["--class-weight", "neg=0,pos=0"], ["all rows to learn from have weight 0"]),
        (["--test", "t.csv"], ["--test: t.csv: column 'a' holds 'word' in row 1"]),
    ],
)
def test_what_the_networks_cannot_take_is_named_before_the_training(diaphane, monkeypatch, write, good, options, said):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it was trained all the same")

    write("a,b,y\nword,2,pos\n", "t.csv")
    monkeypatch.setattr("diaphane.estimators.tabular.TabularClassifier.fit", refuse)
    assert_one_line(diaphane("train", good, *options), *said)


def test_a_class_weighs_as_asked(diaphane, write, tmp_path):
    rng = np.random.default_rng(0)
    y = rng.random(300) < 0.1
    x = rng.normal(size=300) + 1.5 * y
    source = write("a,y\n" + "".join(f"{a:.3f},{'yes' if r else 'no'}\n" for a, r in zip(x, y, strict=True)))
    found = []
    for weights in ([], ["--class-weight", "balanced"]):
        assert diaphane("train", source, "--members", 1, *weights).code == 0
        found.append(diaphane("predict", "model", source).out.splitlines().count("yes"))
    assert found[1] > 2 * found[0]


def test_ctrl_c_keeps_the_networks_that_have_been_looked_at(diaphane, monkeypatch, averaged):
    from diaphane.estimators.tabular.network import TabularPlan

    judge, looks = TabularPlan.judge, []

    def interrupted(*arguments, **more):
        looks.append(1)
        if len(looks) == 15:
            os.kill(os.getpid(), signal.SIGINT)
        return judge(*arguments, **more)

    monkeypatch.setattr(TabularPlan, "judge", interrupted)
    answer = diaphane("train", averaged["classes"].parent / "classes.csv", "--members", 3)
    assert answer.code == 0
    assert "interrupted" in answer.out
    assert len(looks) < 80
    assert 1 <= load_model(Path("model")).n_members <= 3


# ---- What is done with such a model


def test_it_is_predicted_with_words_gaps_and_categories_never_seen(diaphane, averaged, write):
    text = mixed_table().splitlines()
    answer = diaphane("predict", averaged["classes"], write("\n".join([*text, ",zzz,,low"]) + "\n"), "--proba")
    assert answer.code == 0
    assert answer.out.splitlines()[0] == "y,p(high),p(low),p(middle)"
    assert len(answer.out.splitlines()) == 92
    assert float(answer.err.split()[1]) > 0.8


@pytest.mark.parametrize("name", ["classes", "numbers"])
def test_its_average_is_one_graph_in_onnx(diaphane, averaged, name):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    assert diaphane("export", averaged[name], "m.onnx").code == 0
    model, table = load_model(averaged[name]), read_table(averaged[name].parent / f"{name}.csv")
    raw = name == "numbers"
    x = np.column_stack([table[c] for c in model.encoder.names_in]) if raw else model.encoder.transform(table)
    session = runtime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"x": x}), strict=True))
    if name == "numbers":
        np.testing.assert_allclose(np.ravel(found["output"]), model.outputs(table), rtol=1e-4, atol=1e-4)
    else:
        np.testing.assert_allclose(found["probabilities"], model.outputs(table), atol=1e-5)


def test_it_is_drawn_looked_into_and_profiled_one_network_of_it(diaphane, averaged):
    folder, source = averaged["classes"], averaged["classes"].parent / "classes.csv"
    health = diaphane("health", folder, source)
    assert (health.code, health.err) == (0, "")
    assert health.out.startswith(f"the first of 2 networks of {folder}")
    for graph in ([], ["--graph"]):
        assert diaphane("draw", folder, *graph, "--out", "n.svg").code == 0
        assert "one of 2 networks" in Path("n.svg").read_text(encoding="utf-8")
    assert "a training step of one of 2 networks of" in diaphane("profile", folder, source, "--steps", 2).out
    assert "a prediction of" in diaphane("profile", folder, source, "--predict", "--steps", 2).out


def test_a_model_of_before_there_were_thresholds_and_metrics_is_read(diaphane, classes, good):
    arrays, content = checkpoint.read(classes / "model.safetensors")
    before = diaphane("predict", classes, good)
    del content["threshold"], content["facts"]["metric"]
    checkpoint.write(classes / "model.safetensors", arrays, content)
    again = diaphane("predict", classes, good)
    assert (again.code, again.out, again.err) == (0, before.out, before.err)


def test_the_line_that_repeats_a_run_is_read_as_its_options():
    import shlex

    from diaphane.app.options import every_option

    options = Options(
        source="my table.csv",
        model="mlp",
        hidden=(8, 4),
        no_header=True,
        dropout=(0.1, 0.2),
        report=False,
        threshold=0.3,
    )
    words = shlex.split(as_command(options))
    assert words[:3] == ["diaphane", "train", "my table.csv"]
    flags = {o.flag: o.name for o in every_option()} | {f"--{o.opposite}": o.name for o in every_option() if o.opposite}
    given: dict[str, object] = {"source": "my table.csv"}
    rest = words[3:]
    while rest:
        flag = rest.pop(0)
        name = flags[flag]
        given[name] = flag == f"--{name.replace('_', '-')}" if name in ("no_header", "report") else rest.pop(0)
    given["threshold"] = float(str(given["threshold"]))
    assert read_options(given) == options


def test_python_that_repeats_a_network_gives_its_bytes():
    options = Options(source="iris", model="mlp", hidden=(4,), epochs=2)
    space: dict[str, object] = {}
    exec(as_python(options, "mlp", classify=True), space)
    expected = fit_table(load("iris"), options, progress=False).model
    found = space["model"]
    x = expected.encoder.transform(load("iris"))
    np.testing.assert_array_equal(found.network.predict(found.state, x), expected.network.predict(expected.state, x))
