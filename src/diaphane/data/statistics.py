"""What one pass over rows in chunks tells of each column: enough to encode them as if all had been in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from diaphane.data.chunks import Columns, table_of
from diaphane.data.columns import MOST_CATEGORIES, ColumnEncoder, Encoder, choose_encoder
from diaphane.data.dates import looks_like_dates
from diaphane.data.errors import DataError
from diaphane.data.numbers import LIMIT, NumberEncoder
from diaphane.data.table import Table, finite_numbers

__all__ = ["ColumnStatistics", "Moments"]

BLOCK = 1 << 14
"""Rows are added up in blocks that begin at multiples of this, so that how they were cut into chunks makes no bit's
difference."""

SAMPLE = 1 << 16
"""Rows that are kept for what a pass cannot tell, at most."""

SAMPLE_CELLS = 1 << 23
"""Of many columns fewer rows are kept, so that they are no more cells than this, but 4096 rows always."""

PLACE = "(place)"


@dataclass
class Moments:
    """Number, mean and squared deviations of numbers, added up block by block in float64.

    Of two parts a and b (Chan, Golub & LeVeque 1983, eq. 2.1): n = nₐ + n_b, δ = mean_b − meanₐ,
    mean = meanₐ + δ·n_b/n, M₂ = M₂ₐ + M₂_b + δ²·nₐ·n_b/n.

    Attributes
    ----------
    count, missing : int
        Numbers, and NaN beside them.
    mean, squares : float
        Their mean, and the sum of their squared deviations from it.
    low, high : float

    Examples
    --------
    >>> moments = Moments()
    >>> for part in ([1.0, 2.0], [6.0, np.nan]):
    ...     moments.add(np.array(part))
    >>> moments.count, moments.missing, moments.mean, moments.squares, moments.high
    (3, 1, 3.0, 14.0, 6.0)
    """

    count: int = 0
    missing: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def add(self, values: NDArray[Any]) -> None:
        """Add numbers of one block."""
        if values.dtype.kind == "f" and math.isnan(float(values.sum())):
            known = values[~np.isnan(values)]
            self.missing += len(values) - len(known)
            values = known
        if not len(values):
            return
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        exact = values.astype(np.float64)
        mean = float(exact.mean())
        exact -= mean
        self.merge(len(exact), mean, float(exact @ exact))

    def merge(self, count: int, mean: float, squares: float) -> None:
        """Add numbers of which only this is known."""
        total = self.count + count
        distance = mean - self.mean
        self.squares += squares + distance * distance * (self.count * (count / total))
        self.mean += distance * (count / total)
        self.count = total

    @property
    def deviation(self) -> float:
        """√(M₂/n)."""
        return math.sqrt(self.squares / self.count) if self.count else 0.0


@dataclass
class _Words:
    """Which words there are, as long as they are few."""

    distinct: set[str | None] = field(default_factory=set)

    def add(self, values: NDArray[Any]) -> None:
        if len(self.distinct) <= MOST_CATEGORIES + 1:
            self.distinct.update(values.tolist())


class ColumnStatistics:
    """Gathered from chunks, then made into a :class:`ColumnEncoder`.

    ===================  ==========================================================================================
    a column of          what is kept
    ===================  ==========================================================================================
    numbers              number, mean, deviation, range, each exact; the median of a sample of 65 536 rows, which is
                         exact for no more rows than that and is off by 0.4 % of the rows at most 19 times of 20
    at most 64 words     every word
    dates, more words    a sample of 65 536 rows
    ===================  ==========================================================================================

    Parameters
    ----------
    random_state : int
        Of the sample.

    Examples
    --------
    >>> statistics = ColumnStatistics()
    >>> statistics.add({"size": np.array([1.0, 2.0]), "colour": np.array(["red", "blue"], dtype=object)})
    >>> statistics.add({"size": np.array([3.0, np.nan]), "colour": np.array(["red", None], dtype=object)})
    >>> encoder = statistics.encoder()
    >>> encoder.feature_names_out
    ('size', 'size is missing', 'colour = blue', 'colour = red', 'colour is missing')
    >>> statistics.moments["size"].mean
    2.0
    """

    def __init__(self, random_state: int = 0) -> None:
        self.rows = 0
        self.moments: dict[str, Moments] = {}
        self.words: dict[str, _Words] = {}
        self._waiting: list[Columns] = []
        self._sample = _Sample(random_state)

    def add(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Add the next rows.

        Raises
        ------
        DataError
            If a number is infinite.
        """
        for block, whole in self._blocks(dict(columns)):
            if whole:
                self._add_block(block)
            else:
                self._waiting.append(block)

    def encoder(self, *, dtype: DTypeLike = np.float32, bounded: bool = True) -> ColumnEncoder:
        """The encoder that :meth:`ColumnEncoder.fit` would have learnt from all the rows.

        Raises
        ------
        DataError
            If there were no rows, or no column differs from row to row.
        MissingExtraError
            If a column holds dates and skrub is not installed.
        """
        self._finish()
        if not self.rows:
            raise DataError("there are no rows; expected at least one to learn the columns from")
        sample = self._sample.table()
        chosen = {name: self._choose(name, sample) for name in sample.names}
        return ColumnEncoder.of(chosen, dtype=dtype, bounded=bounded)

    def _choose(self, name: str, sample: Table) -> Encoder | str:
        if name in self.words:
            distinct = self.words[name].distinct
            words = np.array(sorted(distinct, key=str), dtype=object)
            # What a few words become does not depend on how often each comes; what dates become does.
            many = len(distinct - {None}) > MOST_CATEGORIES or looks_like_dates(words)
            return choose_encoder(name, sample[name] if many else words)
        moments = self.moments[name]
        if not moments.count:
            return "all its values are missing"
        number = number_encoder(name, moments, sample[name])
        return number if number.feature_names else f"{number.fill:g} in every row"

    def _blocks(self, columns: Columns) -> Iterator[tuple[Columns, bool]]:
        """The rows cut at multiples of the block, and whether each is whole."""
        rows = len(next(iter(columns.values())))
        held = sum(len(next(iter(block.values()))) for block in self._waiting)
        start = 0
        while start < rows:
            stop = min(start + BLOCK - held, rows)
            block = {name: values[start:stop] for name, values in columns.items()}
            whole = held + stop - start == BLOCK
            if whole and self._waiting:
                block, self._waiting = _concatenated([*self._waiting, block]), []
            yield block, whole
            start, held = stop, 0

    def _finish(self) -> None:
        if self._waiting:
            rest, self._waiting = _concatenated(self._waiting), []
            self._add_block(rest)

    def _add_block(self, block: Columns) -> None:
        for name, values in block.items():
            if values.dtype == object or values.dtype == bool:
                self.words.setdefault(name, _Words()).add(table_of({name: values})[name])
                continue
            with np.errstate(invalid="ignore", over="ignore"):
                total = float(values.sum())
            if not math.isfinite(total):
                finite_numbers(name, values)
            self.moments.setdefault(name, Moments()).add(values)
        self._sample.add(block)
        self.rows += len(next(iter(block.values())))


