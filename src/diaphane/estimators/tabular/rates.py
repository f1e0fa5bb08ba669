"""The learning rate along a fit whose length is known: up, then down in waves or in one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ...graph import Node, cos, log, minimum
from ...optim.schedules import TimedSchedule

__all__ = ["CosineLog", "WarmCosine"]


@dataclass(frozen=True)
class WarmCosine(TimedSchedule):
    """min(1, t/(w·T))·½(1 + cos(πt/T)): up over the first share w of T steps, down to 0 at T.

    Examples
    --------
    >>> WarmCosine(length=10.0, warm=0.2).values(5).round(3)
    array([0.   , 0.488, 0.905, 0.794, 0.655])
    """

    length: float = 1000.0
    warm: float = 0.1

    def formula(self, t: Node, numbers: Mapping[str, Node]) -> Node:
        share = minimum(t / numbers["length"], 1.0)
        return minimum(share / numbers["warm"], 1.0) * (0.5 * (1 + cos(math.pi * share)))


@dataclass(frozen=True)
class CosineLog(TimedSchedule):
    """½(1 − cos(2π·log₂(1 + (2ᶜ − 1)·t/T))): c waves over T steps, each twice as long as the one before.

    RealMLP's, with c = 4 (Holzmüller, Grinsztajn & Steinwart 2024, §3).
    """

    length: float = 1000.0
    cycles: float = 4.0

    def formula(self, t: Node, numbers: Mapping[str, Node]) -> Node:
        share = minimum(t / numbers["length"], 1.0)
        waves = log(1 + (2.0 ** numbers["cycles"] - 1) * share) * (1 / math.log(2))
        return 0.5 * (1 - cos(2 * math.pi * waves))
