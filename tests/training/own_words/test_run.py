"""Tests of training/own_words/run.py."""

import json

import numpy as np
import pytest

from training.evaluation.speakers import EVERYBODY, UNRESERVED
from training.loop.arguments import parse_arguments
from training.loop.checks import check_options
from training.own_words import run, speech, texts
from training.voices import phrase_writing, sentence_writing
from training.voices.errors import SynthesisError
from training.voices.sentences import Sentence

VOICES = {
    "training": {"espeak-ng": ["en-us+m1", "en-us+f1"]},
    "held-out": {"espeak-ng": ["en-us+Alicia", "en-us+Hugo"]},
}
WORDS = [f"{a}{b}" for a in ("ba", "mo", "li", "ku", "se") for b in "nmtkrslfd"]


@pytest.fixture
def voices(monkeypatch):
    """Voices that say few texts."""
    rng = np.random.default_rng(0)

    def speak(speaker, texts, *, before, after, skip_silent=False):
        return [(text, rng.uniform(-1, 1, 1000 * (4 + len(text)))) for text in texts]

    monkeypatch.setattr(phrase_writing, "speak", speak)
    monkeypatch.setattr(sentence_writing, "speak", speak)
    monkeypatch.setattr(
        speech, "installed_voices", lambda side, language: (VOICES[side], ["piper"])
    )
    monkeypatch.setattr(texts, "sound_near_misses", lambda *arguments: ["[[l'aIt]]"])
    monkeypatch.setattr(texts, "PHRASE_CLIPS", {"training": 6, "held-out": 2})
    monkeypatch.setattr(texts, "PAIRS", 3)
    monkeypatch.setattr(speech, "OTHER_WORDS", WORDS)
    monkeypatch.setattr(speech, "HOURS", dict.fromkeys(speech.SIDES, 0.001))
    sentences = [Sentence(f"The {word} is here.", "public domain") for word in WORDS]
    monkeypatch.setattr(speech, "_sentences", lambda planned: sentences)


def plan_of(*arguments):
    return check_options(parse_arguments(arguments))


@pytest.mark.usefixtures("voices")
def test_the_plan_trains_on_what_was_spoken(tmp_path, capsys):
    out = tmp_path / "run"
    plan, spoken = run.prepare(plan_of("--phrases", "lights on", "go", "--out", str(out)))
    assert plan.labels == ("lights on", "go", "unknown", "silence")
    assert plan.options.data == spoken.clips
    assert plan.options.negative == (spoken.sentences("training"),)
    assert str(plan.options.start) == "medium"
    assert not plan.options.resume
    listed = (spoken.clips / "validation_list.txt").read_text().splitlines()
    assert sum(name.startswith("lights on/") for name in listed) == 2
    assert len(list((spoken.clips / "lights on").iterdir())) == 8
    printed = capsys.readouterr().out
    assert "own words: lights on, go (English)" in printed
    assert "not installed: piper" in printed


@pytest.mark.usefixtures("voices")
def test_an_interrupted_run_goes_on_and_speaks_nothing_again(tmp_path):
    out = tmp_path / "run"
    _, spoken = run.prepare(plan_of("--phrases", "go", "--out", str(out)))
    files = {path: path.stat().st_mtime_ns for path in spoken.folder.rglob("*.wav")}
    plan, _ = run.prepare(plan_of("--resume", "--out", str(out)))
    assert {path: path.stat().st_mtime_ns for path in spoken.folder.rglob("*.wav")} == files
    assert plan.options.phrases == ("go",)
    assert not plan.options.resume  # the training has not begun


