"""Colours, light and dark."""

from __future__ import annotations

from collections.abc import Mapping

from .text import SIZES

__all__ = ["FONT", "stylesheet"]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1f2430",
    "muted": "#667085",
    "line": "#98a2b3",
    "hair": "#e4e7ec",
    "value": "#05704d",
    "gradient": "#c0350c",
    "operation": "#f7f8fa #8a94a6",
    "variable": "#e3edff #3569d4",
    "placeholder": "#fff3d6 #b87a06",
    "constant": "#efeff1 #b4b8c2",
    "scan": "#f1e9fd #7c4fc4",
    "part": "#f8f4fe #a383d6",
    "more": "#ffffff #98a2b3",
    "caption": "#ffffff #e4e7ec",
    "alarm": "#ffe4df #d92d20",
}
DARK = {
    "paper": "#14171d",
    "ink": "#e8eaf0",
    "muted": "#98a1b3",
    "line": "#667085",
    "hair": "#2b313c",
    "value": "#4ccf9b",
    "gradient": "#ff8a5c",
    "operation": "#20252e #6f7a8d",
    "variable": "#182a4d #6b9bf7",
    "placeholder": "#3a2c0a #e0a63a",
    "constant": "#2a2d34 #6a7080",
    "scan": "#2c2143 #a684e8",
    "part": "#211b30 #8468b8",
    "more": "#14171d #667085",
    "caption": "#14171d #2b313c",
    "alarm": "#4a1712 #ff6b5e",
}
KINDS = ("operation", "variable", "placeholder", "constant", "scan", "part", "more", "caption")


def stylesheet() -> str:
    """The picture's own rules; every selector starts at its root, for pictures that stand in one page with others.

    The colours are written out twice instead of being CSS variables, which Inkscape, librsvg and others do not know.
    """
    sizes = "".join(f".diaphane .{role}{{font-size:{size:g}px}}" for role, size in SIZES.items())
    return (
        f".diaphane{{font-family:{FONT};font-variant-numeric:tabular-nums}}"
        ".diaphane text{text-anchor:middle}.diaphane text.start{text-anchor:start}.diaphane text.end{text-anchor:end}"
        ".diaphane .symbol,.diaphane .title,.diaphane .heading{font-weight:600}.diaphane .name{font-weight:600}"
        ".diaphane .heading{font-size:15px}"
        f"{sizes}"
        ".diaphane .line{fill:none;stroke-width:1.2}.diaphane .unit-line{stroke-width:.6}"
        ".diaphane .dashed,.diaphane .more .box{stroke-dasharray:4 3}"
        ".diaphane .box{stroke-width:1.2}.diaphane .output .box{stroke-width:2.4}"
        f"{_colours(LIGHT)}@media (prefers-color-scheme:dark){{{_colours(DARK)}}}"
    )


def _colours(palette: Mapping[str, str]) -> str:
    rules = [
        f".diaphane .paper{{fill:{palette['paper']}}}",
        f".diaphane text,.diaphane .dot{{fill:{palette['ink']}}}",
        f".diaphane .line,.diaphane .unit-line{{stroke:{palette['line']}}}",
        f".diaphane .head{{fill:{palette['line']}}}",
        f".diaphane .hair{{stroke:{palette['hair']}}}",
        f".diaphane .shape,.diaphane .small{{fill:{palette['muted']}}}",
        f".diaphane .value{{fill:{palette['value']}}}",
        f".diaphane .gradient{{fill:{palette['gradient']}}}",
        f".diaphane .sum{{fill:{palette['paper']};stroke:{palette['gradient']}}}",
    ]
    for kind in KINDS:
        fill, stroke = palette[kind].split()
        rules.append(f".diaphane .{kind} .box{{fill:{fill};stroke:{stroke}}}")
    fill, stroke = palette["alarm"].split()
    rules.append(f".diaphane .alarm .box{{fill:{fill};stroke:{stroke}}}")
    return "".join(rules)
