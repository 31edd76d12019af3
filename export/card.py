"""The model card: what a reader must know of a model file, written from the run's own figures."""

from typing import Any

NEW_VOICES = (
    "The validation clips come from speakers who took no part in training, and no epoch was chosen "
    "on them. Recipes were compared on them, which favours the figure a little."
)
KNOWN_VOICES = (
    "Speakers of the validation clips took part in training: expect less of new speakers."
)


def model_card(
    name: str,
    size: int,
    settings: dict[str, Any],
    metrics: dict[str, Any],
    command: str,
    checked: str,
    notes: str,
) -> str:
    """Markdown for one exported model.

    Args:
        name: file name of the model.
        size: its size in bytes.
        settings: what `speechgru.json` in the file says.
        metrics: the run's `metrics.json`.
        command: the command that made the file.
        checked: what its check found.
        notes: further text (sources, known limits), or "".
    """
    front_end = settings["front_end"]
    labels = metrics["labels"]
    minutes = metrics["training_seconds"] / 60
    teacher = metrics.get("teacher")
    taught = f", as a student of {teacher}" if teacher else ""
    lines = [
        f"# {name}",
        "",
        "| | |",
        "|---|---|",
        f"| labels | {' '.join(labels)} |",
        f"| parameters | {settings['parameters']:,} |",
        f"| size | {size:,} bytes ({settings['quantization']} quantisation) |",
        f"| window and hop | {settings['window_samples']} and {settings['hop_samples']} samples "
        f"at {front_end['sample_rate']} Hz |",
        f"| validation accuracy | {settings['validation_accuracy']:.2%} on "
        f"{settings['validation_clips']:,} clips (the Keras model) |",
        f"| training data | {settings['training_data']} |",
        f"| licence of the data | {settings['licence'] or 'not stated'} |",
        f"| training | {metrics['epochs']} epochs in {minutes:.0f} minutes{taught} |",
        f"| made with | {', '.join(f'{k} {v}' for k, v in settings['versions'].items())} |",
        "",
        NEW_VOICES if metrics["validation_of_new_voices"] else KNOWN_VOICES,
        "",
        "## Commands",
        "",
        "```sh",
        *metrics["commands"],
        command,
        "```",
        "",
        checked,
        "",
        "## Confusion on the validation clips",
        "",
        "Rows are what was spoken, columns what was recognised.",
        "",
        f"| | {' | '.join(labels)} | recall |",
        "|---" * (len(labels) + 2) + "|",
    ]
    for label, row in zip(labels, metrics["confusion"], strict=True):
        recall = metrics["recall"][label]
        cells = [str(count) if count else "" for count in row]
        cells.append("" if recall is None else f"{recall:.1%}")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", notes.strip(), ""]).rstrip() + "\n"
