"""Learning-rate strategies as graph formulas: ε_t = ε₀ · factor(t), t being the epochs or the steps done.

Each factor is that of PyTorch's scheduler of the same name, where there is one. A schedule is frozen data; its
numbers are inputs of a program, so that other ones plan nothing anew.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from numbers import Real
from typing import Any, ClassVar, TypeAlias

import numpy as np

from ..graph import Node, astype, constant, cos, equal, evaluate, exp, floor, log, maximum, minimum, where
from ..graph.node import Array, NodeLike
from ..graph.operation import as_node
from ..graph.record import Record

__all__ = [
    "Constant",
    "Cosine",
    "ExponentialDecay",
    "InverseTime",
    "MultiStep",
    "OneCycle",
    "Polynomial",
    "Product",
    "Schedule",
    "ScheduleError",
    "StepDecay",
    "Then",
    "TimedSchedule",
    "Warmup",
]

Number: TypeAlias = Callable[[str, float], Node]
"""From a number's name and value to the node that stands for it: a variable in a program, a constant elsewhere."""

MOST_CHECKED = 200_000
"""Steps that are looked at before training; of more, as many evenly spaced ones, and the last."""

UNITS = ("epoch", "step")


class ScheduleError(ValueError):
    """A schedule under which nothing can be trained."""


@dataclass(frozen=True)
class Schedule(Record, abstract=True):
    """A factor of the learning rate over time: ``a * b`` is a product, ``a.then(b, at=5)`` one after the other.

    Write your own as a :class:`TimedSchedule`.
    """

    def formula_of(self, step: Node, steps_per_epoch: Node, number: Number) -> Node:
        """The factor after so many steps, given as nodes of float64."""
        raise NotImplementedError

    def factor(self, step: NodeLike, steps_per_epoch: NodeLike = 1.0, number: Number | None = None) -> Node:
        """The factor after so many steps, as a formula.

        Parameters
        ----------
        step, steps_per_epoch : node or number
            Steps done, of any shape, and how many make an epoch.
        number : callable, optional
            What to put for the schedule's own numbers, from name and value; constants by default.

        Examples
        --------
        >>> import diaphane as dia
        >>> print(dia.optim.ExponentialDecay(0.05).factor(dia.variable(0.0, "step")))
        exp(−(0.05·⌊step / 1⌋))
        """
        done, whole = (astype(as_node(given), "float64") for given in (step, steps_per_epoch))
        return self.formula_of(done, whole, number or _fixed)

    def numbers(self) -> dict[str, float]:
        """Its numbers by name: the hyperparameters of a program that has it, there with ``schedule/`` in front.

        Examples
        --------
        >>> (Warmup(5) * StepDecay(0.5, 10)).numbers()
        {'first/length': 5.0, 'first/start': 0.1, 'second/alpha': 0.5, 'second/every': 10.0}
        """
        raise NotImplementedError

    def with_default_numbers(self) -> Schedule:
        """The same formula with numbers of its classes' own: schedules of one plan are then equal."""
        raise NotImplementedError

    def values(
        self, steps: int | Array, steps_per_epoch: float = 1.0, numbers: Mapping[str, float] | None = None
    ) -> Array:
        """The factors as an array: of the first so many steps, or of the steps given.

        Parameters
        ----------
        steps : int, or array of steps done, shape (n,)
        steps_per_epoch : float
            With 1, a step is an epoch.
        numbers : mapping of str to float, optional
            In place of the schedule's own, by their names in :meth:`numbers`.

        Examples
        --------
        >>> StepDecay(0.5, every=2).values(6)
        array([1.  , 1.  , 0.5 , 0.5 , 0.25, 0.25])
        """
        done = np.arange(steps) if isinstance(steps, int | np.integer) else np.asarray(steps)
        given = numbers or {}
        found = self.factor(
            constant(done.astype(np.float64)), float(steps_per_epoch), lambda n, own: constant(float(given.get(n, own)))
        )
        with np.errstate(all="ignore"):
            return np.array(np.broadcast_to(evaluate(found), done.shape), np.float64)

    def check(
        self, epochs: int, steps_per_epoch: int, first_step: int = 0, numbers: Mapping[str, float] | None = None
    ) -> None:
        """Refuse a schedule that is negative, infinite or NaN somewhere in a planned run.

        Parameters
        ----------
        epochs, steps_per_epoch : int
        first_step : int
            Steps done before.
        numbers : mapping of str to float, optional
            As for :meth:`values`.

        Raises
        ------
        ScheduleError
            With the first epoch and step where that is so.
        """
        total = int(epochs) * int(steps_per_epoch)
        if total <= 0:
            return
        steps = np.arange(total) if total <= MOST_CHECKED else np.linspace(0, total - 1, MOST_CHECKED).astype(np.int64)
        steps = steps + first_step
        factors = self.values(steps, steps_per_epoch, numbers)
        bad = np.flatnonzero(~((factors >= 0) & np.isfinite(factors)))
        if bad.size:
            at, value = int(steps[bad[0]]), float(factors[bad[0]])
            what = "negative" if value < 0 else "not a finite number"
            raise ScheduleError(
                f"{self} is {what} ({value:g}) from step {at} on, in epoch {at // int(steps_per_epoch) + 1}: "
                "a learning rate is at least 0; let the schedule end where the training does, or hold it up with "
                "a minimum"
            )

    def then(self, following: Schedule, at: float, per: str = "epoch") -> Then:
        """Itself until ``at`` epochs (or steps), from then on another, which starts at its own 0."""
        return Then(self, following, at, per=per)

    def __mul__(self, other: Schedule | float) -> Schedule:
        if isinstance(other, Schedule):
            return Product(self, other)
        if isinstance(other, Real) and not isinstance(other, bool):
            return Product(self, Constant(float(other)))
        return NotImplemented

    def __rmul__(self, other: float) -> Schedule:
        return self.__mul__(other)


