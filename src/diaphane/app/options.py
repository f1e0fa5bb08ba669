"""Every option of ``diaphane train``: its name, default, kind and help, in one place.

From here come the parameters of the command line, the keys of a configuration file and what a model says of its
training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .errors import UserError
from .option_kinds import (
    CLASS_WEIGHTS,
    COLUMN,
    INTERVAL,
    NUMBER,
    PLACE,
    RATES,
    SIZES,
    SWITCH,
    TEXT,
    WHOLE,
    Kind,
)

__all__ = ["MODELS", "Option", "Options", "dashed", "every_option", "read_options"]

MODELS = ("mlp", "perceptron", "logistic", "linear")
LINEAR = MODELS[1:]
MOST_UNITS = 1_000_000
MOST_COUNTED = 10**9
"""Epochs, or rows of a batch: so that steps can be counted in 64 bits."""

DATA, NETWORK, TRAINING = "Data", "Network", "Training"
REGULARISATION, CHECKPOINTS, OUTPUT = "Regularisation", "Checkpoints", "Output"


@dataclass(frozen=True)
class Option:
    """One option as a person sees it.

    Attributes
    ----------
    name : str
        With underscores, as a field of :class:`Options`.
    default : object
        None for what is found out from the rest, as the help says.
    kind : Kind
    panel : str
        The group in which the help shows it.
    help : str
    opposite : str
        The name that switches off what a configuration file switched on.
    matters : bool
        Whether another value trains another model from the same rows.
    linear : tuple of str
        The linear models that have a use for it.
    """

    name: str
    default: Any
    kind: Kind
    panel: str
    help: str
    opposite: str = ""
    matters: bool = True
    linear: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """``--batch-size``."""
        return f"--{dashed(self.name)}"


def dashed(name: str) -> str:
    """``batch-size`` of ``batch_size``."""
    return name.replace("_", "-")


def _about(panel: str, kind: Kind, text: str, **more: Any) -> dict[str, Any]:
    return {"panel": panel, "kind": kind, "help": text, **more}


@dataclass(frozen=True)
class Options:
    """What a person may set; checked here, so that a mistake costs no training."""

    source: str | None = field(
        default=None, metadata=_about(DATA, TEXT, "The table to learn from.", matters=False, linear=LINEAR)
    )
    target: str | None = field(
        default=None,
        metadata=_about(
            DATA, COLUMN, "The column to predict, by name or index; the last one by default.", linear=LINEAR
        ),
    )
    no_header: bool = field(
        default=False,
        metadata=_about(
            DATA,
            SWITCH,
            "The file's first line is data; columns are column_0, column_1, …",
            opposite="header",
            matters=False,
            linear=LINEAR,
        ),
    )
    task: str = field(default="auto", metadata=_about(DATA, TEXT, "auto, classification or regression.", linear=LINEAR))
    test: Path | None = field(
        default=None,
        metadata=_about(
            DATA,
            PLACE,
            "A file of rows to test on; SOURCE is then split into rows to learn from and to stop by.",
            matters=False,
            linear=LINEAR,
        ),
    )
    stream: bool = field(
        default=False,
        metadata=_about(
            DATA,
            SWITCH,
            "Read SOURCE in chunks, as is done anyway where it is larger than a fifth of the free memory.",
            opposite="no-stream",
        ),
    )
    class_weight: str | Mapping[str, float] | None = field(
        default=None,
        metadata=_about(
            DATA,
            CLASS_WEIGHTS,
            "How much a row of each class counts: balanced, no=1,yes=5, or JSON.",
            linear=("perceptron", "logistic"),
        ),
    )

    model: str = field(
        default="mlp",
        metadata=_about(
            NETWORK,
            TEXT,
            "mlp, a network; perceptron or logistic, linear models of classes; linear, least squares for a number.",
            linear=LINEAR,
        ),
    )
    hidden: tuple[int, ...] = field(
        default=(256, 128),
        metadata=_about(NETWORK, SIZES, "Units of each hidden layer, for example 64,32; '' for no hidden layer."),
    )
    activation: str = field(
        default="relu",
        metadata=_about(
            NETWORK,
            TEXT,
            "Of the hidden units: relu, leaky_relu, elu, selu, gelu, silu, softplus, tanh, sigmoid, identity, …",
        ),
    )

    optimizer: str = field(
        default="adam",
        metadata=_about(TRAINING, TEXT, "sgd, momentum, nesterov, adagrad, adadelta, rmsprop, adam, amsgrad or adamw."),
    )
    learning_rate: float | None = field(
        default=None, metadata=_about(TRAINING, NUMBER, "The optimizer's own by default: 0.001 for Adam, 0.01 for SGD.")
    )
    schedule: str | None = field(
        default=None,
        metadata=_about(
            TRAINING,
            TEXT,
            "How the learning rate changes: cosine, step:0.5,10, exponential:0.05, warmup:5+cosine, plateau:0.5,5, …",
        ),
    )
    epochs: int = field(
        default=200,
        metadata=_about(
            TRAINING,
            WHOLE,
            "Passes over the training rows, at most; iterations of logistic regression.",
            linear=("perceptron", "logistic"),
        ),
    )
    patience: int = field(
        default=20, metadata=_about(TRAINING, WHOLE, "Stop after so many epochs without a better validation loss.")
    )
    batch_size: int | None = field(
        default=None, metadata=_about(TRAINING, WHOLE, "Rows a step; by the number of rows by default.")
    )
    seed: int = field(default=0, metadata=_about(TRAINING, WHOLE, "The same seed gives the same model.", linear=LINEAR))

    alpha: float = field(
        default=1e-2, metadata=_about(REGULARISATION, NUMBER, "L2 penalty ½·α·Σw²/n, as in scikit-learn.")
    )
    l1: float = field(default=0.0, metadata=_about(REGULARISATION, NUMBER, "L1 penalty λ·Σ|w|."))
    weight_decay: float | None = field(
        default=None,
        metadata=_about(
            REGULARISATION, NUMBER, "Decoupled decay w ← (1 − ε·λ)·w; 0.01 for adamw by default, else none."
        ),
    )
    dropout: tuple[float, ...] = field(
        default=(),
        metadata=_about(
            REGULARISATION, RATES, "The probability of dropping a hidden unit: 0.5, or one a layer: 0.2,0.5."
        ),
    )
    input_dropout: float = field(
        default=0.0, metadata=_about(REGULARISATION, NUMBER, "The probability of dropping an input.")
    )
    input_noise: float = field(
        default=0.0, metadata=_about(REGULARISATION, NUMBER, "Standard deviation of noise added to inputs.")
    )
    max_norm: float | None = field(
        default=None,
        metadata=_about(REGULARISATION, NUMBER, "The largest norm of each unit's incoming weights, for example 3."),
    )
    clip_norm: float | None = field(
        default=None, metadata=_about(REGULARISATION, NUMBER, "The largest norm of a step's gradient.")
    )
    label_smoothing: float = field(
        default=0.0,
        metadata=_about(
            REGULARISATION, NUMBER, "The share of the target that is spread over all classes, for example 0.1."
        ),
    )
    mixup: float | None = field(
        default=None,
        metadata=_about(
            REGULARISATION, NUMBER, "Learn from mixtures of rows in shares drawn from Beta(α, α), for example 0.2."
        ),
    )
    averaging: str | None = field(
        default=None,
        metadata=_about(REGULARISATION, TEXT, "Keep averaged weights: ema:0.999, or swa:10 (from epoch 10 on)."),
    )

    checkpoint: Path | None = field(
        default=None,
        metadata=_about(
            CHECKPOINTS, PLACE, "A folder to keep the state of the training in, to go on from.", matters=False
        ),
    )
    checkpoint_every: str = field(
        default="1",
        metadata=_about(CHECKPOINTS, INTERVAL, "Epochs between two checkpoints, or seconds as 10s.", matters=False),
    )
    resume: bool = field(
        default=False,
        metadata=_about(
            CHECKPOINTS,
            SWITCH,
            "Go on from the last checkpoint if there is one; in OUT/checkpoints where --checkpoint names no folder.",
            opposite="no-resume",
            matters=False,
        ),
    )

    out: Path = field(
        default=Path("model"),
        metadata=_about(
            OUTPUT, PLACE, "The folder to write the model and its pictures into.", matters=False, linear=LINEAR
        ),
    )
    plot: bool = field(
        default=False,
        metadata=_about(
            OUTPUT,
            SWITCH,
            "Draw what was learnt too: boundary, sigmoid, the perceptron's updates, fit.",
            opposite="no-plot",
            matters=False,
            linear=LINEAR,
        ),
    )

    def __post_init__(self) -> None:
        _check_choices(self)
        _check_whole_numbers(self)
        _check_numbers(self)
        _check_layers(self)

    def learnt_with(self) -> dict[str, Any]:
        """What another model would be learnt with, as plain data."""
        return {
            option.name: option.kind.plain(getattr(self, option.name))
            for option in every_option()
            if option.matters and getattr(self, option.name) is not None
        }


def every_option() -> tuple[Option, ...]:
    """All options in the order of the help."""
    return tuple(Option(f.name, f.default, **f.metadata) for f in fields(Options))


def read_options(words: Mapping[str, Any], file: Mapping[str, Any] | None = None) -> Options:
    """The options of a command line, which wins over those of a file, which win over the defaults.

    Raises
    ------
    UserError
        If one cannot be read, is out of range, or is of no use to the model.
    """
    kinds = {option.name: option for option in every_option()}
    said = {name: _read(kinds[name], word) for name, word in words.items()}
    options = Options(**{**(file or {}), **said})
    # A file may hold every option, as a dumped one does: those at their defaults ask for nothing.
    asked = {name for name, value in (file or {}).items() if value != kinds[name].default} | set(words)
    _refuse_idle(options.model, asked)
    return options


def _read(option: Option, word: Any) -> Any:
    try:
        return option.kind.read(word)
    except (ValueError, TypeError, KeyError):
        raise UserError(f"{option.flag} takes {option.kind.expected}; got {word!r}") from None


def _refuse_idle(model: str, asked: set[str]) -> None:
    """Settings that were asked for, of which a linear model would take no notice."""
    if model == "mlp":
        return
    found = sorted(option.flag for option in every_option() if option.name in asked and model not in option.linear)
    if found:
        raise UserError(
            f"--model {model} has no use for {', '.join(found)}; leave out what is for networks, or take --model mlp"
        )


def _check_choices(options: Options) -> None:
    if options.task not in ("auto", "classification", "regression"):
        raise UserError(f"--task must be auto, classification or regression, got {options.task!r}")
    if options.model not in MODELS:
        raise UserError(f"--model must be {', '.join(MODELS)}, got {options.model!r}")


def _check_whole_numbers(options: Options) -> None:
    for name in ("epochs", "batch_size", "patience"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UserError(f"--{dashed(name)} must be at least 1, got {value}")
        if value is not None and value > MOST_COUNTED:
            raise UserError(f"--{dashed(name)} must be at most {MOST_COUNTED}, got {value}")
    if not 0 <= options.seed < 2**32:
        raise UserError(f"--seed must be a whole number from 0 to 2³² − 1, got {options.seed}")


def _check_numbers(options: Options) -> None:
    """Comparisons are written so that NaN, for which every one is false, is refused."""
    rate = options.learning_rate
    if rate is not None and not 0 < rate < math.inf:
        raise UserError(f"--learning-rate must be a number greater than 0, got {rate}; try 0.001")
    for name in ("alpha", "l1", "weight_decay", "input_noise"):
        value = getattr(options, name)
        if value is not None and not 0 <= value < math.inf:
            raise UserError(f"--{dashed(name)} must be a number of at least 0, got {value}")
    for name in ("max_norm", "clip_norm", "mixup"):
        value = getattr(options, name)
        if value is not None and not 0 < value < math.inf:
            raise UserError(f"--{dashed(name)} must be a number greater than 0, got {value}; leave it out for none")
    for name in ("dropout", "input_dropout", "label_smoothing"):
        value = getattr(options, name)
        for share in value if isinstance(value, tuple) else (value,):
            if not 0 <= share < 1:
                raise UserError(f"--{dashed(name)} must be at least 0 and less than 1, got {share}")
    if isinstance(options.class_weight, Mapping):
        for label, weight in options.class_weight.items():
            if not 0 <= weight < math.inf:
                raise UserError(f"--class-weight: a weight must be a number of at least 0, got {weight} for {label!r}")


def _check_layers(options: Options) -> None:
    hidden, dropout = options.hidden, options.dropout
    if any(not 1 <= units <= MOST_UNITS for units in hidden):
        raise UserError(
            f"--hidden takes the units of each hidden layer, each from 1 to {MOST_UNITS}, "
            f"got {','.join(map(str, hidden))}"
        )
    if len(dropout) > 1 and len(dropout) != len(hidden):
        raise UserError(
            f"--dropout takes one number, or one for each hidden layer: there are {len(hidden)} layers "
            f"and {len(dropout)} numbers"
        )
