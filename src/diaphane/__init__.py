"""Neural networks you can see through, that train at the speed of the hardware."""

from . import nn, optim, training
from ._version import __version__
from .engines import *  # noqa: F403
from .graph import *  # noqa: F403

__all__ = ["__version__", "nn", "optim", "training"]