@dataclass(frozen=True)
class TimedSchedule(Schedule, abstract=True):
    """A factor by a formula of the time t: its float fields are the formula's numbers.

    Parameters
    ----------
    per : {"epoch", "step"}
        What t counts: whole epochs done, or steps done.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Saw(TimedSchedule):
    ...     teeth: float = 4.0
    ...     def formula(self, t, numbers):
    ...         return 1 - (t / numbers["teeth"] - dia.floor(t / numbers["teeth"]))
    >>> import diaphane as dia
    >>> Saw(teeth=2.0).values(4)
    array([1. , 0.5, 1. , 0.5])
    """

    per: str = field(default="epoch", kw_only=True)

    fractions: ClassVar[tuple[str, ...]] = ("alpha",)
    positive: ClassVar[tuple[str, ...]] = ("every", "length", "period", "power", "value")
    at_least_one: ClassVar[tuple[str, ...]] = ("multiplier", "divisor", "final_divisor")
    shares: ClassVar[tuple[str, ...]] = ("minimum", "start")

    def __post_init__(self) -> None:
        check_unit(type(self).__name__, self.per)
        for f in fields(self):
            value = getattr(self, f.name)
            if _is_number(f) and (value is not None or "None" not in str(f.type)):
                object.__setattr__(self, f.name, self._checked(f.name, value))

    def formula(self, t: Node, numbers: Mapping[str, Node]) -> Node:
        """The factor at t, element by element."""
        raise NotImplementedError

    def formula_of(self, step: Node, steps_per_epoch: Node, number: Number) -> Node:
        t = _time(step, steps_per_epoch, self.per)
        return self.formula(t, {name: number(name, value) for name, value in self.numbers().items()})

    def numbers(self) -> dict[str, float]:
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, float)}

    def with_default_numbers(self) -> Schedule:
        own = {f.name: f.default for f in fields(self) if isinstance(f.default, float)}
        missing = {name: 1.0 for name in self.numbers() if name not in own}
        return type(self)(**{**{f.name: getattr(self, f.name) for f in fields(self)}, **own, **missing})

    def _checked(self, name: str, value: Any) -> float:
        place = f"{type(self).__name__}: {name}"
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise ValueError(f"{place} must be a finite number, got {value!r}")
        number = float(value)
        if name in self.fractions and not 0 < number < 1:
            raise ValueError(f"{place} must lie between 0 and 1, ends excluded, got {value!r}")
        if name in self.positive and not number > 0:
            raise ValueError(f"{place} must be greater than 0, got {value!r}")
        if name in self.at_least_one and not number >= 1:
            raise ValueError(f"{place} must be at least 1, got {value!r}")
        if name in self.shares and not 0 <= number <= 1:
            raise ValueError(f"{place} must be in [0, 1], got {value!r}")
        return number


