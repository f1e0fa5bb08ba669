from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def threads_for_short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let several threads do the shares of runs, and the rows of predictions, however short they are."""
    pytest.importorskip("numba")
    from diaphane.engines.native import rows, running

    for module in (rows, running):
        monkeypatch.setattr(module, "SHARED_RUN", 0.0)
