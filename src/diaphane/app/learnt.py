"""The pictures of ``diaphane train --plot``: what a model has learnt, in the table's own units."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Table
from ..data.numbers import NumberEncoder
from ..graph.node import Array
from .errors import UserError
from .fitting import Outcome
from .linear_models import LinearFit
from .model import Model
from .parts import Part
from .writing import write_figure

__all__ = ["draw_what_was_learnt", "need_pictures"]

DPI = 130
MOST_TO_CERTIFY = 5000
MOST_POINTS = 5000
MOST_RECORDED = 10_000_000
"""Numbers in all weight vectors of a perceptron's mistakes."""


def need_pictures() -> None:
    """Raise before the training where pictures are asked for and cannot be drawn."""
    from ..insight.displays.style import need_matplotlib

    try:
        need_matplotlib()
    except ImportError as error:
        raise UserError(f"--plot: {error}") from None


def draw_what_was_learnt(outcome: Outcome, folder: Path) -> list[Path]:
    """Write the pictures that suit the model and its columns; returns their paths.

    Classes of two columns of numbers: the boundary, and a perceptron's updates as a page; of one, the sigmoid. A
    perceptron of two classes that it told apart: the proof that it had to. Numbers: predictions against the truth, and
    the fit over one column.
    """
    if outcome.model.scaler is not None:
        return _pictures_of_numbers(outcome, folder)
    return _pictures_of_classes(outcome, folder)


@dataclass(frozen=True)
class _InTheTablesUnits:
    """A model as a classifier of points whose coordinates are two columns."""

    model: Model
    names: tuple[str, ...]

    @property
    def classes_(self) -> Array:
        return np.asarray(self.model.labels, dtype=object)

    def decision_function(self, points: Array) -> Array:
        """The difference of two logits, or the logits of more classes."""
        table = Table.from_matrix(points, self.names)
        logits = self.model.network.predict(self.model.state, self.model.encoder.transform(table))
        return np.asarray(logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits)

    def predict(self, points: Array) -> Array:
        scores = self.decision_function(points)
        return np.asarray(self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)])


def _pictures_of_classes(outcome: Outcome, folder: Path) -> list[Path]:
    model, numbers = outcome.model, _number_columns(outcome.model)
    written: list[Path] = []
    if len(numbers) == 2:
        written.append(_boundary(outcome, numbers, folder / "boundary.png"))
    elif len(numbers) == 1 and outcome.linear is not None and model.facts["model"] == "logistic":
        if len(outcome.linear.estimator.classes_) == len(model.labels) == 2:
            written.append(_sigmoid(outcome, outcome.linear, numbers, folder / "sigmoid.png"))
    else:
        outcome.notes.append(_why_no_boundary(model))
    if outcome.linear is not None and model.facts["model"] == "perceptron":
        written += _pictures_of_a_perceptron(outcome, outcome.linear, numbers, folder)
    return written


def _boundary(outcome: Outcome, numbers: list[NumberEncoder], path: Path) -> Path:
    from ..insight.displays import DecisionBoundaryDisplay

    shown = _first(outcome.parts.train)
    classifier = _InTheTablesUnits(outcome.model, tuple(e.name for e in numbers))
    labels = classifier.classes_[np.asarray(shown.y, np.int64)]
    display = DecisionBoundaryDisplay.from_estimator(classifier, _points(numbers, shown), labels, ax=_axes())
    _name_axes(display.ax_, numbers[0].name, numbers[1].name)
    return _saved(display.ax_, path)


def _sigmoid(outcome: Outcome, linear: LinearFit, numbers: list[NumberEncoder], path: Path) -> Path:
    from ..insight.displays import SigmoidDisplay

    shown, labels = _first(outcome.parts.train), outcome.model.labels
    [weight], bias = _in_columns_units(linear.estimator.coef_[0], linear.estimator.intercept_, numbers)
    x, target = _points(numbers, shown)[:, 0], np.asarray(shown.y, float)
    display = SigmoidDisplay(x, target, float(weight), bias, (labels[0], labels[1]), numbers[0].name)
    return _saved(display.plot(_axes()).ax_, path)


def _pictures_of_a_perceptron(
    outcome: Outcome, linear: LinearFit, numbers: list[NumberEncoder], folder: Path
) -> list[Path]:
    """Its updates where two columns span a plane, and the proof that they end where they did."""
    from ..insight.displays import ConvergenceDisplay, PerceptronDisplay

    model, train = outcome.model, outcome.parts.train
    if len(linear.estimator.classes_) != 2:
        return []
    seen, codes = model.encoder.transform(train.features), np.asarray(train.y, np.int64)
    recorded = _recorded(linear.estimator, seen, codes)
    if recorded is None:
        return []
    history, written = recorded.history_, list[Path]()
    if len(numbers) == 2:
        stages = [history[0].before, *(mistake.after for mistake in history)]
        display = PerceptronDisplay(
            _points(numbers, train),
            codes,
            np.stack([_weights_in_columns_units(w, numbers) for w in stages]),
            np.array([mistake.example for mistake in history]),
            (model.labels[0], model.labels[1]),
            (numbers[0].name, numbers[1].name),
        ).plot(_axes())
        _name_axes(display.ax_, *display.names)
        written += [_saved(display.ax_, folder / "updates.png"), display.animate(folder / "updates.html")]
    # Of classes that were not told apart there is no proof, and of many rows the largest margin takes long to find.
    if not linear.notes and len(train) <= MOST_TO_CERTIFY:
        proof = ConvergenceDisplay.from_estimator(recorded, seen, codes, ax=_axes())
        proof.ax_.set_xlabel("mistake t, of columns as the perceptron saw them, standardised")
        written.append(_saved(proof.ax_, folder / "convergence.png"))
    return written


