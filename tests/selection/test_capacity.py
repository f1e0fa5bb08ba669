"""Errors against capacity are scikit-learn's own, and the words on them are right where the law is known."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split, validation_curve
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from diaphane.data import bayes_error, gaussians
from diaphane.estimators import MLPClassifier, MLPRegressor
from diaphane.selection import CapacityCurve, capacity_curve

LAW = {"means": [[0, 0], [0.5, 0]], "covariance": [[[0.3, 0], [0, 0.3]], [[2, 0], [0, 2]]]}
IRIS, KINDS = load_iris(return_X_y=True)
DISEASE, PROGRESS = load_diabetes(return_X_y=True)


def rings(n, seed):
    return gaussians(n, random_state=seed, **LAW)


def small(units=(4,), **settings):
    rule = {"learning_rate_init": 0.03, "max_iter": 3000, "n_iter_no_change": 100}
    return MLPClassifier(units, "tanh", alpha=0.0, **rule, **settings)


def quick(**settings):
    return MLPClassifier((5,), max_iter=2, tol=0, **settings)


@pytest.fixture(scope="module")
def units_curve():
    data = {"validation": rings(4000, 1), "n_repeats": 4}
    return capacity_curve(small(), *rings(100, 0), "hidden_units", [1, 2, 4, 20], **data)


def test_training_error_falls_with_hidden_units_and_validation_error_is_least_in_the_middle(units_curve):
    assert (np.diff(units_curve.train_mean) < 0).all()
    assert units_curve.best == 4
    assert units_curve.regimes == ("underfits", "underfits", "fits", "overfits")
    assert units_curve.train_mean[3] < 0.08


def test_no_validation_error_is_below_the_bayes_error_and_the_best_one_is_near_it(units_curve):
    least = bayes_error(**LAW)
    # Four standard deviations of a share over 4000 rows.
    chance = 4 * np.sqrt(least * (1 - least) / 4000)
    assert (units_curve.validation > least - chance).all()
    assert units_curve.validation_mean.min() < least + 0.06
    # Training error of too many units is below what any classifier has: that is what it says of a fit.
    assert units_curve.train_mean[3] < least - 0.1


@pytest.mark.parametrize(
    ("estimator", "data", "param", "whole", "values", "scoring", "offset"),
    [
        (Ridge(), (DISEASE, PROGRESS), "alpha", "alpha", [0.01, 1.0, 100.0], "r2", 1),
        (Ridge(), (DISEASE, PROGRESS), "alpha", "alpha", [0.01, 1.0], "neg_mean_absolute_error", 0),
        (make_pipeline(StandardScaler(), GaussianNB()), (IRIS, KINDS), "var_smoothing", "gaussiannb__var_smoothing",
         [1e-9, 1.0], "neg_log_loss", 0),
        (DecisionTreeClassifier(random_state=0), (IRIS, KINDS), "max_depth", "max_depth", [1, 2, None],
         "balanced_accuracy", 1),
    ],
)  # fmt: skip
def test_errors_are_those_of_scikit_learns_validation_curve(estimator, data, param, whole, values, scoring, offset):
    folds = list(KFold(4, shuffle=True, random_state=3).split(data[0]))
    curve = capacity_curve(estimator, *data, param, values, cv=folds, scoring=scoring)
    seeded = estimator
    if param == "max_depth":
        seeded = DecisionTreeClassifier(random_state=np.random.RandomState(0).randint(2**31))
    theirs = validation_curve(seeded, *data, param_name=whole, param_range=values, cv=folds, scoring=scoring)
    assert curve.parameter == whole
    np.testing.assert_allclose(curve.train, offset - theirs[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(curve.validation, offset - theirs[1], rtol=1e-12, atol=1e-12)


def test_by_default_classifiers_have_an_error_rate_and_regressors_a_mean_squared_error():
    curve = capacity_curve(GaussianNB(), IRIS, KINDS, "var_smoothing", [1e-9], validation=(IRIS, KINDS))
    model = GaussianNB().fit(IRIS, KINDS)
    assert curve.validation[0, 0] == pytest.approx(np.mean(model.predict(IRIS) != KINDS))
    assert curve.error == "error rate"
    curve = capacity_curve(Ridge(), DISEASE, PROGRESS, "alpha", [1.0], validation=(DISEASE, PROGRESS))
    predicted = Ridge().fit(DISEASE, PROGRESS).predict(DISEASE)
    assert curve.train[0, 0] == pytest.approx(np.mean((predicted - PROGRESS) ** 2))
    assert curve.error == "mean squared error"


@pytest.mark.parametrize("pipe", [False, True])
def test_hidden_units_and_depth_set_the_layers_also_inside_a_pipeline(pipe):
    X, test, y, truth = train_test_split(IRIS, KINDS, random_state=0)
    base = MLPClassifier((7, 5), max_iter=30, tol=0, learning_rate_init=0.05, random_state=0)
    estimator = make_pipeline(StandardScaler(), base) if pipe else base
    seed = int(np.random.RandomState(4).randint(2**31))
    for param, value, sizes in [("hidden_units", 3, (3, 3)), ("depth", 3, (7, 7, 7)), ("depth", 0, ())]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            curve = capacity_curve(
                estimator, X, y, param, [value], validation=(test, truth), scoring="neg_log_loss", random_state=4
            )
            same = MLPClassifier(sizes, max_iter=30, tol=0, learning_rate_init=0.05, random_state=seed)
            same = (make_pipeline(StandardScaler(), same) if pipe else same).fit(X, y)
        assert curve.validation[0, 0] == pytest.approx(log_loss(truth, same.predict_proba(test)), rel=1e-6)
        assert curve.values == (value,)
    assert base.hidden_layer_sizes == (7, 5)


def test_dropout_raises_the_training_error_and_a_penalty_takes_back_what_many_units_have_too_much():
    X, y = rings(100, 0)
    noisy = MLPClassifier((50,), "tanh", max_iter=300, tol=0, n_iter_no_change=400, learning_rate_init=0.02)
    with pytest.warns(ConvergenceWarning, match="2 of 2 fits stopped"):
        curve = capacity_curve(noisy, X, y, "dropout", [0.0, 0.8], validation=rings(1000, 1), scoring="neg_log_loss")
    assert curve.train_mean[1] > curve.train_mean[0]
    penalty = capacity_curve(small((20,)), X, y, "alpha", [1e-3, 1.0, 100.0], validation=rings(4000, 1), n_repeats=2)
    assert penalty.best == 1.0
    assert penalty.regimes == ("overfits", "fits", "underfits")


def test_the_same_random_state_repeats_it_bit_for_bit_also_in_other_processes():
    def curve(seed, **settings):
        with pytest.warns(ConvergenceWarning, match="12 of 12 fits stopped before they converged, at alpha = 0, 1"):
            return capacity_curve(
                quick(), IRIS, KINDS, "alpha", [0.0, 1.0], cv=3, n_repeats=2, random_state=seed, **settings
            )

    first, again, other, beside = curve(1), curve(1), curve(2), curve(1, n_jobs=2)
    assert first.validation.shape == (2, 6)
    for found in (again, beside):
        assert np.array_equal(first.train, found.train)
        assert np.array_equal(first.validation, found.validation)
    assert not np.array_equal(first.validation, other.validation)


def test_a_repeat_has_folds_of_its_own_and_all_values_of_one_the_same_rows():
    seen = []

    class Recording(DecisionTreeClassifier):
        def fit(self, X, y):
            seen.append((self.random_state, X[:, 0].tobytes()))
            return super().fit(X, y)

    capacity_curve(Recording(), IRIS, KINDS, "max_depth", [1, 2], cv=3, n_repeats=2)
    shallow, deep = seen[:6], seen[6:]
    assert shallow == deep
    assert len(set(shallow)) == 6
    assert len({seed for seed, _ in shallow}) == 2


def test_rows_of_one_group_stay_together():
    groups = np.arange(150) % 10
    held = []

    def scorer(model, X, y):
        held.append(set((X[:, 0] % 10).astype(int)))
        return model.score(X, y)

    X = np.arange(150.0)[:, np.newaxis]
    capacity_curve(DecisionTreeClassifier(), X, KINDS, "max_depth", [2], cv=5, groups=groups, scoring=scorer)
    validated, learnt = held[0::2], held[1::2]
    assert all(v.isdisjoint(t) for v, t in zip(validated, learnt, strict=True))


def curve_of(train, validation, values=(1, 2, 3, 4)):
    return CapacityCurve("units", "units", values, np.array(train), np.array(validation), "error rate")


def test_a_word_is_said_only_of_differences_beyond_two_standard_errors():
    near = np.array([0.20, 0.22, 0.18])
    curve = curve_of(
        [[0.4] * 3, [0.19] * 3, [0.1] * 3, [0.0] * 3],
        [near + [0.2, 0.21, 0.19], near + [0.03, -0.01, 0.0], near, near + [0.1, 0.12, 0.09]],
    )
    assert curve.regimes == ("underfits", "fits", "fits", "overfits")
    assert (curve.best, curve.simplest) == (3, 2)
    excess, error = curve.excess
    assert excess[1] == pytest.approx(0.02 / 3)
    assert error[1] == pytest.approx(np.std([0.03, -0.01, 0.0], ddof=1) / np.sqrt(3))
    assert "It underfits at 1" in curve.verdict
    assert "It overfits at 4" in curve.verdict
    assert "2 is simpler" in curve.verdict


def test_the_words_say_where_nothing_differs_and_where_the_best_is_at_an_end():
    level = curve_of([[0.1] * 2] * 4, [[0.2, 0.3]] * 4)
    assert "No value tried is clearly better" in level.verdict
    falling = curve_of([[0.4], [0.3], [0.2], [0.1]], [[0.4], [0.3], [0.25], [0.2]])
    assert "at an end of what was tried" in falling.verdict
    assert "Of one fit a value" in falling.verdict
    assert np.isnan(falling.table()[0]["validation_spread"])
    assert "±" not in str(falling)


def test_a_value_at_which_training_diverges_stands_as_nan_and_is_said():
    model = MLPClassifier((5,), solver="sgd", max_iter=20, tol=0, n_iter_no_change=50)
    data = {"validation": (IRIS, KINDS)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        curve = capacity_curve(model, IRIS, KINDS, "learning_rate_init", [0.01, 1e30], **data)
        assert curve.regimes == ("fits", "diverges")
        assert "It diverges at 1e+30" in curve.verdict
        assert curve.best == 0.01
        with pytest.raises(ValueError, match="diverged at every value of learning_rate_init; lower"):
            capacity_curve(model, IRIS, KINDS, "learning_rate_init", [1e30], **data)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"param": "hiden_units"}, r"no parameter 'hiden_units'. Did you mean 'hidden_units'\?"),
        ({"param": "alhpa"}, r"no parameter 'alhpa'. Did you mean 'alpha'\?"),
        ({"values": []}, r"values of 'hidden_units' are \[\]; expected at least one"),
        ({"values": "many"}, "expected at least one, in a list"),
        ({"values": [4, 0]}, "hidden_units has 0"),
        ({"values": [2.5]}, "hidden_units has 2.5"),
        ({"param": "depth", "values": [-1]}, "depth has -1"),
        ({"param": "dropout", "values": [0.1, 1.5]}, "at dropout=1.5: dropout"),
        ({"cv": 60}, "class 0 has 50 rows, fewer than the 60 folds; give cv=50"),
        ({"cv": 3, "validation": (IRIS, KINDS)}, "validation data stand in place of folds"),
        ({"validation": IRIS}, "validation is a pair"),
        ({"scoring": "acuracy"}, r"there is no scorer 'acuracy'. Did you mean 'accuracy'\?"),
        ({"n_repeats": 0}, "n_repeats"),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_bad_input_is_named(settings, said):
    call = {"param": "hidden_units", "values": [2], "cv": None, **settings}
    with pytest.raises(ValueError, match=said):
        capacity_curve(quick(), IRIS, KINDS, call.pop("param"), call.pop("values"), **call)


def test_a_parameter_that_is_there_twice_or_an_estimator_without_layers_is_named():
    twice = make_pipeline(MLPRegressor(), MLPClassifier())
    with pytest.raises(
        ValueError, match="more than once; give the whole name: mlpclassifier__alpha, mlpregressor__alp"
    ):
        capacity_curve(twice, IRIS, KINDS, "alpha", [1.0])
    with pytest.raises(ValueError, match="Ridge has no hidden_layer_sizes, which 'depth' sets"):
        capacity_curve(Ridge(), DISEASE, PROGRESS, "depth", [1])
    with pytest.raises(TypeError, match="expected an estimator"):
        capacity_curve(Ridge, DISEASE, PROGRESS, "alpha", [1])
    nested = make_pipeline(StandardScaler(), LogisticRegression())
    with pytest.raises(ValueError, match=r"Did you mean 'max_iter'\?"):
        capacity_curve(nested, IRIS, KINDS, "maxiter", [1])


def test_the_units_picture_has_scikit_learns_error_rates_and_the_line_of_every_unit_in_view():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from diaphane.insight.displays import HiddenUnitsDisplay

    (X, y), held = rings(60, 0), rings(200, 1)
    plain = TheirClassifier((2,), activation="tanh", solver="lbfgs", alpha=0.1, random_state=1).fit(X, y)
    pipe = make_pipeline(StandardScaler(), small((3,), random_state=1)).fit(X, y)
    display = HiddenUnitsDisplay.from_estimators([plain, pipe], X, y, validation=held)
    np.testing.assert_allclose(display.train_errors, [1 - plain.score(X, y), 1 - pipe.score(X, y)])
    np.testing.assert_allclose(display.validation_errors, [1 - plain.score(*held), 1 - pipe.score(*held)])
    for ax, model, crossing in zip(display.axes_, (plain, pipe), display.unit_lines_, strict=True):
        network = model if model is plain else model[-1]
        lines = [c for c in ax.collections if type(c).__name__ == "QuadContourSet" and c.levels.tolist() == [0.0]]
        # The last ones drawn are the units' own; before them is the boundary.
        for contour in lines[-crossing:]:
            points = contour.get_paths()[0].vertices
            inputs = points if model is plain else model[0].transform(points)
            sums = np.abs(inputs @ network.coefs_[0] + network.intercepts_[0])
            sizes = np.linalg.norm(network.coefs_[0], axis=0)
            assert (sums / sizes).max(axis=0).min() < 1e-6
    assert "errors: training" in display.ax_.get_title()
    with pytest.raises(ValueError, match="estimators is empty"):
        HiddenUnitsDisplay.from_estimators([], X, y)
    with pytest.raises(ValueError, match="has no layers"):
        HiddenUnitsDisplay.from_estimators([LogisticRegression().fit(X, y)], X, y)
    plt.close("all")


def test_the_curves_picture_has_its_numbers_marks_the_best_and_shades_what_is_off(units_curve):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    display = units_curve.plot(bayes_error=0.18)
    np.testing.assert_array_equal(display.lines_["validation"].get_ydata(), units_curve.validation_mean)
    np.testing.assert_array_equal(display.lines_["training"].get_xdata(), [1, 2, 4, 20])
    assert display.best_ == 2
    assert [t.get_text() for t in display.ax_.texts] == ["underfits", "overfits"]
    words = capacity_curve(DecisionTreeClassifier(), IRIS, KINDS, "max_depth", [1, None], cv=3).plot()
    assert [t.get_text() for t in words.ax_.get_xticklabels()] == ["1", "None"]
    plt.close("all")


def test_stratified_folds_of_a_number_are_scikit_learns_shuffled_ones():
    seed = np.random.RandomState(0).randint(2**31)
    folds = StratifiedKFold(4, shuffle=True, random_state=seed)
    own = capacity_curve(DecisionTreeClassifier(), IRIS, KINDS, "max_depth", [2], cv=4)
    given = capacity_curve(DecisionTreeClassifier(), IRIS, KINDS, "max_depth", [2], cv=folds)
    assert np.array_equal(own.validation, given.validation)
