"""Nodes as formulas."""

from __future__ import annotations

from .leaves import Constant
from .node import Node, ancestors
from .sizes import show

__all__ = ["describe", "formula", "short_formula"]

ATOM = 100
LONGEST = 60


def formula(node: Node) -> str:
    """What a node computes, as a person writes it.

    A value that is used more than once, or that has a name of its own, gets a line of its own:

    >>> import diaphane as dia
    >>> x, w = dia.variable(1.0, "x"), dia.variable(2.0, "w")
    >>> h = dia.tanh(x * w).named("h")
    >>> print(h * h + 1)
    h = tanh(x·w)
    h·h + 1
    """
    order = ancestors([node])
    uses: dict[Node, int] = {}
    for user in order:
        for value in set(user.inputs):
            uses[value] = uses.get(value, 0) + 1
    texts: dict[Node, tuple[str, int]] = {}
    lines: list[str] = []
    for current in order:
        text, binding = _written(current, texts)
        own_line = current.inputs and (current.name or uses.get(current, 0) > 1 or len(text) > 2 * LONGEST)
        if own_line and current is not node:
            name = current.name or f"v{len(lines) + 1}"
            lines.append(f"{name} = {text}")
            text, binding = name, ATOM
        texts[current] = text, binding
    last = texts[node][0]
    return "\n".join([*lines, f"{node.name} = {last}" if node.name and node.inputs else last])


def short_formula(node: Node) -> str:
    """A node in a few words: its name, or its formula where that is short."""
    if node.name:
        return repr(node.name)
    if not node.inputs:
        return node.label()
    text = node.op.formula(*[i.name or (i.op.label() if i.inputs else _leaf(i)) for i in node.inputs])
    return f"'{text if len(text) <= LONGEST else node.op.label()}'"


def describe(node: Node) -> str:
    """A node in a few words, with its shape and where it was made."""
    site = f" (made at {node.site[0]}:{node.site[1]})" if node.site else ""
    return f"{short_formula(node)} of shape {show(node.shape)}{site}"


def _written(node: Node, texts: dict[Node, tuple[str, int]]) -> tuple[str, int]:
    if not node.inputs:
        return _leaf(node), ATOM
    precedence = node.op.precedence
    bracketed = []
    for i, value in enumerate(node.inputs):
        text, binding = texts[value]
        bracketed.append(f"({text})" if precedence < ATOM and binding < node.op.operand_binding(i) else text)
    return node.op.formula(*bracketed), precedence


def _leaf(node: Node) -> str:
    if node.name:
        return node.name
    if isinstance(node.op, Constant):
        return node.op.label()
    written = node.op.formula()
    return written if not written.endswith("()") else f"{node.op.label()}{show(node.shape)}"
