"""Where the time went, and with what it was made."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..markup import Markup, clean, joined, paragraph, table, tag
from ..numbers import seconds
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["RUN", "timetable"]

LIBRARIES = ("diaphane", "numpy", "scipy", "scikit-learn", "numba", "matplotlib", "pandas", "polars")


def _made(subject: Subject) -> Section:
    seeds = _seeds(subject)
    versions = [["Python", platform.python_version()], *([name, v] for name in LIBRARIES if (v := _version(name)))]
    notes = tag("ul", *(tag("li", clean(note)) for note in subject.run.notes)) if subject.run.notes else None
    noted = joined(tag("h3", "What was noticed"), notes) if notes is not None else None
    run = timetable(subject.run.seconds, "Seconds by phase") if subject.run.seconds else None
    used = table(["library", "version"], versions, caption="Versions", words=[1])
    numbers = table(["of", "seed"], seeds, caption="Seeds", words=[1])
    on = paragraph(f"On {clean(platform.platform(terse=True))}, {platform.machine()}.", class_="cut")
    return Section(
        "Look here to repeat it on another machine.", joined(noted, run, tag("div", used, numbers, class_="beside"), on)
    )


def timetable(phases: Mapping[str, float], caption: str) -> Markup:
    """A line for each phase, and all together."""
    rows = [[clean(name), seconds(value)] for name, value in phases.items()]
    return table(["phase", "time"], [*rows, ["together", seconds(sum(phases.values()))]], caption=caption)


def _seeds(subject: Subject) -> list[list[str]]:
    found: list[list[str]] = [["this page", str(subject.seed)]]
    parameters: Mapping[str, Any] = subject.estimator.get_params() if hasattr(subject.estimator, "get_params") else {}
    for name, value in parameters.items():
        if name.rpartition("__")[2] == "random_state":
            found.append([clean(name), "none: another model each time" if value is None else clean(value, 60)])
    return found


def _version(name: str) -> str | None:
    """Of what was loaded: a library that is only installed had no part in it."""
    if {"scikit-learn": "sklearn"}.get(name, name) not in sys.modules:
        return None
    try:
        return version(name)
    except PackageNotFoundError:
        return str(getattr(sys.modules[name], "__version__", "")) or None


RUN = Kind("run", "Time, versions and seeds", _made)
