"""The history while it happens, read back by what it is written for."""

import errno
import json
import os
import sys

import numpy as np
import pytest

from diaphane import nn, optim
from diaphane.training import Callback, Checkpoint, JSONLines, LogWarning, MLflow, TensorBoard, Trainer

X, Y = np.random.default_rng(0).normal(size=(23, 3)), np.random.default_rng(1).normal(size=(23, 2))
NETWORK = nn.Network(nn.Sequential([nn.Dense(5, "tanh"), nn.Dense(2)]), (3,))
ODD = [float("nan"), float("inf"), float("-inf"), 1e-320, 0.1, -0.0]


class Die(Callback):
    """Fails at an epoch's start, as a kill would end it: what was logged of the epoch before stays."""

    def __init__(self, at):
        self.at = at

    def on_epoch_start(self, run):
        if run.epoch == self.at:
            raise RuntimeError("killed")


def fit(*callbacks, epochs=4, checkpoint=None, resume=False, odd=False, **settings):
    values = iter(ODD * 9)
    trainer = Trainer(
        NETWORK, "squared_error", optim.SGD(0.01), batch_size=5, epochs=epochs, callbacks=callbacks, random_state=0,
        engine="reference", checkpoint=checkpoint, metrics={"odd": lambda *_: next(values)} if odd else None,
        **settings,
    )  # fmt: skip
    return trainer.fit(X, Y, validation_data=(X, Y) if odd else None, resume=resume)


