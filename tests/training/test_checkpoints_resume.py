"""A training that goes on from any of its checkpoints ends with the bits of one that was never interrupted."""

import shutil

import numpy as np
import pytest
import scipy.sparse

from diaphane import nn, optim
from diaphane.training import Callback, Checkpoint, EarlyStopping, InterruptedWarning, Mixup, ReduceOnPlateau, Trainer

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(23, 3)), RNG.normal(size=(23, 2))
WEIGHTS = RNG.random(23)
NETWORK = nn.Network(nn.Sequential([nn.Dense(5, "tanh"), nn.BatchNorm(), nn.Dropout(0.2), nn.Dense(2)]), (3,))
ENGINES = pytest.mark.parametrize("engine", ["reference", "native"])
OFTEN = 1e-9
"""Seconds between checkpoints: one after every batch."""


def trainer_of(folder=None, network=NETWORK, optimizer="adam", epochs=4, **settings):
    settings = {"batch_size": 5, "random_state": 0, **settings}
    return Trainer(network, "squared_error", optimizer, epochs=epochs, checkpoint=folder, **settings)


def bits(result):
    """All that must be the same: the step's values, the network's, the steps, and the history but for its seconds."""
    records = [{k: v for k, v in record.items() if k != "seconds"} for record in result.history]
    values = {v.name: (a.dtype.str, a.shape, a.tobytes()) for v, a in result.step_state.items()}
    network = {v.name: a.tobytes() for v, a in result.state.items()}
    return values, network, result.steps, repr(records), result.history.stopped


def resumed(tmp_path, make, fit, pick, *, expected=8):
    """The results of going on from some checkpoints of a training, and that of one without any."""
    folder = tmp_path / "all"
    kept = fit(make(Checkpoint(folder, every_epochs=1, every_seconds=OFTEN, keep=1000)), False)
    found = sorted(folder.glob("checkpoint-*"))
    assert len(found) >= expected
    whole = bits(fit(make(None), False))
    assert bits(kept) == whole
    for i, path in enumerate(found[pick]):
        alone = tmp_path / f"from {i}"
        alone.mkdir()
        shutil.copy(path, alone)
        yield bits(fit(make(Checkpoint(alone, every_epochs=50)), True)), whole


@ENGINES
@pytest.mark.parametrize("name", sorted(optim.OPTIMIZERS))
def test_every_optimizer_goes_on_to_the_same_bits_on_both_engines(tmp_path, name, engine):
    one = trainer_of(optimizer=optim.OPTIMIZERS[name](0.01), epochs=3, engine=engine)

    def make(checkpoint):
        one.checkpoint = checkpoint
        return one

    # Within an epoch and at the end of one.
    for got, whole in resumed(tmp_path, make, lambda t, resume: t.fit(X, Y, resume=resume), slice(6, 10, 3)):
        assert got == whole


@ENGINES
@pytest.mark.parametrize(
    "schedule",
    [
        optim.StepDecay(0.5, every=1),
        optim.ExponentialDecay(0.1),
        optim.InverseTime(0.1),
        optim.Polynomial(9, per="step"),
        optim.Cosine(2, multiplier=2),
        optim.Warmup(7, per="step") * optim.StepDecay(0.5, every=2),
        optim.OneCycle(15, per="step"),
        optim.Warmup(1).then(optim.ExponentialDecay(0.2), at=1),
    ],
    ids=lambda s: type(s).__name__,
)
def test_every_schedule_goes_on_to_the_same_bits_on_both_engines(tmp_path, schedule, engine):
    one = trainer_of(optimizer=optim.Adam(0.01, schedule=schedule), epochs=3, engine=engine)

    def make(checkpoint):
        one.checkpoint = checkpoint
        return one

    for got, whole in resumed(tmp_path, make, lambda t, resume: t.fit(X, Y, resume=resume), slice(7, 8)):
        assert got == whole


@ENGINES
@pytest.mark.parametrize(
    ("batch_size", "shuffle"), [(4, True), (16, True), (30, True), (4, False)],
    ids=["a short batch", "whole batches", "one batch", "as they lie"],
)  # fmt: skip
def test_early_stopping_weights_and_validation_go_on_to_the_same_bits(tmp_path, engine, shuffle, batch_size):
    def make(checkpoint):
        stopping = EarlyStopping(patience=1, min_delta=0.02)
        return trainer_of(
            checkpoint, optimizer=optim.Adam(0.1), epochs=30, batch_size=batch_size, shuffle=shuffle, engine=engine,
            callbacks=[stopping], metrics={"mae": lambda outputs, y: float(np.abs(outputs - y).mean())},
        )  # fmt: skip

    def fit(trainer, resume):
        return trainer.fit(X, Y, sample_weight=WEIGHTS, validation_fraction=0.3, resume=resume)

    # The last one is that of the end: it is given again, with the best epoch's values.
    for got, whole in resumed(tmp_path, make, fit, slice(None, None, -3), expected=3):
        assert "did not improve" in whole[-1]
        assert got == whole


