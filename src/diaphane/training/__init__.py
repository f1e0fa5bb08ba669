"""The loop: batches, trainer, callbacks, history."""

from .callbacks import Callback, EarlyStopping, ProgressBar
from .checkpoints import Checkpoint, CheckpointWarning
from .history import History
from .logs import JSONLines, LogWarning, MLflow, TensorBoard
from .mixup import Mixup, symmetric_beta
from .plateau import ReduceOnPlateau
from .range_test import RateTest, rate_test
from .refreshing import refresh
from .setups import OtherRunError
from .step import Evaluation, TrainingStep
from .streaming import fit_stream
from .trainer import DivergenceError, InterruptedWarning, Metric, Trainer, TrainingResult, TrainingRun

__all__ = [
    "Callback",
    "Checkpoint",
    "CheckpointWarning",
    "DivergenceError",
    "EarlyStopping",
    "Evaluation",
    "History",
    "InterruptedWarning",
    "JSONLines",
    "LogWarning",
    "MLflow",
    "Metric",
    "Mixup",
    "OtherRunError",
    "ProgressBar",
    "RateTest",
    "ReduceOnPlateau",
    "TensorBoard",
    "Trainer",
    "TrainingResult",
    "TrainingRun",
    "TrainingStep",
    "rate_test",
    "refresh",
    "symmetric_beta",
    "fit_stream",
]
