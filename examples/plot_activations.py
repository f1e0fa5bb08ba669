"""
Activations and their derivatives
=================================

Each φ with its φ′, which is what backpropagation multiplies by: where it is near 0, nothing is learnt (grey).
"""

import matplotlib.pyplot as plt

from diaphane.insight.displays import ActivationDisplay

ActivationDisplay.from_activations()
plt.show()
