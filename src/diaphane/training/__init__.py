"""The loop: batches, trainer, callbacks, history."""

from .callbacks import Callback, EarlyStopping, ProgressBar
from .history import History
from .step import Evaluation, TrainingStep
from .trainer import DivergenceError, InterruptedWarning, Metric, Trainer, TrainingResult, TrainingRun

__all__ = [
    "Callback",
    "DivergenceError",
    "EarlyStopping",
    "Evaluation",
    "History",
    "InterruptedWarning",
    "Metric",
    "ProgressBar",
    "Trainer",
    "TrainingResult",
    "TrainingRun",
    "TrainingStep",
]
