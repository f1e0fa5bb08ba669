"""Neural networks you can see through, that train at the speed of the hardware."""

from ._version import __version__
from .engines import *  # noqa: F403
from .graph import *  # noqa: F403
