"""Runs the signatures of a converted model, as a device does."""

from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

Array = npt.NDArray[np.float32]
State = dict[str, Array]


class ModelRunner:
    """LiteRT with the signatures of one model.

    Args:
        flatbuffer: the model.
        num_threads: threads of LiteRT. Default 1.

    Attributes:
        hop_samples: samples that a hop of the stream takes.
    """

    def __init__(self, flatbuffer: bytes, num_threads: int = 1) -> None:
        interpreter = Interpreter(model_content=flatbuffer, num_threads=num_threads)
        self._recognize = interpreter.get_signature_runner("recognize")
        self._features = interpreter.get_signature_runner("features")
        self._stream = interpreter.get_signature_runner("stream")
        self.hop_samples = int(self._stream.get_input_details()["audio"]["shape"][1])

    def recognize(self, window: Array) -> Array:
        """Return the scores (labels,) of a window of audio, (samples,)."""
        return _copy(self._recognize(audio=window[None])["scores"][0])

    def features(self, window: Array) -> Array:
        """Return the MFCC (frames, n_mfcc) of a window of audio, (samples,)."""
        return _copy(self._features(audio=window[None])["mfcc"][0])

    def initial_state(self) -> State:
        """Return the state from which a stream starts: zeros."""
        return {
            name: np.zeros(detail["shape"], np.float32)
            for name, detail in self._stream.get_input_details().items()
            if name != "audio"
        }

    def hop(self, audio: Array, state: State) -> tuple[Array, State]:
        """Return the scores (labels,) after one more hop of audio, and the next state."""
        outputs = self._stream(audio=audio[None], **state)
        return _copy(outputs["scores"][0]), {name: _copy(outputs[f"next_{name}"]) for name in state}

    def stream(self, audio: Array, state: State | None = None) -> tuple[Array, State]:
        """Feed audio hop by hop.

        Args:
            audio: mono signal in [-1, 1], (samples,). Samples after the last whole hop are left
                out.
            state: the state to continue from. Default None: a new stream.

        Returns:
            The scores after each hop, (hops, labels), and the last state.
        """
        state = self.initial_state() if state is None else state
        scores = []
        for start in range(0, audio.size - self.hop_samples + 1, self.hop_samples):
            after_hop, state = self.hop(audio[start : start + self.hop_samples], state)
            scores.append(after_hop)
        return np.array(scores), state


def _copy(output: Any) -> Array:
    """Copy an output: it is a view into memory that the next call overwrites."""
    return np.array(output, np.float32)
