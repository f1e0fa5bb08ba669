"""``--stream``: a table that is read in chunks."""

from __future__ import annotations

import json

import numpy as np
import pytest

from diaphane.app import streams
from diaphane.app.model import load_model
from diaphane.app.options import Options
from diaphane.data import read_table

from .test_command_mistakes import assert_one_line

RUN = ("--stream", "--epochs", 15, "--hidden", "16", "--learning-rate", 0.01)


def text_of(n: int, seed: int = 0) -> str:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n))
    words = np.array(["x", "y", ""])[rng.integers(0, 3, n)]
    rows = zip(a, b, words, strict=True)
    return "a,b,w,y\n" + "".join(f"{u:.4f},{v:.4f},{w},{'pos' if u + v > 0 else 'neg'}\n" for u, v, w in rows)


@pytest.fixture
def long(write):
    return write(text_of(3000), "long.csv")


def test_a_table_read_in_chunks_is_learnt_and_predicted_as_any_other(diaphane, long, tmp_path):
    answer = diaphane("train", long, *RUN)
    assert (answer.code, answer.err) == (0, "")
    assert "read in chunks: 3000 rows" in answer.out
    facts = load_model(tmp_path / "model").facts
    assert sum(facts["rows"].values()) == 3000
    assert facts["scores"]["test"]["score"] > 0.95
    assert diaphane("predict", "model", long).code == 0


def test_the_parts_are_disjoint_and_the_columns_scaled_by_the_rows_to_learn_from(long, monkeypatch):
    monkeypatch.setattr(streams, "MOST_HELD_OUT", 10_000)
    parts, columns = streams.divide_stream(Options(source=str(long), seed=4), None)
    held = [
        tuple(row) for part in parts.of.values() for row in zip(part.features["a"], part.features["b"], strict=True)
    ]
    table = read_table(long)
    assert sorted(held) == sorted(zip(table["a"], table["b"], strict=True))
    train = parts.train.features["a"]
    [number] = [e for e in columns.encoder.encoders if e.name == "a"]
    assert number.centre == pytest.approx(train.mean())
    learnt = np.concatenate([chunk.x for chunk in columns.stream.chunks()])
    np.testing.assert_array_equal(learnt, columns.x["train"])


def test_no_more_rows_are_held_out_than_needed(long, monkeypatch):
    monkeypatch.setattr(streams, "MOST_HELD_OUT", 100)
    parts, _ = streams.divide_stream(Options(source=str(long)), None)
    assert len(parts.of["test"]) <= 100
    assert 60 <= len(parts.of["validation"]) <= 100
    assert parts.rows["train"] > 2750


def test_the_same_seed_gives_the_same_bytes(diaphane, long, tmp_path):
    for folder, seed in (("one", 3), ("two", 3), ("three", 4)):
        assert diaphane("train", long, *RUN, "--seed", seed, "--out", folder).code == 0
    one, two, three = ((tmp_path / f / "model.safetensors").read_bytes() for f in ("one", "two", "three"))
    assert one == two
    assert one != three


def test_a_number_and_a_test_file_work_in_chunks_too(diaphane, write, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 2))
    texts = [
        "a,b,y\n" + "".join(f"{u:.3f},{v:.3f},{u + 2 * v:.4f}\n" for u, v in part) for part in (x[:1200], x[1200:])
    ]
    source, test = write(texts[0], "s.csv"), write(texts[1], "t.csv")
    answer = diaphane("train", source, *RUN, "--test", test, "--target", "-1")
    assert answer.code == 0
    assert load_model(tmp_path / "model").facts["rows"]["test"] == 300
    assert load_model(tmp_path / "model").facts["scores"]["test"]["score"] > 0.9


def test_a_parquet_file_is_read_in_chunks(diaphane, long, tmp_path):
    polars = pytest.importorskip("polars")
    polars.read_csv(long).write_parquet(tmp_path / "long.parquet")
    answer = diaphane("train", tmp_path / "long.parquet", *RUN)
    assert (answer.code, answer.err) == (0, "")
    assert "read in chunks: 3000 rows" in answer.out


def test_a_file_that_free_memory_might_not_hold_is_read_in_chunks_unasked(diaphane, long, monkeypatch):
    monkeypatch.setattr(streams, "_free_memory", lambda: 100_000.0)
    assert "read in chunks" in diaphane("train", long, *RUN[1:]).out


def test_a_streamed_training_goes_on_to_the_same_bytes(diaphane, long, tmp_path):
    more = ("--checkpoint", "kept")
    assert diaphane("train", long, *RUN, "--out", "whole").code == 0
    short = [4 if word == 15 else word for word in RUN]
    assert diaphane("train", long, *short, *more).code == 0
    assert diaphane("train", long, *RUN, *more, "--resume").code == 0
    assert (tmp_path / "model/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()
    records = (tmp_path / "model/history.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in records] == list(range(1, len(records) + 1))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "logistic"], ["--model logistic has no use for", "--stream"]),
        (["--class-weight", "balanced"], ["--class-weight needs the table in memory"]),
        (["--target", "z"], ["'z'", "the columns are a, b, w, y"]),
        (["--target", "99"], ["'99'"]),
        (["--task", "regression"], ["number"]),
    ],
)
def test_what_cannot_be_done_in_chunks_is_said(diaphane, long, options, said):
    assert_one_line(diaphane("train", long, *RUN, *options), *said)


@pytest.mark.parametrize("text", ["", "a,b,y\n", "a,b,y\n1,2,p\n", "a,b,y\n1,2,p\n2,3,n\n1,2\n"])
def test_a_table_that_cannot_be_learnt_from_in_chunks_is_explained(diaphane, write, text):
    assert_one_line(diaphane("train", write(text, "t.csv"), *RUN))


def test_bytes_that_are_no_text_are_refused_in_chunks_too(diaphane, write):
    assert_one_line(diaphane("train", write(bytes(range(256)) * 10, "t.csv"), *RUN), "t.csv does not hold text")
