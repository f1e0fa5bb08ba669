"""How each operation is said in ONNX: the table, and what is raised where it has no row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from ...graph import Node, Operation

if TYPE_CHECKING:
    from .writing import Writer

__all__ = ["RULES", "ExportError", "Rule", "exports", "rule_of"]


class ExportError(ValueError):
    """A graph that ONNX cannot express."""


Rule: TypeAlias = "Callable[[Writer, Node, list[str]], str]"
"""From a node and the names of its inputs to the name of its value."""

RULES: dict[type[Operation], Rule] = {}


def exports(*operations: type[Operation]) -> Callable[[Rule], Rule]:
    """Say how operations are written in ONNX; a user's own as well.

    Parameters
    ----------
    *operations : subclasses of Operation

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import diaphane as dia
    >>> @dataclass(frozen=True)
    ... class Cosh(dia.Elementwise):
    ...     expression = "(exp(a) + exp(-a)) / 2"
    ...
    ...     def compute(self, backend, *arrays):
    ...         return backend.xp.cosh(arrays[0])
    >>> @exports(Cosh)
    ... def cosh(write, node, inputs):
    ...     return write.emit("Cosh", *inputs)
    """

    def enter(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(operations, rule))
        return rule

    return enter


def rule_of(node: Node) -> Rule:
    """The rule for a node's operation.

    Raises
    ------
    ExportError
        If there is none.
    """
    from . import rules  # noqa: F401  they enter themselves

    kind = type(node.op)
    rule = RULES.get(kind)
    if rule is None:
        raise ExportError(
            f"there is no rule that writes {node.label()} (the operation {kind.__name__}) in ONNX; give one with "
            f"@diaphane.files.onnx.exports({kind.__name__}), a function from (write, node, inputs) to write.emit(…)"
        )
    return rule
