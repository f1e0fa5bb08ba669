"""``report.html`` of ``diaphane train`` and ``diaphane search``."""

from __future__ import annotations

import errno
import html
import json
import os
import re
from pathlib import Path

import pytest

from diaphane.app.fitted import fitted_of
from diaphane.app.fitting import fit_table
from diaphane.app.model import load_model
from diaphane.app.options import Options
from diaphane.data import read_table

from .conftest import mixed_table
from .test_command_mistakes import assert_one_line


def words_of(path: str = "model/report.html") -> str:
    text = Path(path).read_text(encoding="utf-8")
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<style.*?</style>", " ", text))).split())


def test_a_training_writes_a_page_with_its_score_its_split_and_how_to_repeat_it(diaphane, write):
    source = write(mixed_table(), "mixed.csv")
    answer = diaphane("train", source, "--members", 1, "--metric", "balanced_accuracy", "--report")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1] == "wrote model/report.html"
    words = words_of()
    score = load_model(Path("model")).facts["scores"]["test"]["score"]
    assert "balanced accuracy" in words
    assert f"{score:.3f}"[:4] in words
    assert "Test: 14 rows, at random, with each class in proportion; they were looked at once" in words
    assert f"diaphane train {source} --members 1 --metric balanced_accuracy" in words
    assert "TabularClassifier(random_state=0, n_members=1)" in words


def test_a_page_of_an_mlp_with_a_threshold_has_its_curves_its_health_and_the_threshold(diaphane, good):
    answer = diaphane("train", good, "--epochs", 3, "--hidden", 4, "--threshold", "auto", "--report")
    assert answer.code == 0
    words = words_of()
    for part in ("Gradient health", "How it learnt"):
        assert part in words
        assert f"{part}: " not in words.split("What is not here")[-1]
    assert f"{load_model(Path('model')).threshold:.2g}"[:3] in words


def test_a_search_has_its_table_on_the_page(diaphane, good):
    small = ("--folds", 2, "--epochs", 3, "--try", "alpha=1e-4,1", "--strategy", "grid")
    assert diaphane("search", good, *small, "--report").code == 0
    assert "alpha" in words_of()
    assert "best.toml" in {path.name for path in Path("model").iterdir()}


def test_rows_that_no_page_can_be_made_of_lose_no_model(diaphane, good, write):
    test = write("a,b,y\n1,2,pos\n2,1,pos\n", "t.csv")
    answer = diaphane("train", good, "--model", "logistic", "--metric", "auc", "--test", test, "--report")
    assert answer.code == 0
    assert "note: no report: " in answer.out
    assert "test AUC: –" in answer.out
    assert diaphane("predict", "model", good).code == 0


def test_no_page_is_made_where_none_is_wanted(diaphane, good):
    diaphane("train", good, "--model", "logistic", "--no-report")
    assert not Path("model/report.html").exists()


def test_a_disk_that_fills_at_the_report_says_where_the_model_is(diaphane, monkeypatch, good):
    def no_space(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("diaphane.report.Report.save", no_space)
    answer = diaphane("train", good, "--model", "logistic", "--report")
    assert answer.code == 2
    assert "the model is in model, but its report is not: No space left on device" in answer.err
    assert diaphane("predict", "model", good).code == 0


@pytest.mark.parametrize("model", ["logistic", "mlp"])
def test_a_model_of_the_command_is_a_classifier_of_scikit_learns(write, model):
    from sklearn.base import is_classifier
    from sklearn.metrics import accuracy_score

    table = read_table(write(mixed_table()))
    options = Options(model=model, epochs=5) if model == "mlp" else Options(model=model)
    outcome = fit_table(table, options, progress=False)
    features = table.drop(["y"])
    fitted = fitted_of(outcome.model, features.names)
    assert is_classifier(fitted)
    said = outcome.model.decide(outcome.model.outputs(features))
    assert fitted.predict(features).tolist() == said
    assert fitted.score(features, table["y"]) == pytest.approx(accuracy_score(table["y"].astype(str), said))
    pytest.importorskip("pandas")
    assert fitted.predict(features.to_frame()).tolist() == said
    assert fitted.predict_proba(features).sum(axis=1) == pytest.approx(1)


def test_a_full_disk_is_found_before_the_training(diaphane, monkeypatch, good):
    import tempfile

    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def write(self, data: bytes) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    for command in ("train", "search"):
        assert_one_line(diaphane(command, good, "--out", "m"), "--out: cannot write to m: No space left on device")
    assert_one_line(diaphane("compare", good, "--out", "c.csv"), "--out: cannot write to", "No space left on device")


def test_the_scores_in_the_file_are_plain_json(diaphane, write):
    diaphane("train", write(mixed_table()), "--members", 1)
    facts = load_model(Path("model")).facts
    assert json.loads(json.dumps(facts)) == facts
    assert facts["metric"] == "accuracy"
