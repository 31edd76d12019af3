"""Measures the Keras model itself, with its own streaming steps (`speechgru.models.streaming`)."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.special import softmax
from tqdm import tqdm

from export.verification.clips import VerificationClips
from export.verification.forms import FormResult
from speechgru.models import initial_state, streaming

BATCH = 256

Scores = npt.NDArray[np.float32]


def measure_keras(model: Any, path: Path, clips: VerificationClips) -> tuple[FormResult, Scores]:
    """Measure the Keras model.

    Args:
        model: the model.
        path: its file, for the size.
        clips: what it is measured on.

    Returns:
        What was measured, and the probabilities (clips, labels).
    """
    scores = softmax(model.predict(clips.audio, batch_size=64, verbose=0), axis=1)
    stream_labels = labels_in_stream(model, clips)
    result = FormResult(
        bytes=path.stat().st_size,
        accuracy=float(np.mean(scores.argmax(axis=1) == clips.targets)),
        stream_accuracy=float(np.mean(stream_labels == clips.targets)),
        hop_by_hop_difference=float(np.abs(hop_by_hop_scores(model, clips.audio) - scores).max()),
    )
    return result, scores


def hop_by_hop_scores(model: Any, audio: npt.NDArray[np.float32]) -> Scores:
    """Return the probabilities after the last hop of each clip, many clips at a time."""
    front_end, hop_frames = model.get_layer("mfcc"), model.get_layer("conv").strides[0]
    by_hop = streaming(model, hop_frames)
    scores = []
    for batch in np.array_split(audio, -(-len(audio) // BATCH)):
        mfcc, state = front_end(batch), initial_state(by_hop, len(batch))
        for start in range(0, mfcc.shape[1], hop_frames):
            outputs = by_hop({"mfcc": mfcc[:, start : start + hop_frames], **state})
            state = next_state(outputs)
        scores.append(softmax(outputs["logits"], axis=1))
    return np.concatenate(scores)


def labels_in_stream(model: Any, clips: VerificationClips) -> npt.NDArray[np.int_]:
    """Return the label at the end of each clip, with all gaps and clips as one stream."""
    front_end = model.get_layer("mfcc")
    config = front_end.config
    past = config.frame_length - config.hop_length
    by_window = streaming(model, config.frames(clips.audio.shape[1]))

    @tf.function  # type: ignore[untyped-decorator]
    def step(samples: Any, before: Any, state: Any) -> Any:
        return by_window({"mfcc": front_end.dct(front_end.log_mel(samples, before)), **state})

    before, state, labels = tf.zeros((1, past)), initial_state(by_window, 1), []
    pairs = zip(clips.gaps, clips.audio, strict=True)
    for pair in tqdm(pairs, "Keras", len(clips.audio), leave=False, disable=None):
        for samples in pair:
            outputs = step(samples[None], before, state)
            before, state = tf.constant(samples[None, len(samples) - past :]), next_state(outputs)
        labels.append(int(np.argmax(outputs["logits"])))
    return np.array(labels)


def next_state(outputs: dict[str, Any]) -> dict[str, Any]:
    """Return the state that a step hands to the next one."""
    return {
        name.removeprefix("next_"): value
        for name, value in outputs.items()
        if name.startswith("next_")
    }
