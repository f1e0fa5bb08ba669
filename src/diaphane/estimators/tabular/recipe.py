"""How a network for tables is made and trained: every choice in one place, each with its measured worth."""

from __future__ import annotations

from dataclasses import dataclass

from ...graph.record import Record

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe(Record):
    """What is not for a user to tune. Most of it is RealMLP's, with smaller networks of which some are averaged.

    Holzmüller, Grinsztajn & Steinwart 2024. The spread of the frequencies was chosen by held-out rows of tables that
    are kept for that; ``benchmarks/bench_tabular.py --ablation`` prints what each ingredient is worth there.

    Parameters
    ----------
    hidden : tuple of int
        Units of the hidden layers.
    activation : str
    embedding : bool
        Whether numbers become vectors by :class:`~diaphane.nn.PeriodicEmbedding`; none does where there are more
        than ``most_embedded`` of them.
    frequencies, width, frequency_std : int, int, float
        Of that layer.
    feature_scale : bool
        Whether each feature has a learnt factor: :class:`~diaphane.nn.FeatureScale`.
    tangent : bool
        Dense layers as :class:`~diaphane.nn.TangentDense`, with biases of the spread ``bias_std`` at first; otherwise
        plain ones, which want a lower rate.
    zero_start : bool
        Whether the last layer begins at 0.
    robust : bool
        Numbers centred and scaled by their quartiles, not by mean and deviation.
    dropout, label_smoothing, weight_decay : float
    huber : float
        Where the loss of a regression turns from squares to a line, in deviations of the target; 0 is nowhere.
    learning_rate, beta_2 : float
        Of AdamW.
    schedule : {"cosine", "coslog"}
        Up and down once, or in four waves.
    steps : int
        Wanted for a fit, which has ``fewest_epochs`` to ``most_epochs``.
    wide : int
        Features from which steps are fewer in inverse proportion, so that a fit's time is bounded.
    fewest_batches, smallest_batch, largest_batch : int
        A batch is a share of the rows within bounds.
    looks : int
        How often the held-out rows are looked at, at most.
    monitor : {"loss", "error"}
        What is looked at for classes.
    patience : float
        After what share of the epochs without a better look a member stops.

    Examples
    --------
    >>> Recipe(hidden=(64,), dropout=0.3).hidden
    (64,)
    """

    hidden: tuple[int, ...] = (128, 128)
    activation: str = "silu"
    embedding: bool = True
    frequencies: int = 16
    width: int = 4
    frequency_std: float = 0.6
    most_embedded: int = 200
    feature_scale: bool = True
    tangent: bool = True
    bias_std: float = 0.5
    zero_start: bool = False
    robust: bool = True
    dropout: float = 0.15
    label_smoothing: float = 0.1
    weight_decay: float = 0.02
    huber: float = 3.0
    learning_rate: float = 0.04
    beta_2: float = 0.95
    schedule: str = "cosine"
    steps: int = 2000
    wide: int = 2500
    fewest_epochs: int = 20
    most_epochs: int = 170
    fewest_batches: int = 8
    smallest_batch: int = 32
    largest_batch: int = 256
    looks: int = 40
    monitor: str = "loss"
    patience: float = 0.3

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for name, choices in (("schedule", ("cosine", "coslog")), ("monitor", ("loss", "error"))):
            if getattr(self, name) not in choices:
                raise ValueError(f"Recipe: {name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
