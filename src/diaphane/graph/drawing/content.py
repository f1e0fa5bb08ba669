"""What stands in a box."""

from __future__ import annotations

import dataclasses
import string
from dataclasses import dataclass
from pathlib import Path

from ..formula import formula, short_formula
from ..leaves import Constant, Leaf, Placeholder, Variable
from ..node import Array, Node
from ..operations.arithmetic import Multiply
from ..operations.reduction import ExtentValue
from ..operations.scan import Final, Part, Scan, Trace
from ..sizes import show
from .figures import summary
from .text import line_height, shorten, text_width

__all__ = ["Box", "Line", "box_of", "kind_of", "symbol", "tooltip"]

LONGEST_NAME = 24
LONGEST_LINE = 34
FORMULA_LINES = 8
PADDING_X = 12.0
PADDING_Y = 7.0

# Where the field's sign is not what the formula writes.
SIGNS = {"Sum": "Σ", "Prod": "Π"}


@dataclass(frozen=True)
class Line:
    """A line of text and what it says (see :data:`~diaphane.graph.drawing.text.SIZES`)."""

    text: str
    role: str


@dataclass(frozen=True)
class Box:
    """A box of the picture: its kind decides shape and colours."""

    kind: str
    lines: tuple[Line, ...]
    tooltip: str = ""
    output: bool = False
    alarming: bool = False

    @property
    def width(self) -> float:
        """In pixels."""
        widest = max((text_width(line.text, line.role) for line in self.lines), default=0.0)
        return round(max(widest + 2 * PADDING_X, 40.0), 1)

    @property
    def height(self) -> float:
        """In pixels."""
        return round(max(sum(line_height(line.role) for line in self.lines) + 2 * PADDING_Y, 32.0), 1)


def kind_of(node: Node, given: bool = False) -> str:
    """What a node is in the picture: a kind of leaf, an operation, a scan or a part of one."""
    if isinstance(node.op, Variable):
        return "variable"
    if isinstance(node.op, Leaf) or given:
        return "placeholder"
    if isinstance(node.op, Constant | ExtentValue):
        return "constant"
    if isinstance(node.op, Scan):
        return "scan"
    return "part" if isinstance(node.op, Part) else "operation"


def box_of(node: Node, kind: str, value: Array | None, gradient: Array | None, *, output: bool, whole: bool) -> Box:
    """The box of a node, with what is known about it."""
    lines = [*_heading(node, kind), *_shape(node)]
    if value is not None and not (isinstance(node.op, Constant) and not node.shape and not node.name):
        lines += [Line(shorten(text, LONGEST_LINE), "value") for text in summary(value)]
    if gradient is not None:
        first, *others = summary(gradient)
        lines += [Line(shorten(text, LONGEST_LINE), "gradient") for text in (f"∂ {first}", *others)]
    return Box(kind, tuple(lines), tooltip(node, whole), output, _is_alarming(value) or _is_alarming(gradient))


def symbol(node: Node) -> str:
    """An operation's sign: ``+``, ``σ``, ``a²``, or its name.

    Examples
    --------
    >>> import diaphane as dia
    >>> x = dia.variable([1.0, 2.0], "x")
    >>> [symbol(n) for n in (x + 1, x * x, 2 * x, dia.sqrt(x), x**2, dia.tanh(x), x[:1])]
    ['+', '⊙', '·', '√', 'a²', 'tanh', 'a[:1]']
    """
    op = node.op
    if type(op).__name__ in SIGNS:
        return SIGNS[type(op).__name__]
    if isinstance(op, Multiply) and all(value.shape for value in node.inputs):
        return "⊙"
    operands = string.ascii_lowercase[: len(node.inputs)]
    if op.notation is not None and len(operands) == 2:
        return op.formula("", "").strip()
    written = op.formula(*operands) if len(operands) == 1 else op.label()
    if written.startswith(f"{op.label()}(") or len(written) > LONGEST_NAME:
        return op.label()
    return written.removesuffix("(a)")


