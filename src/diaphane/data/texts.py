"""A column of many different words or of sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diaphane.data.table import Column, is_numeric

__all__ = ["TextEncoder"]

MOST_FEATURES = 30
MOST_FRAGMENTS = 5000


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """Latent semantic analysis of the fragments of 3 and 4 letters (Deerwester et al. 1990).

    Each cell's fragments are counted, weighted by tf-idf and projected on the leading singular vectors of
    the training rows, as skrub's ``StringEncoder`` does; so words that are spelt alike come near one
    another and a never seen one finds its place among them. Features are divided by one number, so that
    their mean square is 1.

    Attributes
    ----------
    name : str
    fragments : tuple of str
    rarity : float64 array of shape (n_fragments,)
        The inverse document frequencies.
    directions : float64 array of shape (n_fragments, n_features)
        The singular vectors over the common scale.

    Examples
    --------
    >>> words = np.array(["red wine", "red wines", "white wine", "sea water"], dtype=object)
    >>> encoder = TextEncoder.fit("drink", words)
    >>> red, reds, white, water = encoder.transform(words)
    >>> bool(np.linalg.norm(red - reds) < np.linalg.norm(red - water))
    True
    """

    # A vectorizer of scikit-learn's is rebuilt from plain lists and arrays by its public attributes;
    # skrub's own encoder has no such door, and stored by skops it takes 6 MB for 5000 short cells, an
    # array a fragment.

    name: str
    fragments: tuple[str, ...]
    rarity: NDArray[np.float64]
    directions: NDArray[np.float64]

    @classmethod
    def fit(cls, name: str, column: Column) -> TextEncoder | None:
        """Return the encoder, or None where the cells hold no fragments to tell them apart."""
        from sklearn.decomposition import TruncatedSVD

        vectorizer = _vectorizer(max_features=MOST_FRAGMENTS)
        try:
            weights = vectorizer.fit_transform(_cells(column))
        except ValueError:
            return None
        n_features = min(MOST_FEATURES, min(weights.shape) - 1)
        if n_features < 1:
            return None
        directions = TruncatedSVD(n_features, random_state=0).fit(weights).components_.T
        size = float(np.sqrt(np.mean(np.square(weights @ directions))))
        if not size > 0:
            return None
        fragments = tuple(str(fragment) for fragment in vectorizer.get_feature_names_out())
        return cls(name, fragments, np.asarray(vectorizer.idf_), directions / size)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(f"{self.name} text {i}" for i in range(self.directions.shape[1]))

    def transform(self, column: Column) -> NDArray[np.float64]:
        vectorizer = _vectorizer(vocabulary=list(self.fragments))
        vectorizer.idf_ = self.rarity
        return np.asarray(vectorizer.transform(_cells(column)) @ self.directions)

    def describe(self) -> str:
        return f"{self.name}: text, {self.directions.shape[1]} features from {len(self.fragments)} fragments"

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {"fragments": list(self.fragments)}, {"rarity": self.rarity, "directions": self.directions}

    @classmethod
    def from_state(cls, name: str, state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> TextEncoder:
        fragments = tuple(str(fragment) for fragment in state["fragments"])
        rarity = np.asarray(arrays["rarity"], dtype=np.float64)
        directions = np.asarray(arrays["directions"], dtype=np.float64)
        if rarity.shape != (len(fragments),) or directions.ndim != 2 or len(directions) != len(fragments):
            raise ValueError("arrays of a text column do not fit together")
        return cls(name, fragments, rarity, directions)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TextEncoder)
            and (self.name, self.fragments) == (other.name, other.fragments)
            and np.array_equal(self.rarity, other.rarity)
            and np.array_equal(self.directions, other.directions)
        )

    def __hash__(self) -> int:
        return hash((self.name, self.fragments))

    def accept(self, column: Column) -> Column:
        return column


def _vectorizer(**options: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), **options)


def _cells(column: Column) -> list[str]:
    if is_numeric(column):
        return ["" if cell != cell else f"{cell:.15g}" for cell in column.tolist()]
    return ["" if cell is None else cell for cell in column.tolist()]
