"""What an option may hold: how a word of the command line or a value of a TOML file becomes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "CLASS_WEIGHTS",
    "COLUMN",
    "INTERVAL",
    "NUMBER",
    "PLACE",
    "RATES",
    "SIZES",
    "SWITCH",
    "TEXT",
    "THRESHOLD",
    "WHOLE",
    "Kind",
    "dashed",
]


def dashed(name: str) -> str:
    """``batch-size`` of ``batch_size``."""
    return name.replace("_", "-")


@dataclass(frozen=True)
class Kind:
    """One kind of values.

    Attributes
    ----------
    expected : str
        What it takes, in words that follow "takes".
    word : type
        What the command line's parser makes of a word: str, int, float, Path or bool.
    types : tuple of type
        Of the values that a TOML file may give; a truth value is no number.
    read : callable
        From either of them to the option's value; raises ValueError, TypeError or KeyError.
    """

    expected: str
    word: type
    types: tuple[type, ...]
    read: Callable[[Any], Any] = lambda given: given

    def accepts(self, given: Any) -> bool:
        """Whether a value of a TOML file is of a type that this kind takes."""
        return isinstance(given, self.types) and (not isinstance(given, bool) or bool in self.types)

    @staticmethod
    def plain(value: Any) -> Any:
        """An option's value as what TOML and JSON hold."""
        if isinstance(value, tuple):
            return list(value)
        return str(value) if isinstance(value, Path) else value


def _numbers_of(given: Any, number: type) -> tuple[Any, ...]:
    """``"64,32"``, 64 or [64, 32]."""
    if isinstance(given, str):
        return tuple(number(part) for part in given.split(",")) if given.strip() else ()
    parts = given if isinstance(given, list) else [given]
    allowed = (int,) if number is int else (int, float)
    if not all(isinstance(part, allowed) and not isinstance(part, bool) for part in parts):
        raise TypeError
    return tuple(number(part) for part in parts)


def _class_weights(given: Any) -> str | dict[str, float]:
    """``balanced``, ``{"a": 1}`` or ``a=1,b=2``."""
    if given == "balanced":
        return "balanced"
    if isinstance(given, str):
        given = json.loads(given) if given.lstrip().startswith("{") else _pairs(given)
    if not isinstance(given, dict) or not given:
        raise TypeError
    if not all(isinstance(weight, int | float) and not isinstance(weight, bool) for weight in given.values()):
        raise TypeError
    return {str(label): float(weight) for label, weight in given.items()}


def _pairs(text: str) -> dict[str, float]:
    # A label may hold an equals sign, a weight cannot.
    pairs = [part.rpartition("=") for part in text.split(",")]
    weights = {_named(label): float(weight) for label, _, weight in pairs}
    if len(weights) < len(pairs):
        raise ValueError
    return weights


def _named(label: str) -> str:
    if not label.strip():
        raise ValueError
    return label.strip()


def _interval(given: Any) -> str:
    text = str(given).strip()
    seconds = text.endswith("s")
    if not (float(text[:-1]) if seconds else int(text)) > 0:
        raise ValueError
    return text


def _place(given: Any) -> Path:
    # A shell's unset variable is an empty word, and that would be the folder one is in.
    if not str(given).strip():
        raise ValueError
    return Path(given)


def _threshold(given: Any) -> str | float:
    """``auto`` or a number."""
    return given if given == "auto" else float(given)


TEXT = Kind("text", str, (str,))
COLUMN = Kind("a column's name or index", str, (str, int), str)
WHOLE = Kind("a whole number", int, (int,))
NUMBER = Kind("a number", float, (int, float), float)
SWITCH = Kind("true or false", bool, (bool,))
PLACE = Kind("a path", str, (str,), _place)
SIZES = Kind(
    "whole numbers with commas between, for example 64,32",
    str,
    (str, int, list),
    lambda given: _numbers_of(given, int),
)
RATES = Kind(
    "a number, or one a layer with commas between, for example 0.2,0.5",
    str,
    (str, int, float, list),
    lambda given: _numbers_of(given, float),
)
CLASS_WEIGHTS = Kind(
    'balanced, labels with one weight each such as no=1,yes=5, or JSON such as {"no": 1, "yes": 5}',
    str,
    (str, dict),
    _class_weights,
)
INTERVAL = Kind("a number of epochs such as 1, or of seconds such as 10s, greater than 0", str, (str, int), _interval)
THRESHOLD = Kind("auto, or a probability such as 0.3", str, (str, int, float), _threshold)
