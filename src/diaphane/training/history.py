"""What happened, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["History"]


class History:
    """One record an epoch: ``epoch``, ``loss``, ``seconds``, the learning rate, and what validation gave.

    Attributes
    ----------
    records : list of dict
    stopped : str
        Why training ended: ``"epochs"`` (as many as asked), ``"interrupted"``, ``"diverged"``,
        ``"failed"``, or the reason a callback gave.

    Examples
    --------
    >>> history = History()
    >>> history.append({"epoch": 1, "loss": 0.5})
    >>> history.append({"epoch": 2, "loss": 0.25})
    >>> history["loss"], len(history), history.last("loss")
    ([0.5, 0.25], 2, 0.25)
    """

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.stopped = "epochs"

    def append(self, record: Mapping[str, Any]) -> None:
        """One more epoch."""
        self.records.append(dict(record))

    def __getitem__(self, name: str) -> list[Any]:
        if self.records and name not in self:
            raise KeyError(f"the history has no {name!r}; it has: {', '.join(self.records[-1])}")
        return [r[name] for r in self.records if name in r]

    def __contains__(self, name: object) -> bool:
        # The newest record answers at once what is asked after every epoch.
        return any(name in r for r in (*self.records[-1:], *self.records))

    def last(self, name: str) -> Any:
        """The newest value of a name."""
        newest = self.records[-1] if self.records else {}
        return newest[name] if name in newest else self[name][-1]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.records)

    def __repr__(self) -> str:
        return f"History({len(self)} epochs, stopped: {self.stopped})"
