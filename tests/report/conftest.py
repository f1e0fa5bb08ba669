"""Three fitted models with their pages, made once."""

import warnings

import matplotlib
import numpy as np
import pandas as pd
import pytest
from report.pages import NASTY, Page
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split

from diaphane.estimators import TabularClassifier
from diaphane.report import RunFacts, report

matplotlib.use("Agg")


class Case:
    """A model, its rows and its page."""

    def __init__(self, model, learnt, test=None, **settings):
        self.model, self.learnt, self.test = model, learnt, test
        self.report = report(model, *learnt, test=test, **settings)
        self.page = Page(self.report.html)


@pytest.fixture(scope="session")
def forest():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
    model = RandomForestClassifier(20, random_state=0).fit(X, y)
    return Case(model, (X, y), (X_test, y_test), name="Tumours", metric="balanced_accuracy")


@pytest.fixture(scope="session")
def ridge():
    X, y = load_diabetes(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
    return Case(Ridge(0.1).fit(X, y), (X, y), (X_test, y_test), target="progression")


@pytest.fixture(scope="session")
def tabular():
    """Columns, classes and notes with all that HTML and SVG must not take for their own, and gaps."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {NASTY: rng.normal(size=90), "in $ & %": rng.normal(size=90), "colour": rng.choice(["red", "<b>", None], 90),
         "one": 1.0}
    )  # fmt: skip
    y = pd.Series(np.where(frame[NASTY] > 0, "yes & <i>", "no \x00"), name="<img src=x>").astype(object)
    y[3] = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = TabularClassifier(n_members=5, random_state=0).fit(frame[:60], y[:60])
    facts = RunFacts(
        split="at random", seconds={"reading": 0.5, "training": 2.0}, notes=("<u>noted</u>",), command="a < b"
    )
    return Case(model, (frame[:60], y[:60]), (frame[60:], y[60:]), name=NASTY, run=facts)
