"""What is damaged, of another training, in use or full: refused with what to do, and nothing is lost."""

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import warnings

import numpy as np
import pytest
import scipy.sparse

import diaphane as dia
from diaphane import nn, optim
from diaphane.files import FileError, checkpoint
from diaphane.training import Callback, Checkpoint, CheckpointWarning, OtherRunError, Trainer
from diaphane.training.digests import describe_rows

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(23, 3)), RNG.normal(size=(23, 2))
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def network_of(units=5, dtype="float64", activation="tanh"):
    return nn.Network(nn.Sequential([nn.Dense(units, activation), nn.Dense(2)]), (3,), dtype=dtype)


NETWORK = network_of()


def fit(folder, epochs=3, resume=True, network=NETWORK, loss="squared_error", data=(X, Y), fit_with=None, **settings):
    settings = {"optimizer": "adam", "batch_size": 5, "random_state": 0, "engine": "reference", **settings}
    trainer = Trainer(network, loss, epochs=epochs, checkpoint=folder, **settings)
    return trainer.fit(*data, resume=resume and folder is not None, **(fit_with or {}))


def values(result):
    return [a.tobytes() for a in result.step_state.values()]


def files(folder):
    return sorted(folder.glob("checkpoint-*"))


# ── damaged ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def flip(data):
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :]


