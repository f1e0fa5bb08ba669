"""Pipelines in files of skops: no pickle, a list of the types to trust, and the same predictions."""

import warnings

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import diaphane as dia

sio = pytest.importorskip("skops.io")

E = dia.estimators
X, y = load_iris(return_X_y=True)
ESTIMATORS = {
    "a perceptron of layers": E.MLPClassifier((5,), max_iter=10, random_state=0),
    "stopped early": E.MLPClassifier((5,), max_iter=10, early_stopping=True, random_state=0),
    "by L-BFGS": E.MLPClassifier((5,), solver="lbfgs", max_iter=30, random_state=0),
    "an optimizer": E.MLPClassifier((5,), max_iter=5, solver=dia.optim.SGD(0.1), random_state=0),
    "an initialiser": E.MLPClassifier((5,), max_iter=5, weight_init=dia.nn.HeNormal(), random_state=0),
    "a generator": E.MLPClassifier((5,), max_iter=5, random_state=np.random.RandomState(0)),
    "a callback": E.MLPClassifier((5,), max_iter=5, callbacks=[dia.training.EarlyStopping("loss")], random_state=0),
    "a function of the library": E.MLPClassifier((5,), max_iter=5, activation=dia.tanh, random_state=0),
    "a regression of layers": E.MLPRegressor(hidden_layer_sizes=(5,), max_iter=10, random_state=0),
    "logistic regression": E.LogisticRegression(),
    "a linear classifier": E.LinearClassifier(solver="lbfgs"),
    "a linear classifier, example by example": E.LinearClassifier(max_iter=5, random_state=0),
    "a perceptron": E.Perceptron(max_iter=5, random_state=0),
    "a perceptron of voters": E.Perceptron(average="voted", max_iter=5, random_state=0),
    "linear regression": E.LinearRegression(),
    "ridge regression": E.Ridge(),
}


def fitted(pipeline, rows=X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pipeline.fit(rows, y)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_pipeline_is_read_back_with_the_types_it_lists_and_predicts_the_same(name, tmp_path):
    pipeline = fitted(make_pipeline(StandardScaler(), ESTIMATORS[name]))
    sio.dump(pipeline, tmp_path / "pipeline.skops")
    unknown = sio.get_untrusted_types(file=tmp_path / "pipeline.skops")
    assert unknown
    assert all(kind.startswith("diaphane.") for kind in unknown)
    again = sio.load(tmp_path / "pipeline.skops", trusted=unknown)
    np.testing.assert_array_equal(again.predict(X), pipeline.predict(X))
    if hasattr(pipeline, "predict_proba"):
        np.testing.assert_array_equal(again.predict_proba(X), pipeline.predict_proba(X))
    assert [type(v) for v in again[-1].get_params().values()] == [type(v) for v in pipeline[-1].get_params().values()]


def test_nothing_is_read_that_was_not_trusted(tmp_path):
    sio.dump(fitted(make_pipeline(StandardScaler(), ESTIMATORS["a perceptron"])), tmp_path / "p.skops")
    with pytest.raises(Exception, match=r"(?i)untrusted.*diaphane\.estimators\.linear\.perceptron\.Perceptron"):
        sio.load(tmp_path / "p.skops", trusted=[])


def test_columns_of_words_and_numbers_go_with_the_estimator(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcd")).assign(colour=np.array(["red", "blue", "green"])[np.arange(150) % 3])
    prepared = make_column_transformer((StandardScaler(), list("abcd")), (OneHotEncoder(), ["colour"]))
    pipeline = fitted(make_pipeline(prepared, ESTIMATORS["a perceptron of layers"]), frame)
    sio.dump(pipeline, tmp_path / "p.skops")
    again = sio.load(tmp_path / "p.skops", trusted=sio.get_untrusted_types(file=tmp_path / "p.skops"))
    np.testing.assert_array_equal(again.predict_proba(frame), pipeline.predict_proba(frame))


def test_what_was_read_back_learns_on_as_the_original(tmp_path):
    pipeline = fitted(make_pipeline(StandardScaler(), E.MLPClassifier((5,), max_iter=10, random_state=0)))
    data = sio.dumps(pipeline)
    again = sio.loads(data, trusted=sio.get_untrusted_types(data=data))
    rows = pipeline[0].transform(X)
    for model in (pipeline[-1], again[-1]):
        model.partial_fit(rows, y)
    np.testing.assert_array_equal(again.predict_proba(X), pipeline.predict_proba(X))
    assert again[-1].loss_curve_ == pipeline[-1].loss_curve_


def test_a_function_without_a_name_cannot_be_written(tmp_path):
    pipeline = fitted(make_pipeline(StandardScaler(), E.MLPClassifier((5,), activation=lambda a: a, max_iter=2)))
    data = sio.dumps(pipeline)
    with pytest.raises(Exception, match="lambda"):
        sio.loads(data, trusted=sio.get_untrusted_types(data=data))
