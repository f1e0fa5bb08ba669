"""Mixed columns become a matrix, the same one in another process and on a bare install."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from diaphane.data import ColumnEncoder, DataError, MissingExtraError, Table, choose_target, load, read_table
from diaphane.data.columns import MOST_CATEGORIES
from diaphane.data.numbers import LIMIT

N_ROWS = 200


def mixed(seed=0, dates=True):
    """Return a table with a column of every kind."""
    random = np.random.default_rng(seed)
    size = random.normal(50, 10, N_ROWS)
    size[::7] = np.nan
    columns = {
        "size": size,
        "colour": random.choice(np.array(["rouge", "vert", "bleu", None], dtype=object), N_ROWS),
        "title": [f"modèle {letter}{i}" for i, letter in enumerate(random.choice(list("abc"), N_ROWS))],
        "unit": ["cm"] * N_ROWS,
        "empty": [None] * N_ROWS,
    }
    if dates:
        days = random.integers(0, 1000, N_ROWS)
        columns["when"] = [f"{np.datetime64('2020-01-01') + int(day)}" for day in days]
    return Table(columns)


@pytest.fixture
def needs_skrub():
    pytest.importorskip("skrub", reason="skrub is not installed")
    pytest.importorskip("pandas", reason="pandas is not installed")


def test_numbers_are_centred_scaled_filled_and_marked():
    values = np.array([1.0, 2.0, 3.0, np.nan, 4.0])
    encoder = ColumnEncoder.fit(Table({"a": values}), dtype=np.float64)
    features = encoder.transform(Table({"a": values}))
    filled = np.where(np.isnan(values), 2.5, values)
    z = (filled - filled.mean()) / filled.std()
    np.testing.assert_allclose(features[:, 0], z / np.sqrt(1 + (z / LIMIT) ** 2), rtol=1e-12)
    np.testing.assert_array_equal(features[:, 1], [0, 0, 0, 1, 0])
    assert encoder.feature_names_out == ("a", "a is missing")


def test_far_values_stay_near_and_in_order():
    train = Table({"a": np.append(np.zeros(999), 1.0) + np.linspace(0, 1e-3, 1000)})
    encoder = ColumnEncoder.fit(train, dtype=np.float64)
    far = encoder.transform(Table({"a": [-1e308, -1.0, 0.0, 1.0, 1e9, 1e308]}))[:, 0]
    assert np.abs(far).max() <= LIMIT
    assert (np.diff(far) >= 0).all()


@pytest.mark.parametrize("factor", [1e-300, 1e-9, 1.0, 1e9, 1e300])
def test_the_unit_of_a_number_does_not_matter(factor):
    values = np.random.default_rng(0).normal(size=50)
    features = [
        ColumnEncoder.fit(table).transform(table) for table in (Table({"a": values}), Table({"a": values * factor}))
    ]
    np.testing.assert_allclose(*features, rtol=1e-5, atol=1e-6)


def test_categories_are_one_feature_each_and_new_ones_are_none():
    encoder = ColumnEncoder.fit(Table({"c": ["b", "a", None, "b"]}))
    assert encoder.feature_names_out == ("c = a", "c = b", "c is missing")
    features = encoder.transform(Table({"c": ["a", "never seen", None]}))
    np.testing.assert_array_equal(features, [[1, 0, 0], [0, 0, 0], [0, 0, 1]])


def test_missing_categories_that_training_never_saw_are_none_of_them():
    encoder = ColumnEncoder.fit(Table({"c": ["b", "a"]}))
    np.testing.assert_array_equal(encoder.transform(Table({"c": ["a", None]})), [[1, 0], [0, 0]])


def test_categories_written_as_numbers_are_found_in_a_file_that_has_only_those():
    encoder = ColumnEncoder.fit(Table({"c": ["01", "2", "x", "x"]}))
    np.testing.assert_array_equal(encoder.transform(Table({"c": [2, 1, 7]})), [[0, 1, 0], [1, 0, 0], [0, 0, 0]])


def test_many_different_words_become_few_numbers_that_keep_spelling():
    words = [f"{stem}{i}" for i in range(40) for stem in ("boulanger", "plombier")]
    assert len(words) > MOST_CATEGORIES
    encoder = ColumnEncoder.fit(Table({"job": words}))
    assert len(encoder.feature_names_out) == 30
    features = encoder.transform(Table({"job": ["boulangère", "boulanger", "plombier", None]}))
    near, far = np.linalg.norm(features[0] - features[1]), np.linalg.norm(features[0] - features[2])
    assert near < far
    assert not features[3].any()


@pytest.mark.usefixtures("needs_skrub")
@pytest.mark.parametrize(
    ("cells", "written"),
    [
        (["2024-01-31", "2023-12-01", "2022-06-15", None], "%Y-%m-%d"),
        (["31/01/2024", "01/12/2023", "15/06/2022"], "%d/%m/%Y"),
        (["01/31/2024", "12/01/2023", "06/15/2022"], "%m/%d/%Y"),
        (["2024-01-31 10:30:00", "2023-12-01 23:00:00"], "%Y-%m-%d %H:%M:%S"),
        (["31 Jan 2024", "1 Dec 2023", "15 Jun 2022"], "%d %b %Y"),
    ],
)
def test_dates_become_their_parts(cells, written):
    table = Table({"when": cells})
    encoder = ColumnEncoder.fit(table)
    assert encoder.describe() == f"when: a date written as {written}"
    assert "when month" in encoder.feature_names_out
    assert ("when time is missing" in encoder.feature_names_out) == (None in cells)
    assert np.isfinite(encoder.transform(Table({"when": ["nonsense", None]}))).all()


@pytest.mark.usefixtures("needs_skrub")
def test_later_dates_are_larger_and_numbers_are_no_dates():
    encoder = ColumnEncoder.fit(Table({"when": ["2024-01-31", "2022-06-15", "2023-12-01"]}))
    time = encoder.feature_names_out.index("when time")
    features = encoder.transform(Table({"when": ["2020-01-01", "2023-01-01", "2030-01-01"]}))
    assert (np.diff(features[:, time]) > 0).all()
    with pytest.raises(DataError, match="'when' holds the number 20240131; the model was trained on dates"):
        encoder.transform(Table({"when": [20240131]}))


@pytest.mark.usefixtures("needs_skrub")
def test_what_only_looks_like_dates_is_taken_for_words():
    encoder = ColumnEncoder.fit(Table({"version": ["1.2.99", "99.99.99", "1.0.10"]}))
    assert encoder.describe() == "version: 3 categories"


def test_what_says_nothing_is_left_out_and_said():
    encoder = ColumnEncoder.fit(mixed(dates=False))
    assert encoder.left_out == (("unit", "'cm' in every row"), ("empty", "all its values are missing"))
    lines = encoder.describe().splitlines()
    assert lines[0] == "size: a number, and whether it is missing"
    assert lines[1] == "colour: 3 categories, and missing"
    assert lines[2].startswith("title: text, 30 features")
    assert lines[-1] == "empty: left out, all its values are missing"


def test_a_constant_that_is_sometimes_missing_leaves_its_mark():
    encoder = ColumnEncoder.fit(Table({"a": [0.1, None, 0.1], "b": ["x", None, "x"]}))
    assert encoder.feature_names_out == ("a is missing", "b = x", "b is missing")


def test_constant_pixels_are_left_out_and_rare_ones_do_not_explode():
    table = load("digits")
    features = table.drop(["digit"])
    matrix = ColumnEncoder.fit(features).transform(features)
    assert matrix.shape == (1797, 61)
    assert matrix.dtype == np.float32
    assert np.abs(matrix).max() <= LIMIT


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"a": [1, 1], "b": ["x", "x"]}, "no column is of use .a 1 in every row; b 'x' in every row"),
        ({"a": [None, None]}, "no column is of use .a all its values are missing"),
        ({"a": [1, 2, np.inf]}, "column 'a' is infinite in row 3"),
    ],
)
def test_tables_nothing_can_be_learnt_from_are_refused(train, message):
    with pytest.raises(DataError, match=message):
        ColumnEncoder.fit(Table(train))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"Size": [1], "colour": ["red"]}, r"not there: size; there are Size, colour\. Did you mean 'Size'\?"),
        ({"x": [1]}, "not there: size, colour; there are x"),
        ({"size": ["12", "big"], "colour": ["red"] * 2}, "column 'size' holds 'big' in row 2.*trained on numbers"),
        ({"size": [1, -np.inf], "colour": ["red"] * 2}, "column 'size' is infinite in row 2"),
    ],
)
def test_a_table_with_other_columns_is_refused(other, message):
    encoder = ColumnEncoder.fit(Table({"size": [1, 2, 3], "colour": ["red", "blue", "red"]}))
    with pytest.raises(DataError, match=message):
        encoder.transform(Table(other))


def test_additional_columns_and_another_order_change_nothing():
    table = mixed(dates=False)
    encoder = ColumnEncoder.fit(table)
    shuffled = table.select(table.names[::-1]).with_column("target", np.zeros(N_ROWS))
    np.testing.assert_array_equal(encoder.transform(shuffled), encoder.transform(table))


def test_rows_are_encoded_one_by_one_as_all_together():
    table = mixed(dates=False)
    encoder = ColumnEncoder.fit(table, dtype=np.float64)
    one_by_one = np.vstack([encoder.transform(table.take([i])) for i in range(10)])
    np.testing.assert_allclose(one_by_one, encoder.transform(table)[:10], rtol=1e-12, atol=1e-15)


def test_strings_that_are_numbers_are_taken_as_numbers_where_training_had_them():
    encoder = ColumnEncoder.fit(Table({"a": [1, 2, 3]}))
    words = np.array(["2", None], dtype=object)
    np.testing.assert_array_equal(encoder.transform(Table({"a": words})), [[0], [0]])


@pytest.mark.usefixtures("needs_skrub")
def test_state_is_json_and_arrays_and_another_process_encodes_the_same(tmp_path):
    table = mixed()
    encoder = ColumnEncoder.fit(table)
    state, arrays = encoder.to_state()
    (tmp_path / "state.json").write_text(json.dumps(state, allow_nan=False))
    np.savez(tmp_path / "arrays.npz", **arrays)
    other = mixed(seed=1)
    np.save(tmp_path / "wanted.npy", encoder.transform(other))
    columns = {
        name: [None if cell != cell else cell for cell in column.tolist()] for name, column in other.columns.items()
    }
    (tmp_path / "other.json").write_text(json.dumps(columns))
    code = """
