"""``diaphane``: train on a table, predict with what was trained, draw it, see where its time goes."""

from __future__ import annotations

import io
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from .errors import UserError

__all__ = ["app", "main"]

USER_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    help="Neural networks you can see through: train on a table, predict, draw.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Source = Annotated[
    str,
    typer.Argument(
        help="A built-in set (digits, iris, wine, breast_cancer, diabetes, xor, moons, circles, spirals, gaussians) "
        "or a CSV, TSV or Parquet file."
    ),
]
NoHeader = Annotated[
    bool, typer.Option("--no-header", help="The file's first line is data; columns are column_0, column_1, …")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Folder = Annotated[Path, typer.Argument(help="The folder that 'diaphane train' wrote.")]


def _version(wanted: bool) -> None:
    if wanted:
        from .._version import __version__

        typer.echo(f"diaphane {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Neural networks you can see through: train on a table, predict, draw."""


@app.command()
def train(
    context: typer.Context,
    source: Source,
    target: Annotated[
        str | None, typer.Option(help="The column to predict, by name or index; the last one by default.")
    ] = None,
    no_header: NoHeader = False,
    task: Annotated[str, typer.Option(help="auto, classification or regression.")] = "auto",
    model: Annotated[
        str,
        typer.Option(
            help="mlp, a network; perceptron or logistic, linear models of classes; linear, least squares for a number."
        ),
    ] = "mlp",
    hidden: Annotated[
        str, typer.Option(help="Units of each hidden layer, for example 64,32; '' for no hidden layer.")
    ] = "256,128",
    epochs: Annotated[
        int, typer.Option(help="Passes over the training rows, at most; iterations of logistic regression.")
    ] = 200,
    patience: Annotated[int, typer.Option(help="Stop after so many epochs without a better validation loss.")] = 20,
    learning_rate: Annotated[float, typer.Option(help="Adam's learning rate.")] = 0.001,
    batch_size: Annotated[int | None, typer.Option(help="Rows a step; by the number of rows by default.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
    out: Annotated[Path, typer.Option(help="The folder to write the model and its pictures into.")] = Path("model"),
    plot: Annotated[
        bool, typer.Option("--plot", help="Draw what was learnt too: boundary, sigmoid, the perceptron's updates, fit.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Train a model on a table and write it to a folder."""
    from . import training

    training.train(
        source,
        model=model,
        plot=plot,
        given=frozenset(name for name in context.params if _is_given(context, name)),
        target=target,
        header=not no_header,
        task=task,
        hidden=hidden,
        epochs=epochs,
        patience=patience,
        learning_rate=learning_rate,
        batch_size=batch_size,
        seed=seed,
        out=out,
    )


@app.command()
def predict(
    folder: Folder,
    source: Source,
    no_header: NoHeader = False,
    out: Annotated[Path | None, typer.Option(help="The CSV file to write; the screen by default.")] = None,
    proba: Annotated[bool, typer.Option("--proba", help="Give the probability of each class too.")] = False,
    debug: Debug = False,
) -> None:
    """Predict each row of a table with a trained model; with the target there too, say the score."""
    from . import prediction

    prediction.predict(folder, source, header=not no_header, out=out, proba=proba)


@app.command()
def draw(
    folder: Folder,
    out: Annotated[Path | None, typer.Option(help="The SVG file; network.svg in the folder by default.")] = None,
    graph: Annotated[bool, typer.Option("--graph", help="Draw the computational graph instead of the layers.")] = False,
    debug: Debug = False,
) -> None:
    """Draw a trained model's network."""
    from . import prediction

    prediction.draw(folder, out=out, graph=graph)


@app.command()
def profile(
    folder: Folder,
    source: Source,
    no_header: NoHeader = False,
    batch_size: Annotated[int, typer.Option(help="Rows of the step; at most those of the table.")] = 128,
    steps: Annotated[int, typer.Option(help="Steps to take the mean of.")] = 100,
    threads: Annotated[int | None, typer.Option(help="Threads; by default as many as are worth it.")] = None,
    predicting: Annotated[bool, typer.Option("--predict", help="Look into a prediction, not a training step.")] = False,
    debug: Debug = False,
) -> None:
    """Show where the time of a model's training step goes, instruction by instruction."""
    from . import profiling

    profiling.profile(
        folder,
        source,
        header=not no_header,
        batch_size=batch_size,
        steps=steps,
        threads=threads,
        predicting=predicting,
    )


@app.command()
def warmup(debug: Debug = False) -> None:
    """Compile the kernels of common networks now, so that the first training starts at once."""
    from . import profiling

    profiling.warmup()


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command; exits with 0, 2 for what the person can mend, 130 when interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    _ready_streams()
    try:
        app(given, prog_name="diaphane", standalone_mode=True)
    except SystemExit as end:
        # typer catches Ctrl-C itself, and says nothing.
        if end.code == INTERRUPTED:
            _say("interrupted")
        raise
    except Exception as error:
        if not isinstance(error, _expected()):
            raise
        if "--debug" in given:
            traceback.print_exc()
        else:
            _say(f"error: {' '.join(_explained(error).split())}")
        raise SystemExit(USER_ERROR) from None
    raise SystemExit(0)


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _expected() -> tuple[type[BaseException], ...]:
    from ..data import DataError
    from ..files import FileError
    from ..training import DivergenceError

    expected: tuple[Any, ...] = (UserError, DataError, FileError, DivergenceError, OSError, MemoryError)
    return expected


def _explained(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return f"the memory is too small ({error}); try fewer units with --hidden, or a smaller table"
    if isinstance(error, OSError) and error.strerror:
        place = "the output" if error.filename is None else error.filename
        return f"cannot read or write {place}: {error.strerror}"
    return str(error)


def _ready_streams() -> None:
    """A closed output is nobody's, and a letter that an encoding does not have is no reason to stop."""
    sys.stdout, sys.stderr = sys.stdout or io.StringIO(), sys.stderr or io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _say(text: str) -> None:
    sys.stderr.write(f"diaphane: {text}\n")
