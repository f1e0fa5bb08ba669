"""Among scikit-learn's tools: pipelines, searches, workers, metadata; and pickles and copies."""

import copy
import pickle
import pickletools

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import diaphane as dia
from diaphane.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(120, 8, random_state=0)
XR, YR = make_regression(120, 8, noise=1.0, random_state=0)
LABELS = make_multilabel_classification(120, 8, n_classes=3, random_state=0)[1]
SETTINGS = {"hidden_layer_sizes": (9,), "max_iter": 5, "random_state": 0}
MODELS = {
    "adam": (MLPClassifier(**SETTINGS), Y),
    "sgd": (MLPClassifier(solver="sgd", learning_rate="invscaling", **SETTINGS), Y),
    "labels": (MLPClassifier(**SETTINGS), LABELS),
    "hinge": (MLPClassifier(loss="hinge", **SETTINGS), Y),
    "dropout": (MLPClassifier(dropout=0.5, **SETTINGS), Y),
    "an optimizer": (MLPRegressor(solver=dia.optim.RMSProp(0.01), **SETTINGS), YR),
    "an initialiser": (MLPRegressor(weight_init=dia.nn.Orthogonal(), **SETTINGS), YR),
    "lbfgs": (MLPRegressor(solver="lbfgs", **SETTINGS), YR),
    "early stopping": (MLPRegressor(early_stopping=True, **SETTINGS), YR),
}