def _recorded(perceptron: Any, x: Array, codes: Array) -> Any:
    """The same fit with a record of its mistakes; None where that would be too large."""
    from sklearn.base import clone

    if int(perceptron.n_mistakes_) * (x.shape[1] + 1) > MOST_RECORDED:
        return None
    with warnings.catch_warnings():
        # What there is to say of it was said after the first fit.
        warnings.simplefilter("ignore")
        return clone(perceptron).set_params(record=True).fit(x, codes)


def _pictures_of_numbers(outcome: Outcome, folder: Path) -> list[Path]:
    from ..insight.displays.style import BLUE, INK, ORANGE, dress, legend_below

    model, written = outcome.model, []
    numbers = _number_columns(model)
    ax = _axes()
    ends = []
    for name, colour, marker in (("train", BLUE, "o"), ("test", ORANGE, "^")):
        shown = _first(outcome.parts.of[name])
        truth, predicted = shown.y, model.outputs(shown.features)
        label = f"{name}, {outcome.metric} {outcome.scores[name]['score']:.3f}"
        ax.scatter(truth, predicted, s=20, color=colour, marker=marker, alpha=0.7, linewidths=0, label=label)
        ends += [truth.min(), truth.max()]
    ax.axline((min(ends), min(ends)), slope=1, color=INK, linewidth=1.2, label="as they are")
    dress(ax)
    legend_below(ax)
    _name_axes(ax, outcome.target.name, "predicted")
    written.append(_saved(ax, folder / "predictions.png"))
    if len(numbers) == 1:
        shown, ax = _first(outcome.parts.train), _axes()
        x = _points(numbers, shown)[:, 0]
        line = np.linspace(x.min(), x.max(), 300)
        fit = model.outputs(Table.from_matrix(line[:, None], [numbers[0].name]))
        ax.scatter(x, shown.y, s=20, color=BLUE, alpha=0.7, linewidths=0, label="rows learnt from")
        ax.plot(line, fit, color=INK, linewidth=2.2, label="fit")
        dress(ax)
        legend_below(ax)
        _name_axes(ax, numbers[0].name, outcome.target.name)
        written.append(_saved(ax, folder / "fit.png"))
    return written


def _number_columns(model: Model) -> list[NumberEncoder]:
    """The encoders, if all that the model sees are columns of numbers without missing ones; else none."""
    encoders = model.encoder.encoders
    plain = all(isinstance(e, NumberEncoder) and e.feature_names == (e.name,) for e in encoders)
    return [e for e in encoders if isinstance(e, NumberEncoder)] if plain else []


def _first(part: Part) -> Part:
    """No more rows than a picture can show."""
    return Part(part.features.take(np.arange(len(part))[:MOST_POINTS]), part.y[:MOST_POINTS])


def _points(numbers: list[NumberEncoder], part: Part) -> Array:
    return np.column_stack([part.features[encoder.name] for encoder in numbers]).astype(float)


def _in_columns_units(coef: Any, intercept: Any, numbers: list[NumberEncoder]) -> tuple[Array, float]:
    """w·z + b with z = (x − centre)/scale, as weights of x."""
    scale, centre = np.array([e.scale for e in numbers]), np.array([e.centre for e in numbers])
    weights = np.asarray(coef, float) / scale
    return weights, float(np.ravel(intercept)[0] - weights @ centre)


def _weights_in_columns_units(weights: Any, numbers: list[NumberEncoder]) -> Array:
    found, bias = _in_columns_units(weights[:-1], weights[-1], numbers)
    return np.append(found, bias)


def _why_no_boundary(model: Model) -> str:
    columns = len(model.encoder.names_in)
    if columns != 2:
        found = "is one" if columns == 1 else f"are {columns}"
        return f"no picture of the boundary: it is drawn over two columns, and there {found}"
    return "no picture of the boundary: it is drawn over two columns of numbers without missing ones"


def _axes() -> Any:
    """Of a figure that no window shows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.8), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure.subplots()


def _name_axes(ax: Any, x: str, y: str) -> None:
    # A dollar in a column's name is no formula.
    ax.set_xlabel(x, parse_math=False)
    ax.set_ylabel(y, parse_math=False)


def _saved(ax: Any, path: Path) -> Path:
    with warnings.catch_warnings():
        # The font has not every script's letters; a box for one is no reason to alarm anybody.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        write_figure(path, ax.figure)
    return path
