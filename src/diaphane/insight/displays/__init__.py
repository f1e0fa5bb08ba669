"""Pictures of what is learnt, in scikit-learn's manner: made from data or a fitted estimator, drawn on any axes.

They need matplotlib, loaded when one is drawn: ``pip install 'diaphane[plot]'``.
"""

from .boundary import DecisionBoundaryDisplay
from .convergence import ConvergenceDisplay
from .density import DensityDisplay
from .descent import DescentDisplay
from .examples_seen import ErrorAgainstExamplesDisplay
from .hidden_space import HiddenSpaceDisplay
from .learning_curves import LearningCurvesDisplay
from .losses import LossDisplay
from .perceptron import PerceptronDisplay
from .sigmoid import SigmoidDisplay

__all__ = [
    "ConvergenceDisplay",
    "DecisionBoundaryDisplay",
    "DensityDisplay",
    "DescentDisplay",
    "ErrorAgainstExamplesDisplay",
    "HiddenSpaceDisplay",
    "LearningCurvesDisplay",
    "LossDisplay",
    "PerceptronDisplay",
    "SigmoidDisplay",
]
