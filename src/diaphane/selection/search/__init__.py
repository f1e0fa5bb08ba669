"""A search for the best hyperparameters, its candidates trained side by side on one copy of the data."""

from __future__ import annotations

from .search import STRATEGIES, Search

__all__ = ["STRATEGIES", "Search"]