DAMAGES = {
    "cut off": lambda data: data[: len(data) // 2],
    "a flipped bit": flip,
    "empty": lambda data: b"",
    "something else": lambda data: b"\x00" * len(data),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("count", [1, 2])
def test_a_damaged_checkpoint_is_refused_with_a_word_and_the_one_before_it_used(tmp_path, damage, count):
    fit(tmp_path)
    *_, good, bad = [files(tmp_path)[i] for i in (-count - 1, -1)]
    for path in files(tmp_path)[-count:]:
        path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(CheckpointWarning) as said:
        found = fit(tmp_path, epochs=5)
    [only] = said
    assert str(bad) in str(only.message)
    assert f"Training goes on from {good} instead" in str(only.message)
    assert values(found) == values(fit(None, epochs=5))


def test_where_all_are_damaged_it_says_what_to_do_and_touches_none(tmp_path):
    fit(tmp_path)
    for path in files(tmp_path):
        path.write_bytes(flip(path.read_bytes()))
    before = {p: p.read_bytes() for p in files(tmp_path)}
    with pytest.raises(FileError, match=r"none of the 3 checkpoints .*bring back a copy of one, or move them away"):
        fit(tmp_path)
    assert {p: p.read_bytes() for p in files(tmp_path)} == before


@pytest.mark.parametrize("kind", ["cut off", "a flipped bit"])
def test_a_cut_or_a_flipped_bit_anywhere_is_never_gone_on_from(tmp_path, kind):
    fit(tmp_path, epochs=1)
    [path] = files(tmp_path)
    whole = path.read_bytes()
    for at in np.random.default_rng(1).integers(0, len(whole), 60):
        flipped = whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :]
        path.write_bytes(whole[:at] if kind == "cut off" else flipped)
        with pytest.raises(FileError, match="checkpoint-0000000005"):
            fit(tmp_path, epochs=1)


@pytest.mark.parametrize("change", [{"version": 2}, {"kind": "network"}], ids=["version", "kind"])
def test_another_version_of_the_format_is_refused_and_not_passed_over(tmp_path, change):
    fit(tmp_path)
    arrays, content = checkpoint.read(files(tmp_path)[-1])
    checkpoint.write(files(tmp_path)[-1], arrays, {**content, **change})
    with pytest.raises(FileError, match=r"is of version .* of the format of checkpoints, this diaphane reads version"):
        fit(tmp_path)


@pytest.mark.parametrize("missing", ["state/parameters", "history", "order"])
def test_a_checkpoint_that_lacks_something_is_no_crash(tmp_path, missing):
    fit(tmp_path, epochs=1)
    [path] = files(tmp_path)
    arrays, content = checkpoint.read(path)
    del arrays[missing]
    checkpoint.write(path, arrays, content)
    with pytest.raises(FileError, match=r"checkpoint-0000000005"):
        fit(tmp_path, epochs=2)


# ── of another training ──────────────────────────────────────────────────────────────────────────────────────────────

OTHERS = {
    "units": ({"network": network_of(8)}, r"network\.layers\.0\.units was 5 and is 8"),
    "activation": ({"network": network_of(activation="relu")}, r"layers\.0\.activation was 'tanh' and is 'relu'"),
    "dtype": ({"network": network_of(dtype="float32")}, r"dtype was 'float64' and is 'float32'"),
    "loss": ({"loss": "absolute_error"}, r"loss was 'squared_error' and is 'absolute_error'"),
    "optimizer": ({"optimizer": "sgd"}, r"optimizer\.type was 'Adam' and is 'SGD'"),
    "learning rate": ({"optimizer": optim.Adam(0.5)}, r"optimizer\.learning_rate was 0\.001 and is 0\.5"),
    "batch size": ({"batch_size": 6}, "batch_size was 5 and is 6"),
    "shuffle": ({"shuffle": False}, "shuffle was True and is False"),
    "seed": ({"random_state": 1}, "random_state was 0 and is 1"),
    "generator": ({"random_state": np.random.RandomState(0)}, "random_state was 0 and is 'RandomState of MT19937'"),
    "engine": ({"engine": "native"}, "engine was 'reference' and is 'native'"),
    "penalty": ({"penalty": lambda network, examples: dia.sum(network.parameters[0] ** 2)}, "penalty was None"),
    "constraint": ({"constraint": optim.MaxNorm(2.0)}, "constraint was None and is MaxNorm"),
    "validation": ({"fit_with": {"validation_fraction": 0.3}}, r"validation_fraction was 0\.0 and is 0\.3"),
    "weights": ({"fit_with": {"sample_weight": np.ones(23)}}, r"the data's sample_weight was None"),
    "rows": ({"data": (X[:20], Y[:20])}, r"the data's x\.shape was \[23, 3\] and is \[20, 3\]"),
    "data type": ({"data": (X.astype("f4"), Y)}, r"the data's x\.dtype was '<f8' and is '<f4'"),
    "a value": ({"data": (X + (np.arange(69).reshape(23, 3) == 68) * 1e-12, Y)}, "the data's x has other values"),
    "targets": ({"data": (X, -Y)}, "the data's y has other values"),
    "validation data": ({"fit_with": {"validation_data": (X, Y)}}, "the data's validation x was None"),
}  # fmt: skip


@pytest.fixture(scope="module")
def former(tmp_path_factory):
    folder = tmp_path_factory.mktemp("former")
    fit(folder)
    return folder


@pytest.mark.parametrize(("changes", "said"), OTHERS.values(), ids=OTHERS)
def test_another_training_is_refused_by_its_first_difference(former, tmp_path, changes, said):
    folder = shutil.copytree(former, tmp_path / "run")
    with pytest.raises(OtherRunError, match=f"is of another training: .*{said}") as error:
        fit(folder, **changes)
    assert "or another folder to begin anew" in str(error.value)
    assert [p.name for p in files(folder)] == [p.name for p in files(former)]
    assert not (folder / "lock.json").exists()


def test_a_function_of_ones_own_that_was_changed_is_seen_by_its_formula(tmp_path):
    def loss_of(power):
        def own(outputs, y):
            return dia.sum((outputs - y) ** power, axis=1)

        return own

    fit(tmp_path, loss=loss_of(2))
    fit(tmp_path, loss=loss_of(2))
    with pytest.raises(OtherRunError, match="the formulas of a step are others: a function"):
        fit(tmp_path, loss=loss_of(4))


def test_a_callback_that_kept_something_and_is_gone_is_named(tmp_path):
    fit(tmp_path, callbacks=[dia.training.EarlyStopping("loss")])
    with pytest.raises(FileError, match="what a callback EarlyStopping kept, and there is none"):
        fit(tmp_path, epochs=9)


def test_a_training_that_begins_anew_does_not_touch_a_former_ones_checkpoints(tmp_path):
    fit(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(FileError, match=r"holds the checkpoints of a former training.*resume=True goes on with it"):
        fit(tmp_path, resume=False)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_resuming_needs_a_folder():
    with pytest.raises(ValueError, match='give the trainer checkpoint="folder"'):
        Trainer(NETWORK, "squared_error").fit(X, Y, resume=True)


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"folder": 3}, TypeError, "a checkpoint's folder is a path, got 3"),
        ({"folder": ""}, TypeError, "a checkpoint's folder is a path"),
        ({"folder": "a", "every_epochs": 0}, ValueError, "every_epochs must be at least 1, got 0"),
        ({"folder": "a", "every_epochs": 1.5}, TypeError, "every_epochs must be a whole number"),
        ({"folder": "a", "every_seconds": 0}, ValueError, "every_seconds must be greater than 0, got 0"),
        ({"folder": "a", "every_seconds": float("nan")}, ValueError, "every_seconds must be greater than 0"),
        ({"folder": "a", "every_seconds": "1"}, TypeError, "every_seconds must be a number greater than 0"),
        ({"folder": "a", "keep": 0}, ValueError, "keep must be at least 1, got 0"),
    ],
)
def test_bad_settings_are_refused_at_once(settings, kind, said):
    with pytest.raises(kind, match=said):
        Checkpoint(**settings)


