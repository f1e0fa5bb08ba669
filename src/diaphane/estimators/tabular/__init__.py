"""Networks for tables: a data frame in as it is, a good network out, nothing to tune."""

from .classifier import TabularClassifier
from .members import Member
from .recipe import Recipe
from .regressor import TabularRegressor
from .targets import TableWarning

__all__ = ["Member", "Recipe", "TableWarning", "TabularClassifier", "TabularRegressor"]
