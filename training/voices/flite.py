"""flite: natural voices from recordings, one call a word or sentence."""

from pathlib import Path

from training.voices.programs import run_program
from training.voices.speakers import USUAL_PITCH, Speaker


def write_speech(speaker: Speaker, files: dict[str, Path]) -> None:
    """Write the sound of each word or sentence to its file."""
    settings = ["--setf", f"duration_stretch={speaker.stretch:.3f}"]
    if speaker.pitch != USUAL_PITCH:
        settings += ["--setf", f"int_f0_target_mean={120 * speaker.pitch_factor:.0f}"]
    for word, path in files.items():
        run_program("flite", "-voice", speaker.voice, *settings, "-t", word, "-o", str(path))
