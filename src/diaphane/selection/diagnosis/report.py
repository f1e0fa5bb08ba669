"""A diagnosis, to read, to tabulate and to draw."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .evidence import Evidence
from .finding import DiagnosisFinding

if TYPE_CHECKING:
    from ...insight.displays import DiagnosisDisplay

__all__ = ["Diagnosis"]

WIDTH = 100
WELL = "well fitted"


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What was found of a model and its rows.

    Attributes
    ----------
    findings : tuple of DiagnosisFinding
        Causes first; ``"well fitted"`` alone where nothing is wrong.
    evidence : Evidence
        All that was measured.
    """

    findings: tuple[DiagnosisFinding, ...]
    evidence: Evidence

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return all(finding.kind == WELL for finding in self.findings)

    @property
    def verdict(self) -> str:
        """The kind of the first finding."""
        return self.findings[0].kind

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What to try, those of the first finding first."""
        return tuple(dict.fromkeys(step for finding in self.findings for step in finding.next_steps))

    def table(self) -> list[dict[str, Any]]:
        """One plain record for the model, each baseline and each what-if.

        ``learnt`` and ``judged`` are skills: 1 − error/error of a constant. ``better_by`` is the gain over the model on
        the rows judged by, and ``standard_errors`` how sure it is.
        """
        e = self.evidence
        parts = [("model", [e.own]), ("baseline", e.baselines), ("what if", [*e.trials.values()])]
        parts.append(("fewer rows", [s for s in (e.half, e.quarter) if s is not None]))
        rows = []
        for kind, scored in parts:
            for s in scored:
                gain, errors = (0.0, 0.0) if s is e.own else s.gain_over(e.own)
                learnt = float("nan") if kind == "fewer rows" else s.learnt
                found = {"what": s.name, "kind": kind, "learnt": learnt, "judged": s.judged}
                rows.append({**found, "better_by": gain, "standard_errors": errors})
        return rows

    def plot(self, axes: Any = None) -> DiagnosisDisplay:
        """Skill of the model beside baselines and what-ifs, the curve over epochs, and that over rows."""
        from ...insight.displays import DiagnosisDisplay

        e = self.evidence
        skills = [(row["what"], row["kind"], row["learnt"], row["judged"]) for row in self.table()]
        shown = [row for row in skills if row[1] != "fewer rows"]
        rows = {1.0: e.own.judged}
        rows |= {share: s.judged for share, s in ((0.5, e.half), (0.25, e.quarter)) if s is not None}
        counts = [(int(share * e.n_learnt), value) for share, value in sorted(rows.items())]
        title = ", ".join(dict.fromkeys(finding.kind for finding in self.findings))
        return DiagnosisDisplay(title, shown, e.fit.losses, e.fit.validation, counts).plot(axes)

    def _rows_in_words(self) -> str:
        e = self.evidence
        if not e.refitted:
            some = f", of which {e.n_learnt} were looked at" if e.n_learnt < e.n_given else ""
            return f"as it was fitted to {e.n_given} rows{some}; judged by {e.n_judged} of validation data"
        where = "of validation data"
        if e.within:
            where = "held out of them" + (f", in {e.folds} turns" if e.folds > 1 else "")
        of = f" of {e.n_given}" if e.sampled else ""
        return f"learnt from {e.n_learnt}{of} rows, judged by {e.n_judged} {where}"

    def __str__(self) -> str:
        lines = [*_wrapped(self._rows_in_words()), ""]
        for finding in self.findings:
            lines += _wrapped(str(finding), rest="  ")
            for i, step in enumerate(finding.next_steps, 1):
                lines += _wrapped(step, first=f"  {i}. ", rest="     ")
            lines.append("")
        table = self.table()
        width = max(len(row["what"]) for row in table)
        lines.append(f"{'explained of a constant’s error':<{width}}  {'learnt':>7}  {'judged':>7}")
        lines += [f"{r['what']:<{width}}  {_cell(r['learnt'])}  {_cell(r['judged'])}" for r in table]
        return "\n".join(lines)


def _wrapped(words: str, first: str = "", rest: str = "") -> list[str]:
    """Lines that part no number from its percent sign."""
    whole = words.replace(" %", "\u00a0%")
    return [
        line.replace("\u00a0", " ")
        for line in textwrap.wrap(whole, WIDTH, initial_indent=first, subsequent_indent=rest)
    ]


def _cell(value: float) -> str:
    if value != value:
        return " " * 7
    return f"{100 * value:>5.0f} %" if abs(value) < 10 else f"{'< −999 %':>7}"
