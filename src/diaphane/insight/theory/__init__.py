"""The theory, checked on the data at hand: what theorems promise beside what happens.

=========================================  ===============================================================
`convergence_certificate`                  Novikoff's bound beside the perceptron's mistakes, or the witness
`all_gates`, `threshold_gate`              which truth tables one threshold computes, and why not the others
`bernoulli_trials`, `kl_identity`          maximum likelihood, and its distance from the data's distribution
`lipschitz_bound`, `largest_slope`         nearby inputs get nearby probabilities
`bayes_classifier`, `excess_error`         the best classifier there is, and by how much another is worse
`compare_classifiers`                      generative against discriminative, by learning curves
`relu_interpolant`                         universal approximation, constructed: its error and `modulus_of_continuity`
`best_polynomial`                          what a polynomial activation is never better than
=========================================  ===============================================================
"""

from .approximation import Box, OneHiddenLayer, modulus_of_continuity, relu_interpolant
from .bayes import BayesClassifier, ExcessError, bayes_classifier, excess_error
from .certificate import ConvergenceCertificate, Witness, convergence_certificate
from .comparison import Comparison, compare_classifiers, usual_classifiers
from .gates import GATES, Gate, Refutation, all_gates, threshold_gate
from .likelihood import BernoulliTrials, KLIdentity, bernoulli_trials, kl_identity
from .lipschitz import largest_slope, lipschitz_bound
from .mistakes import ProofTrace
from .polynomials import BestPolynomial, best_polynomial, polynomial_degree

__all__ = [
    "GATES",
    "BayesClassifier",
    "BernoulliTrials",
    "BestPolynomial",
    "Box",
    "Comparison",
    "ConvergenceCertificate",
    "ExcessError",
    "Gate",
    "KLIdentity",
    "OneHiddenLayer",
    "ProofTrace",
    "Refutation",
    "Witness",
    "all_gates",
    "bayes_classifier",
    "bernoulli_trials",
    "best_polynomial",
    "compare_classifiers",
    "convergence_certificate",
    "excess_error",
    "kl_identity",
    "largest_slope",
    "lipschitz_bound",
    "modulus_of_continuity",
    "polynomial_degree",
    "relu_interpolant",
    "threshold_gate",
    "usual_classifiers",
]
