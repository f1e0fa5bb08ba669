"""``diaphane``: train on a table, predict with what was trained, draw it, see where its time goes."""

from __future__ import annotations

import io
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from .errors import UserError
from .options.parameters import takes_every_option

__all__ = ["app", "main"]

USER_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    help="Neural networks you can see through: train on a table, predict, draw.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

FILES = "Options in a file"
TABLES = (
    "A built-in set (digits, iris, wine, breast_cancer, diabetes, xor, moons, circles, spirals, gaussians) "
    "or a CSV, TSV or Parquet file."
)
Source = Annotated[str, typer.Argument(help=TABLES)]
TableToLearnFrom = Annotated[str | None, typer.Argument(help=f"{TABLES} Required, here or in --config.")]
NoHeader = Annotated[
    bool, typer.Option("--no-header", help="The file's first line is data; columns are column_0, column_1, …")
]
SEARCH = "Search"
Target = Annotated[str | None, typer.Option(help="The column to predict, by name or index; the last one by default.")]
Task = Annotated[str, typer.Option(help="auto, classification or regression.")]
TestRows = Annotated[str | None, typer.Option(help="A file of rows to test on.")]
MetricName = Annotated[
    str | None, typer.Option(help="What is compared: accuracy, auc, log_loss, f1, …; r2, mae, rmse, ….")
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same results.")]
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
@takes_every_option
def train(
    context: typer.Context,
    source: TableToLearnFrom = None,
    *,
    config: Annotated[
        Path | None,
        typer.Option(help="A TOML file with any of these options; the command line wins.", rich_help_panel=FILES),
    ] = None,
    dump_config: Annotated[
        bool, typer.Option("--dump-config", help="Print all options as such a file, and end.", rich_help_panel=FILES)
    ] = False,
    debug: Debug = False,
    **words: Any,
) -> None:
    """Train a model on a table and write it to a folder."""
    from .options import asked_for, read_options, settings_of_networks
    from .options.config import dump_config as as_toml
    from .options.config import read_config

    given = {name: word for name, word in (words | {"source": source}).items() if _is_given(context, name)}
    file = read_config(config) if config else None
    options, asked = read_options(given, file), asked_for(given, file)
    if dump_config:
        typer.echo(as_toml(options), nl=False)
        return
    if options.source is None:
        raise typer.BadParameter("Missing argument 'SOURCE'.", context)
    from . import training

    flags = settings_of_networks(asked) if "model" not in asked else []
    training.train(options, [f"--model mlp, which {', '.join(flags)} is for; without, tabular"] if flags else [])


@app.command()
def search(
    source: Source,
    target: Target = None,
    task: Task = "auto",
    test: TestRows = None,
    no_header: NoHeader = False,
    strategy: Annotated[
        str, typer.Option(help="halving, random, grid or bayes (Optuna, of the extra search).", rich_help_panel=SEARCH)
    ] = "halving",
    candidates: Annotated[
        int | None, typer.Option(help="How many to try; 27 by default, and all of a grid.", rich_help_panel=SEARCH)
    ] = None,
    folds: Annotated[int, typer.Option(help="Of the cross-validation.", rich_help_panel=SEARCH)] = 5,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Of those that come to the end; 81 by default, 243 of fewer than 2000 rows.", rich_help_panel=SEARCH
        ),
    ] = None,
    tries: Annotated[
        list[str] | None,
        typer.Option(
            "--try",
            help="A setting and its values: dropout=0,0.2,0.5, a range alpha=1e-5..1, layers hidden=64,128x64, or "
            "units=32,64 with depth=1,2,3. May be given several times; other settings stay as in train.",
            rich_help_panel=SEARCH,
        ),
    ] = None,
    space: Annotated[
        Path | None, typer.Option(help="The same in a TOML file: dropout = [0, 0.2].", rich_help_panel=SEARCH)
    ] = None,
    metric: MetricName = None,
    seed: Seed = 0,
    threads: Annotated[int | None, typer.Option(help="Candidates at once; all cores by default.")] = None,
    out: Annotated[str, typer.Option(help="The folder to write the table and the best model into.")] = "model",
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html.")] = True,
    debug: Debug = False,
) -> None:
    """Find the best settings of a network for a table by cross-validation, and train the best."""
    from .choosing import search as searching
    from .options import read_options

    common = {"source": source, "target": target, "task": task, "test": test, "metric": metric, "out": out}
    given = {name: word for name, word in common.items() if word is not None}
    options = read_options({**given, "no_header": no_header, "seed": seed, "report": report})
    wanted = searching.SearchOptions(strategy, candidates, folds, epochs, tuple(tries or ()), space, threads)
    searching.search(options, wanted)


@app.command()
def compare(
    source: Source,
    target: Target = None,
    task: Task = "auto",
    no_header: NoHeader = False,
    models: Annotated[
        str | None,
        typer.Option(
            help="Which, with commas between: tabular, mlp, linear; of scikit-learn constant, sklearn-linear, "
            "neighbours, forest, boosting. All by default."
        ),
    ] = None,
    metric: MetricName = None,
    folds: Annotated[int, typer.Option(help="Of the cross-validation.")] = 5,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="The CSV file to write.")] = Path("compare.csv"),
    debug: Debug = False,
) -> None:
    """Compare our models with scikit-learn's on the same folds of a table."""
    from .choosing import compare as comparing

    comparing.compare(
        source,
        target=target,
        task=task,
        header=not no_header,
        models=models,
        metric=metric,
        folds=folds,
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
def health(
    folder: Folder,
    source: Source,
    no_header: NoHeader = False,
    rows: Annotated[int, typer.Option(help="How many rows to look at.")] = 256,
    plot: Annotated[Path | None, typer.Option(help="A picture of it to write, for example health.png.")] = None,
    debug: Debug = False,
) -> None:
    """Show how gradients reach a model's layers, which units are idle, and what is wrong."""
    from . import health as looking

    looking.health(folder, source, header=not no_header, rows=rows, plot=plot)


@app.command()
def export(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="The ONNX file to write, for example model.onnx.")],
    opset: Annotated[int | None, typer.Option(help="The version of ONNX's operators; 18 by default.")] = None,
    debug: Debug = False,
) -> None:
    """Write a trained model as an ONNX file, which other programs run."""
    from . import exporting

    exporting.export(folder, out, opset=opset)


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
    from ..training import DivergenceError, OtherRunError

    expected: tuple[Any, ...] = (UserError, DataError, FileError, OtherRunError, DivergenceError, OSError, MemoryError)
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
