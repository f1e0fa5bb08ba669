"""What layers keep, computed anew for given parameters."""

from __future__ import annotations

from typing import Any

from ..engines import Engine, Program, State
from ..graph import Node
from ..nn.network import Network
from .inputs import as_rows, check_whole

__all__ = ["refresh"]


def refresh(
    network: Network, state: State, x: Any, *, batch_size: int = 128, passes: int = 1, engine: str | Engine = "native"
) -> State:
    """The state with the running averages of its layers taken along some rows, its parameters as they are.

    Averaged parameters have other activations than any that training saw, so that the running means of
    :class:`~diaphane.nn.BatchNorm` are not theirs (Izmailov et al. 2018, §3.2). It is PyTorch's ``update_bn`` with
    the layers' own momentum: with 0.1 the means forget where they came from after some fifty batches.

    Parameters
    ----------
    network : Network
    state : State
        The network's values, such as a training's ``result.state``.
    x : array, shape ``(n, *input_shape)``
        The training rows.
    batch_size : int
    passes : int
        How many times to go over the rows.
    engine : str or Engine

    Examples
    --------
    >>> import numpy as np
    >>> import diaphane as dia
    >>> network = dia.nn.Network(dia.nn.BatchNorm(momentum=1.0), (1,))
    >>> state = refresh(network, network.initial_state(), np.array([[1.0], [3.0]]))
    >>> float(state[network.variable("batch_norm_1/mean")][0])
    2.0
    """
    updates = network.forward(network.input, training=True).updates
    if not updates:
        return state
    program = Program({}, updates, engine=engine)
    rows: dict[Node | str, Any] = {network.input: as_rows(x)}
    size = check_whole("batch_size", batch_size, 1)
    for i in range(check_whole("passes", passes, 1)):
        _, state = program.run_batches(state, rows, batch_size=size, seed=i)
    return state
