"""Choosing a model: splits, metrics, thresholds, calibration, importance, capacity and search.

Everything is loaded when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from .approximation import Approximation, ApproximationStudy, universal_approximation
    from .calibration import CalibrationWarning, TemperatureScaled, fit_temperature
    from .capacity import CapacityCurve, capacity_curve
    from .confidence import Reliability, reliability
    from .diagnosis import Diagnosis, diagnose
    from .importance import FeatureImportance, PartialDependence, feature_importance, partial_dependence
    from .metric_report import MetricsReport, accuracy_misleads, report_metrics
    from .metrics import METRICS, Metric, find_metric
    from .overstatement import OverstatementStudy, expected_overstatement, study_overstatement
    from .search import Search
    from .splits import DataSplit, split
    from .thresholds import ThresholdChoice, choose_threshold

HOMES: dict[str, tuple[str, ...]] = {
    "approximation": ("Approximation", "ApproximationStudy", "universal_approximation"),
    "calibration": ("CalibrationWarning", "TemperatureScaled", "fit_temperature"),
    "confidence": ("Reliability", "reliability"),
    "capacity": ("CapacityCurve", "capacity_curve"),
    "diagnosis": ("Diagnosis", "diagnose"),
    "importance": ("FeatureImportance", "PartialDependence", "feature_importance", "partial_dependence"),
    "metric_report": ("MetricsReport", "accuracy_misleads", "report_metrics"),
    "metrics": ("METRICS", "Metric", "find_metric"),
    "overstatement": ("OverstatementStudy", "expected_overstatement", "study_overstatement"),
    "search": ("Search",),
    "splits": ("DataSplit", "split"),
    "thresholds": ("ThresholdChoice", "choose_threshold"),
}
"""Which module has which names."""

__all__ = [
    "METRICS",
    "Approximation",
    "ApproximationStudy",
    "CalibrationWarning",
    "CapacityCurve",
    "DataSplit",
    "Diagnosis",
    "FeatureImportance",
    "Metric",
    "MetricsReport",
    "OverstatementStudy",
    "PartialDependence",
    "Reliability",
    "Search",
    "TemperatureScaled",
    "ThresholdChoice",
    "accuracy_misleads",
    "capacity_curve",
    "choose_threshold",
    "diagnose",
    "expected_overstatement",
    "feature_importance",
    "find_metric",
    "fit_temperature",
    "partial_dependence",
    "reliability",
    "report_metrics",
    "split",
    "study_overstatement",
    "universal_approximation",
]

__getattr__, __dir__ = lazy_names(__name__, HOMES)
