"""From logits to probabilities, for maps that people look at or average: the one thing here that is no integer rule."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from quantunet.errors import ShapeError
from quantunet.golden.inference import Taps, classes
from quantunet.ir import Graph
from quantunet.values import step_of

STEPS = 65535
"""The integer that a probability of 1 becomes."""


def check_gives_logits(graph: Graph) -> None:
    """Refuse a network that gives masks or classes without the logits that they come from.

    Raises:
        ShapeError: It does.
    """
    if graph.gives_mask:
        raise ShapeError(
            graph.output,
            expected="a network with logits, of which probabilities are made",
            got="one that gives its mask alone",
            hint="Take the network that `quantunet mask` was given.",
        )


def probabilities(graph: Graph, taps: Taps) -> npt.NDArray[np.uint16]:
    """Return the probability of each class: sigmoid of one logit, softmax of several, in double precision, rounded.

    What is at least half, 32768, of one logit is exactly the foreground of the mask.

    Args:
        graph: The network; it has logits.
        taps: Its logits, with the images as leading axis if they have one.

    Returns:
        uint16 ``(height, width, channels)`` in 1 / 65535, behind the images' axis; one channel for one logit.

    Raises:
        ShapeError: The network gives its mask alone.
    """
    check_gives_logits(graph)
    logits = taps[graph.logits.name].astype(np.float64)
    if graph.reading is not None and graph.logits.name == graph.output:
        gain, offset = (np.array([float(each) for each in some]) for some in (graph.reading.gain, graph.reading.offset))
        logits = logits * gain + offset
    else:
        logits = logits * float(step_of(graph.logits))
    if logits.shape[-1] == 1:
        found = np.rint(STEPS / (1 + np.exp(-logits.clip(-700, 700))))
        half = STEPS // 2 + 1
        foreground = classes(graph, taps)[..., None] > 0
        return np.asarray(np.where(foreground, found.clip(half), found.clip(None, half - 1)), np.uint16)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(np.rint(STEPS * powers / powers.sum(axis=-1, keepdims=True)), np.uint16)
