"""The sections of a report, in the order of the page: what is asked first comes first."""

from .baselines import BASELINES
from .calibration import CALIBRATION
from .classes import CLASSES
from .code import CODE
from .confusion import CONFUSION
from .curves import CURVES
from .data import DATA
from .diagnosis import DIAGNOSIS
from .health import HEALTH
from .importance import IMPORTANCE
from .network import NETWORK
from .residuals import RESIDUALS
from .run import RUN
from .scores import SCORES
from .search import SEARCH
from .split import SPLIT
from .threshold import THRESHOLD

__all__ = ["KINDS"]

KINDS = (
    SCORES, DATA, SPLIT, DIAGNOSIS, BASELINES, CURVES, HEALTH, CONFUSION, RESIDUALS, CLASSES, CALIBRATION, THRESHOLD,
    IMPORTANCE, NETWORK, SEARCH, CODE, RUN,
)  # fmt: skip
