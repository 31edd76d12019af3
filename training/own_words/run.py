"""The stages of a run for own words: speak, train, export, evaluate and choose thresholds."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from speechgru import modelfile
from speechgru.atomic_files import write_text
from speechgru.errors import SpeechGRUError
from speechgru.stated_accuracy import SYNTHETIC
from training.clips.finding import find_recordings
from training.clips.speakers import recording_speaker
from training.data.held_out_folders import check_sources
from training.data.sources import DataSources
from training.evaluation.card_row import update_card
from training.evaluation.speakers import EVERYBODY, UNRESERVED, Speakers, is_held_out_speaker
from training.loop.checks import Plan, find_labels
from training.own_words.phrases import check_phrases
from training.own_words.speech import SIDES, Speech, plan_speech, speak
from training.run_files import run_folder
from training.voices.languages import find_language
from training.voices.sentence_table import read_table

ROOT = Path(__file__).resolve().parents[2]
SPEECH = "speech"  # folder in that of the run
MODEL = "model.tflite"
METRICS = "metrics.json"
STEP_SECONDS = 0.17  # of `medium` on two cores, in scenes of 48 x 4 s
EVALUATION_MINUTES = 3
# False accepts an hour for which thresholds are chosen. On sentences by synthetic voices fewer are
# allowed: real speech has about ten times as many false accepts at the same thresholds.
FALSE_ACCEPTS = 0.5
SYNTHETIC_FALSE_ACCEPTS = 0.2


class OwnWordsError(SpeechGRUError, RuntimeError):
    """A stage that failed. The message says how to go on."""


def prepare(plan: Plan) -> tuple[Plan, Speech]:
    """Say what will be done, and speak, unless the training has begun already.

    Args:
        plan: a run with `--phrases`.

    Returns:
        The plan with the folders of the speech, and the speech.

    Raises:
        SynthesisError: a phrase cannot be spoken, no voice is installed, or one fails.
        DataError: a folder may hold clips of the data folder.
        OSError: a file cannot be written.
    """
    typed, recipe = plan.options, plan.recipe
    language = find_language(typed.language)
    phrases = check_phrases(typed.phrases or (), language)
    speech = plan_speech(typed.out / SPEECH, phrases, language, recipe.seed)
    has_begun = (typed.out / run_folder.TASK).exists()
    data = typed.data or speech.clips
    options = dataclasses.replace(
        typed,
        data=data,
        words=phrases,
        synthetic=speech.clips if typed.data else None,
        negative=(*typed.negative, speech.sentences("training")),
        resume=has_begun,
    )
    check_sources(DataSources(data, options.negative, options.synthetic, options.noise))
    if not has_begun:  # else voices that were installed since would add clips
        _describe(plan, phrases, speech)
        if not typed.resume:
            typed.out.mkdir(parents=True, exist_ok=True)
            run_folder.write_start(typed.out, typed, recipe)
        speak(speech)
    labels = find_labels(data, phrases)
    return dataclasses.replace(plan, options=options, labels=labels), speech


def finish(plan: Plan, speech: Speech) -> None:
    """Export the trained model, choose its thresholds, and print how to use it.

    Raises:
        OwnWordsError: the export failed.
        SpeechGRUError, OSError: see `evaluation.evaluate`.
    """
    from training.evaluation.evaluated_model import load_model
    from training.evaluation.evaluation import evaluate
    from training.evaluation.report import headline, tables
    from training.evaluation.streams.options import StreamOptions
    from training.evaluation.streams.recipe import StreamRecipe

    out = plan.options.out
    state_voices(out / METRICS, speech)
    # A program of its own: nothing in training/ imports export/.
    command = [sys.executable, str(ROOT / "export" / "export.py"), str(out)]
    if subprocess.run(command, check=False).returncode:
        raise OwnWordsError(f"{out}: the export failed; --resume --out {out} goes on with it")
    negatives = [speech.sentences("held-out")]
    if real := held_out_recordings(plan):
        negatives.append(real)
    speakers = speakers_of(real)
    allowed = SYNTHETIC_FALSE_ACCEPTS if speakers == EVERYBODY else FALSE_ACCEPTS
    streams = StreamOptions(StreamRecipe(noise_minutes=5), negatives, speakers, allowed)
    report = evaluate(
        load_model(out / MODEL), speech.clips, report_folder=out / "report", streams=streams
    )
    print(f"{headline(report)}\n\n{tables(report)}\n")
    if not real:
        _state_synthetic(out / MODEL)
    stated = modelfile.read(out / MODEL).settings["detection"]
    print(f"{out / MODEL}: {stated['measured_on']}")
    if not real:
        print(
            "false accepts on real speech are unknown: the sentences were spoken by synthesisers. "
            f"python training/evaluate.py {out / MODEL} --data {speech.clips} --negatives DIR "
            "counts them in recordings"
        )
    print(f"report: {out / 'report' / 'report.html'}")
    print(f"try it: speechgru listen --model {out / MODEL}")


def state_voices(metrics_file: Path, speech: Speech) -> None:
    """State in `metrics.json`, and so in the card, who spoke, and the licences of the sentences.

    Args:
        metrics_file: the file, as the training wrote it.
        speech: what was spoken.
    """
    metrics = json.loads(metrics_file.read_text(encoding="utf-8"))
    engines = dict.fromkeys(engine for side in SIDES for engine in speech.voices[side])
    licences = dict.fromkeys(row.licence for row in read_table(speech.sentences("training")))
    metrics["training_data"] += f"; clips and sentences by synthetic voices ({', '.join(engines)})"
    parts = (metrics["licence"], *(f"sentences: {licence}" for licence in licences if licence))
    metrics["licence"] = "; ".join(part for part in parts if part)
    write_text(metrics_file, json.dumps(metrics, indent=1))


def speakers_of(real: Path | None) -> Speakers:
    """Return on whom a model is evaluated: in halves, one of which checks what suits the other.

    Without real recordings of both halves, it is everybody, and nothing is checked.

    Args:
        real: the folder of `held_out_recordings`, or None.
    """
    names = {recording_speaker(path) for path in find_recordings(real)} if real else set()
    halves = {is_held_out_speaker(name) for name in names if UNRESERVED.includes(name)}
    return UNRESERVED if len(halves) == 2 else EVERYBODY


def _state_synthetic(model: Path) -> None:
    """State in a model file and in its card that no real speech was measured."""
    detection = modelfile.read(model).settings["detection"]
    measured_on = (
        f"{detection['measured_on']}; {SYNTHETIC}: false accepts on real speech are unknown"
    )
    modelfile.write_detection(model, {"measured_on": measured_on})
    update_card(model, {**detection, "measured_on": measured_on})


def _describe(plan: Plan, phrases: Sequence[str], speech: Speech) -> None:
    recipe = plan.recipe
    minutes = recipe.epochs * recipe.steps * STEP_SECONDS / 60
    start = f" from {plan.options.start}" if plan.options.start else ""
    print(f"own words: {', '.join(phrases)} ({speech.language.name})")
    print("\n".join(speech.description))
    print(
        f"1. speak: about {speech.minutes:.0f} minutes on two cores\n"
        f"2. train {recipe.preset}{start}: {recipe.epochs} epochs, about {minutes:.0f} minutes\n"
        f"3. export, evaluate, choose thresholds: about {EVALUATION_MINUTES} minutes",
        flush=True,
    )


def held_out_recordings(plan: Plan) -> Path | None:
    """Link the recordings of --negative that were not trained on into a folder of the run.

    So evaluate.py can be run on them.

    Returns:
        The folder, or None if there are none.
    """
    out = plan.options.out
    task = json.loads((out / run_folder.TASK).read_text(encoding="utf-8"))
    folder = out / SPEECH / "negative_held_out"
    found = False
    for name in task.get("validation_negative", ()):
        for source in plan.options.negative[:-1]:  # without the sentences
            if (source / name).is_file():
                link(source / name, folder / name)
                found = True
    return folder if found else None


def link(source: Path, path: Path) -> None:
    """Link a file, or copy it where it cannot be linked."""
    if path.exists() or path.is_symlink():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.symlink(source.resolve(), path)
    except OSError:
        shutil.copyfile(source, path)
