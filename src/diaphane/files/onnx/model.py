"""A graph as an ONNX model in a file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..._version import __version__
from ...engines import State
from ...graph import Node
from ...graph.evaluation import checked_feed
from ...graph.leaves import Variable
from ...graph.node import Array
from ...nn import Network
from ..checkpoint import write_bytes
from .registry import ExportError
from .writing import Writer, value_info

__all__ = ["OPSET", "ExportedGraph", "export_onnx", "write_model"]

OPSET = 18
"""ONNX's set of operations that models are written in: that of 2023, which runtimes of today read."""

LARGEST = 2**31 - 2**20
"""Bytes of values: a protocol buffer holds no more than 2 GiB."""


@dataclass(frozen=True)
class ExportedGraph:
    """What a model computes.

    Attributes
    ----------
    inputs : mapping of str to Node
        Placeholders by the names that a runtime feeds them by.
    outputs : mapping of str to Node
    values : mapping of str to (Node, array)
        Variables by name, and what they hold.
    labels : mapping of str to (Node, sequence)
        Outputs that are names rather than numbers: of each index of a node the label there.
    metadata : mapping of str to str
    """

    inputs: Mapping[str, Node]
    outputs: Mapping[str, Node]
    values: Mapping[str, tuple[Node, Array]]
    labels: Mapping[str, tuple[Node, Sequence[Any]]] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


def export_onnx(path: str | os.PathLike[str], network: Network, state: State, *, opset: int = OPSET) -> Path:
    """Write a network at inference as an ONNX model, for runtimes that know nothing of diaphane.

    Parameters
    ----------
    path : path-like
        By custom ending in ``.onnx``.
    network : Network
        Of layers or of a function. The model's input is called ``x`` and its output ``output``; the number of
        rows and other named sizes stay free, parameters are initializers under their paths.
    state : State
        Its values, such as ``result.state``.
    opset : int
        Which set of ONNX's operations to use, at least 18.

    Raises
    ------
    ImportError
        Without the package onnx: ``pip install "diaphane[onnx]"``.
    ExportError
        If an operation cannot be said in ONNX; it is named.
    FileError
        If the file cannot be written; what was there is untouched.

    Notes
    -----
    A runtime counts a negative index from the end where :func:`~diaphane.take` refuses it, and gives a row of
    zeros for an index outside where :func:`~diaphane.one_hot` refuses it.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import onnx
    >>> import diaphane as dia
    >>> network = dia.nn.Network(dia.nn.Dense(2, "tanh"), (3,))
    >>> state = network.initial_state()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = export_onnx(pathlib.Path(folder) / "model.onnx", network, state)
    ...     model = onnx.load(path)
    >>> [node.op_type for node in model.graph.node], [tensor.name for tensor in model.graph.initializer]
    (['MatMul', 'Add', 'Tanh', 'Identity'], ['dense_1/kernel', 'dense_1/bias'])
    """
    if not isinstance(network, Network):
        raise TypeError(
            f"a network and its state are exported, got {type(network).__name__}; diaphane.export_onnx takes "
            "estimators too"
        )
    return write_model(path, exported_network(network, state), opset=opset)


def exported_network(network: Network, state: State) -> ExportedGraph:
    """A network's inference graph with its values."""
    values = {name: (v, checked_feed(v, state[v])) for name, v in network.named_variables().items()}
    return ExportedGraph({"x": network.input}, {"output": network.output}, values)


def write_model(path: str | os.PathLike[str], graph: ExportedGraph, *, opset: int = OPSET) -> Path:
    """Write a graph as an ONNX model, checked, under a temporary name first."""
    onnx = _onnx()
    newest = onnx.defs.onnx_opset_version()
    if isinstance(opset, bool) or not isinstance(opset, int | np.integer) or not OPSET <= opset <= newest:
        raise ExportError(f"opset is {opset!r}; expected one from {OPSET} to {newest}, the newest this onnx knows")
    size = sum(array.nbytes for _, array in graph.values.values())
    if size > LARGEST:
        raise ExportError(
            f"the values take {size:,} bytes, and an ONNX file holds no more than {LARGEST:,}; "
            "export a part of the network, or in float32"
        )
    model = _model(graph, int(opset))
    onnx.checker.check_model(model)
    return write_bytes(path, model.SerializeToString())


def _model(graph: ExportedGraph, opset: int) -> Any:
    from onnx import helper

    write = Writer()
    names = {node: write.name(name) for name, node in graph.inputs.items()}
    results = {name: write.name(name) for name in (*graph.outputs, *graph.labels)}
    for node, name in names.items():
        write.values[node] = name
        write.sizes.carried_by(name, node.shape)
    for path, (variable, array) in graph.values.items():
        assert isinstance(variable.op, Variable)
        write.values[variable] = write.initializer(array, write.name(path))
    nodes = [*graph.outputs.values(), *(node for node, _ in graph.labels.values())]
    computed = dict(zip(results, write.lower(nodes), strict=True))
    declared = []
    for name, node in graph.outputs.items():
        write.emit("Identity", computed[name], name=results[name])
        declared.append(value_info(results[name], node.dtype, node.shape))
    for name, (node, labels) in graph.labels.items():
        array = label_array(labels)
        write.emit("Gather", write.constant(array, "labels"), computed[name], name=results[name], axis=0)
        declared.append(value_info(results[name], array.dtype, node.shape))
    inputs = [value_info(name, node.dtype, node.shape) for node, name in names.items()]
    used = {value for node in write.nodes for value in _used(node)}
    initializers = [tensor for tensor in write.initializers if tensor.name in used]
    body = helper.make_graph(write.nodes, "network", inputs, declared, initializers)
    versions = [helper.make_opsetid("", opset)]
    model = helper.make_model(
        body,
        opset_imports=versions,
        ir_version=helper.find_min_ir_version_for(versions),
        producer_name="diaphane",
        producer_version=__version__,
    )
    helper.set_model_props(model, dict(graph.metadata))
    return model


def _used(node: Any) -> list[str]:
    """The values that a node and the graphs inside it take."""
    inner = [value for a in node.attribute for n in a.g.node for value in _used(n)]
    return [*node.input, *inner]


def label_array(labels: Sequence[Any]) -> Array:
    """Labels as ONNX can hold them: numbers of one type, or else strings."""
    array = np.asarray(labels)
    if array.dtype.kind in "iub":
        return array.astype("int64")
    if array.dtype.kind == "f" and array.dtype.itemsize >= 4:
        return array
    return np.array([str(label) for label in labels], dtype=object)


def _onnx() -> Any:
    try:
        import onnx
        import onnx.checker
        import onnx.defs
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise ImportError(
            f"writing ONNX models needs the package onnx, which cannot be imported ({error}): "
            'pip install "diaphane[onnx]"'
        ) from error
    return onnx
