"""scikit-learn's contract for estimators, by its own suite of checks."""

import inspect

import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.utils.estimator_checks import check_estimator

from diaphane.estimators import MLPClassifier, MLPRegressor

PAIRS = [(TheirClassifier, MLPClassifier), (TheirRegressor, MLPRegressor)]
BOTH = pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=["classifier", "regressor"])


@BOTH
@pytest.mark.filterwarnings("ignore")
def test_check_estimator_fails_nothing_and_skips_only_what_it_skips_for_scikit_learns_own(theirs, ours):
    found = check_estimator(ours(max_iter=20), on_skip=None, on_fail=None)
    own = check_estimator(theirs(max_iter=20), on_skip=None, on_fail=None)
    failed = {c["check_name"]: str(c["exception"]) for c in found if c["status"] in ("failed", "xfail")}
    assert not failed
    skipped, allowed = ({c["check_name"] for c in cs if c["status"] == "skipped"} for cs in (found, own))
    assert skipped <= allowed
    assert {c["check_name"] for c in own} <= {c["check_name"] for c in found}


@BOTH
def test_every_parameter_of_scikit_learn_is_there_with_its_default_and_its_place(theirs, ours):
    their_parameters = inspect.signature(theirs).parameters
    our_parameters = inspect.signature(ours).parameters
    assert {name: p.default for name, p in their_parameters.items()} == {
        name: our_parameters[name].default for name in their_parameters
    }

    def positional(parameters):
        return [n for n, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]

    assert positional(our_parameters) == positional(their_parameters)


@BOTH
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_what_scikit_learns_methods_take_by_place_ours_take_by_the_same(theirs, ours, method):
    taken = list(inspect.signature(getattr(theirs, method)).parameters)
    assert list(inspect.signature(getattr(ours, method)).parameters)[: len(taken)] == taken


@BOTH
def test_parameters_are_stored_as_they_are_and_cloned(theirs, ours):
    odd = {name: object() for name in inspect.signature(ours).parameters}
    kept = ours(**odd).get_params(deep=False)
    assert all(kept[name] is value for name, value in odd.items())
    settings = {"alpha": 0.5, "dropout": (0.25,), "hidden_layer_sizes": (4,), "weight_init": "he_normal"}
    copied = clone(ours(**settings)).get_params()
    assert {name: copied[name] for name in settings} == settings
