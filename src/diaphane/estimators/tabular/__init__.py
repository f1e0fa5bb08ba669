"""Networks for tables."""
from .classifier import TabularClassifier
from .regressor import TabularRegressor
__all__=["TabularClassifier","TabularRegressor"]