class _Sample:
    """Rows drawn without replacement: those with the smallest of numbers drawn for all."""

    def __init__(self, random_state: int) -> None:
        self.random_state, self.index, self.size = random_state, 0, SAMPLE
        self.keys = np.zeros(0)
        self.kept: Columns = {}
        self._new: list[tuple[NDArray[Any], Columns]] = []

    def add(self, block: Columns) -> None:
        keys = np.random.default_rng([self.random_state, self.index]).random(len(next(iter(block.values()))))
        self.size = min(max(SAMPLE_CELLS // len(block), 1 << 12), SAMPLE)
        chosen = np.flatnonzero(keys <= (self.keys[-1] if len(self.keys) == self.size else 1.0))
        rows = {name: values[chosen] for name, values in block.items()}
        self._new.append((keys[chosen], {**rows, PLACE: chosen + self.index * BLOCK}))
        self.index += 1
        if sum(len(part) for part, _ in self._new) >= self.size // 2:
            self._merge()

    def table(self) -> Table:
        """The rows of the sample in the order in which they came."""
        self._merge()
        order = np.argsort(self.kept[PLACE]) if self.kept else slice(None)
        return table_of({name: values[order] for name, values in self.kept.items() if name != PLACE})

    def _merge(self) -> None:
        if not self._new:
            return
        parts = [(self.keys, self.kept)] * bool(len(self.keys)) + self._new
        keys = np.concatenate([part for part, _ in parts])
        order = np.argsort(keys, kind="stable")[: self.size]
        whole = _concatenated([columns for _, columns in parts])
        self.keys, self.kept = keys[order], {name: values[order] for name, values in whole.items()}
        self._new = []


def number_encoder(name: str, moments: Moments, sample: NDArray[np.float64]) -> NumberEncoder:
    """As :meth:`NumberEncoder.fit` has it: mean and deviation over the rows with the missing ones filled."""
    known = sample[~np.isnan(sample)]
    fill = float(np.median(known)) if len(known) else moments.mean
    filled = replace(moments)
    if moments.missing:
        filled.merge(moments.missing, fill, 0.0)
    largest = max(abs(moments.low), abs(moments.high)) or 1.0
    scale = filled.deviation
    if not math.isfinite(scale):
        raise DataError(f"column {name!r} has numbers as large as {largest:g}, whose squares overflow; scale it")
    if moments.low == moments.high or scale <= 1e-12 * largest:
        scale = 0.0
    return NumberEncoder(name, fill, filled.mean, scale, moments.missing > 0, LIMIT)


def _concatenated(parts: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