@dataclass(frozen=True)
class Constant(TimedSchedule):
    """1, or another number: what a schedule is scaled by."""

    value: float = 1.0

    def formula(self, t: Node, numbers: Mapping[str, Node]) -> Node:
        return numbers["value"] + 0 * t


@dataclass(frozen=True)
class StepDecay(TimedSchedule):
    """α^⌊t/N⌋: times α every N epochs, α ∈ (0, 1); PyTorch's ``StepLR``.

    Examples
    --------
    >>> StepDecay(0.5, every=1).values(4)
    array([1.   , 0.5  , 0.25 , 0.125])
    """

    alpha: float = 0.1
    every: float = 30.0

    def formula(self, t: Node, numbers: Mapping[str, Node]) -> Node:
        return numbers["alpha"] ** floor(t / numbers["every"])


@dataclass(frozen=True)
class MultiStep(TimedSchedule):
    """α^(number of milestones ≤ t): times α at each of them; PyTorch's ``MultiStepLR``.

    Examples
    --------
    >>> MultiStep((2, 3), alpha=0.1).values(5).round(4)
    array([1.  , 1.  , 0.1 , 0.01, 0.01])
    """

    milestones: tuple[float, ...] = ()
    alpha: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        given = self.milestones
        try:
            found = tuple(float(m) for m in given)
        except (TypeError, ValueError):
            raise ValueError(f"MultiStep: milestones must be numbers that rise, got {given!r}") from None
        rising = all(a < b for a, b in zip((0.0, *found), found, strict=False)) and all(map(math.isfinite, found))
        if not found or not rising:
            raise ValueError(
                f"MultiStep: milestones must be numbers that rise from above 0, at least one, got {given!r}"
            )
        object.__setattr__(self, "milestones", found)

    def formula(self, t: Node, numbers: Mapping[str, Node]) -> Node:
        passed: Node = 0 * t
        for milestone in self.milestones:
            passed = passed + where(t >= milestone, 1.0, 0.0)
        return numbers["alpha"] ** passed


@dataclass(frozen=True)
class ExponentialDecay(TimedSchedule):
    """e^(−αt), α > 0; t is the epoch unless ``per="step"``. PyTorch's ``ExponentialLR`` with γ = e^(−α).

    Examples
    --------
    >>> float(ExponentialDecay(0.5).values(3)[2]) == float(np.exp(-1.0))
    True
    """

    alpha: float = 0.05

    fractions: ClassVar[tuple[str, ...]] = ()
    positive: ClassVar[tuple[str, ...]] = ("alpha",)

    def formula(self, t: Node, numbers: Mapping[str, Node]) -> Node:
        return exp(-(numbers["alpha"] * t))


@dataclass(frozen=True)
class InverseTime(TimedSchedule):
    """(1 + αt)^(−power), α > 0: with power in (½, 1] the rates' sum is infinite and that of their squares is not.

    That is what Robbins & Monro (1951) ask for; α is Bottou's λ·ε₀.

    Examples
    --------
    >>> InverseTime(1.0).values(4).round(3)
    array([1.   , 0.5  , 0.333, 0.25 ])
    """

    alpha: float = 0.1
    power: float = 1.0

    fractions: ClassVar[tuple[str, ...]] = ()
    positive: ClassVar[tuple[str, ...]] = ("alpha", "power")

    def formula(self, t: Node, numbers: Mapping[str, Node]) -> Node:
        return (1 + numbers["alpha"] * t) ** -numbers["power"]


@dataclass(frozen=True)
class Polynomial(TimedSchedule):
    """m + (1 − m)·(1 − t/T)^p until t = T, the minimum m from there on; PyTorch's ``PolynomialLR`` for m = 0.

    p = 1 is the straight line down.

    Examples
    --------
    >>> Polynomial(4).values(6)
    array([1.  , 0.75, 0.5 , 0.25, 0.  , 0.  ])
    """

    length: float
    power: float = 1.0
    minimum: float = 0.0

    def formula(self, t: Node, numbers: Mapping[str, Node]) -> Node:
        rest = maximum(1 - t / numbers["length"], 0.0)
        return _above(numbers["minimum"], rest ** numbers["power"])


