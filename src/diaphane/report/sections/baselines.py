"""What simple rivals make of the same rows."""

from __future__ import annotations

from ..markup import joined, paragraph, table, tag
from ..numbers import count, percent
from ..pictures import panels
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["BASELINES"]

NAMES = {
    "linear": "a linear model",
    "nearest neighbours": "nearest neighbours",
    "boosting": "gradient boosting",
}


def _made(subject: Subject) -> Section:
    diagnosis = subject.diagnosis
    rows = [row for row in diagnosis.table() if row["kind"] in ("model", "baseline")]
    constant = "always the mean" if subject.classes is None else "always the most frequent class"
    names = {**NAMES, "constant": constant, "the model": subject.examined.what}
    cells = [[names.get(r["what"], r["what"]), percent(r["learnt"]), percent(r["judged"])] for r in rows]
    shown = table(
        ["", "rows learnt from", "rows judged by"],
        cells,
        caption="How much of a constant’s error each takes away: 0 % is no better than it, 100 % is no error",
    )
    n = paragraph(
        f"Simple models fitted to {count(diagnosis.evidence.n_learnt)} of the rows learnt from, with usual settings, "
        f"and judged by {count(diagnosis.evidence.n_judged)} {subject.examined.words}: to know what is easy "
        "here, not who wins.",
        class_="cut",
    )
    model = next(r for r in rows if r["kind"] == "model")
    said = f"{subject.examined.what} takes away {percent(model['judged'])} of a constant’s error on rows judged by"
    try:
        [drawn] = panels(diagnosis.plot, [("The same as a picture", said), None, None])
    except ImportError as error:
        drawn = paragraph(str(error), class_="cut")
    return Section(
        "Look whether a simpler model does as well: then take the simpler one, or ask why.",
        joined(tag("div", shown, drawn, class_="beside"), n),
    )


BASELINES = Kind("baselines", "Beside simple models", _made)
