"""The computation that a device runs: one hop of audio at a time, or a window as a loop of hops.

Both use the same step, so a stream and a window cannot give different scores.
"""

from typing import Any

import tensorflow as tf

from speechgru.conversion.converter import MIN_QUANTIZED_ELEMENTS
from speechgru.errors import ConversionError
from speechgru.gru import GRU
from speechgru.mfcc_layer import MFCC


class StreamingModel(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
    """A trained model as the signatures `recognize`, `stream` and `features`, with batch size 1.

    Args:
        model: Keras model of `speechgru.build_model`.

    Attributes:
        window_samples: samples that `recognize` takes.
        hop_samples: samples that `stream` takes.
        hop_frames: MFCC frames that become new with each hop.
        state_shapes: shape of each state tensor by its name.
        step_frames_shape: shape of the frames that one step takes, (1, conv_width, n_mfcc).
        large_weight_sizes: number of elements of each weight that is quantised.

    Raises:
        ConversionError: the window is not a whole number of hops.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        config = model.get_layer("mfcc").config
        # LiteRT has no Fourier transform in float64.
        self._front_end = MFCC(config, dtype="float32", name="mfcc")
        self._scale, self._logits = model.get_layer("scale"), model.get_layer("logits")
        self._conv = model.get_layer("conv")
        (self.hop_frames,), (width,) = self._conv.strides, self._conv.kernel_size
        self.window_samples: int = model.input_shape[1]
        self.hop_samples: int = config.hop_length * self.hop_frames
        if self.window_samples % self.hop_samples:
            raise ConversionError(
                f"expected a window of whole hops ({self.hop_samples} samples), "
                f"found {self.window_samples} samples"
            )
        # With "write" a state stays as it is where z is 0, and int8 holds 0 exactly.
        grus = [layer for layer in model.layers if isinstance(layer, GRU)]
        self._cells = [GRU.from_keras(gru, update_gate="write").cell for gru in grus]
        self.state_shapes: dict[str, tuple[int, ...]] = {
            "samples": (1, config.frame_length - config.hop_length),
            "frames": (1, width - self.hop_frames, config.n_mfcc),
            **{f"h_{n}": (1, cell.units) for n, cell in enumerate(self._cells, start=1)},
        }
        self.step_frames_shape = (1, width, config.n_mfcc)
        self.window_spec = tf.TensorSpec((1, self.window_samples), name="audio")
        self.hop_spec = tf.TensorSpec((1, self.hop_samples), name="audio")
        layers = (self._scale, self._conv, self._logits, *self._cells)
        weights = [weight for layer in layers for weight in layer.weights]
        # tf.Module finds variables in its attributes. Without this list none would be saved.
        self.saved_variables = [weight.value for weight in weights]
        kernels = [w.value.shape.num_elements() for w in weights if w.path.endswith("kernel")]
        self.large_weight_sizes = [n for n in kernels if n >= MIN_QUANTIZED_ELEMENTS]

    def signatures(self) -> dict[str, Any]:
        """Return concrete functions by the names of their signatures."""
        state = self.state_specs(self.state_shapes)
        return {
            "recognize": tf.function(self.recognize).get_concrete_function(self.window_spec),
            "stream": tf.function(self.stream).get_concrete_function(self.hop_spec, **state),
            "features": tf.function(self.features).get_concrete_function(self.window_spec),
        }

    def state_specs(self, names: Any) -> dict[str, Any]:
        """Return a `tf.TensorSpec` for each of the named state tensors."""
        return {name: tf.TensorSpec(self.state_shapes[name], name=name) for name in names}

    def recognize(self, audio: Any) -> dict[str, Any]:
        """Return the scores of a window, (1, window) -> (1, labels)."""
        frames = self.window_frames(audio)
        steps = self.window_samples // self.hop_samples

        def body(t: Any, *h: Any) -> tuple[Any, ...]:
            step_frames = tf.slice(frames, (0, t * self.hop_frames, 0), self.step_frames_shape)
            return (t + 1, *self._next_states(step_frames, h))

        h = [tf.zeros((1, cell.units)) for cell in self._cells]
        _, *h = tf.while_loop(lambda t, *_: t < steps, body, (0, *h), maximum_iterations=steps)
        return {"scores": self._scores(h)}

    def stream(self, audio: Any, samples: Any, frames: Any, **h: Any) -> dict[str, Any]:
        """Return the scores after one more hop, and the next state (see `state_shapes`)."""
        outputs = self.hop_frames_and_state(audio, samples, frames)
        return {**self.step(outputs.pop("frames"), **h), **outputs}

    def features(self, audio: Any) -> dict[str, Any]:
        """Return the MFCC of a window, (1, window) -> (1, frames, n_mfcc)."""
        return {"mfcc": self._front_end.dct(self._front_end.log_mel(audio))}

    def window_frames(self, audio: Any) -> Any:
        """Return all frames that the steps of a window take, the zeros before it included."""
        past = self.state_shapes["frames"][1]
        return tf.pad(self.scaled_frames(audio), ((0, 0), (past, 0), (0, 0)))

    def hop_frames_and_state(self, audio: Any, samples: Any, frames: Any) -> dict[str, Any]:
        """Return the `frames` of the hop's step, and the front end's next state."""
        frames = tf.concat([frames, self.scaled_frames(audio, samples)], axis=1)
        return {
            "frames": frames,
            "next_samples": tf.concat([samples, audio], axis=1)[:, self.hop_samples :],
            "next_frames": frames[:, self.hop_frames :],
        }

    def scaled_frames(self, audio: Any, past: Any = None) -> Any:
        """Return MFCC less their mean, divided by their deviation; see `speechgru.MFCC.log_mel`."""
        return self._scale(self._front_end.dct(self._front_end.log_mel(audio, past)))

    def step(self, frames: Any, **h: Any) -> dict[str, Any]:
        """Return the scores and the GRUs' next states after the frames of one hop."""
        states = self._next_states(frames, [h[name] for name in sorted(h)])
        next_states = {f"next_h_{n}": state for n, state in enumerate(states, start=1)}
        return {"scores": self._scores(states), **next_states}

    def _next_states(self, frames: Any, states: Any) -> list[Any]:
        x = tf.squeeze(self._conv(frames), 1)
        next_states = []
        for cell, h in zip(self._cells, states, strict=True):
            inputs = cell.split(cell.project(x))
            _, (z, _, candidate, _) = cell.step(*inputs, h, *cell.recurrent_weights())
            x = h + z * (candidate - h)  # (1 - z) h + z h~, and exactly h where z is 0
            next_states.append(x)
        return next_states

    def _scores(self, states: Any) -> Any:
        return tf.nn.softmax(self._logits(states[-1]))