import json, sys
for extra in ("pandas", "polars", "skrub", "skops"):
    sys.modules[extra] = None
import numpy as np
from diaphane.data import ColumnEncoder, Table
with np.load("arrays.npz", allow_pickle=False) as file:
    encoder = ColumnEncoder.from_state(json.load(open("state.json")), dict(file))
print(np.array_equal(encoder.transform(Table(json.load(open("other.json")))), np.load("wanted.npy")))
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "True", run.stderr


def test_fitting_twice_gives_the_same_to_the_last_bit():
    first, second = (ColumnEncoder.fit(mixed(dates=False)) for _ in range(2))
    assert first == second
    assert first != ColumnEncoder.fit(mixed(seed=1, dates=False))
    assert hash(first) == hash(second)


def test_a_state_has_no_arrays_but_those_of_text():
    state, arrays = ColumnEncoder.fit(mixed(dates=False)).to_state()
    assert sorted(arrays) == ["column.2.directions", "column.2.rarity"]
    assert all(array.dtype == np.float64 for array in arrays.values())
    assert [column["kind"] for column in state["columns"]] == ["number", "category", "text"]


def broken_states():
    """Yield states with one thing wrong each."""
    state, arrays = ColumnEncoder.fit(mixed(dates=False)).to_state()

    def changed(change):
        copy = json.loads(json.dumps(state))
        change(copy)
        return copy

    yield changed(lambda s: s.pop("columns")), arrays
    yield changed(lambda s: s["columns"][0].update(kind="builtins.eval")), arrays
    yield changed(lambda s: s["columns"][0]["learnt"].update(scale="wide")), arrays
    yield changed(lambda s: s["columns"][0]["learnt"].update(scale=-1.0)), arrays
    yield changed(lambda s: s["columns"][1].update(learnt=None)), arrays
    yield changed(lambda s: s.update(columns=3)), arrays
    yield state, {}
    yield state, {**arrays, "column.2.rarity": np.zeros(2)}