def test_a_random_state_that_cannot_be_written_down_is_refused(tmp_path):
    class Own:
        permutation = staticmethod(np.random.default_rng(0).permutation)

    with pytest.raises(TypeError, match="random_state is a Own, whose state cannot be kept in a checkpoint"):
        fit(tmp_path, random_state=Own())


# ── the digest of data ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_digest_is_of_values_and_not_of_how_they_lie(tmp_path):
    x = np.random.default_rng(0).normal(size=(70000, 11))
    mapped = np.memmap(tmp_path / "x", "float64", "w+", shape=x.shape)
    mapped[:] = x
    assert len({describe_rows(a)["digest"] for a in (x, np.asfortranarray(x), x[::-1][::-1], mapped)}) == 1


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "float16", "float32", "float64"])
def test_any_one_value_changes_a_digest_and_so_do_signs_and_swaps(dtype):
    rng = np.random.default_rng(2)
    x = rng.integers(0, 2, (5000, 67)).astype(dtype)
    before, seen = describe_rows(x)["digest"], set()
    for row, column in zip([0, 4999, *rng.integers(0, 5000, 20)], [0, 66, *rng.integers(0, 67, 20)], strict=True):
        other = x.copy()
        other[row, column] = 1 - other[row, column]
        seen.add(describe_rows(other)["digest"])
        swapped = x.copy()
        swapped[[row, (row + 64) % 5000]] = swapped[[(row + 64) % 5000, row]]
        seen.add(describe_rows(swapped)["digest"])
    assert before not in seen
    assert len(seen) == 44
    if np.dtype(dtype).kind == "f":
        assert describe_rows(-x)["digest"] != before


def test_a_digest_of_a_sparse_matrix_knows_its_places():
    x = scipy.sparse.random(200, 30, 0.1, "csr", random_state=0)
    moved = x.copy()
    moved.indices = moved.indices[::-1].copy()
    assert describe_rows(x) == describe_rows(x.copy())
    assert describe_rows(x)["digest"] != describe_rows(moved)["digest"]


# ── folders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def lock(folder, pid, host=None, **more):
    folder.mkdir(exist_ok=True)
    (folder / "lock.json").write_text(json.dumps({"pid": pid, "host": host or socket.gethostname(), **more}))


def test_a_folder_in_use_by_another_process_names_it(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        lock(tmp_path, other.pid)
        with pytest.raises(FileError, match=f"is used by process {other.pid}; wait for its end"):
            fit(tmp_path)
        assert (tmp_path / "lock.json").exists()
    finally:
        other.kill()
        other.wait()
        other.stdin.close()
    assert len(fit(tmp_path).history) == 3
    assert not (tmp_path / "lock.json").exists()


@pytest.mark.parametrize(
    "owner",
    [{"pid": 2**22 + 7}, {"pid": os.getpid(), "token": "a former one"}, {"pid": os.getppid(), "started": "1"}, None],
    ids=["dead", "our number in a former life", "a later process of its number", "killed while it wrote"],
)  # fmt: skip
def test_a_dead_processs_lock_is_taken_over(tmp_path, owner):
    if owner is None:
        (tmp_path / "lock.json").write_text("")
    else:
        lock(tmp_path, **owner)
    assert len(fit(tmp_path).history) == 3


def test_a_lock_of_another_host_is_not_judged(tmp_path):
    lock(tmp_path, 12, host="elsewhere")
    with pytest.raises(FileError, match=r"process 12 on elsewhere; if that one is dead, delete .*lock\.json"):
        fit(tmp_path)


def test_two_fits_of_one_process_do_not_share_a_folder(tmp_path):
    class Inner(Callback):
        def on_epoch_end(self, run):
            with pytest.raises(FileError, match="is used by this process itself, for another fit"):
                fit(tmp_path)

    fit(tmp_path, epochs=1, callbacks=[Inner()])


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_to_is_refused_before_training(tmp_path, monkeypatch, code):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("pathlib.Path.write_text", refuse)
    with pytest.raises(FileError, match=f"cannot write to the checkpoint folder .*: {os.strerror(code)}"):
        fit(tmp_path)


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(FileError, match=r"cannot make the checkpoint folder .*run: .*; choose another"):
        fit(tmp_path / "run")
    assert (tmp_path / "run").read_text() == "mine"


def test_a_disk_with_too_little_room_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 100, 100))
    with pytest.raises(FileError, match=r"is full: a checkpoint takes .* MB are free; make room"):
        fit(tmp_path)


