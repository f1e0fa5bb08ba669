"""From evidence to findings, by thresholds with reasons.

Rows come first, since nothing that is measured on wrong rows means anything; then whether training got anywhere; then
whether what it learnt is too little or too much. All thresholds were fixed on runs made to fail in one way each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...insight.health import Finding, HealthReport
from .evidence import Evidence, Suspicions
from .scores import Scored

__all__ = ["DiagnosisFinding", "find_shifted", "judge", "judge_rows"]

REPEATED = 0.05
"""Share of the rows judged by that were learnt from: fewer move a score by less than is seen."""
MORE_THAN_NATURAL = 2.0
"""Times the share of twins among the rows learnt from: coarse measurements repeat by nature."""
TELLS = 0.97
"""Skill of a single column: what is measured before the fact rarely leaves so little open."""
TELLS_MORE = 0.1
"""… above what all other columns tell together: of a task that is easy by any column it is no wonder."""
SHIFTED, SHIFT_ERRORS = 0.58, 4.0
"""AUC of telling both sets of rows apart, and standard errors above ½."""
TARGET_SHIFTED, TARGET_ERRORS = 0.12, 2.5
"""Distance of the targets' laws (total variation, Kolmogorov), and times √(1/m + 1/n)."""
NOISY, NOISY_RATIO = 0.08, 0.6
"""Classes: wrong among the surer half of the rows, and that over wrong among all. Overlapping classes are told wrongly
where a model is unsure, wrong labels everywhere."""
FORETOLD, ASKED_ROWS = 0.2, 75
"""Skill that a model must have before its contradiction counts, and how many rows it must be asked about."""
OUTLYING, OUTLYING_SKILL = 0.015, 0.5
"""Numbers: share beyond five robust deviations (normal residuals: none), and skill on the rest."""
NOISE_ERRORS = 3.0
CLEARLY = 3.0
"""Standard errors of a paired difference: several what-ifs are tried, and the best is looked at."""
MUCH = 0.1
"""Skill: what is called a better setting has a tenth of the constant's error less."""
SOME = 0.05
MOST = 0.6
"""Share of the greatest gain that another learning rate must bring to be named as the cause."""
LITTLE_LEARNT = 0.02
"""Skill by which a rival's on unseen rows must exceed the model's on the rows it learnt from."""
GAP = 0.15
"""Skill lost from the rows learnt from to others: memory, where holding back or more rows would help."""
RISING_ERRORS = 2.0
RISING_LOSS = 0.25
"""How far the validation loss may rise above its least, as a share of the first one."""


@dataclass(frozen=True)
class DiagnosisFinding:
    """One verdict.

    Attributes
    ----------
    kind : str
        ``"leakage"``, ``"distribution shift"``, ``"label noise"``, ``"rate too large"``, ``"rate too small"``,
        ``"vanishing gradients"``, ``"underfitting"``, ``"overfitting"``, ``"too little data"`` or ``"well fitted"``.
    words : str
        The evidence, as a sentence.
    evidence : dict of str to float
        The numbers in it.
    next_steps : tuple of str
        What to try, in order.
    """

    kind: str
    words: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    next_steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {self.words}"


def judge(evidence: Evidence) -> list[DiagnosisFinding]:
    """All findings, causes before consequences; ``"well fitted"`` alone where nothing is wrong."""
    found = judge_rows(evidence.suspicions)
    training = _diverged(evidence) or _vanishing(evidence) or _pace(evidence)
    fitting = [] if training else _underfitting(evidence)
    memory = [] if training or fitting else _memory(evidence)
    return [*found, *training, *fitting, *memory] or [_well(evidence)]


def judge_rows(suspicions: Suspicions) -> list[DiagnosisFinding]:
    """What is wrong with the rows."""
    return [*_leakage(suspicions), *find_shifted(suspicions), *_noise(suspicions)]


def _leakage(s: Suspicions) -> list[DiagnosisFinding]:
    found = []
    if s.copied and s.repeated >= REPEATED:
        of = "rows judged by are rows learnt from" if s.apart else "rows are there more than once"
        words = f"{_percent(s.repeated)} of the {of}, to the last digit"
        steps = ("drop repeated rows before splitting", "keep rows of one origin together: split(..., groups=)")
        found.append(DiagnosisFinding("leakage", words, {"repeated": s.repeated, "twins": s.natural}, steps))
    t = s.teller
    if t is not None and t.alone >= TELLS and t.alone - t.others >= TELLS_MORE:
        words = (
            f"column {t.column} alone foretells {_percent(t.alone)} of the target, all others together "
            f"{_percent(t.others)}: it may have been written down after the fact"
        )
        steps = (f"ask when column {t.column} becomes known; leave it out if it is after the target", "diagnose again")
        found.append(DiagnosisFinding("leakage", words, {"alone": t.alone, "others": t.others}, steps))
    return found


