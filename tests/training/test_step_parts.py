"""The parts of a step together: what is left out costs nothing, and the trainer hands all of them on."""

import numpy as np
import pytest

import diaphane as dia
from diaphane import nn, optim
from diaphane.optim import EMA, L2, SWA, ClipNorm, ClipValue, MaxNorm
from diaphane.training import Mixup, Trainer, TrainingStep

RNG = np.random.default_rng(9)
X, Y = RNG.normal(size=(30, 5)).astype("float32"), RNG.integers(0, 3, 30)
PARTS = {
    "penalty": L2(0.01),
    "clipping": ClipNorm(0.5),
    "constraint": MaxNorm(0.6),
    "averaging": EMA(0.5),
    "mixup": Mixup(0.5),
}


def network(*first):
    layers = [*first, nn.Dense(8, "relu"), nn.Dropout(0.3), nn.BatchNorm(), nn.Dense(3)]
    return nn.Network(nn.Sequential(layers), (5,))


def plain_program(net, optimizer):
    """The step written out: forward, backward, update, and nothing else."""
    x = dia.placeholder((dia.Dim("N"), 5), "float32", "x")
    y = dia.placeholder((dia.Dim("N"),), "int64", "y")
    forward = net.forward(x, training=True)
    total = nn.mean_loss(nn.losses.categorical_cross_entropy(forward.output, y))
    flat = optim.flatten(net.parameters)
    loss, *kept = dia.substitute([total, *forward.updates.values()], flat.views)
    gradient = flat.gradient(dia.gradient(loss, list(flat.views.values())))
    updates = optimizer.updates(flat.vector, gradient).next_values
    return flat, dia.Program({"loss": loss}, {**dict(zip(forward.updates, kept, strict=True)), **updates}, loss=loss)


def test_a_step_without_parts_is_node_for_node_and_bit_for_bit_the_plain_one():
    net, optimizer = network(), optim.Adam(0.01)
    step = TrainingStep(net, nn.find_loss("categorical_cross_entropy"), optimizer, target_dtype=Y.dtype)
    flat, plain = plain_program(net, optimizer)
    nodes = [[type(n.op).__name__ for n in dia.ancestors(p.definition.wanted)] for p in (step.program, plain)]
    assert sorted(nodes[0]) == sorted(nodes[1])
    data = step.data(X, Y)
    first = step.initial_state(net.initial_state(np.random.default_rng(0)))
    by_name = {v.name: value for v, value in first.items()}
    start = dia.State({v: by_name[v.name] for v in plain.variables})
    _, ours = step.program.run_batches(first, data, batch_size=8, seed=4)
    _, theirs = plain.run_batches(start, {"x": X, "y": Y}, batch_size=8, seed=4)
    np.testing.assert_array_equal(ours[step.flat.vector], theirs[flat.vector])
    counts = [
        len(p.profile(s, d, batch_size=8, steps=1).instructions)
        for p, s, d in ((step.program, first, data), (plain, start, {"x": X, "y": Y}))
    ]
    assert counts[0] == counts[1]
    assert set(step.hyperparameters) == {"learning_rate", "beta_1", "beta_2", "epsilon"}


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_all_parts_together_train_in_the_trainer_and_the_engines_agree(engine):
    net = network(nn.GaussianNoise(0.1))
    loss = nn.LabelSmoothing("categorical_cross_entropy", 0.1)
    parts = {**PARTS, "averaging": SWA(2)}
    results = [
        Trainer(net, loss, optim.SGD(0.05), batch_size=8, epochs=4, random_state=3, engine=e, **parts).fit(X, Y)
        for e in (engine, "reference")
    ]
    for p in net.parameters:
        np.testing.assert_allclose(results[0].state[p], results[1].state[p], rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("part", PARTS)
def test_the_trainer_hands_each_part_on(part):
    net = network()

    def fit(**parts):
        trainer = Trainer(
            net, "categorical_cross_entropy", optim.SGD(0.1), batch_size=8, epochs=2, random_state=0, **parts
        )
        return trainer.fit(X, Y).state[net.parameters[0]]

    assert not np.array_equal(fit(), fit(**{part: PARTS[part]}))


def test_every_number_of_every_part_is_a_hyperparameter_of_the_step_under_a_name_of_its_own():
    net = network()
    loss = nn.LabelSmoothing("categorical_cross_entropy", 0.1)
    step = TrainingStep(net, loss, optim.SGD(0.1), target_dtype=Y.dtype, **{**PARTS, "clipping": ClipValue(1.0)})
    own = {"l2/strength", "clip_value/limit", "max_norm/limit", "ema/decay", "mixup/alpha", "label_smoothing"}
    assert set(step.hyperparameters) == own | {"learning_rate"}
    names = [v.name for v in step.program.variables]
    assert len(names) == len(set(names))


def test_validation_and_the_result_are_of_the_average_and_training_can_go_on_from_the_raw_parameters():
    net = network()
    settings = {"batch_size": 30, "random_state": 0, "shuffle": False}
    trainer = Trainer(net, "categorical_cross_entropy", optim.SGD(0.3), epochs=5, averaging=EMA(0.5), **settings)
    result = trainer.fit(X, Y, validation_data=(X, Y))
    assert trainer.evaluate(result.state, X, Y)["loss"] == pytest.approx(result.history.last("validation_loss"))
    step = trainer.step_for(Y, False)
    raw = step.flat.unpack(result.step_state[step.flat.vector])
    assert not np.array_equal(result.state[net.parameters[0]], raw[net.parameters[0]])
    longer = Trainer(net, "categorical_cross_entropy", optim.SGD(0.3), epochs=5, **settings)
    plain = longer.fit(X, Y)
    np.testing.assert_array_equal(plain.state[net.parameters[0]], raw[net.parameters[0]])


def test_validation_has_the_loss_of_the_targets_themselves_where_labels_are_smoothed():
    net = network()
    trainer = Trainer(net, nn.LabelSmoothing("categorical_cross_entropy", 0.3), epochs=2, random_state=0)
    result = trainer.fit(X, Y, validation_data=(X, Y))
    plain = Trainer(net, "categorical_cross_entropy").evaluate(result.state, X, Y)["loss"]
    assert result.history.last("validation_loss") == pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize("part", PARTS)
def test_wrong_types_are_refused_by_name_with_an_example(part):
    for wrong in (0.1, type(PARTS[part])):
        with pytest.raises(TypeError, match=rf"{part} must be .*\("):
            Trainer(network(), "categorical_cross_entropy", **{part: wrong})
