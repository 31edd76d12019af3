"""How a validation accuracy is stated: never without what its "unknown" was.

A model that has met no speech but its own commands can be right on every validation clip and take
other speech for commands all day.
"""

from collections.abc import Mapping
from typing import Any, Literal

SYNTHETIC = "all of it by synthetic voices"  # in `measured_on` of a model file

ValidationUnknown = Literal["recorded words", "negative speech", "synthetic voices", "made sounds"]


def describe_accuracy(stated: Mapping[str, Any], after_clips: str = "") -> str | None:
    """Return a validation accuracy with what its "unknown" was, as one line.

    Args:
        stated: `metrics.json` of a run, or `speechgru.json` of a model file. What is not in it is
            left out.
        after_clips: text after the number of clips. Default "".

    Returns:
        The line, or None if no accuracy is stated.
    """
    accuracy, clips = stated.get("validation_accuracy"), stated.get("validation_clips")
    if accuracy is None:
        return None
    text = f"{accuracy:.2%}" + ("" if clips is None else f" on {clips:,} clips") + after_clips
    detection = stated.get("detection") or {}
    is_measured = detection.get(
        "false_accepts_per_hour"
    ) is not None and SYNTHETIC not in detection.get("measured_on", "")
    on_real_speech = "" if is_measured else ", so false accepts on real speech are unknown"
    unknown = {
        "recorded words": '; its "unknown" was recordings of other words',
        "negative speech": '; its "unknown" was held-out negative speech',
        "synthetic voices": '; its "unknown" was spoken by synthetic voices' + on_real_speech,
        "made sounds": '; its "unknown" was made sounds alone' + on_real_speech,
    }
    return text + unknown.get(stated.get("validation_unknown", ""), "") + _false_commands(stated)


def _false_commands(stated: Mapping[str, Any]) -> str:
    found = stated.get("false_commands")
    if not found:
        return ""
    count, windows, hours = found["count"], found["windows"], found["hours"]
    return (
        f"; false commands on held-out negative speech: {count:,} of {windows:,} windows, "
        f"{count / windows:.1%} ({hours:.2f} hours)"
    )
