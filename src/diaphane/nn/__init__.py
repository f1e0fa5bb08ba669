"""Building blocks: layers, activations, losses, initialisers, networks."""

from . import losses
from .activations import ACTIVATIONS, find_activation, register_activation
from .embeddings import FeatureScale, PeriodicEmbedding, TangentDense
from .initializers import (
    INITIALIZERS,
    ConstantInitializer,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    Uniform,
    Zeros,
    find_initializer,
)
from .layer import Context, Layer
from .layers import Activation, BatchNorm, Dense, Dropout, Flatten, GaussianNoise, Maxout, PRelu, Reshape, Sequential
from .losses import LOSSES, LabelSmoothing, find_loss, mean_loss
from .network import Forward, LayerSummary, Network

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "LOSSES",
    "Activation",
    "BatchNorm",
    "ConstantInitializer",
    "Context",
    "Dense",
    "Dropout",
    "FeatureScale",
    "Flatten",
    "Forward",
    "GaussianNoise",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LabelSmoothing",
    "Layer",
    "LayerSummary",
    "LecunNormal",
    "LecunUniform",
    "Maxout",
    "Network",
    "Orthogonal",
    "PRelu",
    "PeriodicEmbedding",
    "Reshape",
    "Sequential",
    "TangentDense",
    "Uniform",
    "Zeros",
    "find_activation",
    "find_initializer",
    "find_loss",
    "losses",
    "mean_loss",
    "register_activation",
]
