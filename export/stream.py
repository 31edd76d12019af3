"""Sound fed to the signature `stream` hop by hop, as a device does it."""

from typing import Any

import numpy as np
import numpy.typing as npt

State = dict[str, npt.NDArray[np.float32]]


def initial_state(runner: Any) -> State:
    """The state from which a stream starts: zeros, as the signature runner wants them."""
    return {
        name: np.zeros(detail["shape"], np.float32)
        for name, detail in runner.get_input_details().items()
        if name != "audio"
    }


def streamed(
    runner: Any, samples: npt.NDArray[np.float32], state: State | None = None
) -> tuple[npt.NDArray[np.float32], State]:
    """Scores after every hop, and the state after the last.

    Args:
        runner: LiteRT's runner of the signature `stream`.
        samples: mono signal in [-1, 1], shape (samples,); what is left after the last whole hop is
            not heard.
        state: the state to go on from. Default: zeros.

    Returns:
        float32 (hops, labels), and the state.
    """
    state = initial_state(runner) if state is None else state
    hop = int(runner.get_input_details()["audio"]["shape"][1])
    scores = []
    for start in range(0, samples.size - hop + 1, hop):
        outputs = runner(audio=samples[None, start : start + hop], **state)
        # Views into the interpreter's memory, which the next call overwrites.
        scores.append(outputs["scores"][0].copy())
        state = {name: outputs[f"next_{name}"].copy() for name in state}
    return np.array(scores), state
