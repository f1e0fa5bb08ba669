"""What cannot be reported on is refused with words, and nothing that was written before is lost."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans

from diaphane.report import report


def test_an_estimator_that_is_not_fitted_is_told_to_be(forest):
    with pytest.raises(ValueError, match="RandomForestClassifier is not fitted: call fit"):
        report(clone(forest.model), *forest.learnt)


def test_what_predicts_nothing_is_no_subject(forest):
    X, _ = forest.learnt
    with pytest.raises(TypeError, match="KMeans is neither a classifier nor a regressor"):
        report(KMeans(2, n_init=1, random_state=0).fit(X), X, None)


def test_rows_without_targets_are_refused(forest):
    X, y = forest.learnt
    with pytest.raises(ValueError, match=r"X without y; .* give both"):
        report(forest.model, X, None)
    with pytest.raises(ValueError, match=r"test must be \(X, y\), got DataFrame"):
        report(forest.model, X, y, test=X)
    with pytest.raises(ValueError, match=r"validation: .*inconsistent numbers of samples"):
        report(forest.model, X, y, validation=(X, y[:-1]))
    with pytest.raises(ValueError, match="test: none of the 3 rows has a target"):
        report(forest.model, X, y, test=(X[:3], np.full(3, np.nan)))
    with pytest.raises(ValueError, match="test has classes 7, of which nothing was learnt"):
        report(forest.model, X, y, test=(X[:3], [7, 7, 7]))


def test_a_metric_that_is_not_known_or_does_not_suit_is_refused_by_name(forest, ridge):
    with pytest.raises(ValueError, match="Did you mean 'accuracy'"):
        report(forest.model, *forest.learnt, metric="acuracy")
    with pytest.raises(ValueError, match="metric='accuracy' does not suit Ridge"):
        report(ridge.model, *ridge.learnt, metric="accuracy")


def test_rows_of_other_columns_are_the_callers_mistake(forest):
    X, y = forest.learnt
    with pytest.raises(ValueError, match="feature names"):
        report(forest.model, X, y, test=(X.iloc[:, 1:], y))


def test_a_place_that_is_not_there_is_said_before_anything_is_computed(forest, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*make it first"):
        report(forest.model, *forest.learnt, path=tmp_path / "nowhere" / "report.html")
    with pytest.raises(IsADirectoryError, match=r"is a folder; give the path of a file, such as .*report\.html"):
        report(forest.model, *forest.learnt, path=tmp_path)


def test_the_page_is_written_where_it_was_asked_for(ridge, tmp_path):
    place = tmp_path / "report.html"
    made = report(ridge.model, *ridge.learnt, test=ridge.test, path=place)
    assert place.read_text(encoding="utf-8") == made.html
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_on_a_full_disk_the_old_page_stays_and_nothing_is_left_behind(ridge, tmp_path, monkeypatch):
    place = tmp_path / "report.html"
    place.write_text("the old one")
    write = Path.write_bytes

    def full(self, content):
        write(self, content[:1000])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        ridge.report.save(place)
    assert place.read_text() == "the old one"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
