from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def threads_for_short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let several threads do the shares of runs, however short these are and whoever else has the cores."""
    pytest.importorskip("numba")
    from diaphane.engines.native import rows, running, threads

    for module in (rows, running):
        monkeypatch.setattr(module, "SHARED_RUN", 0.0)
    monkeypatch.setattr(threads, "ALONE", 0.0)
