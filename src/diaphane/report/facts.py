"""What only the one who ran a training knows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["RunFacts"]


@dataclass(frozen=True)
class RunFacts:
    """Facts of a run that neither the estimator nor the rows tell. All are optional.

    Attributes
    ----------
    split : str
        How the rows were divided, in words.
    seconds : dict of str to float
        By phase: reading, training, …
    code : str
        Python that repeats the run; by default it is made from the estimator's parameters.
    command : str
        The same for a shell.
    notes : sequence of str
        What was noticed on the way.
    curves : sequence of dict, optional
        Records with ``epoch``, ``loss`` and perhaps ``validation_loss``; by default those of the estimator.
    network : Drawing or str, optional
        The network's picture, SVG; by default it is drawn from the estimator.

    Examples
    --------
    >>> RunFacts(split="a fifth of the rows at random", seconds={"training": 3.2}).command
    ''
    """

    split: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    code: str = ""
    command: str = ""
    notes: Sequence[str] = ()
    curves: Sequence[Mapping[str, Any]] | None = None
    network: Any = None