def test_what_a_killed_process_had_begun_to_write_is_swept_away(tmp_path):
    fit(tmp_path, epochs=1)
    (tmp_path / ".checkpoint-0000000010.safetensors.01ab23cd").write_bytes(b"half")
    (tmp_path / ".mine").write_bytes(b"kept")
    fit(tmp_path, epochs=2)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == [".mine"]


# ── while training ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_where_the_disk_is_full_training_goes_on_with_one_word_and_the_next_checkpoint_tries_again(
    tmp_path, monkeypatch, moment
):
    original, calls = getattr(os, moment), []

    def sometimes(*args):
        if any(".checkpoint-" in str(a) for a in args) or moment == "fsync":
            calls.append(1)
            if 2 <= len(calls) <= 4:
                raise FULL
        return original(*args)

    class Look(Callback):
        def on_epoch_end(self, run):
            left.append([p.name for p in tmp_path.iterdir() if p.name.startswith(".")])

    left = []
    monkeypatch.setattr(os, moment, sometimes)
    with pytest.warns(CheckpointWarning) as said:
        found = fit(tmp_path, epochs=9, callbacks=[Look()])
    monkeypatch.undo()
    [only] = said
    assert "No space left on device" in str(only.message)
    assert "Training goes on; the next checkpoint tries again" in str(only.message)
    assert left == [[]] * 9
    assert values(found) == values(fit(None, epochs=9))
    assert files(tmp_path)[-1].name == "checkpoint-0000000045.safetensors"
    assert values(fit(tmp_path, epochs=12)) == values(fit(None, epochs=12))


def test_a_disk_that_stays_full_loses_no_training(tmp_path, monkeypatch):
    def full(*_):
        raise FULL

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(CheckpointWarning) as said:
        found = fit(tmp_path)
    assert len(said) == 1
    assert values(found) == values(fit(None))
    assert files(tmp_path) == []


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_ctrl_c_during_a_checkpoint_leaves_it_whole_or_absent_and_a_last_one(tmp_path, monkeypatch, moment):
    import signal

    original, calls = getattr(os, moment), []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == 6:
            signal.raise_signal(signal.SIGINT)
        return original(*args)

    monkeypatch.setattr(os, moment, interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(dia.training.InterruptedWarning):
            part = fit(tmp_path, epochs=60)
    finally:
        signal.signal(signal.SIGINT, before)
    monkeypatch.undo()
    assert part.history.stopped == "interrupted"
    assert files(tmp_path)[-1].name == f"checkpoint-{5 * len(part.history):010d}.safetensors"
    for path in files(tmp_path):
        checkpoint.read(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rest = fit(tmp_path, epochs=60)
    assert values(rest) == values(fit(None, epochs=60))


def test_a_mistake_in_what_a_callback_keeps_is_said(tmp_path):
    class Wrong(Callback):
        def to_state(self):
            return {"when": object()}, {}

    with pytest.raises(TypeError, match=r"Wrong\['when'\] holds .*which cannot be written down"):
        fit(tmp_path, callbacks=[Wrong()])


def test_waiting_for_the_disk_more_than_training_is_said_once(tmp_path, monkeypatch):
    from diaphane.training import checkpoints

    monkeypatch.setattr(checkpoints, "SOME_SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "MUCH_WAITING", 0.0)
    with pytest.warns(CheckpointWarning, match=r"goes by in waiting for checkpoints.*every_seconds=10") as said:
        fit(tmp_path, epochs=6)
    assert len(said) == 1