def through_joblib(model, folder):
    joblib.dump(model, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


COPIES = {
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "pickle, first protocol": lambda model, folder: pickle.loads(pickle.dumps(model, 2)),
    "joblib": through_joblib,
    "copy": lambda model, folder: copy.copy(model),
    "deepcopy": lambda model, folder: copy.deepcopy(model),
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("case", MODELS)
def test_a_copy_predicts_the_same_and_goes_on_the_same(case, way, tmp_path):
    model, y = MODELS[case]
    model = clone(model).fit(X, y)
    again = COPIES[way](model, tmp_path)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.get_params().keys() == model.get_params().keys()
    assert again.loss_ == model.loss_
    assert again.network_.summary()[-1].shape == model.network_.summary()[-1].shape
    if not hasattr(model, "partial_fit") or model.early_stopping:
        return
    for each in (model, again):
        each.partial_fit(X, y).partial_fit(X[:40], y[:40])
    for a, b in zip(again.coefs_ + again.intercepts_, model.coefs_ + model.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("way", COPIES)
def test_what_happens_to_a_copy_does_not_happen_to_the_original(way, tmp_path):
    model = MLPClassifier(**SETTINGS).fit(X, Y)
    before, curve = [c.copy() for c in model.coefs_], list(model.loss_curve_)
    COPIES[way](model, tmp_path).partial_fit(X, Y)
    assert model.loss_curve_ == curve
    for a, b in zip(before, model.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_pickle_holds_weights_and_no_graph_or_program():
    model = MLPClassifier((200,), early_stopping=True, max_iter=3, random_state=0).fit(X, Y)
    model.predict(X)
    data = pickle.dumps(model)
    modules = {str(arg).split(" ")[0] for op, arg, _ in pickletools.genops(data) if isinstance(arg, str)}
    assert not [m for m in modules if m.startswith(("diaphane.graph", "diaphane.engines", "diaphane.nn"))]
    numbers = sum(a.nbytes for a in model.coefs_ + model.intercepts_)
    # Weights once, and the two moments of Adam.
    assert len(data) < 3 * numbers + 5000


def test_clone_gives_an_unfitted_one_with_the_same_parameters():
    model = MLPClassifier(dropout=(0.5,), loss="hinge", **SETTINGS).fit(X, Y)
    copied = clone(model)
    assert not hasattr(copied, "coefs_")
    assert copied.get_params() == model.get_params()


def test_a_fit_after_copying_starts_where_a_first_fit_starts():
    model = MLPClassifier(**SETTINGS).fit(X, Y)
    again = pickle.loads(pickle.dumps(model)).fit(X, Y)
    np.testing.assert_array_equal(again.coefs_[0], model.coefs_[0])


def test_cross_validation_gives_the_same_on_two_workers_as_on_one():
    one, two = (cross_val_score(MLPClassifier(**SETTINGS), X, Y, cv=3, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_a_grid_search_finds_and_refits_the_best():
    grid = {"hidden_layer_sizes": [(2,), (9,)], "dropout": [0.0, 0.9], "solver": ["lbfgs", dia.optim.Adam(1e-6)]}
    search = GridSearchCV(MLPClassifier(max_iter=30, random_state=0), grid, cv=2).fit(X, Y)
    assert len(search.cv_results_["params"]) == 8
    assert search.best_params_["solver"] == "lbfgs"
    direct = MLPClassifier(max_iter=30, random_state=0, **search.best_params_).fit(X, Y)
    np.testing.assert_array_equal(search.predict_proba(X), direct.predict_proba(X))


def test_in_a_pipeline_it_gets_what_the_scaler_gives():
    pipeline = make_pipeline(StandardScaler(), MLPRegressor(**SETTINGS)).fit(XR, YR)
    scaled = StandardScaler().fit_transform(XR)
    np.testing.assert_array_equal(pipeline.predict(XR), MLPRegressor(**SETTINGS).fit(scaled, YR).predict(scaled))
    pipeline.set_params(mlpregressor__alpha=0.5)
    assert pipeline[-1].alpha == 0.5


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output_hands_named_columns_on_to_it(library):
    pytest.importorskip(library)
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**SETTINGS)).set_output(transform=library)
    pipeline.fit(X, Y)
    assert list(pipeline[-1].feature_names_in_) == [f"x{i}" for i in range(8)]
    plain = make_pipeline(StandardScaler(), MLPClassifier(**SETTINGS)).fit(X, Y)
    np.testing.assert_array_equal(pipeline.predict_proba(X), plain.predict_proba(X))


def test_probabilities_can_be_cross_validated():
    found = cross_val_predict(MLPClassifier(**SETTINGS), X, Y, cv=3, method="predict_proba")
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_sample_weights_are_routed_where_they_are_asked_for():
    weights = np.random.default_rng(0).uniform(0, 3, len(X))
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier(**SETTINGS).set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        pipeline.fit(X, Y, sample_weight=weights)
        search = GridSearchCV(model, {"alpha": [0.1]}, cv=2).fit(X, Y, sample_weight=weights)
    scaled = StandardScaler().fit_transform(X)
    direct = MLPClassifier(**SETTINGS).fit(scaled, Y, weights)
    np.testing.assert_array_equal(pipeline[-1].coefs_[0], direct.coefs_[0])
    direct = MLPClassifier(alpha=0.1, **SETTINGS).fit(X, Y, weights)
    np.testing.assert_array_equal(search.best_estimator_.coefs_[0], direct.coefs_[0])


def test_validation_data_can_be_routed_too():
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier(**SETTINGS).set_fit_request(validation_data=True)
        pipeline = make_pipeline(StandardScaler(with_std=False, with_mean=False), model)
        pipeline.fit(X, Y, validation_data=(X, Y))
    assert pipeline[-1].history_.last("validation_score") == pipeline.score(X, Y)


def test_parameters_set_after_the_fit_change_no_prediction_also_after_a_pickle():
    import pickle

    from sklearn.datasets import load_iris

    from diaphane.estimators import MLPClassifier

    X, y = load_iris(return_X_y=True)
    model = MLPClassifier((5,), solver="lbfgs", max_iter=400, alpha=1.0, random_state=0).fit(X, y)
    want = model.predict_proba(X)
    model.set_params(activation="tanh", hidden_layer_sizes=(3, 3), dropout=(0.1, 0.2))
    np.testing.assert_array_equal(model.predict_proba(X), want)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), want)


def test_a_fitted_model_with_callbacks_can_be_pickled():
    import pickle

    from diaphane.training import EarlyStopping

    model = MLPClassifier((4,), callbacks=[EarlyStopping("loss", patience=2)], max_iter=5, random_state=0).fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
