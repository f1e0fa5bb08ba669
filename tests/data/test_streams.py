"""Streams: rows read in chunks are the rows of the file, whatever the chunks, and learn what all of them would."""

from __future__ import annotations

import gc
import gzip
import itertools
import sys
import threading
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diaphane.data import ColumnEncoder, DataError, MissingExtraError, NewCategoryWarning, Table, open_stream
from diaphane.data.readahead import ReadAhead
from diaphane.data.statistics import ColumnStatistics

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def rows_of(n: int, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "a": rng.standard_normal(n).astype(np.float32),
        "b": (5 + 3 * rng.standard_normal(n)).astype(np.float32),
        "y": rng.standard_normal(n).astype(np.float32),
    }


def write(folder: Path, columns: dict[str, Any], kind: str, group: int = 37) -> Path:
    table = pa.table(columns)
    path = folder / f"rows.{kind}"
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=group)
    elif kind == "arrow":
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table, max_chunksize=group)
    else:
        import pyarrow.csv as csv

        plain = folder / "plain.csv"
        csv.write_csv(table, plain)
        text = plain.read_bytes()
        path.write_bytes(gzip.compress(text) if kind.endswith("gz") else text)
    return path


def all_rows(parts: Any) -> np.ndarray:
    return np.concatenate([np.column_stack([p.x, p.y]) for p in parts])


def threads_left() -> int:
    return sum(t.name == "diaphane-read-ahead" and t.is_alive() for t in threading.enumerate())


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv", "csv.gz"])
def test_chunks_of_every_kind_of_file_are_the_rows_in_their_order(tmp_path: Path, kind: str) -> None:
    columns = rows_of(200)
    stream = open_stream(write(tmp_path, columns, kind), target="y", chunk_rows=23, dtype="float32")
    found = list(stream.chunks())
    np.testing.assert_array_equal(all_rows(found).astype(np.float32), np.column_stack(list(columns.values())))
    assert max(len(chunk) for chunk in found) <= 23
    assert found[0].x.dtype == np.float32
    assert stream.n_rows == (None if "csv" in kind else 200)
    assert stream.count() == 200


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv"])
def test_without_pyarrow_the_same_rows_are_read(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = rows_of(90) | {"kind": ["red", "blue", None] * 30}
    path = write(tmp_path, columns, kind)
    by_arrow = list(open_stream(path, target="y", chunk_rows=23).encoded().chunks())
    pytest.importorskip("polars")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    without = list(open_stream(path, target="y", chunk_rows=23).encoded().chunks())
    np.testing.assert_array_equal(all_rows(without), all_rows(by_arrow))
    if kind == "parquet":
        monkeypatch.setitem(sys.modules, "polars", None)
        with pytest.raises(MissingExtraError, match=r"diaphane\[arrow\]"):
            open_stream(path)


def test_files_after_one_another_are_one_stream(tmp_path: Path) -> None:
    parts = [rows_of(50, seed) for seed in range(3)]
    paths = []
    for i, part in enumerate(parts):
        (tmp_path / str(i)).mkdir()
        paths.append(write(tmp_path / str(i), part, "parquet"))
    found = all_rows(open_stream(paths, target="y").chunks())
    np.testing.assert_array_equal(found, np.concatenate([np.column_stack(list(p.values())) for p in parts]))


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 120),
    window=st.integers(1, 150),
    chunk=st.integers(1, 50),
    multiple=st.integers(1, 20),
    seed=st.none() | st.integers(0, 9),
)
def test_windows_give_every_row_once_and_whole_batches(
    rows: int, window: int, chunk: int, multiple: int, seed: int | None
) -> None:
    x = np.arange(rows, dtype=np.float64)

    def chunks() -> Any:
        for start in range(0, rows, 17):
            yield x[start : start + 17, None], x[start : start + 17]

    stream = open_stream(chunks, window=window, chunk_rows=chunk)
    found = list(stream.windows(seed, multiple=multiple))
    seen = np.concatenate([w.y[w.order] for w in found])
    assert Counter(seen.tolist()) == Counter(x.tolist())
    assert all(len(w) % multiple == 0 for w in found[:-1])
    assert max(len(w) for w in found) <= max(window, multiple)
    if seed is None:
        np.testing.assert_array_equal(seen, x)
    again = np.concatenate([w.y[w.order] for w in stream.windows(seed, multiple=multiple, reuse=False)])
    np.testing.assert_array_equal(again, seen)


