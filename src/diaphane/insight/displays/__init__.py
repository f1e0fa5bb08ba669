"""Pictures of what is learnt, in scikit-learn's manner: made from data or a fitted estimator, drawn on any axes.

They need matplotlib, loaded when one is drawn: ``pip install 'diaphane[plot]'``.
"""

from .activation import ActivationDisplay
from .approximation import ApproximationDisplay
from .boundary import DecisionBoundaryDisplay
from .capacity import CapacityDisplay, HiddenUnitsDisplay
from .convergence import ConvergenceDisplay
from .density import DensityDisplay
from .descent import DescentDisplay
from .diagnosis import DiagnosisDisplay
from .examples_seen import ErrorAgainstExamplesDisplay
from .health import HealthDisplay
from .hidden_space import HiddenSpaceDisplay
from .importance import ImportanceDisplay, PartialDependenceDisplay
from .initialization import InitializationDisplay
from .learning_curves import LearningCurvesDisplay
from .losses import LossDisplay
from .metrics import MetricsDisplay
from .overstatement import OverstatementDisplay
from .perceptron import PerceptronDisplay
from .rate_test import RateTestDisplay
from .reliability import ReliabilityDisplay
from .schedule import ScheduleDisplay
from .sigmoid import SigmoidDisplay
from .target import TargetDisplay
from .threshold import ThresholdDisplay
from .training_curves import TrainingCurvesDisplay

__all__ = [
    "ActivationDisplay",
    "ApproximationDisplay",
    "CapacityDisplay",
    "ConvergenceDisplay",
    "DecisionBoundaryDisplay",
    "DensityDisplay",
    "DescentDisplay",
    "DiagnosisDisplay",
    "ErrorAgainstExamplesDisplay",
    "HealthDisplay",
    "HiddenSpaceDisplay",
    "HiddenUnitsDisplay",
    "ImportanceDisplay",
    "InitializationDisplay",
    "LearningCurvesDisplay",
    "LossDisplay",
    "MetricsDisplay",
    "OverstatementDisplay",
    "PartialDependenceDisplay",
    "PerceptronDisplay",
    "RateTestDisplay",
    "ReliabilityDisplay",
    "ScheduleDisplay",
    "SigmoidDisplay",
    "TargetDisplay",
    "ThresholdDisplay",
    "TrainingCurvesDisplay",
]
