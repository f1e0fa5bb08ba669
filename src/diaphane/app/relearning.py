"""What a trained model would learn from a table: for whoever looks into its training step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..data import Table, encode_labels
from ..graph.node import Array
from .errors import UserError
from .model import Model
from .options import Options, every_option

__all__ = ["known_rows", "options_of", "targets_of"]


def options_of(model: Model) -> Options:
    """The options that a model was trained with, as its file says; the defaults where it says none."""
    said = model.facts.get("options")
    kinds = {option.name: option.kind for option in every_option() if option.matters}
    if not isinstance(said, Mapping):
        return Options(model=model.facts.get("model", "mlp"))
    options = Options(**{name: kinds[name].read(value) for name, value in said.items() if name in kinds})
    return _as_recipe_says(options, model.scaler is None) if options.model == "tabular" else options


def _as_recipe_says(options: Options, classify: bool) -> Options:
    """What nobody sets of ``tabular``, as far as a step of it can be looked into."""
    from ..estimators.tabular import Recipe

    recipe = Recipe()
    return replace(
        options,
        optimizer="adamw",
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        label_smoothing=recipe.label_smoothing if classify else 0.0,
        alpha=0.0,
    )


def targets_of(model: Model, table: Table, source: str, otherwise: str = "") -> Array:
    """What the model would learn; any class stands in for one that is missing.

    Raises
    ------
    UserError
        If the table lacks the target, with ``otherwise`` as what else can be done; or it is text and no number.
    """
    if model.target not in table.names:
        raise UserError(
            f"{source} has no column {model.target!r}, which a training step needs; give a table with it{otherwise}"
        )
    column = table[model.target]
    if model.scaler is None:
        return np.maximum(encode_labels(column, model.labels), 0).astype(np.int64)
    if column.dtype == object:
        raise UserError(f"the target {model.target!r} is a number in the model and has text in {source}")
    scaled: Any = model.scaler.transform(np.nan_to_num(column))
    return np.asarray(scaled, np.float32)[:, None]


def known_rows(model: Model, table: Table) -> Table:
    """The rows whose target is one that the model knows."""
    if model.target not in table.names:
        return table
    column = table[model.target]
    if model.scaler is None:
        return table.take(np.flatnonzero(encode_labels(column, model.labels) >= 0))
    return table if column.dtype == object else table.take(np.flatnonzero(~np.isnan(column)))
