"""What is wrong, in words: findings from the looks at a training, by thresholds with reasons.

A training is judged by its first look and its last: what a net was built with shows before the first step, and what
training did to it shows at the end. A look at a net that has learnt (more than half of what can be explained) says
nothing of vanishing, saturation or death: units that are sure, and gradients that are small because little is left to
learn, are no failure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .looks import LayerHealth, Look

__all__ = ["Finding", "judge"]

VANISHED = 1 / 300
"""Share of the top layer's gradient that reaches another: below it a training of some hundred steps at the top is not
one step there. Initialisers made for an activation keep the share near 1 at any depth (Glorot & Bengio 2010; He et al.
2015), a sigmoid divides by 4 or more, so that five sigmoid layers are beyond it and two are far from it."""
EXPLODED = 1000
"""The same, above 1: a step that suits the top layer throws the other out by orders of magnitude. It is wider than the
reciprocal of the other, because batch normalisation multiplies gradients by a factor a layer that does no harm."""
EXPLODED_LOSS = 100
"""Times the loss of outputs of 0: outputs of unit size are within a few times of it, those ten times as large within
some ten times (cross-entropy) or a hundred (squares)."""
SATURATED_SHARE = 0.5
"""Of a layer's values: most of what comes back is lost there. Unit-size preactivations have 0.3 % beyond |a| = 3."""
DEAD_SHARE = 0.75
"""Of a layer's rectifiers. First weights of either sign leave a unit dead with a chance of at most ½, that of one row;
four standard deviations of as many coins as there are units are added where that is more."""
RATE_TOO_LARGE = 0.1
"""‖Δθ‖/‖θ‖ a step: ten steps and the layer is another one. Trainings that go well have 0.0001 to 0.01."""
MOVED_TOO_LITTLE = 0.01
"""‖Δθ‖/‖θ‖ of all steps together: the weights are still those that were drawn."""
LITTLE_EXPLAINED = 0.1
NOTHING_EXPLAINED = 0.005
"""Of what a constant output leaves. Where the targets depend on the input at all, some hundred steps find more."""
ENOUGH_STEPS = 100
SCALE = "try first weights of another scale: he_normal for relu, glorot_uniform for tanh"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    kind : str
        ``"not finite"``, ``"exploding"``, ``"dead"``, ``"saturated"``, ``"vanishing"``, ``"rate too large"``,
        ``"rate too small"`` or ``"nothing learnt"``.
    layer : str or None
        Its name; None for what is of the whole network.
    value : float
        The number that the words speak of.
    words : str
        Layer, number, cause, and what to try.
    """

    kind: str
    layer: str | None
    value: float
    words: str

    def __str__(self) -> str:
        return self.words


def judge(looks: Sequence[Look], *, diverged: bool = False) -> list[Finding]:
    """Everything that is wrong, causes before consequences.

    Parameters
    ----------
    looks : sequence of Look
        In the order of time; one is enough for what a single moment shows.
    diverged : bool
        Whether training ended at a loss of NaN or infinity.

    Examples
    --------
    >>> def look(epoch, *signals):
    ...     layers = [LayerHealth(f"dense_{i}", i, s, 1.0, signal=s) for i, s in enumerate(signals, 1)]
    ...     return Look(epoch, 0, 2.3, 2.3, 2.3, tuple(layers))
    >>> [finding] = judge([look(0, 0.0001, 0.005, 0.3)])
    >>> print(finding)
    layer 1 (dense_1) learns 3000 times slower than layer 3 (dense_3): vanishing gradients; try relu or he_normal, \
