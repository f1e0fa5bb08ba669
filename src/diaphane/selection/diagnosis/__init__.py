"""What is wrong with a fit, in words: verdicts with the numbers they rest on, and what to try next."""

from .diagnosing import diagnose
from .finding import DiagnosisFinding
from .report import Diagnosis

__all__ = ["Diagnosis", "DiagnosisFinding", "diagnose"]
