"""Conversion of a trained model to one flatbuffer with the signatures of the contract.

What runs on the device is written here once: a float32 front end, and a `step` that takes the
frames of one hop. The signature `stream` is one step; `recognize` is a loop of steps over a window,
so that a stream and a window cannot differ.
"""

from typing import Any

import tensorflow as tf

from speechgru.conversion import converter, flatbuffer
from speechgru.conversion.converter import MIN_QUANTIZED_ELEMENTS, ConversionError, Quantization
from speechgru.features import MFCC
from speechgru.gru import GRU


class StreamingModel(tf.Module):
    """A trained model as a device runs it, one clip or one hop at a time.

    Args:
        model: Keras model of `speechgru.build_model`.

    Attributes:
        window, hop: samples that `recognize` and `stream` take.
        state: shape of each state tensor by its name.
        under_conv: shape of the frames that `step` takes.
        stride: frames of a hop.
        large_kernels: elements of each weight that is quantised.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        trained_on = model.get_layer("mfcc")
        config = trained_on.config
        # LiteRT has no transform in float64.
        self._front_end = MFCC(config, dtype="float32", name="mfcc")
        self._scale, self._logits = model.get_layer("scale"), model.get_layer("logits")
        conv = model.get_layer("conv")
        (self.stride,), (width,) = conv.strides, conv.kernel_size
        self.window = model.input_shape[1]
        self.hop = config.hop_length * self.stride
        if self.window % self.hop:
            raise ConversionError(
                f"expected a window of whole hops ({self.hop} samples), found {self.window} samples"
            )
        self._conv = conv
        # Where z near 1 writes, a state is kept by a z near 0, which integers hold exactly.
        grus = [layer for layer in model.layers if isinstance(layer, GRU)]
        self._cells = [GRU.from_keras(gru, update_gate="write").cell for gru in grus]
        self.state = {
            "samples": (1, config.frame_length - config.hop_length),
            "frames": (1, width - self.stride, config.n_mfcc),
            **{f"h_{n}": (1, cell.units) for n, cell in enumerate(self._cells, start=1)},
        }
        self.under_conv = (1, width, config.n_mfcc)
        self.window_spec = tf.TensorSpec((1, self.window), name="audio")
        self.hop_spec = tf.TensorSpec((1, self.hop), name="audio")
        # Without this list the converter finds no variables and writes a file without weights.
        layers = (self._scale, conv, self._logits, *self._cells)
        weights = [weight for layer in layers for weight in layer.weights]
        self.held = [weight.value for weight in weights]
        kernels = [w.value.shape.num_elements() for w in weights if w.path.endswith("kernel")]
        self.large_kernels = [size for size in kernels if size >= MIN_QUANTIZED_ELEMENTS]

    def signatures(self) -> dict[str, Any]:
        """Concrete functions of the signatures `recognize`, `stream` and `features`."""
        window = self.window_spec
        state = {name: tf.TensorSpec(shape, name=name) for name, shape in self.state.items()}
        return {
            "recognize": tf.function(self.recognize).get_concrete_function(window),
            "stream": tf.function(self.stream).get_concrete_function(self.hop_spec, **state),
            "features": tf.function(self.features).get_concrete_function(window),
        }

    def recognize(self, audio: Any) -> dict[str, Any]:
        """Scores of a window, (1, window) -> (1, labels)."""
        frames = self.scaled_frames(audio)
        frames = tf.pad(frames, ((0, 0), (self.state["frames"][1], 0), (0, 0)))
        steps = self.window // self.hop

        def body(t: Any, *h: Any) -> tuple[Any, ...]:
            under_conv = tf.slice(frames, (0, t * self.stride, 0), self.under_conv)
            return (t + 1, *self.step(under_conv, h))

        h = [tf.zeros((1, cell.units)) for cell in self._cells]
        _, *h = tf.while_loop(lambda t, *_: t < steps, body, (0, *h), maximum_iterations=steps)
        return {"scores": self.scores(h)}

    def stream(self, audio: Any, samples: Any, frames: Any, **h: Any) -> dict[str, Any]:
        """Scores after one more hop, and the next state; `StreamingModel.state` has the shapes."""
        following = self.following(audio, samples, frames)
        return {**self.network(following.pop("frames"), **h), **following}

    def network(self, frames: Any, **h: Any) -> dict[str, Any]:
        """Scores and the GRUs' next states, from the frames under the convolution."""
        states = self.step(frames, [h[name] for name in sorted(h)])
        following = {f"next_h_{n}": state for n, state in enumerate(states, start=1)}
        return {"scores": self.scores(states), **following}

    def following(self, audio: Any, samples: Any, frames: Any) -> dict[str, Any]:
        """What the front end makes of one more hop: the frames of `step`, and its next state."""
        frames = tf.concat([frames, self.scaled_frames(audio, samples)], axis=1)
        return {
            "frames": frames,
            "next_samples": tf.concat([samples, audio], axis=1)[:, self.hop :],
            "next_frames": frames[:, self.stride :],
        }

    def features(self, audio: Any) -> dict[str, Any]:
        """MFCC of a window, (1, window) -> (1, frames, n_mfcc)."""
        return {"mfcc": self._front_end(audio)}

    def scaled_frames(self, audio: Any, past: Any = None) -> Any:
        """MFCC as the convolution takes them; see `speechgru.MFCC.log_mel`."""
        return self._scale(self._front_end.dct(self._front_end.log_mel(audio, past)))

    def step(self, frames: Any, states: Any) -> list[Any]:
        """The GRUs' next states, from the frames under the convolution and their states."""
        x = tf.squeeze(self._conv(frames), 1)
        following = []
        for cell, h in zip(self._cells, states, strict=True):
            inputs = cell.split(cell.project(x))
            _, (z, _, candidate, _) = cell.step(*inputs, h, *cell.recurrent_weights())
            x = h + z * (candidate - h)  # (1 - z) h + z h~, and h exactly where z is 0
            following.append(x)
        return following

    def scores(self, states: Any) -> Any:
        """Probabilities of the labels, (1, labels)."""
        return tf.nn.softmax(self._logits(states[-1]))


def convert(device: StreamingModel, quantize: Quantization) -> bytes:
    """A flatbuffer with the signatures of the contract, in builtin operators only.

    Args:
        device: the model.
        quantize: "none" (float32), "float16" (weights), or "dynamic" (int8 weights). The front
            end stays float32.

    Raises:
        ConversionError: the result holds other operators or has lost its weights.
    """
    bytes_per_element = {"none": 4, "float16": 2, "dynamic": 1}[quantize]
    found = converter.convert(device, device.signatures(), quantize)
    return checked(found, device, bytes_per_element)


def checked(found: bytes, device: StreamingModel, bytes_per_element: int) -> bytes:
    """A flatbuffer with the model's weights and of builtin operators only, or ConversionError."""
    converter.check_operators(found)
    sizes = flatbuffer.constant_sizes(found)
    lost = [n for n in device.large_kernels if n * bytes_per_element not in sizes]
    if lost:
        raise ConversionError(
            f"expected a weight of {lost[0] * bytes_per_element:,} bytes in the file, found none"
        )
    return found
