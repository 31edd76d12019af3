"""The results of a core against those of the same file on this computer."""

import numpy as np

from export.c99.emulation.program_output import Detection, Output

# The mathematical functions of two C libraries differ in the last bit. Where that turns the
# rounding of an int8 value, the scores differ by more.
SCORE_TOLERANCE = 0.02


def greatest_difference(found: Output, expected: Output) -> float:
    """Return the greatest difference of scores; infinity if there are not as many."""
    differences = [0.0]
    for stream, expected_stream in zip(found.streams, expected.streams, strict=True):
        if len(stream.scores) != len(expected_stream.scores):
            return float("inf")
        if stream.scores:
            difference = np.abs(np.subtract(stream.scores, expected_stream.scores)).max()
            differences.append(float(np.nan_to_num(difference, nan=np.inf)))
    return max(differences)


def differences(found: Output, expected: Output) -> list[str]:
    """Return how the results of a core differ from the expected ones, in words.

    The labels and times of detections must be equal, scores and confidences within
    SCORE_TOLERANCE. The last two streams are the same sound in even and uneven blocks: their
    detections must be equal to the last bit.
    """
    if len(found.streams) != len(expected.streams):
        return [f"expected {len(expected.streams)} streams, found {len(found.streams)}"]
    messages = []
    difference = greatest_difference(found, expected)
    if not difference <= SCORE_TOLERANCE:
        messages.append(f"expected scores within {SCORE_TOLERANCE}, found {difference:.3f}")
    for number, (stream, expected_stream) in enumerate(
        zip(found.streams, expected.streams, strict=True), 1
    ):
        if not _agree(stream.detections, expected_stream.detections):
            messages.append(
                f"stream {number}: expected {_words(expected_stream.detections)}, "
                f"found {_words(stream.detections)}"
            )
    even, uneven = found.streams[-2:]
    if even.detections != uneven.detections:
        messages.append(
            f"uneven blocks: expected {_words(even.detections)}, found {_words(uneven.detections)}"
        )
    return messages


def _agree(found: list[Detection], expected: list[Detection]) -> bool:
    return len(found) == len(expected) and all(
        (one.label, one.sample) == (other.label, other.sample)
        and abs(one.confidence - other.confidence) <= SCORE_TOLERANCE
        for one, other in zip(found, expected, strict=True)
    )


def _words(detections: list[Detection]) -> str:
    return ", ".join(f"{d.label} at {d.sample} ({d.confidence:.3f})" for d in detections) or "none"
