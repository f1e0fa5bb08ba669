"""How wide a text is, and how to cut it."""

from __future__ import annotations

import unicodedata

__all__ = ["SIZES", "line_height", "shorten", "text_width"]

SIZES = {
    "symbol": 19.0,
    "dot": 19.0,
    "title": 14.0,
    "name": 12.5,
    "shape": 10.5,
    "value": 11.5,
    "gradient": 11.5,
    "small": 10.5,
}
"""Font size by what a line says, in pixels."""

_BOLD = {"symbol", "title", "name"}
# Of the widest of the usual sans-serif fonts (DejaVu, Verdana), so that a text fits whichever one is there.
_EMS = {
    **dict.fromkeys("ijl.,:;'|!·∣ ", 0.33),
    **dict.fromkeys('frt()[]{}/\\-"°', 0.42),
    **dict.fromkeys("mw%MW@…∞→", 1.0),
    **dict.fromkeys("+−±=<>≤≥≠×÷∧∨¬⊙", 0.84),
    **dict.fromkeys("aceksxyzvIJ∂σ²ᵀ", 0.6),
}


def text_width(text: str, role: str) -> float:
    """About how wide a text is in pixels, rather too wide than too narrow."""
    ems = 0.0
    for character in text:
        if unicodedata.combining(character):
            continue
        if unicodedata.east_asian_width(character) in "WF":
            ems += 1.05
        else:
            ems += _EMS.get(character, 0.72 if character.isupper() else 0.65)
    return ems * SIZES[role] * (1.09 if role in _BOLD else 1.0)


def line_height(role: str) -> float:
    """The height of a line in pixels."""
    return SIZES[role] * (1.2 if role in ("symbol", "dot") else 1.32)


def shorten(text: str, longest: int) -> str:
    """The text on one line, cut with … where it is longer.

    Examples
    --------
    >>> shorten("logistic regression", 10)
    'logistic …'
    """
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