def find_shifted(s: Suspicions) -> list[DiagnosisFinding]:
    """Whether the rows judged by follow another law."""
    shift = s.shift
    if shift is None:
        return []
    rows = shift.auc >= max(SHIFTED, 0.5 + SHIFT_ERRORS * shift.error)
    targets = shift.target_distance >= max(TARGET_SHIFTED, TARGET_ERRORS * shift.target_error)
    if not rows and not targets:
        return []
    told = f"a classifier tells validation rows from training rows with an AUC of {shift.auc:.2f} (0.5 for one law)"
    which = f"; column {shift.column} differs most (Kolmogorov distance {shift.distance:.2f})"
    words = told + which if rows else f"the targets' laws are {shift.target_distance:.2f} apart, and {told}"
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
        heard = n.skill >= FORETOLD and n.count >= ASKED_ROWS
        wrong_everywhere = (
            heard and n.share >= NOISY and n.share >= NOISY_RATIO * n.overall and n.share > NOISE_ERRORS * error
        )
        if not wrong_everywhere:
            return []
        words = (
            f"{n.by}, cross-validated, contradicts {_percent(n.share)} of the labels where it is surest, and "
            f"{_percent(n.overall)} of all: errors that overlapping classes do not explain"
        )
        return [DiagnosisFinding("label noise", words, numbers, steps)]
    if n.share < OUTLYING or n.skill < OUTLYING_SKILL or n.count < ASKED_ROWS or n.share <= NOISE_ERRORS * error:
        return []
    words = (
        f"{_percent(n.share)} of the targets are more than five robust deviations from what {n.by}, cross-validated, "
        f"foretells; of the others it explains {_percent(n.skill)}"
    )
    return [
        DiagnosisFinding("label noise", words, numbers, (*steps[:2], "until then: a loss that outliers do not rule"))
    ]


def _diverged(e: Evidence) -> list[DiagnosisFinding]:
    if not e.fit.diverged:
        return []
    return [DiagnosisFinding("rate too large", "training diverged: the loss became NaN or infinite", {}, SLOWER)]


SLOWER = (
    "a tenth of learning_rate_init, or find_learning_rate",
    "scale inputs and targets (StandardScaler)",
    "clip_norm=1",
)
FASTER = ("ten times learning_rate_init, or find_learning_rate", "more epochs: max_iter", "scale the inputs")


def _vanishing(e: Evidence) -> list[DiagnosisFinding]:
    built = _built(e.fit.health)
    best = max([r.judged for r in e.rivals])
    if not built or e.own.judged > best - MUCH:
        return []
    steps = (
        "activation='relu' with weight_init='he_normal'",
        "fewer hidden layers",
        "inputs scaled to mean 0 and variance 1",
    )
    words = f"{built[0].words}; the model explains {_percent(e.own.judged)}, {_best(e.rivals).name} {_percent(best)}"
    return [DiagnosisFinding("vanishing gradients", words, {"factor": built[0].value, "skill": e.own.judged}, steps)]


def _built(health: HealthReport | None) -> list[Finding]:
    """What keeps gradients from arriving, before the first step."""
    if health is None or not health.looks:
        return []
    first = HealthReport(health.looks[:1]).verdict()
    return [finding for finding in first if finding.kind in ("vanishing", "saturated", "dead")]


def _pace(e: Evidence) -> list[DiagnosisFinding]:
    """Whether another learning rate does much better with all else as it is, and is most of what can be won."""
    most = max((other.gain_over(e.own)[0] for other in (*e.trials.values(), *e.rivals)), default=0.0)
    for kind, steps, faster in (("rate too large", SLOWER, False), ("rate too small", FASTER, True)):
        trials = [e.trials[name] for name, rate in e.rates.items() if (rate > e.rate) is faster and name in e.trials]
        better = _clearly_better(trials, e.own, max(MUCH, MOST * most))
        if better and better.learnt - e.own.learnt >= SOME:
            words = (
                f"with {better.name} as many epochs explain {_percent(better.judged)} in place of "
                f"{_percent(e.own.judged)} of the rows judged by, and {_percent(better.learnt)} in place of "
                f"{_percent(e.own.learnt)} of those learnt from"
            )
            return [DiagnosisFinding(kind, words, {"then": better.judged, "now": e.own.judged}, steps)]
    return []


