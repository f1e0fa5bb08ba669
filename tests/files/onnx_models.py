"""ONNX models as onnxruntime runs them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import diaphane as dia
from diaphane.files.onnx import ExportedGraph, write_model

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

__all__ = ["BATCHES", "assert_same", "graph_model", "run", "session"]

BATCHES = (1, 7, 64)


def session(path: Path) -> Any:
    """A checked model, ready to run; what it only warns of is not shown."""
    onnx.checker.check_model(onnx.load(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])


def run(model: Any, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every output by its name."""
    wanted = {i.name for i in model.get_inputs()}
    found = model.run(None, {k: v for k, v in feeds.items() if k in wanted})
    return dict(zip([o.name for o in model.get_outputs()], found, strict=True))


def graph_model(
    path: Path, inputs: list[dia.Node], outputs: Mapping[str, dia.Node], state: Mapping[dia.Node, Any], **options: Any
) -> Any:
    """Any graph over placeholders and variables."""
    values = {str(v.name): (v, np.asarray(a)) for v, a in state.items()}
    return session(write_model(path, ExportedGraph({str(x.name): x for x in inputs}, outputs, values), **options))


def assert_same(got: np.ndarray, want: np.ndarray, what: str, tolerance: float = 1e-5) -> None:
    """The issue's measure: the same shape and type, and no number further off than 1e-5, of the largest one."""
    assert (got.shape, got.dtype) == (want.shape, want.dtype), what
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want, err_msg=what)
        return
    finite = np.abs(want[np.isfinite(want)])
    np.testing.assert_allclose(
        got, want, rtol=tolerance, atol=tolerance * max(1.0, finite.max(initial=0.0)), err_msg=what
    )