@dataclass(frozen=True)
class Cosine(TimedSchedule):
    """m + (1 − m)·½(1 + cos(π·s/T)), s being the time since the last restart (SGDR, Loshchilov & Hutter 2017).

    Without a ``multiplier`` there is one descent, and the minimum m from t = T on: PyTorch's ``CosineAnnealingLR``
    until there. With one the rate is 1 again at T, and each period is that many times as long as the one before:
    ``CosineAnnealingWarmRestarts``.

    Examples
    --------
    >>> Cosine(4).values(6).round(3)
    array([1.   , 0.854, 0.5  , 0.146, 0.   , 0.   ])
    >>> Cosine(1, multiplier=2).values(7).round(3)
    array([1.   , 1.   , 0.5  , 1.   , 0.854, 0.5  , 0.146])
    """

    period: float
    multiplier: float | None = None
    minimum: float = 0.0

    def formula(self, t: Node, numbers: Mapping[str, Node]) -> Node:
        period = numbers["period"]
        done = minimum(t / period, 1.0) if self.multiplier is None else _since_restart(t, period, numbers["multiplier"])
        return _above(numbers["minimum"], 0.5 * (1 + cos(math.pi * done)))


@dataclass(frozen=True)
class Warmup(TimedSchedule):
    """a + (1 − a)·min(t/T, 1): a straight line up from a (Goyal et al. 2017, §2.2); PyTorch's ``LinearLR``.

    Examples
    --------
    >>> Warmup(3, start=0.1).values(5).round(3)
    array([0.1, 0.4, 0.7, 1. , 1. ])
    """

    length: float = 5.0
    start: float = 0.1

    def formula(self, t: Node, numbers: Mapping[str, Node]) -> Node:
        return _above(numbers["start"], minimum(t / numbers["length"], 1.0))


@dataclass(frozen=True)
class OneCycle(TimedSchedule):
    """Up from 1/d to 1, then down to 1/(d·f), each by half a cosine: PyTorch's two-phase ``OneCycleLR`` (Smith 2018).

    The learning rate ε₀ is the greatest there is. The way up ends at t = r·T − 1, the way down at T − 1; the last
    factor stays from there on.

    Parameters
    ----------
    length : float
        T, of the whole cycle, at least 2.
    rise : float
        r, the share of it on the way up.
    divisor, final_divisor : float
        d and f.

    Examples
    --------
    >>> OneCycle(10, rise=0.3).values(10).round(4)
    array([0.04  , 0.52  , 1.    , 0.9505, 0.8117, 0.6113, 0.3887, 0.1883,
           0.0495, 0.    ])
    """

    length: float
    rise: float = 0.3
    divisor: float = 25.0
    final_divisor: float = 1e4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.length < 2:
            raise ValueError(f"OneCycle: length must be at least 2, one for each way, got {self.length:g}")
        if not 0 <= self.rise < 1:
            raise ValueError(f"OneCycle: rise must be in [0, 1), got {self.rise!r}")

    def with_default_numbers(self) -> Schedule:
        return OneCycle(2.0, per=self.per)

    def formula(self, t: Node, numbers: Mapping[str, Node]) -> Node:
        one = constant(1.0)
        first = one / numbers["divisor"]
        top, end = numbers["rise"] * numbers["length"] - 1, numbers["length"] - 1
        # Where the way up has no length, t is past it from the start.
        up = minimum(t / where(top > 0, top, 1.0), 1.0)
        down = minimum(maximum((t - top) / (end - top), 0.0), 1.0)
        return where(t <= top, _halfway(first, one, up), _halfway(one, first / numbers["final_divisor"], down))


@dataclass(frozen=True)
class Product(Schedule):
    """Two factors, one times the other: what ``a * b`` and ``0.5 * a`` make."""

    first: Schedule
    second: Schedule

    def __post_init__(self) -> None:
        _check_parts(self, self.first, self.second)

    def formula_of(self, step: Node, steps_per_epoch: Node, number: Number) -> Node:
        first = self.first.formula_of(step, steps_per_epoch, _inner(number, "first"))
        return first * self.second.formula_of(step, steps_per_epoch, _inner(number, "second"))

    def numbers(self) -> dict[str, float]:
        return _numbers_of({"first": self.first, "second": self.second})

    def with_default_numbers(self) -> Schedule:
        return Product(self.first.with_default_numbers(), self.second.with_default_numbers())


