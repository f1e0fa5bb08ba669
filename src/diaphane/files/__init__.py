"""What stays: saving and loading networks, in safetensors with a checksum, without code."""

from .checkpoint import FileError
from .networks import load, save

__all__ = ["FileError", "load", "save"]