def _underfitting(e: Evidence) -> list[DiagnosisFinding]:
    """Whether another explains more of unseen rows than the model explains of those it learnt from."""
    better = _clearly_better([*e.trials.values(), *e.rivals], e.own, MUCH)
    if better is None or better.judged < e.own.learnt + LITTLE_LEARNT:
        return []
    words = (
        f"the model explains {_percent(e.own.learnt)} of the rows it learnt from and {_percent(e.own.judged)} of "
        f"others; {better.name} explains {_percent(better.judged)} of others"
    )
    steps: tuple[str, ...] = (
        f"a model that can bend: {better.name}, MLPClassifier or MLPRegressor", "less penalty", "more features",
    )  # fmt: skip
    if e.network:
        trial = _clearly_better(e.trials.values(), e.own, MUCH)
        tried = (f"{trial.name}: {_percent(trial.judged)}",) if trial else ()
        room = "more hidden units, or another layer", "less penalty: alpha, dropout, max_norm, l1", "more epochs"
        steps = (*tried, *room)
    return [DiagnosisFinding("underfitting", words, {"learnt": e.own.learnt, "judged": e.own.judged}, steps)]


def _memory(e: Evidence) -> list[DiagnosisFinding]:
    """Overfitting and too little data: a gap, and whether holding back or more rows mend it.

    Holding back comes first where it does, as it costs no rows.
    """
    gap = e.own.learnt - e.own.judged
    if gap < GAP:
        return []
    found = []
    simpler = [*(t for name, t in e.trials.items() if name in e.held_back), *(r for r in e.rivals)]
    numbers = {"learnt": e.own.learnt, "judged": e.own.judged}
    said = (
        f"the model explains {_percent(e.own.learnt)} of the rows it learnt from and {_percent(e.own.judged)} of others"
    )
    better, risen = _clearly_better(simpler, e.own, SOME, 2.5), _risen(e.fit.validation)
    if better is not None or risen >= RISING_LOSS:
        why = (
            f"{better.name} explains {_percent(better.judged)}"
            if better
            else f"the validation loss rose by {risen:.0%}"
        )
        steps = (
            *([f"{better.name}: {_percent(better.judged)}"] if better else []),
            "early_stopping=True", "a greater alpha, or dropout", "fewer hidden units", "more rows",
        )  # fmt: skip
        found.append(DiagnosisFinding("overfitting", f"{said}; {why}", numbers, steps))
    if e.half is not None:
        gain, errors = e.own.gain_over(e.half)
        if gain >= SOME and errors >= RISING_ERRORS:
            words = f"{said}; with half of the rows it explains {_percent(e.half.judged)}: the curve is still rising"
            steps = ("more rows: twice as many, and diagnose again", "a greater alpha, early_stopping", "fewer columns")
            found.append(DiagnosisFinding("too little data", words, {**numbers, "half": e.half.judged}, steps))
    return found


def _risen(losses: tuple[float, ...]) -> float:
    if len(losses) < 2 or not math.isfinite(losses[-1]) or losses[0] <= 0:
        return 0.0
    return (losses[-1] - min(losses)) / losses[0]


def _well(e: Evidence) -> DiagnosisFinding:
    best = _best(e.rivals)
    words = (
        f"the model explains {_percent(e.own.judged)} of the rows judged by ({_percent(e.own.learnt)} of those learnt "
        f"from); {best.name} explains {_percent(best.judged)}, and nothing that was tried does clearly better"
    )
    steps: tuple[str, ...] = ("score once on test data that nothing was chosen by",)
    if max(e.own.judged, best.judged) < SOME:
        words += ": nothing here foretells the target"
        steps = ("other columns: these say next to nothing of the target", *steps)
    return DiagnosisFinding("well fitted", words, {"learnt": e.own.learnt, "judged": e.own.judged}, steps)


def _clearly_better(others: Iterable[Scored], own: Scored, by: float, errors: float = CLEARLY) -> Scored | None:
    gains = [(other.gain_over(own), other) for other in others]
    fitting = [(gain, other) for (gain, z), other in gains if gain >= by and z >= errors]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _best(scored: Iterable[Scored]) -> Scored:
    return max(scored, key=lambda s: s.judged)


def _percent(share: float) -> str:
    return "less than nothing" if share < -9.99 or not math.isfinite(share) else f"{100 * share:.0f} %"
