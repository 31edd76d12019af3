"""festival: natural voices from recordings, all texts of a speaker in one call."""

from pathlib import Path

from training.voices.programs import run_program
from training.voices.speakers import Speaker


def write_speech(speaker: Speaker, files: dict[str, Path]) -> None:
    """Write the sound of each word or sentence to its file; all files are in one folder."""
    # Without guess_pos no word counts as a function word, which would be cut short.
    alone = not any(" " in text for text in files)
    parts_of_speech = """(set! guess_pos '((none "none")))""" if alone else ""
    lines = "\n".join(f'(say "{word}" "{path.name}")' for word, path in files.items())
    commands = f"""
        (voice_{speaker.voice})
        {parts_of_speech}
        (Parameter.set 'Duration_Stretch {speaker.stretch:.3f})
        (set! int_lr_params '((target_f0_mean {105 * speaker.pitch_factor:.1f})
            (target_f0_std 15) (model_f0_mean 170) (model_f0_std 34)))
        (define (say text file)
            (utt.save.wave (utt.synth (eval (list 'Utterance 'Text text))) file 'riff))
        {lines}
    """
    folder = next(iter(files.values())).parent
    Path(folder, "say.scm").write_text(commands)
    run_program("festival", "--batch", "say.scm", folder=folder)
