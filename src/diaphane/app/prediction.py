"""``diaphane predict`` and ``diaphane draw``."""

from __future__ import annotations

import csv
import io
import os
import sys
import tempfile
from pathlib import Path

from ..graph.node import Array
from .errors import UserError
from .model import Model, load_model
from .pictures import draw_model, draw_model_graph
from .training import read_source

__all__ = ["draw", "predict"]


def predict(folder: Path, source: str, *, header: bool, out: Path | None, proba: bool) -> None:
    """Write one line a row: the prediction, and the classes' probabilities where they are asked for."""
    model = load_model(folder)
    if proba and model.task != "classification":
        raise UserError(f"--proba is for classes; this model predicts the number {model.target!r}")
    table = read_source(source, header=header)
    outputs = model.outputs(table.drop([model.target]) if model.target in table.names else table)
    text = _csv(model, outputs, proba)
    if out is None:
        sys.stdout.write(text)
    else:
        write_text(out, text)
    found = model.score(table, outputs)
    if found is not None:
        name, value, rows = found
        sys.stderr.write(f"{name}: {value:.4f} over {rows} rows with a known {model.target}\n")


def draw(folder: Path, *, out: Path | None, graph: bool) -> None:
    """Write the picture of a model's network."""
    model = load_model(folder)
    base = folder if folder.is_dir() else folder.parent
    path = out or base / ("graph.svg" if graph else "network.svg")
    picture = draw_model_graph(model) if graph else draw_model(model)
    sys.stdout.write(f"wrote {picture.save(path)}\n")


def write_text(path: Path, text: str) -> None:
    """A file that is whole or as it was."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.replace(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}; choose another place with --out") from None


def _csv(model: Model, outputs: Array, proba: bool) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([model.target, *([f"p({label})" for label in model.labels] if proba else [])])
    for label, row in zip(model.decide(outputs), outputs, strict=True):
        shown = f"{label:.6g}" if isinstance(label, float) else label
        writer.writerow([shown, *([f"{p:.6f}" for p in row] if proba else [])])
    return buffer.getvalue()
