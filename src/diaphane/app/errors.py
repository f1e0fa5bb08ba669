"""What a person can mend: shown in one line, without a traceback."""

from __future__ import annotations

__all__ = ["UserError"]


class UserError(ValueError):
    """A mistake in what was asked for: what was given, what was expected, what to do."""
