"""From what is suspect of the rows to findings, by thresholds with reasons."""

from __future__ import annotations

import math

from .evidence import Suspicions
from .finding import DiagnosisFinding, percent, takes_away

__all__ = ["MORE_THAN_NATURAL", "REPEATED", "TELLS", "find_shifted", "judge_rows"]

REPEATED = 0.05
"""Share of the rows judged by that were learnt from: fewer move a score by less than is seen."""
MORE_THAN_NATURAL = 2.0
"""Times the share of twins among the rows learnt from: coarse measurements repeat by nature."""
TELLS = 0.97
"""Skill of a single column: what is measured before the fact rarely leaves so little open."""
TELLS_MORE = 0.15
"""… above what all other columns tell together: of a task that is easy by any column it is no wonder."""
SHIFTED, SHIFT_ERRORS = 0.58, 4.0
"""AUC of telling both sets of rows apart, and standard errors above ½."""
TARGET_SHIFTED, TARGET_CHANCE = 0.12, 1e-4
"""Distance of the targets' laws (total variation, Kolmogorov), and how rarely targets of one law are as far apart."""
NOISY, NOISY_RATIO = 0.08, 0.62
"""Classes: wrong among the surer half and the surest quarter of the rows, and their mean over wrong among all.
Overlapping classes are told wrongly where a model is unsure, wrong labels everywhere."""
FORETOLD, ASKED_ROWS, ROWS_A_COLUMN = 0.12, 75, 12
"""Skill that a model must have before its contradiction counts, how many rows it must be asked about, and how many a
column it must have learnt from to be sure of anything."""
OUTLYING, OUTLYING_ROWS, OUTLYING_SKILL = 0.015, 5, 0.5
"""Numbers: share and count beyond five robust deviations (normal residuals: none), and skill on the rest."""
NOISE_ERRORS = 3.0


def judge_rows(suspicions: Suspicions) -> list[DiagnosisFinding]:
    """What is wrong with the rows."""
    return [*_leakage(suspicions), *find_shifted(suspicions), *_noise(suspicions)]


def _leakage(s: Suspicions) -> list[DiagnosisFinding]:
    found = []
    if s.copied and s.repeated >= REPEATED:
        of = "rows judged by are rows learnt from" if s.apart else "rows are there more than once"
        words = f"{percent(s.repeated)} of the {of}, to the last digit"
        steps = ("drop repeated rows before splitting", "keep rows of one origin together: split(..., groups=)")
        found.append(DiagnosisFinding("leakage", words, {"repeated": s.repeated, "twins": s.natural}, steps))
    t = s.teller
    if t is not None and t.alone >= TELLS and t.alone - t.others >= TELLS_MORE:
        words = (
            f"{t.name} alone foretells {percent(t.alone)} of the target, all others together "
            f"{percent(t.others)}: it may have been written down after the fact"
        )
        steps = (f"ask when {t.name} becomes known; leave it out if it is after the target", "diagnose again")
        found.append(DiagnosisFinding("leakage", words, {"alone": t.alone, "others": t.others}, steps))
    return found


def find_shifted(s: Suspicions) -> list[DiagnosisFinding]:
    """Whether the rows judged by follow another law."""
    shift = s.shift
    if shift is None:
        return []
    rows = shift.auc >= max(SHIFTED, 0.5 + SHIFT_ERRORS * shift.error)
    targets = shift.target_distance >= TARGET_SHIFTED and shift.target_chance < TARGET_CHANCE
    if not rows and not targets:
        return []
    told = f"a classifier tells validation rows from training rows with an AUC of {shift.auc:.2f} (0.5 for one law)"
    which = f"; {shift.name} differs most (Kolmogorov distance {shift.distance:.2f})"
    words = told + which if rows else f"the targets' laws are {shift.target_distance:.2f} apart (0 for one law)"
    evidence = {"auc": shift.auc, "column": float(shift.column), "target_distance": shift.target_distance}
    steps = (
        "find out how the two sets came about: other time, place, instrument, selection",
        "draw training rows as the model will meet them, or weight them",
        "leave out or transform the columns that differ, if they are not needed",
    )
    return [DiagnosisFinding("distribution shift", words, evidence, steps)]


def _noise(s: Suspicions) -> list[DiagnosisFinding]:
    n = s.noise
    if n is None:
        return []
    error = math.sqrt(max(n.share * (1 - n.share), 1e-12) / n.count)
    numbers = {"share": n.share, "overall": n.overall}
    steps = (
        f"look at these rows first: {', '.join(map(str, n.rows[:8]))} (of X, as given)",
        "correct or drop wrong targets; ask a second person about a sample",
        "until then: label_smoothing, early_stopping, or a smaller network",
    )
    if s.classes:
        heard = n.skill >= FORETOLD and n.count >= ASKED_ROWS and n.crowded >= ROWS_A_COLUMN
        often = min(n.share, n.surest) >= NOISY and n.share > NOISE_ERRORS * error
        wrong_everywhere = heard and often and (n.share + n.surest) / 2 >= NOISY_RATIO * n.overall
        if not wrong_everywhere:
            return []
        words = (
            f"{n.by}, cross-validated, contradicts {percent(n.surest)} of the labels where it is surest, and "
            f"{percent(n.overall)} of all: errors that overlapping classes do not explain"
        )
        return [DiagnosisFinding("label noise", words, numbers, steps)]
    few = n.share < OUTLYING or n.share * n.count < OUTLYING_ROWS - 0.5
    if few or n.skill < OUTLYING_SKILL or n.count < ASKED_ROWS:
        return []
    words = (
        f"{percent(n.share)} of the targets are more than five robust deviations from what {n.by}, cross-validated, "
        f"foretells; on the others it {takes_away(n.skill)}"
    )
    return [
        DiagnosisFinding("label noise", words, numbers, (*steps[:2], "until then: a loss that outliers do not rule"))
    ]