@pytest.mark.usefixtures("voices")
def test_voices_that_are_installed_after_the_training_has_begun_say_nothing(tmp_path, monkeypatch):
    out = tmp_path / "run"
    _, spoken = run.prepare(plan_of("--phrases", "go", "--out", str(out)))
    files = sorted(spoken.folder.rglob("*"))
    (out / "task.json").write_text("{}")
    more = {side: {**VOICES[side], "flite": ["kal"]} for side in VOICES}
    monkeypatch.setattr(speech, "installed_voices", lambda side, language: (more[side], []))
    plan, _ = run.prepare(plan_of("--resume", "--out", str(out)))
    assert plan.options.resume
    assert sorted(spoken.folder.rglob("*")) == files


@pytest.mark.usefixtures("voices")
def test_own_recordings_are_the_data_and_the_voices_are_synthetic(tmp_path, word_folder):
    arguments = ["--phrases", "yes", "--data", str(word_folder), "--out", str(tmp_path / "run")]
    plan, spoken = run.prepare(plan_of(*arguments))
    assert plan.options.data == word_folder
    assert plan.options.synthetic == spoken.clips
    assert plan.labels == ("yes", "unknown", "silence")


def test_without_voices_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(speech, "installed_voices", lambda *arguments: ({}, ["install espeak-ng"]))
    with pytest.raises(SynthesisError, match="found none: install espeak-ng"):
        run.prepare(plan_of("--phrases", "go", "--out", str(tmp_path / "run")))
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("voices")
def test_recordings_that_are_held_out_are_linked_into_the_run(tmp_path, word_folder):
    real = tmp_path / "real"
    real.mkdir()
    for name in ("anna_1.wav", "ben_1.wav"):
        (real / name).write_bytes(next((word_folder / "yes").iterdir()).read_bytes())
    out = tmp_path / "run"
    plan, _ = run.prepare(plan_of("--phrases", "go", "--negative", str(real), "--out", str(out)))
    (out / "task.json").write_text(json.dumps({"validation_negative": ["ben_1.wav"]}))
    folder = run.held_out_recordings(plan)
    assert [path.name for path in folder.iterdir()] == ["ben_1.wav"]
    assert (folder / "ben_1.wav").read_bytes() == (real / "ben_1.wav").read_bytes()
    (out / "task.json").write_text("{}")
    assert run.held_out_recordings(plan) is None


@pytest.mark.usefixtures("voices")
def test_the_metrics_name_the_voices_and_the_licences_of_the_sentences(tmp_path):
    _, spoken = run.prepare(plan_of("--phrases", "go", "--out", str(tmp_path / "run")))
    file = tmp_path / "metrics.json"
    file.write_text(json.dumps({"training_data": "9 clips of clips", "licence": "CC BY 4.0"}))
    run.state_voices(file, spoken)
    assert json.loads(file.read_text()) == {
        "training_data": "9 clips of clips; clips and sentences by synthetic voices (espeak-ng)",
        "licence": "CC BY 4.0; sentences: public domain",
    }


@pytest.mark.parametrize(
    ("names", "speakers"),
    [
        (["ben_1.wav"], EVERYBODY),  # of the development half
        (["ben_1.wav", "carl_1.wav"], UNRESERVED),  # of both halves
        (["ben_1.wav", "anna_1.wav"], EVERYBODY),  # anna is reserved
    ],
)
def test_constants_are_checked_where_real_speakers_of_both_halves_are_held_out(
    names, speakers, tmp_path
):
    for name in names:
        (tmp_path / name).symlink_to(__file__)
    assert run.speakers_of(tmp_path) == speakers
    assert run.speakers_of(None) == EVERYBODY


@pytest.mark.parametrize("option", ["--words", "--synthetic", "--teachers"])
def test_options_that_do_not_go_with_phrases_are_refused(option, tmp_path):
    with pytest.raises(ValueError, match=f"--phrases: expected no {option} beside it"):
        plan_of("--phrases", "go", option, str(tmp_path), "--out", str(tmp_path / "run"))


def test_a_language_is_one_of_phrases(tmp_path):
    with pytest.raises(ValueError, match="--language: expected --phrases beside it"):
        plan_of("--words", "go", "--language", "de", "--out", str(tmp_path / "run"))
