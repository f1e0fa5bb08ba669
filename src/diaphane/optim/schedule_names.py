"""Schedules by a short text, as a command line has them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import reduce
from operator import mul
from typing import Any

from .schedules import (
    Constant,
    Cosine,
    ExponentialDecay,
    InverseTime,
    MultiStep,
    OneCycle,
    Polynomial,
    Schedule,
    StepDecay,
    TimedSchedule,
    Warmup,
    check_unit,
    nearest,
)

__all__ = ["SCHEDULES", "find_schedule", "needs_total"]

SCHEDULES: dict[str, type[TimedSchedule]] = {
    "constant": Constant,
    "step": StepDecay,
    "multistep": MultiStep,
    "exponential": ExponentialDecay,
    "inverse": InverseTime,
    "polynomial": Polynomial,
    "cosine": Cosine,
    "warmup": Warmup,
    "onecycle": OneCycle,
}
"""Schedules by name."""

FROM_TOTAL: dict[type[TimedSchedule], tuple[str, Callable[[float], Any]]] = {
    StepDecay: ("every", lambda total: float(math.ceil(total / 3))),
    MultiStep: ("milestones", lambda total: (total / 2, 3 * total / 4)),
    Polynomial: ("length", float),
    Cosine: ("period", float),
    OneCycle: ("length", float),
}
"""What follows from the number of epochs, where it is not given."""

LASTS: dict[type[TimedSchedule], str] = {Warmup: "length", Polynomial: "length", Cosine: "period", OneCycle: "length"}
"""The number that says how long one lasts, so that another can come after it."""


def find_schedule(value: str | Schedule | None, total: float | None = None) -> Schedule | None:
    """The schedule of a text, or the schedule itself; None stays None: a rate that does not change.

    A text has a name of :data:`SCHEDULES` and its numbers, in their order or by name: ``"step:0.5,10"``,
    ``"exponential:alpha=0.001,per=step"``. ``+`` puts one after another, where the first says how long it lasts, by
    its own length or by ``@``: ``"warmup:5+cosine"``, ``"constant@10+exponential:0.05"``. ``*`` multiplies:
    ``"0.5*cosine"``. What is left out and depends on the training's length follows from ``total``: a cosine, a
    polynomial and one cycle last as long, steps come at each third of it, the milestones of ``multistep`` are a half
    and three quarters (He et al. 2016, §4.2).

    Parameters
    ----------
    value : str, Schedule or None
    total : number, optional
        Epochs of the training.

    Raises
    ------
    ValueError
        If the text cannot be read, or needs a total and there is none.
    TypeError
        If it is something else.

    Examples
    --------
    >>> find_schedule("step:0.5,10")
    StepDecay(per='epoch', alpha=0.5, every=10.0)
    >>> find_schedule("warmup:2+cosine", total=6).values(6).round(3)
    array([0.1  , 0.55 , 1.   , 0.854, 0.5  , 0.146])
    >>> find_schedule("cosin", total=6)
    Traceback (most recent call last):
        ...
    ValueError: there is no schedule 'cosin'; did you mean 'cosine'? There are: constant, step, multistep, \
