"""What a person may set: each option once, for the command line, for a file, and for what a model says of itself."""

from .every import AUTO, MODELS, Option, Options, asked_for, dashed, every_option, read_options, settings_of_networks

__all__ = [
    "AUTO",
    "MODELS",
    "Option",
    "Options",
    "asked_for",
    "dashed",
    "every_option",
    "read_options",
    "settings_of_networks",
]
