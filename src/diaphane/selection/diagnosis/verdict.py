"""From evidence to findings, by thresholds with reasons.

Rows come first, since nothing that is measured on wrong rows means anything; then whether training got anywhere; then
whether what it learnt is too little or too much. All thresholds were fixed on runs made to fail in one way each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ...insight.health import Finding, HealthReport
from .evidence import MORE_EPOCHS, Evidence
from .finding import DiagnosisFinding, percent, takes_away
from .row_verdict import judge_rows
from .scores import Scored

__all__ = ["judge"]

CLEARLY = 3.0
"""Standard errors of a paired difference: several what-ifs are tried, and the best is looked at."""
MUCH = 0.1
"""Skill: what is called a better setting has a tenth of the constant's error less."""
SOME = 0.05
MOST, MOST_BY_EPOCHS = 0.6, 0.4
"""Share of the greatest gain that another learning rate must bring to be named as the cause, and that more epochs must:
these cost nothing else, and what is still missing then may be a matter of yet more."""
LITTLE_LEARNT = 0.02
"""Skill by which a rival's on unseen rows must exceed the model's on the rows it learnt from."""
GAP = 0.15
"""Skill lost from the rows learnt from to others: memory, where holding back or more rows would help."""
ALMOST_CLEARLY, ONE_ERROR = 2.5, 1.0
"""… of what is tried to hold back, where a gap was seen already; and of answers, where probabilities are clearly
better."""
RISING_ERRORS = 2.0
STEEP = 0.25
"""Skill gained from a quarter of the rows to all of them."""
FALLING_LOSS = 0.9
"""A validation loss that the last quarter of the epochs made less than this share of what it was has far to go."""
RISING_LOSS = 0.25
"""How far the validation loss may rise above its least, as a share of the first one."""


def judge(evidence: Evidence) -> list[DiagnosisFinding]:
    """All findings, causes before consequences; ``"well fitted"`` alone where nothing is wrong."""
    found = judge_rows(evidence.suspicions)
    training = _diverged(evidence) or _vanishing(evidence) or _pace(evidence)
    fitting = [] if training else _underfitting(evidence)
    # From rows learnt from to rows of another law skill is lost that no holding back would have kept.
    moved = not evidence.refitted and any(finding.kind == "distribution shift" for finding in found)
    memory = [] if training or fitting or moved else _memory(evidence)
    return [*found, *training, *fitting, *memory] or [_well(evidence)]


def _diverged(e: Evidence) -> list[DiagnosisFinding]:
    if not e.fit.diverged:
        return []
    words = "training diverged: the loss became NaN or infinite"
    return [DiagnosisFinding("rate too large", words if e.refitted else "what it predicts is not finite", {}, SLOWER)]


SLOWER = (
    "a tenth of learning_rate_init, or find_learning_rate",
    "scale inputs and targets (StandardScaler)",
    "clip_norm=1",
)
LONGER = ("early_stopping=True with many epochs, so that rows held out say when to end", "a greater learning_rate_init")
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
    words = f"{built[0].words}; the model {takes_away(e.own.judged)}, {_best(e.rivals).name} {takes_away(best)}"
    return [DiagnosisFinding("vanishing gradients", words, {"factor": built[0].value, "skill": e.own.judged}, steps)]


def _built(health: HealthReport | None) -> list[Finding]:
    """What keeps gradients from arriving, before the first step."""
    if health is None or not health.looks:
        return []
    first = HealthReport(health.looks[:1]).verdict()
    return [finding for finding in first if finding.kind in ("vanishing", "saturated", "dead")]


