"""A run of ``diaphane train`` as a line for a shell, and as Python."""

from __future__ import annotations

import shlex
from typing import Any

from ..data import is_built_in
from .options import Options, every_option
from .options.checks import AUTO
from .options.kinds import SWITCH, Kind

__all__ = ["as_command", "as_python"]


def as_command(options: Options) -> str:
    """What to type.

    Examples
    --------
    >>> as_command(Options(source="my table.csv", model="mlp", hidden=(8, 4), no_header=True))
    "diaphane train 'my table.csv' --no-header --model mlp --hidden 8,4"
    """
    words = ["diaphane", "train", str(options.source)]
    for option in every_option():
        value = getattr(options, option.name)
        if option.name == "source" or value == option.default:
            continue
        if option.kind is SWITCH:
            words.append(option.flag if value else f"--{option.opposite}")
        else:
            words += [option.flag, _typed(value)]
    return shlex.join(words)


def _typed(value: Any) -> str:
    plain = Kind.plain(value)
    if isinstance(plain, list):
        return ",".join(map(str, plain))
    if isinstance(plain, dict):
        return ",".join(f"{label}={weight:g}" for label, weight in plain.items())
    return str(plain)


def as_python(options: Options, model: str, *, classify: bool) -> str:
    """What gives the same model from Python, to the bit; ``model`` is what ``auto`` was."""
    return _of_tabular(options, classify) if model == "tabular" else _of_options(options, model)


def _of_tabular(options: Options, classify: bool) -> str:
    name = "TabularClassifier" if classify else "TabularRegressor"
    settings: dict[str, Any] = {"random_state": options.seed}
    if options.members is not None:
        settings["n_members"] = options.members
    said = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    weights = ""
    if options.class_weight is not None:
        asked = options.class_weight if isinstance(options.class_weight, str) else dict(options.class_weight)
        weights = f"weights = class_weights({asked!r}, target, target.y[rows])[target.y[rows]]"
    lines = [
        "import numpy as np",
        *(["from diaphane.app.weighting import class_weights"] if weights else []),
        f"from diaphane.data import {', '.join(sorted(('choose_target', 'split_rows', _reader(options))))}",
        f"from diaphane.estimators import {name}",
        "",
        f"table = {_reading(options)}",
        f"target = choose_target(table, {options.target!r}, {options.task!r})",
        "features = table.drop([target.name]).take(target.rows)",
        f"parts = split_rows(target.y, {_fractions(options)}, stratify={classify}, random_state={options.seed})",
        "rows = np.union1d(parts.train, parts.validation)",
        "y = np.array(target.labels)[target.y]" if classify else "y = target.y",
        *([weights] if weights else []),
        f"model = {name}({said})",
        f"model.fit(features.take(rows), y[rows]{', sample_weight=weights' if weights else ''})",
    ]
    return "\n".join(lines) + "\n"


def _fractions(options: Options) -> str:
    from .parts import FRACTIONS, WITHOUT_TEST

    return repr(FRACTIONS if options.test is None else WITHOUT_TEST)


def _reader(options: Options) -> str:
    return "load" if is_built_in(str(options.source)) else "read_table"


def _reading(options: Options) -> str:
    header = ", header=False" if options.no_header and _reader(options) == "read_table" else ""
    return f"{_reader(options)}({options.source!r}{header})"


def _of_options(options: Options, model: str) -> str:
    own = {
        option.name: getattr(options, option.name)
        for option in every_option()
        if option.matters and getattr(options, option.name) != option.default and option.name != "model"
    }
    said = "".join(f"    {name}={value!r},\n" for name, value in {"model": model, **own}.items() if model != AUTO)
    call = "fit_stream(options)" if options.stream else f"fit_table({_reading(options)}, options)"
    name = "fit_stream" if options.stream else "fit_table"
    source = f"    source={options.source!r},\n" if options.stream else ""
    data = "" if options.stream else f"from diaphane.data import {_reader(options)}\n"
    return (
        f"from diaphane.app.fitting import {name}\nfrom diaphane.app.options import Options\n{data}\n"
        f"options = Options(\n{source}{said})\noutcome = {call}\nmodel = outcome.model\n"
    )
