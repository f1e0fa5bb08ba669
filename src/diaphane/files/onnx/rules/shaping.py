"""The same elements in another arrangement."""

from __future__ import annotations

from ....graph import Node
from ....graph.operations.shaping import BroadcastTo, Concat, PermuteDims, Reshape
from ..registry import exports
from ..writing import Writer


@exports(Reshape)
def reshape(write: Writer, node: Node, inputs: list[str]) -> str:
    """With −1 in the place of one named size, as people write it, and all extents reckoned where there are more."""
    named = [e for e in node.shape if not isinstance(e, int)]
    if len(named) == 1 and 0 not in node.shape:
        target = write.integers([e if isinstance(e, int) else -1 for e in node.shape])
        return write.emit("Reshape", *inputs, target)
    return write.emit("Reshape", *inputs, write.shape(node.shape), allowzero=1)


@exports(PermuteDims)
def permute_dims(write: Writer, node: Node, inputs: list[str]) -> str:
    """The axes in another order."""
    assert isinstance(node.op, PermuteDims)
    return write.emit("Transpose", *inputs, perm=list(node.op.axes))


@exports(BroadcastTo)
def broadcast_to(write: Writer, node: Node, inputs: list[str]) -> str:
    """Repeated, to a shape that is reckoned when it runs."""
    return write.emit("Expand", *inputs, write.shape(node.shape))


@exports(Concat)
def concat(write: Writer, node: Node, inputs: list[str]) -> str:
    """One after another."""
    assert isinstance(node.op, Concat)
    return write.emit("Concat", *inputs, axis=node.op.axis)
