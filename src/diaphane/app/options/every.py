"""Every option of ``diaphane train``: its name, default, kind and help, in one place.

From here come the parameters of the command line, the keys of a configuration file and what a model says of its
training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ..errors import UserError
from .checks import AUTO, MODELS, TABULAR, check_options
from .kinds import (
    CLASS_WEIGHTS,
    COLUMN,
    INTERVAL,
    NUMBER,
    PLACE,
    RATES,
    SIZES,
    SWITCH,
    TEXT,
    THRESHOLD,
    WHOLE,
    Kind,
    dashed,
)

__all__ = [
    "AUTO",
    "MODELS",
    "Option",
    "Options",
    "asked_for",
    "dashed",
    "every_option",
    "read_options",
    "settings_of_networks",
]

DATA, MODEL, NETWORK, TRAINING = "Data", "Model", "Network", "Training"
REGULARISATION, CHECKPOINTS, SCORES, OUTPUT = "Regularisation", "Checkpoints", "Scores", "Output"


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
    models : tuple of str
        Those that have a use for it.
    """

    name: str
    default: Any
    kind: Kind
    panel: str
    help: str
    opposite: str = ""
    matters: bool = True
    models: tuple[str, ...] = ("mlp",)

    @property
    def flag(self) -> str:
        """``--batch-size``."""
        return f"--{dashed(self.name)}"


def _about(panel: str, kind: Kind, text: str, **more: Any) -> dict[str, Any]:
    return {"panel": panel, "kind": kind, "help": text, **more}


@dataclass(frozen=True)
class Options:
    """What a person may set; checked here, so that a mistake costs no training."""

    source: str | None = field(
        default=None, metadata=_about(DATA, TEXT, "The table to learn from.", matters=False, models=MODELS)
    )
    target: str | None = field(
        default=None,
        metadata=_about(
            DATA, COLUMN, "The column to predict, by name or index; the last one by default.", models=MODELS
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
            models=MODELS,
        ),
    )
    task: str = field(default="auto", metadata=_about(DATA, TEXT, "auto, classification or regression.", models=MODELS))
    test: Path | None = field(
        default=None,
        metadata=_about(
            DATA,
            PLACE,
            "A file of rows to test on; SOURCE is then split into rows to learn from and to stop by.",
            matters=False,
            models=MODELS,
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
            models=("tabular", "mlp", "perceptron", "logistic"),
        ),
    )

    model: str = field(
        default=AUTO,
        metadata=_about(
            MODEL,
            TEXT,
            "tabular, several networks for tables with nothing to tune; mlp, one network with the settings below; "
            "perceptron or logistic, linear models of classes; linear, least squares for a number. auto is tabular, or "
            "mlp where a setting of networks is given.",
            models=MODELS,
        ),
    )
    members: int | None = field(
        default=None,
        metadata=_about(MODEL, WHOLE, "How many networks of tabular are averaged; fewer are faster.", models=TABULAR),
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
            models=("mlp", "perceptron", "logistic"),
        ),
    )
    patience: int = field(
        default=20, metadata=_about(TRAINING, WHOLE, "Stop after so many epochs without a better validation loss.")
    )
    batch_size: int | None = field(
        default=None, metadata=_about(TRAINING, WHOLE, "Rows a step; by the number of rows by default.")
    )
    seed: int = field(default=0, metadata=_about(TRAINING, WHOLE, "The same seed gives the same model.", models=MODELS))

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

    metric: str | None = field(
        default=None,
        metadata=_about(
            SCORES,
            TEXT,
            "What is reported beside its baseline: accuracy, balanced_accuracy, auc, average_precision, log_loss, f1, "
            "mcc, …; r2, mae, rmse, …. accuracy or r2 by default.",
            matters=False,
            models=MODELS,
        ),
    )
    threshold: str | float | None = field(
        default=None,
        metadata=_about(
            SCORES,
            THRESHOLD,
            "Of two classes, from which probability on the second is said: a number such as 0.3, or auto, the best for "
            "--metric on validation rows (for balanced_accuracy, where none is given).",
            matters=False,
            models=("tabular", "mlp", "logistic"),
        ),
    )

    out: Path = field(
        default=Path("model"),
        metadata=_about(
            OUTPUT, PLACE, "The folder to write the model and its pictures into.", matters=False, models=MODELS
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
            models=MODELS,
        ),
    )
    report: bool = field(
        default=True,
        metadata=_about(
            OUTPUT,
            SWITCH,
            "Write report.html, a page on the data, the model and its scores.",
            opposite="no-report",
            matters=False,
            models=MODELS,
        ),
    )

    def __post_init__(self) -> None:
        check_options(self)

    def learnt_with(self) -> dict[str, Any]:
        """What another model would be learnt with, as plain data."""
        return {
            option.name: option.kind.plain(getattr(self, option.name))
            for option in every_option()
            if option.matters and self.model in (AUTO, *option.models) and getattr(self, option.name) is not None
        }


def every_option() -> tuple[Option, ...]:
    """All options in the order of the help."""
    return tuple(Option(f.name, f.default, **f.metadata) for f in fields(Options))


def read_options(words: Mapping[str, Any], file: Mapping[str, Any] | None = None) -> Options:
    """The options of a command line, which wins over those of a file, which win over the defaults.

    ``auto`` becomes ``mlp`` where a setting of networks was asked for, so that what is dumped says so.

    Raises
    ------
    UserError
        If one cannot be read, is out of range, or is of no use to the model.
    """
    kinds = {option.name: option for option in every_option()}
    said = {name: _read(kinds[name], word) for name, word in words.items()}
    options = Options(**{**(file or {}), **said})
    asked = asked_for(words, file)
    if options.model == AUTO and settings_of_networks(asked):
        _refuse_both(asked)
        options = replace(options, model="mlp")
    _refuse_idle(options.model, asked)
    return options


def asked_for(words: Mapping[str, Any], file: Mapping[str, Any] | None) -> set[str]:
    """What somebody wants: a file may hold every option, as a dumped one does, and its defaults ask for nothing."""
    defaults = {option.name: option.default for option in every_option()}
    return {name for name, value in (file or {}).items() if value != defaults[name]} | set(words)


def settings_of_networks(asked: set[str]) -> list[str]:
    """The flags of what only the networks of ``mlp`` have a use for, or linear models too."""
    return sorted(o.flag for o in every_option() if o.name in asked and "tabular" not in o.models)


def _read(option: Option, word: Any) -> Any:
    try:
        return option.kind.read(word)
    except (ValueError, TypeError, KeyError):
        raise UserError(f"{option.flag} takes {option.kind.expected}; got {word!r}") from None


def _refuse_both(asked: set[str]) -> None:
    """What only tabular has a use for beside what it has none for."""
    own = sorted(o.flag for o in every_option() if o.name in asked and o.models == TABULAR)
    if own:
        raise UserError(
            f"{', '.join(own)} is for --model tabular, which has no use for {', '.join(settings_of_networks(asked))}; "
            "leave out one of them"
        )


def _refuse_idle(model: str, asked: set[str]) -> None:
    """Settings that were asked for, of which the model would take no notice."""
    if model == AUTO:
        return
    idle = [option for option in every_option() if option.name in asked and model not in option.models]
    if idle:
        flags, homes = ", ".join(sorted(option.flag for option in idle)), idle[0].models
        raise UserError(f"--model {model} has no use for {flags}; leave it out, or take --model {' or '.join(homes)}")
