"""Data that the repository does not hold."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

__all__ = ["data_folder", "mnist"]


def data_folder() -> Path:
    """The folder that DIAPHANE_DATA names, or ../shared/data beside the project."""
    return Path(os.environ.get("DIAPHANE_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data"))


def mnist() -> dict[str, np.ndarray]:
    """MNIST: x_train and x_test as rows of numbers from 0 to 1, y_train and y_test as classes."""
    path = data_folder() / "mnist.npz"
    if not path.exists():
        raise SystemExit(f"{path} is not there: set DIAPHANE_DATA to the folder that holds mnist.npz")
    with np.load(path) as file:
        found = {name: file[name] for name in ("x_train", "y_train", "x_test", "y_test")}
    pixels = {
        name: (found[name].reshape(-1, 784) / np.float32(255)).astype(np.float32) for name in ("x_train", "x_test")
    }
    return {**pixels, **{name: found[name].astype(np.int64) for name in ("y_train", "y_test")}}