@pytest.mark.parametrize("i", range(8))
def test_a_state_that_is_not_ours_is_refused(i):
    state, arrays = list(broken_states())[i]
    with pytest.raises(DataError, match="stored description of the columns cannot be read"):
        ColumnEncoder.from_state(state, arrays)


def test_dtype_is_checked():
    with pytest.raises(DataError, match="dtype is int64; expected float32 or float64"):
        ColumnEncoder.fit(Table({"a": [1, 2]}), dtype=np.int64)


def test_a_bare_install_encodes_the_same(bare_install, monkeypatch, write):
    table = mixed(dates=False)
    rows = zip(*(column.tolist() for column in table.columns.values()), strict=True)
    text = "\n".join(",".join("" if cell is None or cell != cell else str(cell) for cell in row) for row in rows)
    path = write(f"{','.join(table.names)}\n{text}\n")
    bare_table = read_table(path)
    bare = ColumnEncoder.fit(bare_table).transform(bare_table)
    monkeypatch.undo()
    full_table = read_table(path)
    full = ColumnEncoder.fit(full_table).transform(full_table)
    np.testing.assert_array_equal(bare, full)


@pytest.mark.usefixtures("bare_install")
def test_a_bare_install_names_the_command_that_brings_dates():
    with pytest.raises(MissingExtraError, match=r"column 'when' holds dates.*pip install \"diaphane\[table\]\""):
        ColumnEncoder.fit(mixed())