def _pace(e: Evidence) -> list[DiagnosisFinding]:
    """Whether another learning rate or more epochs do much better, with all else as it is, and win most there is."""
    most = max((other.gain_over(e.own)[0] for other in (*e.trials.values(), *e.rivals)), default=0.0)
    slower, faster = ([e.trials[name] for name, r in e.rates.items() if (r > e.rate) is up] for up in (False, True))
    if better := _learns_more(slower, e.own, most):
        return [DiagnosisFinding("rate too large", _as_many(better, e.own), _then_and_now(better, e.own), SLOWER)]
    quicker = _learns_more(faster, e.own, most)
    longer = _learns_more([e.trials[name] for name in MORE_EPOCHS if name in e.trials], e.own, most, MOST_BY_EPOCHS)
    # A greater rate does in a few epochs what a small one does in many: which of the two is further from the usual?
    if longer and not (quicker and e.slow > e.short):
        steps = (f"max_iter: with {longer.name} it {takes_away(longer.judged)}", *LONGER)
        words = f"the loss was still falling when training ended: {_as_many(longer, e.own)}"
        return [DiagnosisFinding("stopped too early", words, _then_and_now(longer, e.own), steps)]
    if quicker:
        return [DiagnosisFinding("rate too small", _as_many(quicker, e.own), _then_and_now(quicker, e.own), FASTER)]
    return _fell_to_the_end(e)


def _learns_more(trials: list[Scored], own: Scored, most: float, share: float = MOST) -> Scored | None:
    better = _clearly_better(trials, own, max(MUCH, share * most))
    return better if better and better.learnt - own.learnt >= SOME else None


def _as_many(better: Scored, own: Scored) -> str:
    return (
        f"with {better.name} the model {takes_away(better.judged)} on the rows judged by and {percent(better.learnt)} "
        f"on those learnt from; as it is, {percent(own.judged)} and {percent(own.learnt)}"
    )


def _then_and_now(better: Scored, own: Scored) -> dict[str, float]:
    return {"then": better.judged, "now": own.judged}


def _fell_to_the_end(e: Evidence) -> list[DiagnosisFinding]:
    """Of a model that is not fitted again: whether the loss it kept of rows it did not learn from was still falling."""
    losses = e.fit.validation
    if e.refitted or e.fit.keeps_best or not e.fit.to_the_end or len(losses) < 4:
        return []
    before = losses[int(0.75 * len(losses)) - 1]
    if losses[-1] != min(losses) or not losses[-1] < FALLING_LOSS * before:
        return []
    words = (
        f"the validation loss was at its least, {losses[-1]:.3g}, in the last of {len(losses)} epochs, and "
        f"{before:.3g} when three quarters of them were done"
    )
    return [DiagnosisFinding("stopped too early", words, {"before": before, "last": losses[-1]}, LONGER)]


def _underfitting(e: Evidence) -> list[DiagnosisFinding]:
    """Whether another explains more of unseen rows than the model explains of those it learnt from."""
    better = _clearly_better([*e.trials.values(), *e.rivals], e.own, MUCH)
    if better is None or better.judged < e.own.learnt + LITTLE_LEARNT:
        return []
    words = (
        f"the model {takes_away(e.own.learnt)} on the rows it learnt from; on others it {takes_away(e.own.judged)}, "
        f"and {better.name} {takes_away(better.judged)}"
    )
    steps: tuple[str, ...] = (
        f"a model that can bend: {better.name}, MLPClassifier or MLPRegressor", "less penalty", "more features",
    )  # fmt: skip
    if e.network:
        trial = _clearly_better(e.trials.values(), e.own, MUCH)
        tried = (f"{trial.name}: {percent(trial.judged)}",) if trial else ()
        room = "more hidden units, or another layer", "less penalty: alpha, dropout, max_norm, l1", "more epochs"
        steps = (*tried, *room)
    return [DiagnosisFinding("underfitting", words, {"learnt": e.own.learnt, "judged": e.own.judged}, steps)]


HOLDING_BACK = ("early_stopping=True", "a greater alpha, or dropout", "fewer hidden units")
SIMPLER = ("a model that can bend less, or more penalty", "fewer columns")


