"""Where a network's layers are in its graph: whatever it was made from, layers or a plain function of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...graph import Node, Operation, ShapeError, ancestors
from ...graph.operations.activation import Relu
from ...graph.operations.arithmetic import Multiply
from ...graph.operations.exponential import Sigmoid, Tanh

__all__ = ["LayerNodes", "find_layers"]

BOUNDED: dict[type[Operation], str] = {Sigmoid: "sigmoid", Tanh: "tanh"}
WATCHED: dict[type[Operation], str] = {**BOUNDED, Relu: "relu"}


@dataclass(frozen=True)
class LayerNodes:
    """One layer's nodes.

    Attributes
    ----------
    name : str
        The path that its parameters share, or the one parameter's name.
    number : int
        1, 2, … among those that transform their input (have a kernel); 0 for what stands beside them, such as a norm.
    parameters : tuple of Node
    input : Node or None
        What goes into it.
    preactivation : Node or None
        a = X·W + b; None for a parameter that meets no example.
    activations : tuple of (str, Node)
        The sigmoids, tanhs and rectifiers of its units, each with its kind; those that only gate something else
        (as in a·σ(a)) and bounded outputs of the network, which may well be sure, are left out.
    """

    name: str
    number: int
    parameters: tuple[Node, ...]
    input: Node | None = None
    preactivation: Node | None = None
    activations: tuple[tuple[str, Node], ...] = field(default=())


def find_layers(output: Node, examples: Node, parameters: Mapping[str, Node]) -> list[LayerNodes]:
    """The layers of a graph, in the order of their parameters.

    Parameters
    ----------
    output : Node
        What the network gives.
    examples : Node
        Its input, with which everything that depends on the examples begins.
    parameters : mapping of path to Node

    Examples
    --------
    >>> import diaphane as dia
    >>> network = dia.nn.Network(dia.nn.Sequential([dia.nn.Dense(3, "tanh"), dia.nn.Dense(1)]), (2,))
    >>> for layer in find_layers(network.output, network.input, network.named_variables()):
    ...     print(layer.number, layer.name, layer.preactivation, layer.activations)
    1 dense_1 x @ dense_1/kernel + dense_1/bias (('tanh', <tanh (N, 3) float32>),)
    2 dense_2 tanh(x @ dense_1/kernel + dense_1/bias) @ dense_2/kernel + dense_2/bias ()
    """
    layers = _grouped(parameters)
    if not layers:
        raise ShapeError("this network has no parameter to look at: give it a layer that has some, such as Dense")
    order = ancestors([output], stop=[examples])
    place = {node: i for i, layer in enumerate(layers) for node in layer.parameters}
    depends, newest, held = {examples}, {examples: -1}, dict[Node, set[int]]()
    inputs, outputs, units = dict[int, Node](), dict[int, Node](), list[tuple[int, Node]]()
    for node in order:
        carried = [value for value in node.inputs if value in depends]
        met = {place[node]} if node in place else set().union(*(held.get(v, ()) for v in node.inputs))
        if not carried or node in place:
            if node is not examples:
                held[node] = met
            continue
        depends.add(node)
        for i in met:
            # A bias that is added to what the kernel gave belongs to the same layer's preactivation.
            if i not in outputs:
                inputs[i] = carried[0]
            if i not in outputs or outputs[i] in carried:
                outputs[i] = node
        newest[node] = max([newest[v] for v in carried] + [i for i in met if layers[i].number])
        if type(node.op) in WATCHED and newest[node] >= 0:
            units.append((newest[node], node))
    gates, last = _gates(order, depends), max(newest.get(output, -1), 0)
    return [
        replace(
            layer,
            input=inputs.get(i),
            preactivation=outputs.get(i),
            activations=tuple(
                (WATCHED[type(u.op)], u)
                for at, u in units
                if at == i and u not in gates and not (i == last and type(u.op) in BOUNDED)
            ),
        )
        for i, layer in enumerate(layers)
    ]


def _grouped(parameters: Mapping[str, Node]) -> list[LayerNodes]:
    groups = dict[str, list[Node]]()
    for path, node in parameters.items():
        groups.setdefault(path.rpartition("/")[0] or path, []).append(node)
    has_kernel = {name: any(p.ndim > 1 for p in group) for name, group in groups.items()}
    if not any(has_kernel.values()):
        has_kernel = dict.fromkeys(groups, True)
    numbers = iter(range(1, len(groups) + 1))
    return [LayerNodes(n, next(numbers) if has_kernel[n] else 0, tuple(group)) for n, group in groups.items()]


def _gates(order: list[Node], depends: set[Node]) -> set[Node]:
    """Nodes whose only use is to be multiplied with another that depends on the examples."""
    uses = dict[Node, list[bool]]()
    for node in order:
        gating = isinstance(node.op, Multiply) and all(v in depends for v in node.inputs)
        for value in set(node.inputs):
            uses.setdefault(value, []).append(gating)
    return {node for node, gating in uses.items() if all(gating)}