def lines(path):
    def refuse(text):
        raise ValueError(f"{text} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()]


def without_seconds(records):
    return [{k: v for k, v in record.items() if k != "seconds"} for record in records]


# ── JSON Lines ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_record_is_a_line_of_strict_json_that_gives_every_number_back(tmp_path):
    result = fit(JSONLines(tmp_path / "deep" / "h.jsonl"), epochs=6, odd=True)
    found = lines(tmp_path / "deep" / "h.jsonl")
    assert [record["validation_odd"] for record in found] == ["NaN", "Infinity", "-Infinity", 1e-320, 0.1, -0.0]
    for record, true in zip(found, result.history, strict=True):
        assert list(record) == list(true)
        np.testing.assert_array_equal([float(v) for v in record.values()], [float(v) for v in true.values()])


def test_a_record_is_there_when_its_epoch_is_over(tmp_path):
    class Look(Callback):
        def on_epoch_end(self, run):
            seen.append([line["epoch"] for line in lines(tmp_path / "h.jsonl")])

    seen = []
    fit(JSONLines(tmp_path / "h.jsonl"), Look(), epochs=3)
    assert seen == [[1], [1, 2], [1, 2, 3]]


def test_it_asks_for_no_epoch_by_itself():
    assert JSONLines("h.jsonl").epochs_ahead() == float("inf")


@pytest.mark.parametrize("every", [1, 2, 3])
def test_a_resumed_training_goes_on_without_doubles_and_without_a_torn_line(tmp_path, every):
    path, folder = tmp_path / "h.jsonl", tmp_path / "run"
    with pytest.raises(RuntimeError, match="killed"):
        fit(JSONLines(path), Die(5), epochs=7, checkpoint=Checkpoint(folder, every_epochs=every))
    for each in (path, folder / "history.jsonl"):
        each.write_bytes(each.read_bytes() + b'{"epoch": 5, "lo')
    # As after a kill: the newest checkpoint, of the failure, is not there.
    newest = sorted(folder.glob("checkpoint-*"))
    if len(newest) > 1:
        newest[-1].unlink()
    result = fit(JSONLines(path), epochs=7, checkpoint=folder, resume=True)
    for each in (path, folder / "history.jsonl"):
        assert lines(each) == list(result.history)
    assert without_seconds(lines(path)) == without_seconds(fit(epochs=7).history)


def test_a_former_trainings_history_is_not_written_over_unless_asked(tmp_path):
    path = tmp_path / "h.jsonl"
    fit(JSONLines(path), epochs=2)
    with pytest.raises(FileExistsError, match=r"has the history of a former training.*overwrite=True"):
        fit(JSONLines(path), epochs=3)
    assert len(lines(path)) == 2
    fit(JSONLines(path, overwrite=True), epochs=3)
    assert len(lines(path)) == 3


def test_a_full_disk_is_said_once_and_what_is_missing_comes_later(tmp_path):
    class Full:
        """A file of which every second write stops in the middle."""

        def __init__(self, file):
            self.file, self.writes = file, 0

        def write(self, data):
            self.writes += 1
            if self.writes in (2, 3):
                self.file.write(data[:7])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.file.write(data)

        def __getattr__(self, name):
            return getattr(self.file, name)

    class Spoil(Callback):
        def on_fit_start(self, run):
            log._file = Full(log._file)

    log = JSONLines(tmp_path / "h.jsonl")
    with pytest.warns(LogWarning, match="No space left on device. Training goes on") as said:
        result = fit(log, Spoil(), epochs=5)
    assert len(said) == 1
    assert lines(tmp_path / "h.jsonl") == list(result.history)


# ── TensorBoard ──────────────────────────────────────────────────────────────────────────────────────────────────────


def scalars(folder):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = accumulator.EventAccumulator(str(folder))
    found.Reload()
    return {name: [(e.step, e.value) for e in found.Scalars(name)] for name in found.Tags()["scalars"]}


def test_tensorboard_shows_every_number_of_the_history(tmp_path):
    pytest.importorskip("tensorboardX")
    history = fit(TensorBoard(tmp_path), epochs=6, odd=True).history
    found = scalars(tmp_path)
    assert set(found) == {*history.records[0]} - {"epoch"}
    for name, pairs in found.items():
        assert [step for step, _ in pairs] == [1, 2, 3, 4, 5, 6]
        np.testing.assert_array_equal([v for _, v in pairs], np.array(history[name], np.float32))


def test_tensorboard_shows_a_resumed_training_without_doubles(tmp_path):
    pytest.importorskip("tensorboardX")
    run = tmp_path / "run"
    with pytest.raises(RuntimeError, match="killed"):
        fit(TensorBoard(tmp_path / "board"), Die(5), epochs=7, checkpoint=run)
    sorted(run.glob("checkpoint-*"))[-1].unlink()
    history = fit(TensorBoard(tmp_path / "board"), epochs=7, checkpoint=run, resume=True).history
    found = scalars(tmp_path / "board")["loss"]
    assert [step for step, _ in found] == [1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_array_equal([v for _, v in found], np.array(history["loss"], np.float32))


# ── MLflow ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def store(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.chdir(tmp_path)
    uri = (tmp_path / "mlruns").as_uri()
    return uri, mlflow.MlflowClient(uri)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_mlflow_has_every_number_the_settings_and_how_it_ended(store):
    uri, client = store
    log = MLflow("digits", uri, "first", {"note": "mine"})
    history = fit(log, epochs=5).history
    run = client.get_run(log.run_id)
    assert (run.info.run_name, run.info.status, run.data.tags["stopped"]) == ("first", "FINISHED", "epochs")
    assert client.get_experiment(run.info.experiment_id).name == "digits"
    settings = {"epochs": "5", "batch_size": "5", "optimizer": "SGD", "learning_rate": "0.01", "note": "mine"}
    assert {k: run.data.params[k] for k in settings} == settings
    for name in ("loss", "seconds", "learning_rate"):
        found = client.get_metric_history(log.run_id, name)
        assert [(m.step, m.value) for m in found] == list(enumerate(history[name], 1))


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_mlflow_goes_on_in_the_same_run_without_doubles(store, tmp_path):
    uri, client = store
    first, second = MLflow(tracking_uri=uri), MLflow(tracking_uri=uri)
    with pytest.raises(RuntimeError, match="killed"):
        fit(first, Die(5), epochs=7, checkpoint=tmp_path / "run")
    assert client.get_run(first.run_id).info.status == "FAILED"
    sorted((tmp_path / "run").glob("checkpoint-*"))[-1].unlink()
    history = fit(second, epochs=7, checkpoint=tmp_path / "run", resume=True).history
    assert second.run_id == first.run_id
    assert client.get_run(first.run_id).info.status == "FINISHED"
    found = client.get_metric_history(first.run_id, "loss")
    assert [(m.step, m.value) for m in found] == list(enumerate(history["loss"], 1))


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_an_mlflow_that_does_not_answer_is_said_once_and_gets_the_rest_later(store, monkeypatch):
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    log_batch, calls = MlflowClient.log_batch, []

    def sometimes(self, run_id, metrics=(), **more):
        if metrics:
            calls.append(1)
            if len(calls) in (2, 3):
                raise MlflowException("no connection")
        return log_batch(self, run_id, metrics=metrics, **more)

    monkeypatch.setattr(MlflowClient, "log_batch", sometimes)
    uri, client = store
    log = MLflow(tracking_uri=uri)
    with pytest.warns(LogWarning, match="no connection. Training goes on") as said:
        history = fit(log, epochs=5).history
    assert len([w for w in said if w.category is LogWarning]) == 1
    found = client.get_metric_history(log.run_id, "loss")
    assert [(m.step, m.value) for m in found] == list(enumerate(history["loss"], 1))


@pytest.mark.parametrize(
    ("callback", "module", "said"),
    [
        (lambda: TensorBoard("board"), "tensorboardX", r"TensorBoard needs tensorboardX.*diaphane\[tensorboard\]"),
        (lambda: MLflow(), "mlflow", r"MLflow needs mlflow.*diaphane\[mlflow\]"),
    ],
)
def test_a_library_that_is_not_installed_is_named_with_its_extra(callback, module, said, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=said):
        fit(callback())
