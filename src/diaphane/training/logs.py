"""The history while it happens: as JSON Lines, for TensorBoard, for MLflow."""

from __future__ import annotations

import json
import math
import os
import secrets
import time
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .callbacks import Callback

if TYPE_CHECKING:
    from ..graph.node import Array
    from .run import TrainingRun

__all__ = ["JSONLines", "LogWarning", "MLflow", "TensorBoard"]


class LogWarning(UserWarning):
    """A log could not be written to; training goes on."""


class JSONLines(Callback):
    """One record of the history a line, written when its epoch is over.

    Each line is strict JSON. What JSON has no number for is a text that ``float`` reads: ``"NaN"``, ``"Infinity"``,
    ``"-Infinity"``. A training that goes on from a checkpoint goes on in the file, without doubles and without what
    came after the checkpoint.

    Parameters
    ----------
    path : path-like
    overwrite : bool
        Whether a training that begins anew may replace a file that is there.

    Raises
    ------
    FileExistsError
        When training begins anew, if there is such a file and ``overwrite`` is not set.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> import diaphane as dia
    >>> network = dia.nn.Network(dia.nn.Dense(1), (2,))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = JSONLines(Path(folder) / "history.jsonl")
    ...     trainer = dia.training.Trainer(network, "squared_error", "sgd", epochs=2, callbacks=[log])
    ...     _ = trainer.fit(np.ones((8, 2)), np.ones(8))
    ...     lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    >>> [line["epoch"] for line in lines], sorted(lines[0])
    ([1, 2], ['epoch', 'learning_rate', 'loss', 'seconds'])
    """

    def __init__(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        self.path, self.overwrite = Path(path), overwrite
        self._file: Any = None

    def epochs_ahead(self) -> float:
        # It reads the history alone.
        return math.inf

    def on_fit_start(self, run: TrainingRun) -> None:
        if not run.epoch and not self.overwrite and self.path.exists() and self.path.stat().st_size:
            raise FileExistsError(
                f"{self.path} has the history of a former training: give another path, move it away, or say "
                "overwrite=True"
            )
        self._written = self._size = 0
        self._warned = False
        self._file = self._begun(run)

    def on_epoch_end(self, run: TrainingRun) -> None:
        try:
            # From its known end: an attempt that failed in the middle of a line left it there.
            self._file.seek(self._size)
            data = b"".join(_line(record) for record in run.history.records[self._written :])
            self._file.truncate()
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            self._warn(error)
            return
        self._size += len(data)
        self._written = len(run.history)

    def on_fit_end(self, run: TrainingRun) -> None:
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError as error:
            self._warn(error)
        self._file = None

    def _begun(self, run: TrainingRun) -> Any:
        """The file with all records that there are, put in place at once, so that a kill loses none."""
        whole = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            data = b"".join(map(_line, run.history.records))
            whole.write_bytes(data)
            os.replace(whole, self.path)
        finally:
            whole.unlink(missing_ok=True)
        self._size, self._written = len(data), len(run.history)
        return open(self.path, "r+b", buffering=0)  # closed when the training ends

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"cannot write {self.path}: {error.strerror}. Training goes on; the next epoch tries again.",
                LogWarning,
                stacklevel=2,
            )


