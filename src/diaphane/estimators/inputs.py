"""Rows to predict for: checked as scikit-learn does it, and at once where it would find nothing to do."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from ..engines.state import all_finite

__all__ = ["rows_to_predict"]

PLAIN = (np.dtype("float32"), np.dtype("float64"))


def rows_to_predict(estimator: Any, x: Any) -> Any:
    """The rows as a network takes them, scikit-learn's errors and warnings for what cannot be."""
    # Its check takes several times as long as a prediction for one row, even where it gives back what it got.
    if (
        type(x) is np.ndarray
        and x.dtype in PLAIN
        and x.ndim == 2
        and x.shape[0] > 0
        and x.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
        and all_finite(x)
    ):
        return x
    x = validate_data(estimator, x, accept_sparse=["csr", "csc"], dtype="numeric", reset=False)
    return x.tocsr() if hasattr(x, "tocsr") else x