exponential, inverse, polynomial, cosine, warmup, onecycle
    """
    if value is None or isinstance(value, Schedule):
        return value
    if not isinstance(value, str):
        raise TypeError(f"a schedule is a Schedule, a text such as 'cosine', or None, got {value!r}")
    begun = 0.0
    pieces: list[Schedule] = []
    lengths: list[float] = []
    texts = _split(value, "+")
    for text in texts:
        left = None if total is None else total - begun
        if left is not None and left <= 0:
            raise ValueError(f"schedule {value!r}: nothing is left of {total:g} epochs for {text!r}")
        body, length = _length_given(text, value)
        parts = [_factor(part, length or left, value) for part in _split(body, "*")]
        pieces.append(reduce(mul, parts))
        if text is not texts[-1]:
            lengths.append(length or _own_length(pieces[-1], text))
            begun += lengths[-1]
    whole = pieces.pop()
    while pieces:
        whole = pieces.pop().then(whole, at=lengths.pop())
    return whole


def needs_total(text: str) -> bool:
    """Whether a text can be read only once the number of epochs is known.

    Raises
    ------
    ValueError
        If it cannot be read at all.
    """
    try:
        find_schedule(text)
    except _TotalError:
        return True
    return False


class _TotalError(ValueError):
    """The number of epochs is needed."""


def _split(text: str, sign: str) -> list[str]:
    """Parts between signs; the sign of an exponent, as in 1e+3, is none."""
    parts: list[str] = []
    for part in text.split(sign):
        exponent = sign == "+" and parts and parts[-1][-1:] in ("e", "E") and parts[-1][-2:-1].isdigit()
        if exponent:
            parts[-1] += sign + part
        else:
            parts.append(part)
    if not all(part.strip() for part in parts):
        raise ValueError(f"schedule {text!r}: something is missing beside {sign!r}; write such as 'warmup:5+cosine'")
    return [part.strip() for part in parts]


def _length_given(text: str, whole: str) -> tuple[str, float | None]:
    body, at, length = text.partition("@")
    if not at:
        return text, None
    found = _number(length, whole)
    if not found > 0:
        raise ValueError(f"schedule {whole!r}: {text!r} must last for more than 0 epochs")
    return body.strip(), found


def _factor(text: str, total: float | None, whole: str) -> Schedule:
    name, _, given = text.partition(":")
    name = name.strip().lower()
    if name not in SCHEDULES:
        try:
            return Constant(float(name))
        except ValueError as error:
            if "Constant" in str(error):
                raise
        known = f"There are: {', '.join(SCHEDULES)}"
        raise ValueError(f"there is no schedule {name!r}{nearest(name, SCHEDULES) or '.'} {known}")
    kind = SCHEDULES[name]
    settings = _settings(kind, [part.strip() for part in given.split(",")] if given.strip() else [], whole)
    field, of_total = FROM_TOTAL.get(kind, ("", float))
    if "per" in settings:
        check_unit(kind.__name__, settings["per"])
    if field and field not in settings:
        if settings.get("per") == "step":
            raise ValueError(f"schedule {whole!r}: per=step counts steps, so {name} needs its {field} in steps")
        if total is None:
            raise _TotalError(
                f"schedule {whole!r}: {name} needs its {field} ({name}:{field}=…), or the number of epochs (total=)"
            )
        settings[field] = of_total(total)
    return kind(**settings)


def _settings(kind: type[TimedSchedule], given: Sequence[str], whole: str) -> dict[str, Any]:
    names = list(inspect.signature(kind).parameters)
    if kind is MultiStep:
        return _milestones(given, whole)
    settings: dict[str, Any] = {}
    for name, text in zip([n for n in names if n != "per"], given, strict=False):
        if "=" in text:
            break
        settings[name] = _number(text, whole)
    for text in given[len(settings) :]:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise ValueError(f"schedule {whole!r}: {text!r} is one too many. {_usage(kind)}")
        if name not in names:
            raise ValueError(f"schedule {whole!r}: there is no {name!r}{nearest(name, names) or '.'} {_usage(kind)}")
        settings[name] = value if name == "per" else _number(value, whole)
    return settings


def _milestones(given: Sequence[str], whole: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    named = [text for text in given if "=" in text]
    milestones = tuple(_number(text, whole) for text in given if "=" not in text)
    for text in named:
        name, _, value = (part.strip() for part in text.partition("="))
        if name not in ("alpha", "per"):
            raise ValueError(f"schedule {whole!r}: there is no {name!r}. {_usage(MultiStep)}")
        settings[name] = value if name == "per" else _number(value, whole)
    return {**settings, "milestones": milestones} if milestones else settings


def _usage(kind: type[TimedSchedule]) -> str:
    [name] = [name for name, known in SCHEDULES.items() if known is kind]
    if kind is MultiStep:
        return "Write such as multistep:30,60,alpha=0.1"
    return f"A schedule {name!r} takes {', '.join(inspect.signature(kind).parameters)}"


def _number(text: str, whole: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"schedule {whole!r}: {text.strip()!r} should be a number") from None


def _own_length(found: Schedule, text: str) -> float:
    field = LASTS.get(type(found), "")  # type: ignore[arg-type]
    length: float | None = getattr(found, field, None) if getattr(found, "per", "") == "epoch" else None
    if length is None or getattr(found, "multiplier", None) is not None:
        raise ValueError(f"how long does {text!r} last, before what comes after '+'? Write such as {text + '@10'!r}")
    return length
