"""What is wrong with a fit, in words: verdicts with the numbers they rest on, and what to try next."""

from .diagnosing import diagnose
from .report import Diagnosis
from .verdict import DiagnosisFinding

__all__ = ["Diagnosis", "DiagnosisFinding", "diagnose"]
