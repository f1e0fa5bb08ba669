"""A network and its values in one file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..engines import State
from ..graph import Dim, Node
from ..graph.evaluation import checked_feed
from ..nn import Layer, Network
from . import checkpoint
from .checkpoint import FileError
from .graphs import READING_ERRORS, read_graph, write_graph
from .soundness import MOST_AXES, check_extent, require

__all__ = ["load", "network_content", "read_network", "save"]

VALUES = "values/"


def save(path: str | os.PathLike[str], network: Network, state: State, extra: Mapping[str, Any] | None = None) -> Path:
    """Write a network's architecture and values.

    Parameters
    ----------
    path : path-like
        By custom ending in ``.safetensors``.
    network : Network
        Of layers, saved as their fields; or of a function, saved as its graph.
    state : State
        Its values, such as ``result.state``.
    extra : mapping, optional
        Anything else that JSON can hold.

    Raises
    ------
    FileError
        If the file cannot be written.
    TypeError
        If the architecture holds a function that has no name.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import diaphane as dia
    >>> network = dia.nn.Network(dia.nn.Dense(2), (3,))
    >>> state = network.initial_state()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = dia.save(pathlib.Path(folder) / "model.safetensors", network, state)
    ...     again, values = dia.load(path)
    >>> again.architecture == network.architecture
    True
    >>> bool((again.predict(values, [[1, 2, 3]]) == network.predict(state, [[1, 2, 3]])).all())
    True
    """
    content, arrays = network_content(network, state)
    return checkpoint.write(path, arrays, {"kind": "network", **content, "extra": dict(extra or {})})


def load(path: str | os.PathLike[str]) -> tuple[Network, State]:
    """A network and its values, from a file that :func:`save` wrote; runs no code from it.

    Raises
    ------
    FileError
        If the file is not there, not ours, or damaged.
    """
    arrays, content = checkpoint.read(path)
    return read_network(content, arrays, str(path))


def network_content(network: Network, state: State) -> tuple[dict[str, Any], dict[str, Any]]:
    """A network as plain data and arrays."""
    content: dict[str, Any] = {
        "input_shape": [e if isinstance(e, int) else str(e) for e in network.input_shape],
        "dtype": network.dtype.name,
    }
    values = {VALUES + path: checked_feed(v, state[v]) for path, v in network.named_variables().items()}
    if isinstance(network.architecture, Layer):
        return {**content, "architecture": network.architecture.to_json()}, values
    graph, arrays = write_graph([network.input, network.output])
    return {**content, "graph": graph}, {**values, **arrays}


def read_network(content: Mapping[str, Any], arrays: Mapping[str, Any], source: str) -> tuple[Network, State]:
    """What :func:`network_content` gave."""
    try:
        shape, dtype = content["input_shape"], content["dtype"]
        require(
            isinstance(shape, list) and len(shape) < MOST_AXES, f"input_shape is a list of extents, not {shape!r:.40}"
        )
        shape = tuple(Dim(e) if isinstance(e, str) else e for e in shape)
        for extent in shape:
            check_extent(extent)
        require(isinstance(dtype, str), f"a dtype is named, not {dtype!r:.40}")
        if "architecture" in content:
            network = Network(Layer.from_json(content["architecture"]), shape, dtype=dtype)
        else:
            network = _network_of_graph(content, arrays, shape, dtype)
        values = {v: arrays[VALUES + path] for path, v in network.named_variables().items()}
    except KeyError as error:
        raise FileError(f"{source} lacks {str(error)[:200]}: it is not a whole network") from None
    except READING_ERRORS as error:
        raise FileError(
            f"{source} holds no network that can be read: {str(error)[:1000]}; expected what diaphane.save writes"
        ) from None
    for variable, value in values.items():
        if value.shape != variable.shape or value.dtype != variable.dtype:
            raise FileError(
                f"{source}: {variable.name} should be {variable.shape} {variable.dtype}, "
                f"it is {value.shape} {value.dtype}"
            )
    return network, State(values)


def _network_of_graph(content: Mapping[str, Any], arrays: Mapping[str, Any], shape: Any, dtype: Any) -> Network:
    from ..graph import substitute

    x, output = read_graph(content["graph"], arrays)

    def rebuilt(node: Node) -> Node:
        return substitute([output], {x: node})[0]

    return Network(rebuilt, shape, dtype=dtype)
