"""What came of a training, as one page to hand over."""

from .facts import RunFacts
from .making import report
from .page import Report

__all__ = ["Report", "RunFacts", "report"]
