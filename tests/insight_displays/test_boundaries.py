"""What is drawn of classifiers of the plane is what they decide."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from diaphane.data.generators import gaussians, moons
from diaphane.insight.displays import DecisionBoundaryDisplay, DensityDisplay, SigmoidDisplay

X, Y = gaussians(120, 0, means=((-1.2, 0), (1.2, 0.5)))


def texts(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def contours(ax):
    """The vertices of all level lines that are drawn as lines, not as areas."""
    return [path.vertices for c in ax.collections if hasattr(c, "levels") and not c.filled for path in c.get_paths()]


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e3])
def test_the_boundary_and_the_margin_lie_where_the_score_is_0_and_1(scale):
    model = SVC(kernel="linear", C=1 / scale**2).fit(X * scale, Y)
    display = DecisionBoundaryDisplay.from_estimator(model, X * scale, Y)
    for line, score in zip([display.boundary_, *display.margin_lines_], [0, -1, 1], strict=True):
        np.testing.assert_allclose(model.decision_function(np.transpose(line.get_data())), score, atol=1e-6)


def test_ends_of_the_boundary_lie_on_the_rim_of_the_view():
    display = DecisionBoundaryDisplay.from_estimator(LogisticRegression().fit(X, Y), X, Y)
    view, ends = display.view, np.transpose(display.boundary_.get_data())
    assert ends.shape == (2, 2)
    for u, v in ends:
        rims = np.abs([u - view.left, u - view.right, v - view.bottom, v - view.top])
        assert rims.min() < 1e-9
        assert view.left - 1e-9 <= u <= view.right + 1e-9
        assert view.bottom - 1e-9 <= v <= view.top + 1e-9


def test_crosses_stand_on_the_models_mistakes_and_are_counted():
    model = LogisticRegression().fit(X, Y)
    wrong = model.predict(X) != Y
    display = DecisionBoundaryDisplay.from_estimator(model, X, Y)
    assert display.n_misclassified == wrong.sum() > 0
    [crosses] = [c for c in display.ax_.collections if str(c.get_label()).startswith("misclassified")]
    np.testing.assert_array_equal(crosses.get_offsets(), X[wrong])
    assert f"misclassified: {wrong.sum()} of {len(X)}" in texts(display)


def test_rings_stand_on_scikit_learns_support_vectors():
    model = SVC(kernel="linear", C=1, tol=1e-8).fit(X, Y)
    display = DecisionBoundaryDisplay.from_estimator(model, X, Y)
    np.testing.assert_array_equal(np.flatnonzero(display.support), np.sort(model.support_))
    [rings] = [c for c in display.ax_.collections if "support vectors" in str(c.get_label())]
    np.testing.assert_array_equal(rings.get_offsets(), X[np.sort(model.support_)])


def test_a_curved_boundary_and_its_margin_are_level_lines_of_the_score():
    x, y = moons(200, random_state=0)
    model = SVC(C=3).fit(x, y)
    display = DecisionBoundaryDisplay.from_estimator(model, x, y)
    assert display.boundary_ is None
    vertices = np.vstack(contours(display.ax_))
    scores = model.decision_function(vertices)
    nearest = np.abs(scores[:, None] - [0, -1, 1]).min(axis=1)
    assert nearest.max() < 0.02
    assert (np.abs(scores) < 0.02).any()


def test_no_margin_is_drawn_for_a_classifier_that_is_not_a_large_margin_one():
    display = DecisionBoundaryDisplay.from_estimator(LogisticRegression().fit(X, Y), X, Y)
    assert display.margin_lines_ == []
    assert display.support is None
    asked = DecisionBoundaryDisplay.from_estimator(LogisticRegression().fit(X, Y), X, Y, margin=True)
    assert len(asked.margin_lines_) == 2


@pytest.mark.parametrize(
    "model", [DecisionTreeClassifier(max_depth=3), GaussianNB(), make_pipeline(StandardScaler(), LogisticRegression())]
)
def test_areas_have_the_colour_of_the_class_that_is_predicted(model):
    model.fit(X, Y)
    display = DecisionBoundaryDisplay.from_estimator(model, X, Y, resolution=60)
    grid = display.view.grid(60)[2]
    np.testing.assert_array_equal(display._leads()[1].ravel() > 0, model.predict(grid) == 1)


def test_each_of_three_classes_leads_where_it_is_predicted():
    bunch = load_iris()
    x, names = bunch.data[:, 2:], bunch.target_names[bunch.target]
    model = LogisticRegression().fit(x, names)
    display = DecisionBoundaryDisplay.from_estimator(model, x, names, resolution=50)
    leads = np.stack([lead.ravel() for lead in display._leads()])
    np.testing.assert_array_equal(model.classes_[leads.argmax(axis=0)], model.predict(display.view.grid(50)[2]))
    assert (leads.max(axis=0) >= 0).all()
    assert {"class setosa", "class versicolor", "class virginica"} <= set(texts(display))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_what_was_fitted_on_a_table_is_asked_with_one_and_names_the_axes(library):
    frames = pytest.importorskip(library)
    table = frames.DataFrame({"length": X[:, 0], "width": X[:, 1]})
    display = DecisionBoundaryDisplay.from_estimator(GaussianNB().fit(table, Y), table, Y)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("length", "width")


def test_labels_that_the_classifier_never_saw_are_mistakes():
    model = LogisticRegression().fit(X, Y)
    display = DecisionBoundaryDisplay.from_estimator(model, X, np.where(Y == 0, 0, 7))
    assert display.misclassified[Y == 1].all()


def test_it_draws_on_the_axes_given():
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2)
    display = DecisionBoundaryDisplay.from_estimator(LogisticRegression().fit(X, Y), X, ax=axes[1])
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    assert not axes[0].collections
    assert display.misclassified is None


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: (LogisticRegression().fit(np.c_[X, X], Y), np.c_[X, X], Y), ValueError, r"\(n, 2\), got \(120, 4\)"),
        (lambda: (LogisticRegression(), X, Y), NotFittedError, "not fitted"),
        (lambda: (LogisticRegression, X, Y), TypeError, "fitted classifier"),
        (lambda: ("no", X, Y), TypeError, "fitted classifier"),
        (lambda: (LogisticRegression().fit(X, Y), X, Y[:-1]), ValueError, r"\(119,\) beside 120 rows"),
        (lambda: (LogisticRegression().fit(X, Y), X[:0], Y[:0]), ValueError, "no rows"),
        (lambda: (LogisticRegression().fit(X, Y), np.full((3, 2), np.nan)), ValueError, "NaN"),
    ],
)
def test_what_cannot_be_drawn_is_explained(call, error, words):
    with pytest.raises(error, match=words):
        DecisionBoundaryDisplay.from_estimator(*call())


def test_a_margin_of_a_classifier_without_scores_or_with_three_classes_is_refused():
    for model in (DecisionTreeClassifier().fit(X, Y), LogisticRegression().fit(X, np.arange(120) % 3)):
        with pytest.raises(ValueError, match="margin=False"):
            DecisionBoundaryDisplay.from_estimator(model, X, margin=True)


@pytest.mark.parametrize("unequal", [False, True])
def test_the_densities_boundary_is_where_scipys_densities_are_level(unequal):
    means = np.array([[-1.0, 0.2], [1.0, 0.0]])
    covariance = np.array([[[1, 0.5], [0.5, 1]], [[1.5, -0.5], [-0.5, 0.6]]]) if unequal else np.diag([1.0, 2.0])
    priors = np.array([0.3, 0.7])
    display = DensityDisplay.from_gaussians(means, covariance, priors)
    matrices = covariance if unequal else [covariance] * 2
    points = np.vstack(contours(display.ax_))
    logs = [
        np.log(p) + multivariate_normal(m, c).logpdf(points) for p, m, c in zip(priors, means, matrices, strict=True)
    ]
    np.testing.assert_allclose(logs[0], logs[1], atol=5e-3)
    np.testing.assert_allclose(display.log_joint(points), np.transpose(logs), rtol=1e-10)


def test_ellipses_are_one_two_and_three_deviations_from_their_means():
    means, covariance = np.array([[-1.0, 0.2], [1.0, 0.0]]), np.array([[1.0, 0.5], [0.5, 0.7]])
    display = DensityDisplay.from_gaussians(means, covariance)
    for mean, lines in zip(means, display.ellipses_, strict=True):
        for deviations, line in zip((1, 2, 3), lines, strict=True):
            away = np.transpose(line.get_data()) - mean
            squared = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
            np.testing.assert_allclose(squared, deviations**2, rtol=1e-9)


@pytest.mark.parametrize(
    "model",
    [
        GaussianNB(),
        LinearDiscriminantAnalysis(store_covariance=True),
        QuadraticDiscriminantAnalysis(store_covariance=True),
    ],
)
def test_the_densities_of_a_generative_classifier_give_its_own_decisions(model):
    model.fit(X, Y)
    display = DensityDisplay.from_estimator(model, X, Y, boundaries={"logistic": LogisticRegression().fit(X, Y)})
    points = np.random.default_rng(0).uniform(-3, 3, (500, 2))
    joint = display.log_joint(points)
    sure = np.abs(joint[:, 1] - joint[:, 0]) > 0.1
    np.testing.assert_array_equal(joint.argmax(axis=1)[sure], model.predict(points)[sure])
    assert {"logistic", type(model).__name__} <= set(texts(display))


def test_densities_that_are_none_are_explained():
    with pytest.raises(ValueError, match="store_covariance"):
        DensityDisplay.from_estimator(LogisticRegression().fit(X, Y), X, Y)
    with pytest.raises(ValueError, match="positive eigenvalues"):
        DensityDisplay.from_gaussians([[0, 0], [1, 1]], [[1, 2], [2, 1]])
    with pytest.raises(ValueError, match=r"expected \(2, 2\) or \(2, 2, 2\)"):
        DensityDisplay.from_gaussians([[0, 0], [1, 1]], [1, 1])
    with pytest.raises(ValueError, match="priors are 2 positive numbers"):
        DensityDisplay.from_gaussians([[0, 0], [1, 1]], np.eye(2), [1, 0])


STRANGE = [Y + 5, np.array(["a", "b"])[Y], Y + 0.5, [None if k else "a" for k in Y]]


@pytest.mark.parametrize("known", [Y, np.array(["no", "yes"])[Y]], ids=["numbers", "words"])
@pytest.mark.parametrize("truth", STRANGE[:3], ids=["numbers", "words", "fractions"])
def test_labels_that_the_model_does_not_know_are_mistakes_of_classes_of_their_own(known, truth):
    display = DecisionBoundaryDisplay.from_estimator(SVC(kernel="linear").fit(X, known), X, truth, margin=False)
    assert display.n_misclassified == len(X)
    assert display.classes.tolist() == [*np.unique(known).tolist(), *np.unique(truth).tolist()]
    assert {f"class {label}" for label in np.unique(truth)} <= set(texts(display))


@pytest.mark.parametrize("truth", [STRANGE[3], np.where(Y, np.nan, 1.0)], ids=["None", "NaN"])
def test_a_missing_label_is_refused_with_its_row(truth):
    row = int(np.argmax(Y))
    with pytest.raises(ValueError, match=f"y has no label in row {row}"):
        DecisionBoundaryDisplay.from_estimator(LogisticRegression().fit(X, Y), X, truth)


def test_dollar_signs_in_labels_and_names_are_drawn_as_they_are(tmp_path):
    import matplotlib.cbook as cbook

    price = np.array([r"$\foo{$", r"from $5 \$ to $9"])[Y]
    display = DecisionBoundaryDisplay.from_estimator(LogisticRegression().fit(X, price), X, price)
    display.figure_.savefig(tmp_path / "boundary.png")
    sigmoid = SigmoidDisplay.from_estimator(LogisticRegression().fit(X[:, :1], price), X[:, :1], price)
    sigmoid.figure_.savefig(tmp_path / "sigmoid.png")
    drawn = [text for text in texts(display) + texts(sigmoid) if text.startswith("class")]
    for text in [*drawn, sigmoid.ax_.get_ylabel()]:
        assert not cbook.is_math_text(text)
    # What matplotlib does to text without a formula.
    assert {text.replace(r"\$", "$") for text in drawn} == {f"class {label}" for label in np.unique(price)}
