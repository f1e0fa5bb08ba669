"""What ``diaphane search`` tries: values of training options, from words, from a TOML file, or by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ...data.errors import closest, listed
from ..errors import UserError
from ..networks import check_recipe
from ..options import Option, Options, every_option
from ..options.config import parsed_toml
from ..options.kinds import NUMBER, RATES, SIZES, WHOLE, dashed

__all__ = ["PARAMETERS", "Space", "default_space", "read_space", "settings_of"]

Space = dict[str, Any]
"""By names of options: a list of values, or a distribution."""

PARAMETERS = {
    "hidden": "hidden_layer_sizes",
    "activation": "activation",
    "optimizer": "solver",
    "learning_rate": "learning_rate_init",
    "schedule": "schedule",
    "batch_size": "batch_size",
    "alpha": "alpha",
    "l1": "l1",
    "weight_decay": "weight_decay",
    "dropout": "dropout",
    "input_dropout": "input_dropout",
    "input_noise": "input_noise",
    "max_norm": "max_norm",
    "clip_norm": "clip_norm",
    "label_smoothing": "label_smoothing",
    "mixup": "mixup",
    "averaging": "averaging",
}
"""The options that are searched for, as parameters of MLPClassifier and MLPRegressor."""

SHAPES = {"units": "how many units each hidden layer has", "depth": "how many hidden layers there are"}
"""Two that stand for ``hidden``."""
RANGE = ".."
GRID = 3
"""Values of a range in a grid."""
OF_A_RANGE = 8
"""Whole numbers of a range, at most."""


def default_space(rows: int) -> Space:
    """The settings that matter most, each over the range that is tried by hand."""
    from scipy.stats import loguniform

    sizes = [units for units in (32, 64, 128, 256) if units <= max(32, rows)]
    batches = [size for size in (16, 32, 64, 128, 256) if size <= max(16, rows // 8)]
    return {
        "learning_rate": loguniform(3e-4, 3e-2),
        "alpha": loguniform(1e-5, 1.0),
        "hidden": _layers(sizes, [1, 2, 3]),
        "dropout": [0.0, 0.1, 0.2, 0.4],
        "batch_size": batches,
    }


def read_space(words: Sequence[str], file: Path | None, *, grid: bool) -> Space | None:
    """What ``--space`` and ``--try`` ask for; the latter wins; None where neither asks for anything.

    Raises
    ------
    UserError
        For a name that is none of those in :data:`PARAMETERS`, values that cannot be read, or none at all.
    """
    given: dict[str, tuple[Any, str]] = {}
    if file is not None:
        for key, values in parsed_toml(file, "--space").items():
            given[key.replace("-", "_")] = values, f"{file}: {key}"
        if not given:
            raise UserError(f"--space: {file} names nothing to try; a line is, for example, dropout = [0, 0.2, 0.5]")
    for word in words:
        name, equals, values = word.partition("=")
        if not equals or not name.strip():
            raise UserError(
                f"--try takes a name and its values, such as dropout=0,0.2,0.5 or alpha=1e-5..1; got {word!r}"
            )
        given[name.strip().replace("-", "_")] = values, f"--try {name.strip()}"
    if not given:
        return None
    for name, (_, where) in given.items():
        _check_name(name, where)
    found = {name: _values(name, values, where, grid) for name, (values, where) in given.items()}
    return _with_layers(found)


def settings_of(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """A candidate's values as those of options."""
    found = {}
    for name, value in candidate.items():
        plain = value.item() if isinstance(value, np.generic) else value
        found[name] = (float(plain),) if name == "dropout" else plain
    return found


def _check_name(name: str, where: str) -> None:
    known = [*PARAMETERS, *SHAPES]
    if name in known:
        return
    if name == "epochs":
        raise UserError(
            f"{where}: epochs are not tried but given, with --epochs; stopping early finds how many are best"
        )
    names = [dashed(one) for one in known]
    near = closest(dashed(name), names)
    choices = "" if near else f" There are {listed(names)}"
    raise UserError(f"{where}: there is no setting {dashed(name)!r} to search for.{near}{choices}")


def _values(name: str, given: Any, where: str, grid: bool) -> Any:
    """A list of an option's values, or a distribution over a range of them."""
    option = _option(name)
    if isinstance(given, str) and RANGE in given:
        return _range(option, given, where, grid)
    words = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else [given]
    words = [word.strip() if isinstance(word, str) else word for word in words]
    if not words or "" in words:
        raise UserError(f"{where} has no values, or an empty one; give some, such as dropout=0,0.2,0.5")
    return [_checked(option, _read(option, word, where), where) for word in words]


def _read(option: Option, word: Any, where: str) -> Any:
    kind = option.kind
    # A comma parts candidates, so that layers of one have another mark.
    layers = word.replace("x", ",") if kind is SIZES and isinstance(word, str) else word
    try:
        if isinstance(word, bool) or not isinstance(word, str | int | float | list):
            raise TypeError
        if kind in (WHOLE, NUMBER):
            return {WHOLE: int, NUMBER: float}[kind](word)
        value = kind.read(layers)
    except (ValueError, TypeError, KeyError):
        like = "layers such as 64 or 128x64" if kind is SIZES else kind.expected
        raise UserError(f"{where} takes {like}; got {word!r}") from None
    return value[0] if kind is RATES and len(value) == 1 else value


def _range(option: Option, given: str, where: str, grid: bool) -> Any:
    from scipy.stats import loguniform, uniform

    low, high = (_read(option, word.strip(), where) for word in given.split(RANGE, 1))
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        raise UserError(f"{where}: there is no range of {option.name}; give the values, with commas between")
    if not low < high < np.inf:
        raise UserError(f"{where}: a range goes from a smaller number to a greater one, such as 1e-5..1; got {given!r}")
    for value in (low, high):
        _checked(option, value, where)
    if option.kind is WHOLE:
        return sorted({round(v) for v in np.geomspace(max(low, 1), high, OF_A_RANGE)})
    if grid:
        return [float(v) for v in (np.geomspace if low > 0 else np.linspace)(low, high, GRID)]
    return loguniform(low, high) if low > 0 else uniform(low, high - low)


def _checked(option: Option, value: Any, where: str) -> Any:
    if option.name in SHAPES:
        if not 1 <= value <= 1_000_000:
            raise UserError(f"{where} must be a whole number of at least 1, got {value}")
        return value
    try:
        check_recipe(Options(model="mlp", **settings_of({option.name: value})))
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    return value


def _option(name: str) -> Option:
    if name in SHAPES:
        return Option(name, None, WHOLE, "", SHAPES[name])
    return next(option for option in every_option() if option.name == name)


def _with_layers(space: Space) -> Space:
    """``units`` and ``depth`` as what they stand for."""
    units, depth = space.pop("units", None), space.pop("depth", None)
    if units is None and depth is None:
        return space
    if "hidden" in space:
        raise UserError("hidden says units and depth of the layers; leave it out, or units and depth")
    return {**space, "hidden": _layers(units or [128], depth or [2])}


def _layers(units: Sequence[int], depth: Sequence[int]) -> list[tuple[int, ...]]:
    return [(width,) * layers for layers, width in product(depth, units)]
