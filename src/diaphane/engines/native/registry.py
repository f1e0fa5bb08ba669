"""The table of rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from ...graph import Node, Operation

if TYPE_CHECKING:
    from .lowering import Lowering
    from .memory import Slot

__all__ = ["LOWERINGS", "PLACED", "lowers"]

Rule: TypeAlias = "Callable[[Lowering, Node, list[Slot]], None]"

LOWERINGS: dict[type[Operation], Rule] = {}
"""For each operation that is not elementwise, what emits its instructions, from the slots of its inputs."""

PLACED: set[type[Operation]] = set()
"""Operations whose value is written into the home that it is given."""


def lowers(*operations: type[Operation], placed: bool = False) -> Callable[[Rule], Rule]:
    """Enter a rule into the table."""

    def enter(rule: Rule) -> Rule:
        LOWERINGS.update(dict.fromkeys(operations, rule))
        if placed:
            PLACED.update(operations)
        return rule

    return enter