PARTS = {
    "EMA": {"averaging": optim.EMA(0.9)},
    "SWA": {"averaging": optim.SWA(1)},
    "mixup": {"mixup": Mixup(0.3)},
    "max-norm and clipping": {"constraint": optim.MaxNorm(0.5), "clipping": optim.ClipNorm(0.1)},
    "penalties": {"penalty": optim.L2(0.01)},
    "decay": {"optimizer": optim.SGD(0.05, weight_decay=0.1)},
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_every_part_of_a_step_goes_on_to_the_same_bits(tmp_path, parts):
    def make(checkpoint):
        plateau = ReduceOnPlateau(patience=0)
        return trainer_of(checkpoint, epochs=5, engine="reference", callbacks=[plateau], **parts)

    def fit(trainer, resume):
        return trainer.fit(X, Y, validation_fraction=0.3, resume=resume)

    for got, whole in resumed(tmp_path, make, fit, slice(2, None, 4)):
        assert got == whole


@pytest.mark.parametrize(
    "random_state",
    [
        lambda: 3,
        lambda: np.random.default_rng(3),
        lambda: np.random.RandomState(3),
        *(
            lambda kind=kind: np.random.Generator(getattr(np.random, kind)(3))
            for kind in ("MT19937", "Philox", "SFC64", "PCG64DXSM")
        ),
    ],
    ids=["seed", "default", "RandomState", "MT19937", "Philox", "SFC64", "PCG64DXSM"],
)
def test_every_kind_of_random_state_goes_on_and_so_do_its_later_draws(tmp_path, random_state):
    draws = []

    def fit(trainer, resume):
        trainer.random_state = rng = random_state()
        result = trainer.fit(X, Y, validation_fraction=0.2, resume=resume)
        draws.append(rng.random() if hasattr(rng, "random") else 0.0)
        return result

    one = trainer_of(epochs=3)

    def make(checkpoint):
        one.checkpoint = checkpoint
        return one

    for got, whole in resumed(tmp_path, make, fit, slice(2, 9, 5)):
        assert got == whole
    assert len(set(draws)) == 1


def test_without_a_random_state_a_training_goes_on_with_the_one_it_began_with(tmp_path):
    first = trainer_of(tmp_path, epochs=2, random_state=None).fit(X, Y, validation_fraction=0.2)
    again = trainer_of(tmp_path, epochs=2, random_state=None).fit(X, Y, validation_fraction=0.2, resume=True)
    assert bits(again) == bits(first)
    longer = [
        trainer_of(shutil.copytree(tmp_path, tmp_path.with_name(f"copy {i}")), epochs=5, random_state=None).fit(
            X, Y, validation_fraction=0.2, resume=True
        )
        for i in range(2)
    ]
    assert bits(longer[0]) == bits(longer[1])


@pytest.mark.parametrize("kind", ["sparse", "memory map", "strided", "bytes"])
def test_data_of_every_kind_are_gone_on_with(tmp_path, kind):
    if kind == "sparse":
        x = scipy.sparse.random(23, 3, 0.5, "csr", random_state=0)
    elif kind == "memory map":
        x = np.memmap(tmp_path / "x", "float64", "w+", shape=X.shape)
        x[:] = X
    else:
        x = X[:, ::-1] if kind == "strided" else np.arange(69, dtype=np.uint8).reshape(23, 3)

    def fit(checkpoint, epochs, resume):
        return trainer_of(checkpoint, epochs=epochs).fit(x, Y, resume=resume)

    fit(tmp_path / "run", 2, False)
    assert bits(fit(tmp_path / "run", 4, True)) == bits(fit(None, 4, False))


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Count(Callback):
    def on_fit_start(self, run):
        self.epochs, self.started = 0, run.epoch

    def on_epoch_end(self, run):
        self.epochs += 1


def test_a_training_that_had_ended_is_not_trained_again_and_goes_on_where_more_epochs_are_asked(tmp_path):
    count = Count()
    first = trainer_of(tmp_path, epochs=3, callbacks=[count]).fit(X, Y)
    again = trainer_of(tmp_path, epochs=3, callbacks=[count]).fit(X, Y, resume=True)
    assert (count.started, count.epochs) == (3, 0)
    assert bits(again) == bits(first)
    more = trainer_of(tmp_path, epochs=7, callbacks=[count]).fit(X, Y, resume=True)
    assert (count.started, count.epochs) == (3, 4)
    assert bits(more) == bits(trainer_of(epochs=7, callbacks=[Count()]).fit(X, Y))


def test_an_empty_folder_and_one_that_is_not_there_begin_afresh(tmp_path):
    whole = bits(trainer_of().fit(X, Y))
    assert bits(trainer_of(tmp_path).fit(X, Y, resume=True)) == whole
    assert bits(trainer_of(tmp_path / "a" / "b").fit(X, Y, resume=True)) == whole


@pytest.mark.parametrize("every", [1, 3, 50])
def test_an_interrupt_leaves_a_last_checkpoint_and_is_gone_on_from(tmp_path, every):
    class Interrupt(Callback):
        def on_step_end(self, run):
            if run.steps == 5 * 4 + 2:
                raise KeyboardInterrupt

    with pytest.warns(InterruptedWarning):
        part = trainer_of(Checkpoint(tmp_path, every_epochs=every), epochs=9, callbacks=[Interrupt()]).fit(X, Y)
    assert (len(part.history), part.history.stopped) == (4, "interrupted")
    [newest] = sorted(tmp_path.glob("checkpoint-*"))[-1:]
    assert newest.name == "checkpoint-0000000020.safetensors"
    rest = trainer_of(tmp_path, epochs=9).fit(X, Y, resume=True)
    assert bits(rest) == bits(trainer_of(epochs=9).fit(X, Y))


def test_an_interrupt_within_a_long_epoch_goes_on_from_its_last_piece(tmp_path):
    class Interrupt(Callback):
        def on_step_end(self, run):
            if run.steps == 13:
                raise KeyboardInterrupt

    with pytest.warns(InterruptedWarning):
        part = trainer_of(Checkpoint(tmp_path, every_seconds=OFTEN), callbacks=[Interrupt()]).fit(X, Y)
    assert len(part.history) == 2
    assert sorted(tmp_path.glob("checkpoint-*"))[-1].name == "checkpoint-0000000012.safetensors"
    rest = trainer_of(tmp_path).fit(X, Y, resume=True)
    assert bits(rest) == bits(trainer_of().fit(X, Y))


def test_a_callback_that_fails_leaves_a_checkpoint_of_the_epoch_before(tmp_path):
    class Fail(Callback):
        def on_epoch_start(self, run):
            if run.epoch == 4:
                raise RuntimeError("out of paper")

    with pytest.raises(RuntimeError, match="paper"):
        trainer_of(Checkpoint(tmp_path, every_epochs=10), epochs=6, callbacks=[Fail()]).fit(X, Y)
    rest = trainer_of(tmp_path, epochs=6).fit(X, Y, resume=True)
    assert bits(rest) == bits(trainer_of(epochs=6).fit(X, Y))


def test_what_a_callback_keeps_and_what_it_sets_go_on(tmp_path):
    class Halve(Callback):
        """ε / 2 after each two epochs, and at the start: which must not happen again when it goes on."""

        def on_fit_start(self, run):
            self.seen = np.zeros(1, int)
            run.set_hyperparameter("learning_rate", run.hyperparameter("learning_rate") / 2)

        def on_epoch_start(self, run):
            self.before = run.hyperparameter("learning_rate")

        def on_epoch_end(self, run):
            assert self.before == run.hyperparameter("learning_rate")
            self.seen = self.seen + 1
            if self.seen[0] % 2 == 0:
                run.set_hyperparameter("learning_rate", self.before / 2)

        def to_state(self):
            return {"low": float("-inf")}, {"seen": self.seen}

        def from_state(self, plain, arrays):
            assert plain == {"low": float("-inf")}
            self.seen = arrays["seen"]

    def make(checkpoint):
        return trainer_of(checkpoint, epochs=6, callbacks=[Count(), Halve()])

    for got, whole in resumed(tmp_path, make, lambda t, resume: t.fit(X, Y, resume=resume), slice(None, None, 4)):
        assert got == whole


def test_only_the_last_few_stay_and_the_history_stands_beside_them(tmp_path):
    trainer_of(Checkpoint(tmp_path, keep=2), epochs=5).fit(X, Y)
    names = [f"checkpoint-{steps:010d}.safetensors" for steps in (20, 25)]
    assert sorted(p.name for p in tmp_path.iterdir()) == [*names, "history.jsonl"]


def test_pieces_of_an_epoch_are_as_long_as_the_clock_wants_and_change_no_bit(tmp_path, monkeypatch):
    from diaphane.training.epochs import Epochs

    sizes = []
    run_batches = Epochs._run_batches

    def counted(self, rows):
        sizes.append(rows.shape[-1])
        return run_batches(self, rows)

    monkeypatch.setattr(Epochs, "_run_batches", counted)
    x, y = np.tile(X, (40, 1)), np.tile(Y, (40, 1))
    slow = trainer_of(Checkpoint(tmp_path, every_seconds=1e6), epochs=3).fit(x, y)
    # Doubled from one batch until the whole epoch is within half a second, and then left alone.
    assert sizes[:4] == [5, 10, 20, 40]
    assert sizes[-1] == 920
    assert [p.name for p in tmp_path.glob("checkpoint-*")] == ["checkpoint-0000000552.safetensors"]
    assert bits(slow) == bits(trainer_of(epochs=3).fit(x, y))