class TensorBoard(Callback):
    """Every number of the history as a scalar, by tensorboardX; ``tensorboard --logdir FOLDER`` shows them.

    Parameters
    ----------
    folder : path-like

    Raises
    ------
    ImportError
        When training begins, where tensorboardX is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.fspath(folder)
        self._writer: Any = None

    def epochs_ahead(self) -> float:
        return math.inf

    def on_fit_start(self, run: TrainingRun) -> None:
        try:
            from tensorboardX import SummaryWriter  # type: ignore[import-untyped]
        except ImportError:
            raise ImportError(_install("TensorBoard", "tensorboardX", "tensorboard")) from None
        # What a killed process wrote of later epochs is not shown. Files are told apart by their second otherwise.
        later, suffix = run.epoch + 1 if run.epoch else None, f".{run.epoch:09d}.{secrets.token_hex(2)}"
        self._writer = SummaryWriter(self.folder, purge_step=later, filename_suffix=suffix)

    def on_epoch_end(self, run: TrainingRun) -> None:
        for name, value in _numbers(run.history.records[-1]).items():
            self._writer.add_scalar(name, value, run.epoch)
        self._writer.flush()

    def on_fit_end(self, run: TrainingRun) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class MLflow(Callback):
    """Every number of the history as a metric of an MLflow run, and the training's settings as its parameters.

    A training that goes on from a checkpoint goes on in the same run.

    Parameters
    ----------
    experiment : str
        Made if there is none.
    tracking_uri : str, optional
        Where runs are stored; by default where MLflow is set to.
    run_name : str, optional
    parameters : mapping, optional
        More to write down than batch size, epochs and the optimizer's hyperparameters.

    Attributes
    ----------
    run_id : str or None
        MLflow's name of the run.

    Raises
    ------
    ImportError
        When training begins, where mlflow is not installed.
    """

    def __init__(
        self,
        experiment: str = "diaphane",
        tracking_uri: str | None = None,
        run_name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.experiment, self.tracking_uri, self.run_name = experiment, tracking_uri, run_name
        self.parameters = dict(parameters or {})
        self.run_id: str | None = None
        self._client: Any = None
        self._logged = self._known = 0
        self._warned = False

    def epochs_ahead(self) -> float:
        return math.inf

    def on_fit_start(self, run: TrainingRun) -> None:
        try:
            from mlflow import MlflowClient
        except ImportError:
            raise ImportError(_install("MLflow", "mlflow", "mlflow")) from None
        self._client = MlflowClient(self.tracking_uri)
        self.run_id, self._logged, self._known, self._warned = None, len(run.history), 0, False
        # One that goes on is told its run's name in a moment.
        if not run.epoch:
            self._start(run)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        return {"run_id": self.run_id}, {}

    def from_state(self, plain: dict[str, Any], arrays: dict[str, Array]) -> None:
        self.run_id = plain["run_id"]
        if self.run_id is not None:
            self._client.update_run(self.run_id, status="RUNNING")
            # The last epochs before a kill may be there already, with the same numbers.
            logged = self._client.get_metric_history(self.run_id, "loss")
            self._known = max((int(metric.step) for metric in logged), default=0)

    def on_epoch_end(self, run: TrainingRun) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._log(run)
        except MlflowException as error:
            if not self._warned:
                self._warned = True
                warnings.warn(
                    f"MLflow does not answer: {error}. Training goes on; the next epoch tries again.",
                    LogWarning,
                    stacklevel=2,
                )

    def on_fit_end(self, run: TrainingRun) -> None:
        if self.run_id is not None and self._client is not None:
            ends = {"failed": "FAILED", "diverged": "FAILED", "interrupted": "KILLED"}
            self._client.set_tag(self.run_id, "stopped", run.history.stopped)
            self._client.set_terminated(self.run_id, ends.get(run.history.stopped, "FINISHED"))
        self._client = None

    def _start(self, run: TrainingRun) -> None:
        from mlflow.entities import Param

        found = self._client.get_experiment_by_name(self.experiment)
        identity = self._client.create_experiment(self.experiment) if found is None else found.experiment_id
        self.run_id = self._client.create_run(identity, run_name=self.run_name).info.run_id
        settings = {"epochs": run.epochs, "batch_size": run.batch_size, "optimizer": type(run.step.optimizer).__name__}
        settings |= {name: run.hyperparameter(name) for name in run.step.hyperparameters}
        named = [Param(name, str(value)) for name, value in {**settings, **self.parameters}.items()]
        self._client.log_batch(self.run_id, params=named)

    def _log(self, run: TrainingRun) -> None:
        from mlflow.entities import Metric

        if self.run_id is None:
            self._start(run)
        now = int(time.time() * 1000)
        for record in run.history.records[self._logged :]:
            epoch = int(record["epoch"])
            if epoch > self._known:
                metrics = [Metric(name, value, now, epoch) for name, value in _numbers(record).items()]
                self._client.log_batch(self.run_id, metrics=metrics)
            self._logged += 1


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps({name: _strict(value) for name, value in record.items()}, allow_nan=False).encode() + b"\n"


def _strict(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if isinstance(value, Mapping):
        return {str(name): _strict(each) for name, each in value.items()}
    return [_strict(each) for each in value] if isinstance(value, list | tuple) else value


def _numbers(record: Mapping[str, Any]) -> dict[str, float]:
    kinds = (int, float, np.integer, np.floating)
    found: Iterable[tuple[str, Any]] = record.items()
    return {name: float(v) for name, v in found if name != "epoch" and isinstance(v, kinds) and not isinstance(v, bool)}


def _install(what: str, library: str, extra: str) -> str:
    return f"{what} needs {library}, which is not installed: pip install 'diaphane[{extra}]'"
