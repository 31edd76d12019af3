"""TODO: words."""

from collections import Counter
from collections.abc import Sequence

from speechgru.recognizer import NOT_COMMANDS
from training.clips.errors import DataError
from training.clips.finding import Clip
from training.output.messages import some, warn

USUAL_WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
ALL_WORDS = ["all"]  # asked for instead of a list of words
UNKNOWN, SILENCE = NOT_COMMANDS


def choose_words(clips: Sequence[Clip], words: Sequence[str] | None) -> tuple[str, ...]:
    """The command words: those asked for, else the ten usual ones if all are there, else all.

    `["all"]` asks for every word folder besides unknown and silence.

    Raises:
        DataError: a word asked for has no folder, or fewer than one word is left.
    """
    present = sorted({clip.word for clip in clips} - {UNKNOWN, SILENCE})
    if words is None:
        chosen = USUAL_WORDS if set(USUAL_WORDS) <= set(present) else tuple(present)
    elif list(words) == ALL_WORDS:
        chosen = tuple(present)
    else:
        chosen = tuple(dict.fromkeys(words))
        missing = [word for word in chosen if word not in present]
        if missing:
            raise DataError(
                f"no clips of {', '.join(missing)}; there are clips of {', '.join(present)}"
            )
    if not chosen:
        raise DataError("expected at least one word folder besides unknown and silence")
    return chosen


def warn_of_thin_words(
    commands: Sequence[str], training: Sequence[Clip], validation: Sequence[Clip]
) -> None:
    """Say which commands have few clips (under 10 to train on, 2 to validate on) or one speaker."""
    trained = Counter(clip.word for clip in training)
    validated = Counter(clip.word for clip in validation)
    few = [
        f"{word} ({trained[word]} to train on, {validated[word]} to validate on)"
        for word in commands
        if trained[word] < 10 or validated[word] < 2
    ]
    if few:
        warn(f"few clips, expected at least 10 to train on and 2 to validate on: {', '.join(few)}")
    speakers: dict[str, set[str]] = {}
    for clip in (*training, *validation):
        speakers.setdefault(clip.word, set()).add(clip.speaker)
    alone = [word for word in commands if len(speakers.get(word, ())) == 1]
    if alone:
        warn(f"words that only one speaker says, so that others may not be heard: {some(alone)}")
