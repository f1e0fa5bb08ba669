"""``--schedule plateau``: the learning rate falls where the validation loss no longer does."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..training import Callback

__all__ = ["Plateau", "alone"]

NAME = "plateau"


@dataclass(frozen=True)
class Plateau:
    """ε ← α·ε after more than ``patience`` epochs without a better validation loss."""

    alpha: float = 0.5
    patience: int = 5

    @classmethod
    def read(cls, text: str) -> Plateau | None:
        """Of ``plateau``, ``plateau:0.5`` or ``plateau:0.5,5``; None for any other schedule.

        Raises
        ------
        ValueError
            If its numbers are none.

        Examples
        --------
        >>> Plateau.read("plateau:0.1,3")
        Plateau(alpha=0.1, patience=3)
        """
        name, _, rest = text.partition(":")
        if name.strip() != NAME:
            return None
        numbers = rest.split(",") if rest else []
        try:
            if len(numbers) > 2:
                raise ValueError
            found = cls(*(kind(n) for kind, n in zip((float, int), numbers, strict=False)))
        except ValueError:
            raise ValueError(
                f"{NAME} takes a factor and a number of epochs, for example {NAME}:0.5,5; got {text!r}"
            ) from None
        found.callback()
        return found

    def callback(self) -> Callback:
        """What watches the validation loss."""
        from ..training.plateau import ReduceOnPlateau

        return ReduceOnPlateau("validation_loss", self.alpha, self.patience)


def alone(text: str) -> str:
    """The text of any other schedule, as it is.

    Raises
    ------
    ValueError
        If a plateau is a part of it.
    """
    if any(part.partition(":")[0].strip() == NAME for part in re.split(r"[+*]", text)):
        raise ValueError(f"{NAME} stands alone: it goes by the validation loss, the others by the time; got {text!r}")
    return text
