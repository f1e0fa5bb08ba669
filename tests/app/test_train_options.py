"""What each option of ``diaphane train`` does, and what a configuration file says."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.utils.class_weight import compute_class_weight

import diaphane as dia
from diaphane.app.fitting import fit_table
from diaphane.app.model import load_model
from diaphane.app.networks import build_network, optimizer_of, penalty_of, schedule_of
from diaphane.app.options import Options, every_option, read_options
from diaphane.app.options.config import read_config
from diaphane.app.plateau import Plateau
from diaphane.app.weighting import class_weights
from diaphane.data import load
from diaphane.data.target import Target
from diaphane.nn import ACTIVATIONS
from diaphane.optim import OPTIMIZERS, AdamW, find_schedule

from .test_command_mistakes import assert_one_line

QUICK = ("--epochs", 2, "--hidden", 8, "--out", "model")
EVERY = {
    "target": "species",
    "task": "classification",
    "class_weight": "balanced",
    "hidden": "16,8",
    "activation": "gelu",
    "optimizer": "amsgrad",
    "learning_rate": 0.003,
    "schedule": "warmup:1+cosine",
    "epochs": 3,
    "patience": 7,
    "batch_size": 24,
    "seed": 5,
    "alpha": 0.001,
    "l1": 1e-5,
    "weight_decay": 0.02,
    "dropout": "0.1,0.2",
    "input_dropout": 0.05,
    "input_noise": 0.1,
    "max_norm": 0.8,
    "clip_norm": 1.5,
    "label_smoothing": 0.1,
    "mixup": 0.3,
    "averaging": "ema:0.9",
}


def words(options: dict[str, object]) -> list[object]:
    return [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]


def numbers_of(folder) -> dict[str, np.ndarray]:
    return load_file(folder / "model.safetensors")


def same(one, other) -> bool:
    a, b = numbers_of(one), numbers_of(other)
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_each_optimizer_trains_by_its_name(diaphane, good, optimizer):
    answer = diaphane("train", good, *QUICK, "--optimizer", optimizer)
    assert (answer.code, answer.err) == (0, "")


def test_the_help_names_every_optimizer_and_activation_that_can_be_had():
    helps = {option.name: option.help for option in every_option()}
    assert all(name in helps["optimizer"] for name in OPTIMIZERS)
    named = [word.strip(" .") for word in helps["activation"].split(":")[1].split(",")]
    assert set(named) - {"…"} <= set(ACTIVATIONS)


def test_an_optimizers_own_defaults_stay_where_nothing_is_said():
    assert optimizer_of(Options(optimizer="adamw")) == AdamW()
    assert optimizer_of(Options()).learning_rate == 0.001
    assert optimizer_of(Options(optimizer="adamw", weight_decay=0.3)).weight_decay == 0.3


@pytest.mark.parametrize("name", [name for name in EVERY if name not in ("target", "task", "patience")])
def test_each_option_changes_what_is_learnt(diaphane, tmp_path, name):
    fixed = {"epochs": 2, "hidden": "8,4", "out": "one"}
    assert diaphane("train", "iris", *words(fixed)).code == 0
    assert diaphane("train", "iris", *words(fixed | {"out": "other", name: EVERY[name]})).code == 0
    one, other = numbers_of(tmp_path / "one"), numbers_of(tmp_path / "other")
    alike = [one[key].shape == other[key].shape and (one[key] == other[key]).all() for key in one if "values" in key]
    assert not all(alike)


def test_layers_stand_in_the_order_that_the_options_say():
    options = Options(hidden=(8, 4), dropout=(0.1, 0.2), input_dropout=0.05, input_noise=0.3, activation="selu")
    layers = build_network((3,), 2, options).architecture.layers
    assert [type(layer).__name__ for layer in layers] == [
        "GaussianNoise",
        "Dropout",
        "Dense",
        "Dropout",
        "Dense",
        "Dropout",
        "Dense",
    ]
    assert [layer.rate for layer in layers if type(layer).__name__ == "Dropout"] == [0.05, 0.1, 0.2]
    assert type(layers[2].kernel_initializer).__name__ == "LecunNormal"
    one_for_all = build_network((3,), 2, Options(hidden=(8, 4), dropout=(0.5,))).architecture.layers
    assert [layer.rate for layer in one_for_all if type(layer).__name__ == "Dropout"] == [0.5, 0.5]


def test_alpha_is_scikit_learns_penalty_and_l1_the_sum_of_sizes():
    network = build_network((3,), 2, Options(hidden=(4,)))
    node = penalty_of(Options(alpha=0.3, l1=0.02))(network, dia.constant(np.float32(10.0)))
    program = dia.engines.Program([node])
    state = dia.engines.initial_state(program.variables)
    (found,), _ = program.run(state, {})
    kernels = [state[p] for p in network.parameters if p.ndim > 1]
    expected = 0.5 * 0.3 * sum(np.square(k).sum() for k in kernels) / 10 + 0.02 * sum(np.abs(k).sum() for k in kernels)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    assert penalty_of(Options(alpha=0)) is None


def test_a_schedule_lasts_as_long_as_the_epochs():
    assert schedule_of(Options(schedule="cosine", epochs=37)) == find_schedule("cosine", total=37)
    assert schedule_of(Options(schedule="plateau:0.1,3")) == Plateau(0.1, 3)


def test_the_learning_rate_falls_on_a_plateau(diaphane, tmp_path):
    arguments = ("--epochs", 40, "--hidden", 8, "--learning-rate", 0.5, "--schedule", "plateau:0.5,1", "--out", "m")
    assert diaphane("train", "iris", *arguments).code == 0
    history = [json.loads(line) for line in (tmp_path / "m/history.jsonl").read_text().splitlines()]
    rates = {record["learning_rate"] for record in history}
    assert len(rates) > 1
    assert all(np.log2(0.5 / rate).is_integer() for rate in rates)


def test_balanced_weights_are_scikit_learns():
    y = np.array([0] * 7 + [1] * 2 + [2] * 11)
    target = Target("y", "classification", y, ("a", "b", "c"), np.arange(20), 0)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=y)
    np.testing.assert_allclose(class_weights("balanced", target, y), expected)
    np.testing.assert_array_equal(class_weights({"b": 5.0}, target, y), [1, 5, 1])
    assert class_weights(None, target, y) is None


def test_weights_of_one_change_nothing_but_rounding(diaphane, tmp_path):
    diaphane("train", "iris", *QUICK)
    diaphane("train", "iris", *QUICK[:-1], "other", "--class-weight", '{"setosa": 1, "virginica": 1}')
    one, other = numbers_of(tmp_path / "model"), numbers_of(tmp_path / "other")
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("model", ["mlp", "logistic"])
def test_a_rare_class_is_found_more_often_where_classes_weigh_alike(diaphane, write, model):
    rng = np.random.default_rng(0)
    y = rng.random(600) < 0.05
    x = rng.normal(size=(600, 2)) + 1.2 * y[:, None]
    table = "a,b,y\n" + "\n".join(f"{a:.4f},{b:.4f},{'rare' if r else 'usual'}" for (a, b), r in zip(x, y, strict=True))
    source = write(table)
    found = []
    for weights in ([], ["--class-weight", "balanced"]):
        diaphane("train", source, "--model", model, "--epochs", 20, *weights, *(["--hidden", 8] * (model == "mlp")))
        out = diaphane("predict", "model", source).out.splitlines()[1:]
        found.append(sum(line == "rare" for line in out))
    assert found[1] > 2 * found[0]


def test_labels_of_weights_are_read_in_each_spelling():
    for given in ("no=1,yes=5", '{"no": 1, "yes": 5.0}', "no = 1, yes = 5"):
        assert read_options({"class_weight": given}).class_weight == {"no": 1.0, "yes": 5.0}
    assert read_options({"class_weight": "a=b=2"}).class_weight == {"a=b": 2.0}


# ---- A file to test on


def test_the_rows_of_a_test_file_are_the_test_and_all_others_are_learnt_from(diaphane, write, sums, lines, tmp_path):
    source, test = write(lines(sums(80)), "s.csv"), write(lines(sums(31, seed=9)), "t.csv")
    answer = diaphane("train", source, *QUICK, "--test", test)
    assert answer.code == 0
    rows = load_model(tmp_path / "model").facts["rows"]
    assert rows["test"] == 31
    assert rows["train"] + rows["validation"] == 80
    told = diaphane("predict", "model", test)
    score = load_model(tmp_path / "model").facts["scores"]["test"]["score"]
    assert f"accuracy: {score:.4f} over 31 rows" in told.err


def test_a_test_file_does_not_take_part_in_the_training(diaphane, write, sums, lines, tmp_path):
    source = write(lines(sums(80)), "s.csv")
    for k, seed in enumerate((1, 2)):
        diaphane("train", source, *QUICK[:-1], f"m{k}", "--test", write(lines(sums(20, seed=seed)), f"t{k}.csv"))
    assert same(tmp_path / "m0", tmp_path / "m1")


def test_a_class_that_is_only_in_the_test_file_counts_as_wrong_and_is_told(diaphane, write, sums, lines):
    table = sums(20, seed=1)
    test = write(lines([*table, ("0.1", "0.2", "strange"), ("0.3", "0.1", "")]), "t.csv")
    answer = diaphane("train", write(lines(sums(80)), "s.csv"), *QUICK, "--test", test)
    assert answer.code == 0
    assert "1 row of" in answer.out
    assert "of a class that is not in the source (it has neg, pos): counted as wrong" in answer.out
    assert "without 'y' left out" in answer.out
    assert "│ test       │   21 │" in answer.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,y\n1,pos\n", ["t.csv lacks columns of the source: b", "it has a, y"]),
        ("a,B,y\n1,2,pos\n", ["lacks columns of the source: b", "Did you mean 'B'?"]),
        ("a,b,c,y\n1,2,3,pos\n", ["has columns that the source lacks: c"]),
        ("a,b,y\nword,2,pos\n", ["t.csv", "column 'a' holds 'word' in row 1"]),
        ("a,b,y\n1,2,\n", ["no row of", "has a value in the target 'y'"]),
        ("a,b,y\n1,2,pos\n1,2\n", ["line 3: 2 cells"]),
        ("", ["is empty"]),
    ],
)
def test_a_test_file_that_does_not_fit_is_explained(diaphane, good, write, text, said):
    assert_one_line(diaphane("train", good, "--test", write(text, "t.csv")), "--test", *said)


@pytest.mark.parametrize("how", [[], ["--stream"]])
def test_a_row_of_a_test_file_is_counted_with_those_that_have_no_target(diaphane, write, how):
    source = write("a,b,y\n" + "".join(f"{i},{i % 7},{'np'[i % 2]}\n" for i in range(200)), "s.csv")
    test = write("a,b,y\n1,2,\n1,2,\n1,2,p\nword,2,n\n", "t.csv")
    answer = diaphane("train", source, *QUICK, "--test", test, *how)
    assert_one_line(answer, "--test: ", "t.csv: column 'a' holds 'word' in row 4")


def test_a_test_file_that_is_not_there_is_named(diaphane, good, numbers, write):
    assert_one_line(diaphane("train", good, "--test", "nowhere.csv"), "--test", "there is no file nowhere.csv")
    text = write("a,b,y\n1,2,word\n", "t.csv")
    assert_one_line(diaphane("train", numbers, "--test", text), "'y' is a number in the source and holds text")


# ---- A configuration file


def test_every_option_in_a_file_gives_the_run_that_the_command_line_gives(diaphane, write, tmp_path):
    assert diaphane("train", "iris", *words(EVERY), "--out", "one").code == 0
    typed = {"hidden": [16, 8], "dropout": [0.1, 0.2]}
    lines = [f"{name} = {json.dumps(typed.get(name, value))}" for name, value in EVERY.items()]
    config = write("\n".join([*lines, 'source = "iris"', 'out = "two"']), "run.toml")
    assert diaphane("train", "--config", config).code == 0
    assert (tmp_path / "one/model.safetensors").read_bytes() == (tmp_path / "two/model.safetensors").read_bytes()


def test_what_is_dumped_is_toml_that_gives_the_same_run(diaphane, write, tmp_path):
    dumped = diaphane("train", "iris", *words(EVERY), "--out", "one", "--dump-config")
    assert (dumped.code, dumped.err) == (0, "")
    assert not (tmp_path / "one").exists()
    config = write(dumped.out, "run.toml")
    assert diaphane("train", "--config", config, "--dump-config").out == dumped.out
    assert diaphane("train", "iris", *words(EVERY), "--out", "one").code == 0
    assert diaphane("train", "--config", config, "--out", "two").code == 0
    assert (tmp_path / "one/model.safetensors").read_bytes() == (tmp_path / "two/model.safetensors").read_bytes()


def test_all_options_are_dumped_those_without_a_value_as_comments(diaphane):
    out = diaphane("train", "--dump-config").out
    said = tomllib.loads(out)
    for option in every_option():
        name = option.name.replace("_", "-")
        assert (name in said) == (option.default is not None)
        assert f"# {name} =" in out or f"\n{name} = " in out


@pytest.mark.parametrize(
    "weights",
    [{"no": 1.0, 'a "b"': 2.0, "é\\n\t": 0.5, "\x7f": 1.0}, "balanced", None],
)
def test_any_label_survives_the_way_through_toml(weights, tmp_path):
    from diaphane.app.options.config import dump_config

    options = Options(class_weight=weights, target="x y\n\"'", dropout=(0.25,), learning_rate=1e-7)
    (tmp_path / "c.toml").write_text(dump_config(options), encoding="utf-8")
    assert Options(**read_config(tmp_path / "c.toml")) == options


def test_the_command_line_wins_over_the_file_and_the_file_over_the_defaults(diaphane, write):
    config = write('epochs = 3\nhidden = "5"\nno_header = true\nplot = true\n', "c.toml")
    said = tomllib.loads(diaphane("train", "iris", "--config", config, "--epochs", 9, "--no-plot", "--dump-config").out)
    assert (said["epochs"], said["hidden"], said["no-header"], said["plot"]) == (9, [5], True, False)
    assert said["patience"] == 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch = 3", ["there is no option 'epoch'", "Did you mean 'epochs'?"]),
        ("batch_sise = 3", ["'batch_sise'", "Did you mean 'batch-size'?"]),
        ("zzzzz = 3", ["there is no option 'zzzzz'", "There are source, target"]),
        ('epochs = "3"', ["epochs takes a whole number; got '3'"]),
        ("epochs = 3.5", ["epochs takes a whole number; got 3.5"]),
        ("epochs = true", ["epochs takes a whole number; got True"]),
        ("plot = 1", ["plot takes true or false; got 1"]),
        ('learning-rate = "fast"', ["learning-rate takes a number"]),
        ("hidden = [8, 4.5]", ["hidden takes whole numbers"]),
        ("dropout = [true]", ["dropout takes a number, or one a layer"]),
        ("class-weight = {a = 'x'}", ["class-weight takes balanced"]),
        ("checkpoint-every = -1", ["checkpoint-every takes a number of epochs"]),
        ("out = 3", ["out takes a path"]),
        ("epochs = 0", ["--epochs must be at least 1, got 0"]),
        ("[training]\nepochs = 3", ["there is no option 'training'"]),
        ("batch-size = 3\nbatch_size = 4", ["batch-size is there twice"]),
        ("epochs 3", ["is no TOML", "epochs = 50"]),
        (b"\xff\xfe", ["is no TOML"]),
    ],
)
def test_a_mistake_in_a_file_is_named_with_the_file(diaphane, write, text, said):
    config = write(text, "run.toml")
    answer = diaphane("train", "iris", "--config", config)
    assert_one_line(answer, *said)
    assert "run.toml" in answer.err or "--" in answer.err


def test_a_file_that_is_not_there_is_named(diaphane):
    assert_one_line(diaphane("train", "iris", "--config", "no.toml"), "--config: cannot read no.toml: No such file")


def test_a_file_may_begin_with_the_mark_that_some_editors_write(tmp_path):
    (tmp_path / "run.toml").write_text("epochs = 3\n", encoding="utf-8-sig")
    assert read_config(tmp_path / "run.toml") == {"epochs": 3}


def test_a_source_may_stand_in_the_file_alone_but_somewhere(diaphane, write):
    config = write('source = "iris"\nepochs = 1\nhidden = 4\n', "c.toml")
    assert "target 'species'" in diaphane("train", "--config", config).out
    assert "Missing argument" in diaphane("train", "--config", write("epochs = 1", "d.toml")).said


def test_a_dumped_file_suits_a_linear_model_too(diaphane, write):
    config = write(diaphane("train", "iris", "--model", "logistic", "--dump-config").out, "c.toml")
    assert diaphane("train", "--config", config).code == 0
    assert_one_line(diaphane("train", "--config", config, "--dropout", 0.5), "has no use for --dropout")


# ---- Mistakes


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--optimizer", "adamm"], ["--optimizer must be one of sgd, momentum", "Did you mean 'adam'?"]),
        (["--activation", "rellu"], ["--activation must be one of", "Did you mean 'relu'?"]),
        (["--schedule", "cosin"], ["--schedule: there is no schedule 'cosin'", "cosine"]),
        (["--schedule", "step:2,10"], ["--schedule"]),
        (["--schedule", "plateau:x"], ["--schedule: plateau takes a factor", "plateau:0.5,5"]),
        (["--schedule", "plateau:2"], ["--schedule", "alpha"]),
        (["--schedule", "warmup:1+plateau:0.5,2"], ["--schedule: plateau stands alone", "warmup:1+plateau:0.5,2"]),
        (["--epochs", "1" + "0" * 20, "--schedule", "cosine"], ["--epochs must be at most 1000000000"]),
        (["--averaging", "swa:3"], ["--averaging swa:3 begins after the last of 2 epochs"]),
        (["--dropout", "1"], ["--dropout must be at least 0 and less than 1, got 1.0"]),
        (["--dropout", "x"], ["--dropout takes a number, or one a layer", "got 'x'"]),
        (["--dropout", "0.1,0.2,0.3"], ["there are 2 layers and 3 numbers"]),
        (["--input-dropout", "1.5"], ["--input-dropout must be at least 0 and less than 1"]),
        (["--input-noise", "-1"], ["--input-noise must be a number of at least 0"]),
        (["--weight-decay", "-1"], ["--weight-decay must be a number of at least 0, got -1.0"]),
        (["--alpha", "nan"], ["--alpha must be a number of at least 0, got nan"]),
        (["--l1", "inf"], ["--l1 must be a number of at least 0"]),
        (["--max-norm", "0"], ["--max-norm must be a number greater than 0, got 0.0", "leave it out"]),
        (["--clip-norm", "-1"], ["--clip-norm must be a number greater than 0"]),
        (["--label-smoothing", "1"], ["--label-smoothing must be at least 0 and less than 1"]),
        (["--label-smoothing", "0.1", "--target", "a"], ["--label-smoothing is for classes"]),
        (["--mixup", "0"], ["--mixup must be a number greater than 0"]),
        (["--averaging", "ema:2"], ["--averaging"]),
        (["--averaging", "swa"], ["--averaging: ", "ema:0.999", "got 'swa'"]),
        (["--averaging", "mean"], ["--averaging: ", "ema:", "swa:"]),
        (["--class-weight", "neg"], ["--class-weight takes balanced, labels with one weight", "got 'neg'"]),
        (["--class-weight", "{"], ["--class-weight takes"]),
        (["--class-weight", "neg=x"], ["--class-weight takes"]),
        (["--class-weight", "neg=1,neg=2"], ["--class-weight takes", "one weight each"]),
        (["--class-weight", "neg=1e300"], ["NaN or infinite", "or a smaller --class-weight"]),
        (["--class-weight", "neg=-1"], ["a weight must be a number of at least 0, got -1.0 for 'neg'"]),
        (["--class-weight", "nag=2"], ["there is no class 'nag'", "Did you mean 'neg'?"]),
        (["--class-weight", "neg=0,pos=0"], ["all rows to learn from have weight 0"]),
        (["--class-weight", "balanced", "--target", "a"], ["--class-weight is for classes", "'a' is a number"]),
        (["--checkpoint-every", "0"], ["--checkpoint-every takes a number of epochs", "got '0'"]),
        (["--checkpoint-every", "soon"], ["got 'soon'"]),
    ],
)
def test_an_option_that_makes_no_sense_is_named(diaphane, tmp_path, good, options, said):
    assert_one_line(diaphane("train", good, "--epochs", 2, *options), *said)
    assert not (tmp_path / "model/model.safetensors").exists()


def test_a_model_says_with_which_options_it_was_trained(tmp_path):
    options = read_options(EVERY | {"out": tmp_path / "m"})
    outcome = fit_table(load("iris"), options, progress=False)
    said = outcome.model.facts["options"]
    assert said["dropout"] == [0.1, 0.2]
    assert said["schedule"] == "warmup:1+cosine"
    assert json.loads(json.dumps(said)) == said
    assert not {"out", "plot", "checkpoint", "resume", "source", "test"} & set(said)
