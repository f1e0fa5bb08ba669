"""Python that repeats the run."""

from __future__ import annotations

import sys
from typing import Any

from sklearn.base import BaseEstimator

from ..markup import clean, joined, paragraph, tag
from ..section import Kind, Section
from ..subject import Subject

__all__ = ["CODE", "code_for"]


def code_for(estimator: Any) -> str:
    """Python that makes the estimator and fits it.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> print(code_for(make_pipeline(StandardScaler(), Ridge(alpha=2.0))))
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    <BLANKLINE>
    model = Pipeline(steps=[('standardscaler', StandardScaler()),
                    ('ridge', Ridge(alpha=2.0))])
    model.fit(X, y)
    """
    values = estimator.get_params(deep=True).values()
    used = {type(v) for v in (estimator, *values) if isinstance(v, BaseEstimator)}
    imports = sorted(f"from {_home(cls)} import {cls.__name__}" for cls in used)
    written = estimator.__repr__(N_CHAR_MAX=10**6) if isinstance(estimator, BaseEstimator) else repr(estimator)
    return "\n".join([*imports, "", f"model = {written}", "model.fit(X, y)"])


def _home(cls: type) -> str:
    """The shortest module that has the class under its own name: the one that its users import from."""
    parts = cls.__module__.split(".")
    for n in range(1, len(parts)):
        module = ".".join(parts[:n])
        if getattr(sys.modules.get(module), cls.__name__, None) is cls:
            return module
    return cls.__module__


def _made(subject: Subject) -> Section:
    code = subject.run.code or code_for(subject.estimator)
    command = subject.run.command
    shell = joined(paragraph("The same in a shell:"), _block(command, "Command")) if command else None
    return Section(
        "Look for the seed, random_state: the same one gives the same model.",
        joined(_block(code, "Python code"), shell),
    )


def _block(text: str, name: str) -> Any:
    return tag("pre", tag("code", clean(text)), tabindex="0", role="region", aria_label=name)


CODE = Kind("code", "To repeat it", _made)
