"""The native engine: programs as tables of compiled instructions."""

from .engine import NativeEngine

__all__ = ["NativeEngine"]