def _memory(e: Evidence) -> list[DiagnosisFinding]:
    """Overfitting and too little data: a gap, and whether holding back or more rows mend it.

    Holding back comes first where it does, as it costs no rows.
    """
    gap = e.own.learnt - e.own.judged
    if gap < GAP:
        return []
    found = []
    numbers = {"learnt": e.own.learnt, "judged": e.own.judged}
    said = f"the model {takes_away(e.own.learnt)} on the rows it learnt from; on others it {takes_away(e.own.judged)}"
    if e.sampled and e.refitted:
        said = f"fitted to {e.n_learnt} of {e.n_given} rows, {said} (with all of them it may remember less)"
    better, risen = _held_back_better(e), _risen(e)
    if better is not None or risen >= RISING_LOSS:
        why = f"{better.name} {takes_away(better.judged)}" if better else f"the validation loss rose by {risen:.0%}"
        tried = [f"{better.name}: {percent(better.judged)}"] if better else []
        steps = (*tried, *(HOLDING_BACK if e.network else SIMPLER), "more rows")
        found.append(DiagnosisFinding("overfitting", f"{said}; {why}", numbers, steps))
    if e.half is not None and _still_rising(e):
        words = f"{said}; with half of the rows it {takes_away(e.half.judged)}: the curve is still rising"
        steps = ("more rows: twice as many, and diagnose again", *(HOLDING_BACK if e.network else SIMPLER)[:2])
        found.append(DiagnosisFinding("too little data", words, {**numbers, "half": e.half.judged}, steps))
    return found


def _still_rising(e: Evidence) -> bool:
    """Whether the second half of the rows made it better, by enough rows judged by or after a steep second quarter.

    Where X has rows that were not learnt from it is not asked: these may be enough.
    """
    if e.half is None or e.sampled:
        return False
    gain, errors = e.own.gain_over(e.half)
    steep = e.quarter is not None and all(np.array(e.own.gain_over(e.quarter)) >= (STEEP, CLEARLY))
    return gain >= SOME and (errors >= RISING_ERRORS or steep)


def _held_back_better(e: Evidence) -> Scored | None:
    """What answers better, and clearly so: by its answers, or by its probabilities where these tell more.

    Rivals must be much better: they may suit the rows better by their kind, and not because they hold back.
    """
    found = []
    for other, least in [*((e.trials[name], SOME) for name in e.held_back), *((rival, MUCH) for rival in e.rivals)]:
        (gain, errors), (_, surer) = other.gain_over(e.own), other.surer_than(e.own)
        if gain >= least and (errors >= ALMOST_CLEARLY or (errors >= ONE_ERROR and surer >= CLEARLY)):
            found.append((gain, other))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _risen(e: Evidence) -> float:
    """How far the validation loss was above its least at the end, where the model is that of the end."""
    losses = e.fit.validation
    if e.fit.keeps_best or len(losses) < 2 or not math.isfinite(losses[-1]) or losses[0] <= 0:
        return 0.0
    return (losses[-1] - min(losses)) / losses[0]


def _well(e: Evidence) -> DiagnosisFinding:
    best = _best(e.rivals)
    tried = "nothing that was tried" if e.refitted else "no baseline"
    words = (
        f"the model {takes_away(e.own.judged)} on the rows judged by (on those learnt from: {percent(e.own.learnt)}); "
        f"{best.name} {takes_away(best.judged)}, and {tried} does clearly better"
    )
    steps: tuple[str, ...] = ("score once on test data that nothing was chosen by",)
    if max(s.foretold for s in (e.own, *e.rivals)) < SOME:
        words += ": nothing here foretells the target"
        steps = ("other columns: these say next to nothing of the target", *steps)
    elif (lost := e.own.learnt - e.own.judged) >= GAP:
        words += f"; the {percent(lost)} that it loses from the rows learnt from to others "
        words += "remain, whatever was tried" if e.refitted else "may be more than it need be"
    if not e.refitted:
        words += "; other rates, sizes, penalties and numbers of rows were not tried"
        steps = (*steps, "diagnose(..., refit=True) tries other rates, sizes, penalties and fewer rows")
    return DiagnosisFinding("well fitted", words, {"learnt": e.own.learnt, "judged": e.own.judged}, steps)


def _clearly_better(others: Iterable[Scored], own: Scored, by: float, errors: float = CLEARLY) -> Scored | None:
    gains = [(other.gain_over(own), other) for other in others]
    fitting = [(gain, other) for (gain, z), other in gains if gain >= by and z >= errors]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _best(scored: Iterable[Scored]) -> Scored:
    return max(scored, key=lambda s: s.judged)
