"""One verdict: its kind, its evidence in words and numbers, and what to try next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["DiagnosisFinding", "percent", "takes_away"]


@dataclass(frozen=True)
class DiagnosisFinding:
    """One verdict.

    Attributes
    ----------
    kind : str
        ``"leakage"``, ``"distribution shift"``, ``"label noise"``, ``"rate too large"``, ``"rate too small"``,
        ``"stopped too early"``, ``"vanishing gradients"``, ``"underfitting"``, ``"overfitting"``,
        ``"too little data"`` or ``"well fitted"``.
    words : str
        The evidence, as a sentence.
    evidence : dict of str to float
        The numbers in it.
    next_steps : tuple of str
        What to try, in order.
    """

    kind: str
    words: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    next_steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {self.words}"


def percent(share: float) -> str:
    """A share in words.

    Examples
    --------
    >>> percent(0.123), percent(-1e9)
    ('12 %', 'less than nothing')
    """
    return "less than nothing" if share < -9.99 or not math.isfinite(share) else f"{100 * share:.0f} %"


def takes_away(skill: float) -> str:
    """What a model does to the error of a constant, in words.

    Examples
    --------
    >>> takes_away(0.92), takes_away(-0.4)
    ("takes away 92 % of a constant's error", 'is worse than a constant')
    """
    return (
        f"takes away {percent(max(skill, 0.0))} of a constant's error" if skill > -0.005 else "is worse than a constant"
    )
