"""``diaphane export``: a trained model as an ONNX file."""

from __future__ import annotations

import sys
from pathlib import Path

from ..data.errors import listed
from .errors import UserError
from .model import load_model
from .writing import need_file

__all__ = ["export"]


def export(folder: Path, out: Path, *, opset: int | None) -> None:
    """Write the model, and say what goes in and what comes out."""
    from ..estimators.export import export_model
    from ..files.onnx import ExportError

    need_file(out, "OUT")
    if out.suffix.lower() != ".onnx":
        raise UserError(f"an ONNX model is a file that ends in .onnx, got {out}; try {out.with_suffix('.onnx')}")
    model = load_model(folder)
    try:
        found = export_model(
            out,
            network=model.network,
            state=model.state,
            task=model.task,
            labels=model.labels,
            encoder=model.encoder,
            scaler=model.scaler,
            has_probabilities=model.has_probabilities,
            **({} if opset is None else {"opset": opset}),
        )
    except (ImportError, ExportError) as error:
        raise UserError(str(error)) from None
    what = "columns" if found.raw else "features, as the model makes them of its columns"
    sys.stdout.write(
        f"wrote {found.path}\n"
        f"x: {len(found.inputs)} {what}: {listed(found.inputs, 8)}\n"
        f"gives: {', '.join(found.outputs)}\n"
    )
    if model.threshold is not None:
        sys.stdout.write(
            f"label is the more probable class; the model's threshold is {model.threshold:g} for "
            f"{str(model.labels[1])!r}: compare its probability with that\n"
        )
