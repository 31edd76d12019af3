"""Measures forms that recognise a stream and nothing else, as firmware does."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from export.verification.clips import VerificationClips
from export.verification.forms import FormResult

Scores = npt.NDArray[np.float32]


class StreamRunner(Protocol):
    """A form of a model that recognises a stream.

    Attributes:
        bytes: size of the form.
        memory: bytes that it needs while it runs; `stream` is what firmware must set aside.
        changed_labels_limit: share of the clips whose label may differ from the int8 form's.
    """

    bytes: int
    memory: dict[str, int]
    changed_labels_limit: float

    def reset(self) -> None:
        """Start a new stream."""

    def feed(self, audio: npt.NDArray[np.float32]) -> Scores:
        """Continue the stream.

        Args:
            audio: mono signal in [-1, 1], (samples,), of whole hops.

        Returns:
            The scores after each hop, (hops, labels).
        """


class UnavailableError(Exception):
    """A form cannot be run on this system. The message says what it needs."""


def open_runners(
    forms: Mapping[str, Callable[[], StreamRunner]],
) -> tuple[dict[str, StreamRunner], list[str]]:
    """Return the runners of the forms that this system can run, and a line for each other form."""
    runners, unavailable = {}, []
    for name, open_runner in forms.items():
        try:
            runners[name] = open_runner()
        except UnavailableError as error:
            unavailable.append(f"{name}: not run: {error}")
    return runners, unavailable


def measure_stream_form(
    name: str,
    runner: StreamRunner,
    clips: VerificationClips,
    keras_scores: Scores,
    int8_scores: Scores,
) -> FormResult:
    """Measure one form. Its scores of a clip are those after the last hop of a new stream.

    Args:
        name: of the form, for the progress bar.
        runner: the form.
        clips: what it is measured on.
        keras_scores: probabilities by the Keras model, (clips, labels).
        int8_scores: the same by the int8 form.
    """
    of_clips = []
    for audio in tqdm(clips.audio, name, leave=False, disable=None):
        runner.reset()
        of_clips.append(runner.feed(audio)[-1])
    in_stream = []
    runner.reset()
    pairs = zip(clips.gaps, clips.audio, strict=True)
    for pair in tqdm(pairs, f"{name}, one stream", len(clips.audio), leave=False, disable=None):
        in_stream.append(runner.feed(np.concatenate(pair))[-1])
    scores = np.array(of_clips)
    labels = scores.argmax(axis=1)
    return FormResult(
        bytes=runner.bytes,
        accuracy=float(np.mean(labels == clips.targets)),
        stream_accuracy=float(np.mean(np.argmax(in_stream, axis=1) == clips.targets)),
        score_difference=float(np.abs(scores - keras_scores).max()),
        changed_labels=float(np.mean(labels != keras_scores.argmax(axis=1))),
        score_difference_from_int8=float(np.abs(scores - int8_scores).max()),
        changed_labels_from_int8=float(np.mean(labels != int8_scores.argmax(axis=1))),
        memory=runner.memory,
    )