@pytest.mark.parametrize(
    ("name", "header", "target"),
    [
        ("adult_test.csv", True, None),
        ("horse_colic.csv", False, None),
        ("auto_imports.csv", False, None),
        ("german_credit.csv", False, None),
        ("beijing_pm25.csv", True, "pm2.5"),
    ],
)
def test_real_tables_become_finite_features_and_are_stored(real_file, name, header, target):
    table = read_table(real_file(name), header=header)
    chosen = choose_target(table, target)
    features = table.drop([chosen.name]).take(chosen.rows)
    half = features.take(np.arange(0, features.n_rows, 2))
    encoder = ColumnEncoder.fit(half)
    matrix = encoder.transform(features)
    assert np.isfinite(matrix).all()
    assert matrix.shape == (len(chosen.y), len(encoder.feature_names_out))
    state, arrays = encoder.to_state()
    restored = ColumnEncoder.from_state(json.loads(json.dumps(state, allow_nan=False)), arrays)
    np.testing.assert_array_equal(restored.transform(features), matrix)


def test_unbounded_numbers_are_linear_in_their_column_and_stay_so_in_a_file():
    import json

    values = np.array([1.0, 2.0, 3.0, 100.0])
    encoder = ColumnEncoder.fit(Table({"size": values}), dtype=np.float64, bounded=False)
    np.testing.assert_allclose(encoder.transform(Table({"size": values}))[:, 0], (values - 26.5) / values.std())
    state, arrays = encoder.to_state()
    assert ColumnEncoder.from_state(json.loads(json.dumps(state, allow_nan=False)), arrays) == encoder
    bounded = ColumnEncoder.fit(Table({"size": values}), dtype=np.float64)
    assert "limit" not in json.dumps(bounded.to_state()[0])
    assert np.isfinite(encoder.transform(Table({"size": [1e308]})).astype(np.float32)).all()
