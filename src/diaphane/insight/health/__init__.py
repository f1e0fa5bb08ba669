"""Gradient health: whether every layer of a network learns, and what is wrong where one does not."""

from .callback import GradientHealth
from .looks import LayerHealth, Look
from .moment import gradient_health
from .report import HealthReport
from .verdict import Finding

__all__ = ["Finding", "GradientHealth", "HealthReport", "LayerHealth", "Look", "gradient_health"]
