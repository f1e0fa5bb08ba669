"""The frame that the library sees."""

from __future__ import annotations

import numpy as np
import pytest

from diaphane.data import DataError, MissingExtraError, Table


@pytest.fixture
def table():
    return Table({"n": [1, 2, None], "w": ["a", None, "c"], "b": [True, False, True]}, notes=("noted",))


def test_columns_are_float64_or_strings(table):
    np.testing.assert_array_equal(table["n"], [1.0, 2.0, np.nan])
    assert table["w"].tolist() == ["a", None, "c"]
    assert table["b"].tolist() == ["True", "False", "True"]
    assert len(table) == table.n_rows == 3


def test_select_drop_and_take_keep_the_notes(table):
    assert table.select(["w", "n"]).names == ("w", "n")
    assert table.drop(["w", "not there"]).names == ("n", "b")
    assert table.take([2, 0])["w"].tolist() == ["c", "a"]
    assert table.take([False, True, False])["n"].tolist() == [2.0]
    assert table.take([]).n_rows == 0
    assert table.take([0]).notes == ("noted",)


def test_to_frame_gives_pandas(table):
    pytest.importorskip("pandas", reason="pandas is not installed")
    assert list(table.to_frame().columns) == ["n", "w", "b"]


@pytest.mark.usefixtures("bare_install")
def test_to_frame_names_the_command_where_pandas_is_absent(table):
    with pytest.raises(MissingExtraError, match="pip install"):
        table.to_frame()


def test_mistakes_are_explained(table):
    with pytest.raises(DataError, match=r"no column 'N'; the columns are n, w, b. Did you mean 'n'\?"):
        table["N"]
    with pytest.raises(DataError, match="equal lengths"):
        Table({"a": [1], "b": [1, 2]})
    with pytest.raises(DataError, match=r"column 'a' has shape \(1, 1\)"):
        Table({"a": [[1]]})
    with pytest.raises(DataError, match="3 names for a matrix"):
        Table.from_matrix(np.zeros((2, 2)), ["a", "b", "c"])