def tooltip(node: Node, whole: bool = True) -> str:
    """All that a box may be too small for: formula, shape, dtype, what the operation does, where it was written."""
    written = formula(node) if whole else short_formula(node).strip("'")
    rows = [shorten(row, 160) for row in written.splitlines()]
    if len(rows) > FORMULA_LINES:
        rows = ["…", *rows[-FORMULA_LINES:]]
    if isinstance(node.op, Scan):
        rows = [f"{shorten(a.label(), 40)} ← {shorten(str(b), 160)}" for a, b in _steps(node.op)]
    kind = node.op.role if isinstance(node.op, Variable) else kind_of(node)
    rows.append(kind if isinstance(node.op, Scan) else f"{kind} {show(node.shape)} {node.dtype}")
    does = (type(node.op).__doc__ or "").strip().splitlines()
    if node.inputs and does:
        rows.append(does[0])
    if node.site is not None:
        # The file's name only: a drawing is shown to others, whom the folders do not concern.
        rows.append(f"{Path(node.site[0]).name}:{node.site[1]}")
    return "\n".join(rows)


def _steps(op: Scan) -> list[tuple[Node, Node]]:
    return list(zip(op.carries, op.next_carries, strict=True))


def _heading(node: Node, kind: str) -> list[Line]:
    if isinstance(node.op, Scan):
        steps = "1 step" if node.op.length == 1 else f"{node.op.length} steps"
        return [Line("scan", "title"), Line(steps + (", backwards" if node.op.reverse else ""), "shape")]
    if isinstance(node.op, Part):
        return [Line(shorten(node.name or _part(node.op, node.inputs[0]), LONGEST_NAME), "name")]
    if kind in ("variable", "placeholder"):
        unnamed = "given" if isinstance(node.op, Placeholder) else node.op.label()
        return [Line(shorten(node.name or unnamed, LONGEST_NAME), "title")]
    if kind == "constant":
        text = summary(node.op.array)[0] if isinstance(node.op, Constant) and not node.shape else node.label()
        return [Line(shorten(node.name or ("constant" if node.shape else text), LONGEST_NAME), "name")]
    sign = symbol(node)
    role = "dot" if sign == "·" else "symbol" if len(sign) <= 2 else "title"
    lines = [Line(shorten(sign, LONGEST_NAME), role)]
    axes = _axes(node)
    if axes:
        lines.append(Line(axes, "shape"))
    return [Line(shorten(node.name, LONGEST_NAME), "name"), *lines] if node.name else lines


def _part(op: Part, node: Node) -> str:
    assert isinstance(node.op, Scan)
    if isinstance(op, Final):
        return "last " + (node.op.carries[op.position].label() if len(node.op.carries) > 1 else "carry")
    assert isinstance(op, Trace)
    return f"{op.node.name or symbol(op.node)} (each step)"


def _axes(node: Node) -> str:
    """The axes an operation works along, where it does not take all of them or has only one to take."""
    values = {f.name: getattr(node.op, f.name) for f in dataclasses.fields(node.op)}
    axes = values.get("axes", values.get("axis"))
    if isinstance(axes, int):
        axes = (axes,)
    ndim = node.inputs[0].ndim if node.inputs else 0
    if not isinstance(axes, tuple) or len(axes) >= max(ndim, 1):
        return ""
    return ("axis " if len(axes) == 1 else "axes ") + ", ".join(map(str, axes))


def _shape(node: Node) -> list[Line]:
    if isinstance(node.op, Scan) or (not node.shape and node.dtype.kind == "f"):
        return []
    if isinstance(node.op, Constant) and not node.shape:
        return []
    text = str(node.dtype) if not node.shape else f"{show(node.shape)} {node.dtype}"
    return [Line(shorten(text, LONGEST_LINE), "shape")]


def _is_alarming(value: Array | None) -> bool:
    from numpy import isfinite

    return value is not None and value.dtype.kind == "f" and not bool(isfinite(value).all())
