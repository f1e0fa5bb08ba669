"""``diaphane predict`` and ``diaphane draw``."""

from __future__ import annotations

import csv
import io
import math
import sys
from pathlib import Path

from ..data import DataError
from ..data.errors import listed
from ..graph.node import Array
from .errors import UserError
from .model import Model, Score, load_model
from .pictures import draw_model, draw_model_graph
from .training import read_source
from .writing import need_file, need_other_file, write_text

__all__ = ["draw", "predict"]


def predict(folder: Path, source: str, *, header: bool, out: Path | None, proba: bool) -> None:
    """Write one line a row: the prediction, and the classes' probabilities where they are asked for."""
    model = load_model(folder)
    if proba and model.task != "classification":
        raise UserError(f"--proba is for classes; this model predicts the number {model.target!r}")
    if proba and not model.has_probabilities:
        raise UserError("--proba: a perceptron knows sides, no probabilities; train with --model logistic for them")
    if out is not None:
        need_other_file(out, source, "--out")
    table = read_source(source, header=header)
    try:
        outputs = model.outputs(table.drop([model.target]))
    except DataError as error:
        raise DataError("; ".join([str(error).removesuffix("."), *table.notes])) from error
    found = model.score(table, outputs)
    text = _csv(model, outputs, proba)
    if out is None:
        _show(text)
    else:
        write_text(out, text)
    if found is not None:
        sys.stderr.write(f"{_told(found, model)}\n")


def draw(folder: Path, *, out: Path | None, graph: bool) -> None:
    """Write the picture of a model's network."""
    model = load_model(folder)
    base = folder if folder.is_dir() else folder.parent
    path = out or base / ("graph.svg" if graph else "network.svg")
    need_file(path, "--out")
    if path.suffix.lower() != ".svg":
        raise UserError(f"--out: a drawing is an SVG file, got {path}; try {path.with_suffix('.svg')}")
    picture = draw_model_graph(model) if graph else draw_model(model)
    write_text(path, picture.svg)
    sys.stdout.write(f"wrote {path}\n")


def _show(text: str) -> None:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError as error:
        raise UserError(
            f"the output is in {error.encoding}, which has no {text[error.start]!r}; write a file with --out, "
            "or set PYTHONIOENCODING=utf-8"
        ) from None
    sys.stdout.write(text)


def _told(score: Score, model: Model) -> str:
    value = "not defined" if math.isnan(score.value) else f"{score.value:.4f}"
    text = f"{score.metric}: {value} over {score.rows} row{'s' * (score.rows != 1)} with a known {model.target}"
    if score.strange:
        known = listed([str(label) for label in model.labels], 10)
        text += f"; {score.strange} of them of a class that the model does not know (it knows {known})"
    return text


def _csv(model: Model, outputs: Array, proba: bool) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([model.target, *([f"p({label})" for label in model.labels] if proba else [])])
    for label, row in zip(model.decide(outputs), outputs, strict=True):
        shown = f"{label:.6g}" if isinstance(label, float) else label
        writer.writerow([shown, *([f"{p:.6f}" for p in row] if proba else [])])
    return buffer.getvalue()