BatchNorm, or fewer layers
    """
    if not looks:
        return []
    first, last = looks[0], looks[-1]
    built = [] if first.learnt else [finding for rule in (_exploding, _not_finite, *RULES) for finding in rule(first)]
    if first is last and not diverged:
        return built
    paced = _too_fast(first, last, diverged)
    if diverged and built and built[0].kind in ("exploding", "not finite"):
        paced = []
    # What explodes only later is the work of the steps.
    rules = RULES if diverged or paced else (_not_finite, *RULES)
    made = [] if last.learnt else [finding for rule in rules for finding in rule(last)]
    found = dict[tuple[str, str | None], Finding]()
    for finding in (*built, *paced, *made):
        # The first look names the cause; the last adds only what failed since.
        found.setdefault((finding.kind, finding.layer if finding.kind in BY_LAYER else None), finding)
    return list(found.values()) or _too_little(looks)


def _title(layer: LayerHealth) -> str:
    return f"layer {layer.number} ({layer.name})" if layer.number else layer.name


def _times(value: float) -> str:
    """A factor in at most two digits that count.

    Examples
    --------
    >>> _times(3127.0), _times(1.3e9), _times(math.inf)
    ('3100', '1.3e+09', 'infinitely many')
    """
    if not math.isfinite(value):
        return "infinitely many"
    return f"{float(f'{value:.2g}'):.0f}" if 10 <= value < 1e6 else f"{value:.2g}"


def _percent(share: float) -> str:
    return "all" if share == 1 else f"{100 * share:.0f} %"


def _when(look: Look) -> str:
    return (
        "before the first step"
        if look.steps == 0
        else f"after {look.epoch or look.steps} " + ("epochs" if look.epoch else "steps")
    )


def _not_finite(look: Look) -> list[Finding]:
    broken = [layer for layer in look.layers if layer.not_finite]
    if not broken and math.isfinite(look.loss):
        return []
    where = f"{_title(broken[0])} has {100 * broken[0].not_finite:.2g} % of" if broken else "the loss is"
    value = broken[0].not_finite if broken else math.nan
    words = f"{where} NaN or infinity {_when(look)}: scale the inputs, lower the learning rate, or clip the gradient"
    return [Finding("not finite", broken[0].name if broken else None, value, words)]


def _exploding(look: Look) -> list[Finding]:
    worst, factor = _extreme(look, max)
    excess = look.loss / look.zero_loss if look.zero_loss > 0 else 0.0
    if worst is not None and factor >= EXPLODED:
        top = look.numbered[-1]
        words = f"the gradient at {_title(worst)} is {_times(factor)} times that at {_title(top)}: exploding gradients"
    elif excess >= EXPLODED_LOSS:
        worst = worst or look.layers[0]
        words, factor = f"{_when(look)} the loss is {_times(excess)} times that of outputs of 0: values explode", excess
    else:
        return []
    return [Finding("exploding", worst.name, factor, f"{words}; {SCALE}, BatchNorm, or clipping the gradient's norm")]


def _vanishing(look: Look) -> list[Finding]:
    worst, factor = _extreme(look, min)
    blocked = any(_is_dead(layer) or _is_saturated(layer) for layer in look.layers)
    if worst is None or factor >= VANISHED or blocked:
        return []
    slower, top = 1 / factor if factor else math.inf, look.numbered[-1]
    bounded = any(layer.activation in ("sigmoid", "tanh") for layer in look.layers)
    unbounded = any(layer.activation for layer in look.layers) and not bounded
    advice = f"{SCALE}, or BatchNorm" if unbounded else "try relu or he_normal, BatchNorm, or fewer layers"
    words = f"{_title(worst)} learns {_times(slower)} times slower than {_title(top)}: vanishing gradients; {advice}"
    return [Finding("vanishing", worst.name, slower, words)]


def _extreme(look: Look, choose: Callable[..., LayerHealth]) -> tuple[LayerHealth | None, float]:
    """The layer that the least or the most of the gradient reaches, and how many times the top layer's that is."""
    layers = [layer for layer in look.numbered if math.isfinite(layer.signal)]
    if len(layers) < 2 or not layers[-1].signal > 0:
        return None, 1.0
    found = choose(layers[:-1], key=lambda layer: layer.signal)
    return found, found.signal / layers[-1].signal


def _is_dead(layer: LayerHealth) -> bool:
    if not layer.units:
        return False
    return layer.dead >= min(1.0, max(DEAD_SHARE, 0.5 + 2 / math.sqrt(layer.units)))


def _is_saturated(layer: LayerHealth) -> bool:
    return layer.saturated >= SATURATED_SHARE


def _dead(look: Look) -> list[Finding]:
    return [
        Finding(
            "dead",
            layer.name,
            layer.dead,
            f"{_percent(layer.dead)} of the {layer.units} rectifiers of {_title(layer)} are 0 for every row "
            f"{_when(look)}: dead units learn nothing; try a lower learning rate, biases of 0, or leaky_relu",
        )
        for layer in look.layers
        if _is_dead(layer)
    ]


def _saturated(look: Look) -> list[Finding]:
    return [
        Finding(
            "saturated",
            layer.name,
            layer.saturated,
            f"{_percent(layer.saturated)} of the {layer.activation} values of {_title(layer)} are saturated "
            f"{_when(look)}: little gradient passes; scale the inputs, and try first weights of glorot_uniform",
        )
        for layer in look.layers
        if _is_saturated(layer)
    ]


RULES: tuple[Callable[[Look], list[Finding]], ...] = (_dead, _saturated, _vanishing)
BY_LAYER = ("dead", "saturated")


def _fastest(look: Look) -> tuple[LayerHealth | None, float]:
    layers = [layer for layer in look.numbered if math.isfinite(layer.update_ratio)]
    if not layers:
        return None, math.nan
    found = max(layers, key=lambda layer: layer.update_ratio)
    return found, found.update_ratio


def _too_fast(first: Look, last: Look, diverged: bool) -> list[Finding]:
    """Whether steps were so large that the loss rose."""
    layer, ratio = _fastest(first if diverged else last)
    name = None if layer is None else layer.name
    of = "" if layer is None else f"a step changes {_title(layer)} by {_times(ratio)} times itself, and "
    if diverged:
        what = "the loss became NaN or infinite"
    elif last.loss > first.loss and not last.learnt and (ratio >= RATE_TOO_LARGE or _exploding(last)):
        what = f"the loss rose from {first.loss:.3g} to {last.loss:.3g}"
    else:
        return []
    words = f"{of}{what}: the learning rate is too large; try a tenth of it, or clip the gradient's norm"
    return [Finding("rate too large", name, ratio, words)]


def _too_little(looks: Sequence[Look]) -> list[Finding]:
    """Whether the steps were large enough to learn by, and whether anything was learnt."""
    first, last = looks[0], looks[-1]
    steps = last.steps - first.steps
    if not last.explained < LITTLE_EXPLAINED:
        return []
    ratios = [ratio for look in looks for ratio in [_fastest(look)[1]] if math.isfinite(ratio)]
    moved = steps * max(ratios) if ratios else math.inf
    if moved < MOVED_TOO_LITTLE:
        words = (
            f"{steps} steps changed no layer by more than {moved:.1g} of itself: the learning rate is too small; "
            "try ten times as much, or find_learning_rate"
        )
        return [Finding("rate too small", None, moved, words)]
    if steps >= ENOUGH_STEPS and last.explained < NOTHING_EXPLAINED:
        words = (
            f"after {steps} steps the loss is {last.loss:.3g}, and {last.constant_loss:.3g} for outputs that ignore "
            "the input: nothing is learnt; look at the targets, scale the inputs, and try another learning rate"
        )
        return [Finding("nothing learnt", None, last.explained, words)]
    return []
