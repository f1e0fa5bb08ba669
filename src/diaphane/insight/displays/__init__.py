"""Pictures of what is learnt, in scikit-learn's manner: made from data or a fitted estimator, drawn on any axes.

They need matplotlib, loaded when one is drawn: ``pip install 'diaphane[plot]'``.
"""

from .activation import ActivationDisplay
from .boundary import DecisionBoundaryDisplay
from .convergence import ConvergenceDisplay
from .density import DensityDisplay
from .descent import DescentDisplay
from .examples_seen import ErrorAgainstExamplesDisplay
from .health import HealthDisplay
from .hidden_space import HiddenSpaceDisplay
from .initialization import InitializationDisplay
from .learning_curves import LearningCurvesDisplay
from .losses import LossDisplay
from .perceptron import PerceptronDisplay
from .rate_test import RateTestDisplay
from .schedule import ScheduleDisplay
from .sigmoid import SigmoidDisplay

__all__ = [
    "ActivationDisplay",
    "ConvergenceDisplay",
    "DecisionBoundaryDisplay",
    "DensityDisplay",
    "DescentDisplay",
    "ErrorAgainstExamplesDisplay",
    "HealthDisplay",
    "HiddenSpaceDisplay",
    "InitializationDisplay",
    "LearningCurvesDisplay",
    "LossDisplay",
    "PerceptronDisplay",
    "RateTestDisplay",
    "ScheduleDisplay",
    "SigmoidDisplay",
]
