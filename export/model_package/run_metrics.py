"""What a run states about its model, read from metrics.json and checked."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from export.errors import ExportError
from speechgru.stated_accuracy import ValidationUnknown


def _one_line(label: str) -> str:
    if label.splitlines() != [label]:
        raise ValueError("expected a label of one line")
    return label


Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, lt=2**53)]
Positive = Annotated[int, Field(ge=1, lt=2**53)]
Label = Annotated[str, AfterValidator(_one_line)]


@dataclass(frozen=True, kw_only=True, config=ConfigDict(allow_inf_nan=False))
class FalseCommands:
    """Windows of held-out negative speech that were recognised as a command.

    Args:
        count: number of such windows.
        windows: number of all windows.
        hours: their length in hours.
    """

    count: Count
    windows: Positive
    hours: Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a run started from.

    Args:
        model: the folder of a run, or the name of a bundled model.
    """

    model: str


@dataclass(frozen=True, kw_only=True, config=ConfigDict(allow_inf_nan=False))
class RunMetrics:
    """Content of a run's `metrics.json`.

    Args:
        labels: classes in the order of the scores.
        parameters: number of trainable parameters.
        validation_accuracy: share of the validation clips that are recognised.
        validation_clips: number of validation clips.
        validation_of_new_voices: whether no speaker is in both training and validation.
        confusion: validation clips by true label (row) and recognised label (column).
        recall: share of each label's clips that are recognised; None for a label without clips.
        epochs: number of epochs.
        training_seconds: duration of the training in seconds.
        training_data: what the model was trained on, in words.
        data: folder of the clips.
        licence: licence of the training data, or "".
        commands: the commands that made the model.
        teacher: names of the teachers, if any. Default None.
        speakers_known: whether the file names told the speakers apart. Default True.
        validation_unknown: what the validation clips of "unknown" were. Default None: not stated.
        false_commands: what became of held-out negative speech, if there was any. Default None.
        start: what the run started from, if from a trained model. Default None.

    Raises:
        pydantic.ValidationError: a value is not of its type or outside its limits.
    """

    labels: tuple[Label, ...]
    parameters: Positive
    validation_accuracy: Share
    validation_clips: Positive
    validation_of_new_voices: bool
    confusion: list[list[Count]]
    recall: dict[str, Share | None]
    epochs: Count
    training_seconds: Annotated[float, Field(ge=0)]
    training_data: str
    data: str
    licence: str
    commands: list[str]
    teacher: str | None = None
    speakers_known: bool = True
    validation_unknown: ValidationUnknown | None = None
    false_commands: FalseCommands | None = None
    start: Start | None = None


def read_run_metrics(path: Path) -> RunMetrics:
    """Read and check a metrics.json; other keys than those of `RunMetrics` are left out.

    Raises:
        ExportError: it is not JSON, a key is missing, its value cannot be used, or the confusion
            and the recall are not those of the labels.
        OSError: it cannot be read.
    """
    try:
        metrics = TypeAdapter(RunMetrics).validate_json(path.read_bytes(), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        found = "no such key" if first["type"] == "missing" else f"{first['input']!r:.50}"
        raise ExportError(
            f"{path}: {f'`{key}`: ' if key else ''}{first['msg']}, found {found}"
        ) from error
    count = len(metrics.labels)
    if [len(row) for row in metrics.confusion] != [count] * count:
        raise ExportError(f"{path}: `confusion`: expected {count} rows of {count} numbers of clips")
    if metrics.recall.keys() != set(metrics.labels):
        raise ExportError(f"{path}: `recall`: expected a number or null for each label")
    return metrics
