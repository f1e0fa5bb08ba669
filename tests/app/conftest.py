from __future__ import annotations

import json
import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_limits

from diaphane.app.command import main

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """What was said, without line ends and the frames of boxes."""
        return " ".join((self.out + self.err).replace("│", " ").split())


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Keep two test processes on two cores from waiting for each other's threads."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what a command writes by default lie where it is thrown away."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def diaphane(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run the command in this process."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(without_report(arguments))
        captured = capsys.readouterr()
        return Answer(int(end.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def process() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command in a process of its own."""

    def run(*arguments: object, **settings: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command_line(*arguments),
            env=environment() | settings.pop("env", {}),
            timeout=300,
            encoding="utf-8",
            **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | settings),
        )

    return run


@pytest.fixture
def background() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start the command and go on; whatever still runs at the end of the test is ended."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: object, **settings: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(command_line(*arguments), env=environment(), **settings))
        return started[-1]

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.communicate()


@pytest.fixture
def script() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run some Python in a process of its own."""

    def run(text: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-c", text, *map(str, arguments)]
        return subprocess.run(line, env=environment(), timeout=300, capture_output=True, encoding="utf-8")

    return run


def without_report(arguments: Sequence[object]) -> list[str]:
    """Return the words of a command line; a page takes longer than a small training, and is made where asked for."""
    words = [str(argument) for argument in arguments]
    makes_one = bool(words) and words[0] in ("train", "search") and "--report" not in words
    return [*words, "--no-report"] if makes_one else words


def command_line(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "diaphane", *without_report(arguments)]


def environment() -> dict[str, str]:
    return os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file and return its path."""

    def write_file(content: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


def rows(n: int = 60, labels: tuple[str, str] = ("neg", "pos"), seed: int = 0) -> list[tuple[str, str, str]]:
    """Two columns, and the class: whether their sum is positive."""
    draw = random.Random(seed)
    points = [(draw.gauss(0, 1), draw.gauss(0, 1)) for _ in range(n)]
    return [(f"{a:.3f}", f"{b:.3f}", labels[a + b > 0]) for a, b in points]


@pytest.fixture
def sums() -> Callable[..., list[tuple[str, str, str]]]:
    return rows


def lines_of(table: list[tuple[str, ...]], header: str = "a,b,y", delimiter: str = ",") -> str:
    return "\n".join([header.replace(",", delimiter), *(delimiter.join(row) for row in table)]) + "\n"


@pytest.fixture
def lines() -> Callable[..., str]:
    return lines_of


@pytest.fixture
def good(write: Callable[..., Path]) -> Path:
    """A table of classes."""
    return write(lines_of(rows()), "good.csv")


@pytest.fixture
def numbers(write: Callable[..., Path]) -> Path:
    """A table with a number to predict."""
    return write(number_table(), "numbers.csv")


def number_table() -> str:
    return lines_of([(a, b, f"{float(a) + 2 * float(b):.4f}") for a, b, _ in rows()])


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folders of a model of classes and of one of numbers; copy them before changing anything."""
    place = tmp_path_factory.mktemp("trained")
    folders = {}
    for name, text in (("classes", lines_of(rows())), ("numbers", number_table())):
        source = place / f"{name}.csv"
        source.write_text(text, encoding="utf-8")
        folders[name] = place / name
        options = ["--hidden", "32", "--epochs", "60", "--learning-rate", "0.01"]
        with pytest.raises(SystemExit) as end:
            main(["train", str(source), *options, "--no-report", "--out", str(folders[name])])
        assert not end.value.code
    return folders


@pytest.fixture(scope="session")
def averaged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folders of a model of classes and of one of numbers, each two networks averaged; not to be changed."""
    place = tmp_path_factory.mktemp("averaged")
    for name, text in (("classes", mixed_table()), ("numbers", number_table())):
        (place / f"{name}.csv").write_text(text, encoding="utf-8")
        with pytest.raises(SystemExit) as end:
            main(["train", str(place / f"{name}.csv"), "--members", "2", "--no-report", "--out", str(place / name)])
        assert not end.value.code
    return {name: place / name for name in ("classes", "numbers")}


def mixed_table() -> str:
    """Words, gaps and two numbers, and three classes told by them."""
    table = []
    for i, (a, b, _) in enumerate(rows(90)):
        word = "uvw"[i % 3]
        label = "low" if float(a) < -0.4 else "high" if word == "u" else "middle"
        table.append((a if i % 11 else "", word, b, label))
    return lines_of(table, "a,w,b,y")


@pytest.fixture
def classes(trained: dict[str, Path], tmp_path: Path) -> Path:
    """A model of the columns a and b and the classes neg and pos."""
    return Path(shutil.copytree(trained["classes"], tmp_path / "classes"))


@pytest.fixture
def values(trained: dict[str, Path], tmp_path: Path) -> Path:
    """A model of the columns a and b and the number y = a + 2b."""
    return Path(shutil.copytree(trained["numbers"], tmp_path / "values"))


@pytest.fixture
def parts_of() -> Callable[[Path], tuple[dict[str, Any], bytes]]:
    """Return the header and the numbers of a model's file."""

    def parts(path: Path) -> tuple[dict[str, Any], bytes]:
        data = path.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        return json.loads(data[8 : 8 + length]), data[8 + length :]

    return parts


@pytest.fixture
def real_file() -> Callable[[str], Path]:
    """Return the path of one of the real data sets, or skip."""
    folder = Path(os.environ.get("DIAPHANE_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        if not (folder / name).exists():
            pytest.skip(f"{name} is not there: set DIAPHANE_DATA to the folder that holds it")
        return folder / name

    return find
