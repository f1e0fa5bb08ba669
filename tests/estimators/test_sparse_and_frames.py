"""What X may be: sparse matrices, which are never made dense as a whole, and frames with names."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.neural_network import MLPClassifier as TheirClassifier

from diaphane.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
FORMATS = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "csr array": sp.csr_array, "csc array": sp.csc_array}
MANY = 9000


def sparse_like(rows, columns=8):
    x = RNG.normal(size=(rows, columns))
    x[RNG.random((rows, columns)) < 0.7] = 0
    return x


X = sparse_like(200)
Y = (X @ RNG.normal(size=8) > 0).astype(int)
NAMES = list("abcdefgh")


def classifier(**parameters):
    return MLPClassifier(
        **{"hidden_layer_sizes": (6,), "max_iter": 4, "batch_size": 30, "random_state": 0, **parameters}
    )


@pytest.fixture
def rows_made_dense(monkeypatch):
    """How many rows each call that makes a sparse matrix dense makes so."""
    seen = []
    for kind in FORMATS.values():
        original = kind.toarray

        def counting(self, *args, original=original, **kwargs):
            seen.append(self.shape[0])
            return original(self, *args, **kwargs)

        monkeypatch.setattr(kind, "toarray", counting)
    return seen


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("parameters", [{}, {"solver": "lbfgs"}, {"early_stopping": True}, {"dtype": "float32"}])
def test_a_sparse_matrix_gives_the_same_as_the_dense_one(form, parameters):
    given = FORMATS[form](X)
    dense, sparse = classifier(**parameters).fit(X, Y), classifier(**parameters).fit(given, Y)
    for a, b in zip(dense.coefs_, sparse.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    for method in ("predict", "predict_proba", "decision_function"):
        np.testing.assert_array_equal(getattr(dense, method)(X), getattr(sparse, method)(given))
    assert dense.score(X, Y) == sparse.score(given, Y)


@pytest.mark.parametrize("form", FORMATS)
def test_partial_fit_and_validation_data_may_be_sparse(form):
    given = FORMATS[form](X)
    dense, sparse = (classifier().partial_fit(x, Y, classes=[0, 1]).partial_fit(x, Y) for x in (X, given))
    np.testing.assert_array_equal(dense.coefs_[0], sparse.coefs_[0])
    watched = classifier().fit(given, Y, validation_data=(given, Y))
    assert watched.history_.last("validation_score") == watched.score(X, Y)


@pytest.mark.parametrize("form", FORMATS)
def test_a_stochastic_fit_makes_a_batch_dense_at_a_time(form, rows_made_dense):
    MLPRegressor(hidden_layer_sizes=(3,), max_iter=2, batch_size=30, engine="reference").fit(FORMATS[form](X), X[:, 0])
    assert set(rows_made_dense) == {30, 200 % 30}


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("form", FORMATS)
def test_many_sparse_rows_are_never_made_dense_as_a_whole(form, solver, rows_made_dense):
    x = sparse_like(MANY, 3)
    given, y = FORMATS[form](x), x[:, 0]
    for engine in ("native", "reference"):
        model = MLPRegressor(hidden_layer_sizes=(3,), solver=solver, max_iter=1, random_state=0, engine=engine)
        model.fit(given, y, **({} if solver == "lbfgs" else {"validation_data": (given, y)}))
        model.predict(given)
        if engine == "native":
            # It reads the rows where they lie.
            assert not rows_made_dense
    assert sum(rows_made_dense) >= 2 * MANY
    assert max(rows_made_dense) <= MANY / 2


def test_a_memory_map_is_learnt_from_as_an_array_is(tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(classifier().fit(mapped, Y).coefs_[0], classifier().fit(X, Y).coefs_[0])


def test_a_column_major_array_gives_the_same_as_a_row_major_one():
    by_columns = classifier().fit(np.asfortranarray(X), Y)
    np.testing.assert_array_equal(by_columns.coefs_[0], classifier().fit(X, Y).coefs_[0])
    np.testing.assert_array_equal(by_columns.predict(np.asfortranarray(X)), by_columns.predict(X))


def test_lists_will_do():
    listed = classifier().fit(X.tolist(), Y.tolist())
    np.testing.assert_array_equal(listed.coefs_[0], classifier().fit(X, Y).coefs_[0])


# Frames


@pytest.fixture(params=["pandas", "polars"])
def frame(request):
    """Makes a frame of an array and names."""
    library = pytest.importorskip(request.param)
    if request.param == "pandas":
        return lambda x, names: library.DataFrame(x, columns=names)
    return lambda x, names: library.DataFrame(x, schema=names, orient="row")


def test_a_frame_gives_the_same_as_its_array_and_its_names_are_kept(frame):
    named, plain = classifier().fit(frame(X, NAMES), Y), classifier().fit(X, Y)
    assert list(named.feature_names_in_) == NAMES
    assert not hasattr(plain, "feature_names_in_")
    np.testing.assert_array_equal(named.coefs_[0], plain.coefs_[0])
    np.testing.assert_array_equal(named.predict_proba(frame(X, NAMES)), plain.predict_proba(X))


@pytest.mark.parametrize(
    "columns",
    [NAMES[::-1], NAMES[:-1], [*NAMES[:-1], "other"], [*NAMES, "more"]],
    ids=["reordered", "missing", "renamed", "one more"],
)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "partial_fit"])
def test_other_columns_than_fit_saw_get_scikit_learns_error(frame, columns, method):
    x = frame(np.ones((len(Y), len(columns))), columns)
    messages = []
    for model in (classifier(), TheirClassifier(hidden_layer_sizes=(6,), max_iter=4)):
        model.fit(frame(X, NAMES), Y)
        with pytest.raises(ValueError, match="feature") as caught:
            getattr(model, method)(*((x, Y) if method == "partial_fit" else (x,)))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_names_that_are_missing_at_predict_or_were_at_fit_get_scikit_learns_warning(frame):
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        classifier().fit(frame(X, NAMES), Y).predict(X)
    with pytest.warns(UserWarning, match="X has feature names, but MLPClassifier was fitted without"):
        classifier().fit(X, Y).predict(frame(X, NAMES))


def test_the_target_may_be_a_column_of_a_frame(frame):
    table = frame(np.c_[X, Y], [*NAMES, "target"])
    model = classifier().fit(table[NAMES], table["target"])
    np.testing.assert_array_equal(model.coefs_[0], classifier().fit(X, Y).coefs_[0])


def test_a_frame_of_small_integers_and_floats_is_learnt_from(frame):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"age": np.arange(200, dtype="int8") % 90, "height": X[:, 0], "yes": Y.astype(bool)})
    assert classifier().fit(table, Y).predict(table).shape == (200,)
