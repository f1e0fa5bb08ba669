"""How a network for tables is made and trained: every choice in one place, each with its measured worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...graph.record import Record

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe(Record):
    """What is not for a user to tune: the defaults were chosen by validation on tables kept for that.

    Attributes
    ----------
    hidden : tuple of int
    activation : str
    embedding : bool
        Whether numbers become vectors (:class:`~diaphane.nn.PeriodicEmbedding`).
    """

    hidden: tuple[int, ...] = (128, 128)
    activation: str = "silu"
    embedding: bool = True
    frequencies: int = 16
    width: int = 4
    frequency_std: float = 0.1
    feature_scale: bool = True
    tangent: bool = True
    robust: bool = True
    dropout: float = 0.15
    label_smoothing: float = 0.1
    learning_rate: float = 0.04
    beta_2: float = 0.95
    weight_decay: float = 0.02
    schedule: Any = "warmup:2+cosine"
    steps: int = 3000
    fewest_epochs: int = 20
    most_epochs: int = 256
    fewest_batches: int = 8
    smallest_batch: int = 32
    largest_batch: int = 256
    patience: float = 0.3
    monitor: str = "loss"
    most_embedded: int = 200
    bias_std: float = 0.5
    huber: float = 0.0
    zero_start: bool = False
    clip: bool = True
