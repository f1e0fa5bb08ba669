"""Choosing a model: splits, metrics, thresholds, calibration, importance, capacity and search.

Everything is loaded when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .calibration import CalibrationWarning, Reliability, TemperatureScaled, fit_temperature, reliability
    from .importance import FeatureImportance, PartialDependence, feature_importance, partial_dependence
    from .metrics import METRICS, Metric, MetricsReport, accuracy_misleads, find_metric, report_metrics
    from .overstatement import OverstatementStudy, expected_overstatement, overstatement
    from .splits import DataSplit, split
    from .thresholds import ThresholdChoice, choose_threshold

HOMES: dict[str, tuple[str, ...]] = {
    "calibration": ("CalibrationWarning", "Reliability", "TemperatureScaled", "fit_temperature", "reliability"),
    "importance": ("FeatureImportance", "PartialDependence", "feature_importance", "partial_dependence"),
    "metrics": ("METRICS", "Metric", "MetricsReport", "accuracy_misleads", "find_metric", "report_metrics"),
    "overstatement": ("OverstatementStudy", "expected_overstatement", "overstatement"),
    "splits": ("DataSplit", "split"),
    "thresholds": ("ThresholdChoice", "choose_threshold"),
}
"""Which module has which names."""

__all__ = [
    "METRICS",
    "CalibrationWarning",
    "DataSplit",
    "FeatureImportance",
    "Metric",
    "MetricsReport",
    "OverstatementStudy",
    "PartialDependence",
    "Reliability",
    "TemperatureScaled",
    "ThresholdChoice",
    "accuracy_misleads",
    "choose_threshold",
    "expected_overstatement",
    "feature_importance",
    "find_metric",
    "fit_temperature",
    "overstatement",
    "partial_dependence",
    "reliability",
    "report_metrics",
    "split",
]


def __getattr__(name: str) -> Any:
    for home, names in HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
