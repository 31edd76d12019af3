"""The stages of a run for own words: speak, train, export, evaluate and choose thresholds."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from speechgru import modelfile
from speechgru.atomic_files import write_text
from training.clips.finding import find_recordings
from training.loop.checks import Plan, find_labels
from training.own_words.phrases import check_phrases
from training.own_words.speech import SIDES, Speech, plan_speech, speak
from training.run_files import run_folder

ROOT = Path(__file__).resolve().parents[2]
SPEECH = "speech"  # folder in that of the run
STEP_SECONDS = 0.17  # of `medium` on two cores, in scenes of 3 s
EVALUATION_MINUTES = 2.0
FALSE_ACCEPTS = 0.5  # an hour, for which thresholds are chosen


def prepare(plan: Plan) -> tuple[Plan, Speech]:
    """Say what will be done, and speak.

    Args:
        plan: a run with `--phrases`.

    Returns:
        The plan with the folders of the speech, and the speech.

    Raises:
        SynthesisError: a phrase cannot be spoken, no voice is installed, or one fails.
        OSError: a file cannot be written.
    """
    options, recipe = plan.options, plan.recipe
    phrases = check_phrases(options.phrases or (), options.language)
    speech = plan_speech(options.out / SPEECH, phrases, options.language, recipe.seed)
    minutes = speech.minutes, recipe.epochs * recipe.steps * STEP_SECONDS / 60
    print(f"own words: {', '.join(phrases)}")
    print("\n".join(speech.description))
    print(
        f"1. speak, about {minutes[0]:.0f} minutes; 2. train {recipe.preset} for {recipe.epochs} "
        f"epochs, about {minutes[1]:.0f} minutes on two cores; 3. export, evaluate and choose "
        f"thresholds, about {EVALUATION_MINUTES:.0f} minutes",
        flush=True,
    )
    if not options.resume:
        options.out.mkdir(parents=True, exist_ok=True)
        run_folder.write_start(options.out, options, recipe)
    speak(speech)
    held_out = ...
    data = options.data or speech.clips
    options = dataclasses.replace(
        options,
        data=data,
        synthetic=speech.clips if options.data else None,
        negative=(*options.negative, speech.sentences("training")),
        resume=(options.out / run_folder.TASK).exists(),
    )
    labels = find_labels(data, phrases)
    return dataclasses.replace(plan, options=options, labels=labels), speech
