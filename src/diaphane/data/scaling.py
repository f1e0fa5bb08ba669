"""The target of a regression, scaled for training and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diaphane.data.errors import DataError

__all__ = ["TargetScaler"]


@dataclass(frozen=True)
class TargetScaler:
    """Centre and scale a target: (y − mean)/(standard deviation), and back.

    Attributes
    ----------
    mean, scale : float
        Of the training rows, in the target's unit.

    Examples
    --------
    >>> scaler = TargetScaler.fit([10.0, 20.0, 30.0])
    >>> scaler.transform([20.0])
    array([0.])
    >>> scaler.inverse(scaler.transform([10.0, 30.0])).tolist()
    [10.0, 30.0]
    """

    mean: float
    scale: float

    @classmethod
    def fit(cls, y: ArrayLike) -> TargetScaler:
        """Learn mean and standard deviation (over n) of the training rows.

        Raises
        ------
        DataError
            If a value is not finite, there is none, or they are too far apart.
        """
        values = np.asarray(y, dtype=np.float64)
        if not values.size or not np.isfinite(values).all():
            raise DataError("the target has no value, or one that is missing or infinite; expected finite numbers")
        with np.errstate(over="ignore", invalid="ignore"):
            mean, deviation = float(values.mean()), float(values.std())
        if not np.isfinite(mean) or not np.isfinite(deviation):
            raise DataError(
                f"the target goes from {values.min():g} to {values.max():g}, too far for its variance to be a number; "
                "give it in another unit"
            )
        # A training set may be constant where the whole is not; it then has nothing to scale by.
        return cls(mean, deviation or 1.0)

    def transform(self, y: ArrayLike) -> NDArray[np.float64]:
        """Return the scaled values, in the shape given."""
        return (np.asarray(y, dtype=np.float64) - self.mean) / self.scale

    def inverse(self, scaled: ArrayLike) -> NDArray[np.float64]:
        """Return the values in the target's unit, in the shape given."""
        return np.asarray(scaled, dtype=np.float64) * self.scale + self.mean

    def to_state(self) -> dict[str, Any]:
        return {"mean": self.mean, "scale": self.scale}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TargetScaler:
        """Return the scaler that `to_state` described."""
        try:
            mean, scale = float(state["mean"]), float(state["scale"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError("the stored scale of the target cannot be read; train and save again") from error
        if not (np.isfinite(mean) and np.isfinite(scale) and scale > 0):
            raise DataError(f"the stored scale of the target is {mean}, {scale}; expected finite, positive numbers")
        return cls(mean, scale)