def test_a_pass_goes_on_where_a_window_ended_to_the_same_rows(tmp_path: Path) -> None:
    stream = open_stream(write(tmp_path, rows_of(500), "parquet", 31), target="y", window=96, chunk_rows=20)
    whole = [w.x[w.order] for w in stream.windows(5, multiple=8)]
    done = 0
    for k, part in enumerate(whole):
        rest = [w.x[w.order] for w in stream.windows(5, multiple=8, skip=done)]
        np.testing.assert_array_equal(np.concatenate(rest), np.concatenate(whole[k:]))
        done += len(part)
    with pytest.raises(ValueError, match="skip=3 is not the end of a window"):
        next(stream.windows(5, multiple=8, skip=3))


def test_row_groups_come_in_another_order_with_each_seed(tmp_path: Path) -> None:
    stream = open_stream(write(tmp_path, rows_of(400), "parquet", 20), target="y", window=20)
    firsts = {float(next(stream.windows(seed)).y.max()) for seed in range(6)}
    assert len(firsts) > 1


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 19_999), max_size=6), seed=st.integers(0, 99))
def test_statistics_do_not_depend_on_the_chunks_by_a_bit(cuts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(3, 2, 20_000)
    values[rng.random(20_000) < 0.1] = np.nan
    whole, cut = ColumnStatistics(), ColumnStatistics()
    whole.add({"a": values})
    edges = [0, *sorted(set(cuts)), 20_000]
    for start, stop in itertools.pairwise(edges):
        cut.add({"a": values[start:stop]})
    assert cut.encoder() == whole.encoder()


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_statistics_of_numbers_are_numpys(offset: float) -> None:
    values = np.random.default_rng(1).normal(offset, 2, (100_000, 3))
    statistics = ColumnStatistics()
    for part in np.array_split(values, 77):
        statistics.add({f"x{k}": part[:, k] for k in range(3)})
    encoder = statistics.encoder()
    for k, own in enumerate(encoder.encoders):
        exact = values[:, k].astype(np.longdouble)
        np.testing.assert_allclose(own.centre, float(exact.mean()), rtol=1e-12)
        np.testing.assert_allclose(own.scale, float(exact.std()), rtol=1e-12)
        assert statistics.moments[f"x{k}"].count == 100_000
        share = float((values[:, k] < own.fill).mean())
        assert abs(share - 0.5) < 0.01


def test_the_encoder_of_a_stream_is_the_one_of_the_table() -> None:
    rng = np.random.default_rng(2)
    n = 3000
    size = rng.normal(10, 3, n)
    size[::7] = np.nan
    words = [f"word {i} of {i % 7}" for i in rng.integers(0, 200, n)]
    columns = {
        "size": size,
        "colour": np.array(["red", "green", None], dtype=object)[rng.integers(0, 3, n)],
        "constant": np.ones(n),
        "text": np.array(words, dtype=object),
    }
    statistics = ColumnStatistics()
    for start in range(0, n, 331):
        statistics.add({name: values[start : start + 331] for name, values in columns.items()})
    found, expected = statistics.encoder(), ColumnEncoder.fit(Table(columns))
    assert found.feature_names_out == expected.feature_names_out
    assert found.left_out == expected.left_out
    table = Table(columns)
    np.testing.assert_allclose(found.transform(table), expected.transform(table), atol=2e-6)


def test_statistics_of_a_file_tell_labels_scale_and_rows_without_target(tmp_path: Path) -> None:
    columns = {"a": np.arange(60.0), "y": ["yes", "no", None] * 20}
    stream = open_stream(write(tmp_path, columns, "parquet"), target="y")
    found = stream.statistics()
    assert (found.task, found.labels, found.n_rows, found.n_missing) == ("classification", ("no", "yes"), 40, 20)
    encoded = stream.encoded(found).with_target(found.encode_target)
    np.testing.assert_array_equal(np.concatenate([c.y for c in encoded.chunks()]), [1, 0] * 20)
    (tmp_path / "numbers").mkdir()
    numbers = write(tmp_path / "numbers", {"a": np.arange(60.0), "y": np.linspace(0, 9, 60)}, "parquet")
    scaled = open_stream(numbers).statistics()
    assert scaled.task == "regression"
    assert scaled.scaler is not None
    np.testing.assert_allclose(
        [scaled.scaler.mean, scaled.scaler.scale], [4.5, np.linspace(0, 9, 60).std()], rtol=1e-12
    )


def test_a_new_category_is_unknown_counted_and_said_once(tmp_path: Path) -> None:
    learnt = ColumnEncoder.fit(Table({"colour": ["red", "blue"] * 5}))
    path = tmp_path / "new.csv"
    path.write_text("colour,y\n" + "red,1\ngreen,2\nblue,3\nviolet,4\n" * 10, encoding="utf-8")
    stream = open_stream(path, target="y", chunk_rows=8).encoded(learnt)
    with pytest.warns(NewCategoryWarning, match="'colour' holds words") as said:
        x = np.concatenate([chunk.x for chunk in stream.chunks()])
    assert len(said) == 1
    assert stream.unseen["colour"] == 20
    assert x.sum(axis=1).tolist() == [1, 0, 1, 0] * 10
    strict = open_stream(path, target="y", new_categories="error").encoded(learnt)
    with pytest.raises(DataError, match=r"'colour' holds 'green' in new.csv"):
        list(strict.chunks())


def test_bad_rows_and_files_are_named(tmp_path: Path) -> None:
    columns = rows_of(100)
    columns["b"] = columns["b"].astype(np.float64)
    columns["b"][70] = np.nan
    path = write(tmp_path, columns, "parquet")
    with pytest.raises(DataError, match=r"column 'b' is nan in row 34 of rows.parquet, row group 1"):
        list(open_stream(path, target="y").chunks())
    columns["b"][70] = np.inf
    path = write(tmp_path, columns, "parquet")
    with pytest.raises(DataError, match="column 'b' is inf in row 34"):
        list(open_stream(path, target="y").chunks())
    with pytest.raises(DataError, match=r"no column 'z'; .* a, b, y"):
        open_stream(path, target="z")
    with pytest.raises(DataError, match="Did you mean 'a'"):
        open_stream(path, target="y", columns=["A"])
    with pytest.raises(DataError, match="there is no file"):
        open_stream(tmp_path / "absent.parquet")
    with pytest.raises(DataError, match=r"expected \.parquet"):
        open_stream(tmp_path / "rows.xlsx")
    columns["y"][3] = np.nan
    path = write(tmp_path, columns | {"b": columns["a"]}, "parquet")
    with pytest.raises(DataError, match=r"the target 'y' is missing in row 4 of rows.parquet, row group 0"):
        list(open_stream(path, target="y").chunks())
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(DataError, match="is empty"):
        open_stream(tmp_path / "empty.csv")
    (tmp_path / "header.csv").write_text("a,y\n")
    with pytest.raises(DataError, match="no rows"):
        open_stream(tmp_path / "header.csv")
    pq.write_table(
        pa.table({"a": pa.array([], pa.float32()), "y": pa.array([], pa.float32())}), tmp_path / "no.parquet"
    )
    with pytest.raises(DataError, match=r"no.parquet has no rows"):
        open_stream(tmp_path / "no.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"broken.parquet cannot be read as Parquet"):
        open_stream(tmp_path / "broken.parquet")
    with pytest.raises(ValueError, match="window must be a whole number of at least 1, got 0"):
        open_stream(path, window=0)


def test_files_with_other_columns_are_refused_by_name(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    one = write(tmp_path / "one", rows_of(10), "parquet")
    two = write(tmp_path / "two", {"a": np.zeros(3), "c": np.zeros(3), "y": np.zeros(3)}, "parquet")
    with pytest.raises(DataError, match="lacks b and has c besides"):
        open_stream([one, two], target="y")
    three = write(tmp_path / "three", rows_of(3) | {"b": ["x", "y", "z"]}, "parquet")
    with pytest.raises(DataError, match=r"column 'b' holds words in .* and numbers in"):
        open_stream([one, three], target="y")


def test_words_without_an_encoder_are_refused_with_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path, rows_of(3) | {"b": ["x", "y", "z"]}, "parquet")
    with pytest.raises(DataError, match=r"column 'b' holds words.*encoded\(\)"):
        list(open_stream(path, target="y").chunks())


def test_text_that_turns_up_late_in_a_column_of_numbers_is_named(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("a,y\n" + "1.5,2\n" * 60_000 + "many,3\n")
    stream = open_stream(path, target="y")
    with pytest.raises(DataError, match=r"text=\["):
        list(stream.chunks())
    found = open_stream(path, target="y", text=["a"]).statistics()
    assert found.encoder.feature_names_out == ("a = 1.5", "a = many")


def test_a_file_that_is_gone_in_the_second_pass_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, rows_of(50), "parquet")
    stream = open_stream(path, target="y")
    assert sum(len(c) for c in stream.chunks()) == 50
    path.unlink()
    with pytest.raises(DataError, match="has to stay where it is"):
        list(stream.chunks())


def test_chunks_of_a_function_are_checked_one_by_one() -> None:
    def other() -> Any:
        yield np.zeros((2, 3)), np.zeros(2)
        yield np.zeros((2, 4)), np.zeros(2)

    with pytest.raises(DataError, match="chunk 2 has other columns than the first: it has x3 besides"):
        list(open_stream(other).chunks())
    with pytest.raises(DataError, match="no chunk"):
        open_stream(lambda: iter(()))
    with pytest.raises(DataError, match="as many rows each"):
        open_stream(lambda: [(np.zeros((2, 3)), np.zeros(3))])
    with pytest.raises(DataError, match="expected \\(X, y\\)"):
        open_stream(lambda: [np.zeros((2, 3))])
    with pytest.raises(TypeError, match="source must be paths, a function"):
        open_stream(3)


def test_a_generator_is_read_once_and_then_asked_for_its_function() -> None:
    def make() -> Any:
        for k in range(3):
            yield np.full((2, 1), k), np.full(2, k)

    stream = open_stream(make())
    assert all_rows(stream.chunks())[:, 0].tolist() == [0, 0, 1, 1, 2, 2]
    with pytest.raises(DataError, match="give the function that makes it"):
        list(stream.chunks())
    again = open_stream(make)
    assert len(list(again.chunks())) == len(list(again.chunks())) == 3


def test_the_reading_thread_ends_with_its_reader() -> None:
    made: list[int] = []

    def many() -> Any:
        for k in range(10_000):
            made.append(k)
            yield np.full((4, 2), k), np.zeros(4)

    before = threads_left()
    windows = open_stream(many, window=8).windows()
    next(windows)
    windows.close()
    assert threads_left() == before
    assert len(made) < 40, "it read on without bound"
    reader = ReadAhead(lambda: iter(range(100)))
    next(reader)
    del reader
    gc.collect()
    deadline = time.monotonic() + 5
    while threads_left() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threads_left() == before


def test_what_goes_wrong_on_the_thread_is_raised_where_rows_are_taken() -> None:
    def broken() -> Any:
        yield np.zeros((4, 2)), np.zeros(4)
        raise OSError("the line went dead")

    with pytest.raises(OSError, match="the line went dead"):
        list(open_stream(broken, window=4).windows())


def test_weights_come_beside_the_rows(tmp_path: Path) -> None:
    columns = rows_of(50) | {"w": np.linspace(0, 1, 50)}
    path = write(tmp_path, columns, "parquet")
    stream = open_stream(path, target="y", weights="w")
    assert stream.names == ("a", "b")
    np.testing.assert_array_equal(np.concatenate([c.weights for c in stream.chunks()]), columns["w"])
    columns["w"][7] = -1
    path = write(tmp_path, columns, "parquet")
    with pytest.raises(DataError, match=r"the weight 'w' is -1.0 in row 8"):
        list(open_stream(path, target="y", weights="w").chunks())


def test_reading_numbers_takes_a_few_chunks_of_memory_and_no_object_a_cell(tmp_path: Path) -> None:
    columns = {f"x{k}": np.ones(200_000, np.float32) for k in range(4)} | {"y": np.zeros(200_000, np.float32)}
    stream = open_stream(write(tmp_path, columns, "parquet", 200_000), target="y")
    import tracemalloc

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tracemalloc.start()
        for _ in stream.chunks():
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert stream.dtype == np.float32
    assert peak < 12 * stream.chunk_rows * 5 * 4