@dataclass(frozen=True)
class Then(Schedule):
    """One until ``at`` epochs (or steps) are done, from there on the other, which starts at its own 0.

    PyTorch's ``SequentialLR``.

    Examples
    --------
    >>> Warmup(2, start=0.5).then(StepDecay(0.1, every=1), at=2).values(5).round(4)
    array([0.5 , 0.75, 1.  , 0.1 , 0.01])
    """

    first: Schedule
    second: Schedule
    at: float
    per: str = field(default="epoch", kw_only=True)

    def __post_init__(self) -> None:
        _check_parts(self, self.first, self.second)
        check_unit("Then", self.per)
        if isinstance(self.at, bool) or not isinstance(self.at, Real) or not 0 < self.at < math.inf:
            raise ValueError(f"Then: at must be a number of {self.per}s greater than 0, got {self.at!r}")
        object.__setattr__(self, "at", float(self.at))

    def formula_of(self, step: Node, steps_per_epoch: Node, number: Number) -> Node:
        at = number("at", self.at)
        t = _time(step, steps_per_epoch, self.per)
        steps_before = at if self.per == "step" else at * steps_per_epoch
        first = self.first.formula_of(step, steps_per_epoch, _inner(number, "first"))
        # A formula before its own time may be anything, even where it is not used.
        since = maximum(step - steps_before, 0.0)
        second = self.second.formula_of(since, steps_per_epoch, _inner(number, "second"))
        return where(t < at, first, second)

    def numbers(self) -> dict[str, float]:
        return {"at": self.at, **_numbers_of({"first": self.first, "second": self.second})}

    def with_default_numbers(self) -> Schedule:
        return Then(self.first.with_default_numbers(), self.second.with_default_numbers(), 1.0, per=self.per)


def nearest(given: str, known: Iterable[str]) -> str:
    """A hint such as ``"; did you mean 'cosine'?"``, or nothing where no word is near."""
    near = difflib.get_close_matches(given.lower(), list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def _time(step: Node, steps_per_epoch: Node, per: str) -> Node:
    return step if per == "step" else floor(step / steps_per_epoch)


def _above(least: Node, share: Node) -> Node:
    return least + (1 - least) * share


def _halfway(start: Node, end: Node, share: Node) -> Node:
    """From start to end by half a cosine."""
    return end + (start - end) * (0.5 * (1 + cos(math.pi * share)))


def _since_restart(t: Node, period: Node, multiplier: Node) -> Node:
    """The share of the present period that is done, where each is ``multiplier`` times as long as the one before.

    After n periods t = T(kⁿ − 1)/(k − 1), or nT where k = 1. The logarithm that finds n may be off by a rounding,
    so the start of the next period decides.
    """
    alike = equal(multiplier, 1.0)
    k = where(alike, 2.0, multiplier)
    guess = floor(log(1 + (k - 1) * t / period) / log(k) + 0.5)
    begun = period * (k**guess - 1) / (k - 1)
    n = where(begun > t, guess - 1, guess)
    since = (t - period * (k**n - 1) / (k - 1)) / (period * k**n)
    even = t / period
    return where(alike, even - floor(even), since)


def _is_number(field_of: Field[Any]) -> bool:
    return field_of.type is float or str(field_of.type).startswith("float")


def check_unit(kind: str, per: Any) -> None:
    if per not in UNITS:
        hint = nearest(per, UNITS) if isinstance(per, str) else ""
        raise ValueError(f'{kind}: per must be "epoch" or "step", got {per!r}{hint}')


def _check_parts(whole: Schedule, *parts: Any) -> None:
    for part in parts:
        if not isinstance(part, Schedule):
            raise TypeError(f"{type(whole).__name__} is made of two schedules, got {part!r}")


def _inner(number: Number, place: str) -> Number:
    return lambda name, value: number(f"{place}/{name}", value)


def _fixed(name: str, value: float) -> Node:
    return constant(value)


def _numbers_of(parts: Mapping[str, Schedule]) -> dict[str, float]:
    return {f"{place}/{name}": value for place, part in parts.items() for name, value in part.numbers().items()}
