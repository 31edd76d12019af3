"""Tests of training/synthesise.py and of the sample sounds that it made."""

import importlib.util
import re
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[2]


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("synthesise", ROOT / "training/synthesise.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


synthesise = load_script()


def missing_voices() -> str:
    """What keeps the synthesisers from speaking here, or nothing."""
    speakers = synthesise.draw_speakers(9, np.random.default_rng(0))
    try:
        synthesise.require([*speakers, *synthesise.SAMPLE_SPEAKERS.values()])
    except synthesise.SynthesisError as error:
        return str(error)
    return ""


MISSING = missing_voices()
needs_synthesisers = pytest.mark.skipif(bool(MISSING), reason=MISSING)


def make_clips(folder: Path, words: list[str], number: int, seed: int = 0) -> dict[str, bytes]:
    """Run the command line; give the bytes of every clip by its name below the folder."""
    options = ["--other-words", words[0], "--per-word", str(number), "--seed", str(seed)]
    assert synthesise.main(["clips", str(folder), "--words", *words, *options]) == 0
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.wav")}


@needs_synthesisers
def test_clips_are_one_second_of_16_khz_pcm16_with_a_word_of_every_synthesiser(tmp_path):
    clips = make_clips(tmp_path / "clips", ["yes", "stop"], 9)
    assert sorted(name.split("/")[0] for name in clips) == ["stop"] * 9 + ["yes"] * 9
    assert len({re.sub("-.*", "", name.split("/")[1]) for name in clips}) == 3
    for name in clips:
        assert re.fullmatch(r"\w+/[A-Za-z0-9-]+_nohash_\d+\.wav", name)
        info = soundfile.info(tmp_path / "clips" / name)
        kind = (info.samplerate, info.channels, info.subtype, info.frames)
        assert kind == (16000, 1, "PCM_16", 16000), name
        sound, _ = soundfile.read(tmp_path / "clips" / name)
        loud = np.sqrt(np.mean(sound.reshape(100, 160) ** 2, axis=1)) > 0.02
        assert 0.2 < np.abs(sound).max() < 0.95, name
        assert 8 <= loud.sum() <= 96, name


@needs_synthesisers
def test_the_same_seed_makes_the_same_bytes(tmp_path):
    first = make_clips(tmp_path / "first", ["go", "up"], 3, seed=5)
    assert len(first) == 6
    assert make_clips(tmp_path / "second", ["go", "up"], 3, seed=5) == first


@needs_synthesisers
def test_another_seed_makes_other_clips(tmp_path):
    first = make_clips(tmp_path / "first", ["go", "up"], 3, seed=5)
    other = make_clips(tmp_path / "other", ["go", "up"], 3, seed=6)
    assert len(other) == 6
    assert not set(first.values()) & set(other.values())


@needs_synthesisers
def test_samples_in_every_format_are_made_again_byte_for_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(synthesise, "COMMANDS", ["stop"])
    assert synthesise.main(["samples", str(tmp_path)]) == 0
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(made) == 12
    assert synthesise.main(["samples", str(tmp_path)]) == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == made


def test_no_voice_of_the_samples_speaks_in_the_clips():
    espeak = {
        part
        for speaker in synthesise.SAMPLE_SPEAKERS.values()
        if speaker.engine == "espeak-ng"
        for part in (speaker.voice, speaker.voice.split("+")[1])
    }
    for voice in synthesise.ESPEAK_VOICES:
        assert not {voice, voice.split("+")[1]} & espeak
    same_people = {"rms", "kal", "kal16", "kal_diphone"}
    assert not {voice for _, voice in synthesise.NATURAL_VOICES} & same_people


def test_half_of_the_speakers_have_natural_voices_in_equal_parts():
    speakers = synthesise.draw_speakers(90, np.random.default_rng(1))
    voices = [speaker.voice for speaker in speakers if speaker.engine != "espeak-ng"]
    assert {voice: voices.count(voice) for voice in voices} == {
        "awb": 12,
        "slt": 11,
        "ked_diphone": 11,
        "cmu_us_slt_arctic_hts": 11,
    }


def test_words_are_dealt_evenly_and_nobody_says_one_twice():
    lines = synthesise.share_out({"a": 4, "b": 4, "yes": 8}, 8)
    assert [sorted(line) for line in lines] == [["a", "yes"]] * 4 + [["b", "yes"]] * 4
    assert sorted(line["yes"] for line in lines) == list(range(8))


def test_other_words_are_no_commands_and_no_words_of_the_samples():
    others = synthesise.OTHER_WORDS
    assert len(others) == len(set(others)) > 250
    homophones = {"know", "write", "rite", "wright"}
    assert not set(others) & {*synthesise.COMMANDS, *synthesise.SAMPLE_OTHERS, *homophones}


@pytest.mark.parametrize("task", ["samples", "clips"])
def test_a_missing_synthesiser_is_one_line_that_names_the_package(
    task, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("PATH", "")
    assert synthesise.main([task, str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "install the Debian package espeak-ng" in message
    assert list(tmp_path.iterdir()) == []


@needs_synthesisers
def test_a_missing_voice_names_its_package():
    speaker = synthesise.Speaker("festival", "ked_diphone")
    synthesise.require([speaker])
    with pytest.raises(synthesise.SynthesisError, match="espeak-ng has no voice !v/nobody"):
        synthesise.require([speaker, synthesise.Speaker("espeak-ng", "en-us+nobody")])


def test_a_folder_with_something_in_it_is_refused_untouched(tmp_path, capsys):
    (tmp_path / "precious.txt").write_text("keep")
    assert synthesise.main(["clips", str(tmp_path)]) == 2
    assert "not an empty folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]
    assert (tmp_path / "precious.txt").read_text() == "keep"


@needs_synthesisers
def test_an_interrupted_run_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(speech, rng):
        raise KeyboardInterrupt

    monkeypatch.setattr(synthesise, "place", interrupt)
    assert synthesise.main(["clips", str(tmp_path / "out"), "--words", "yes"]) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [[], ["clips"], ["clips", "out", "--per-word", "-1"], ["clips", "out", "--words", "../up"]],
)
def test_wrong_usage_exits_with_code_2(arguments):
    with pytest.raises(SystemExit, match="2"):
        synthesise.main(arguments)


def test_the_repository_has_samples_of_each_command_in_three_voices_and_formats():
    voices, formats = defaultdict(set), defaultdict(set)
    for path in sorted((ROOT / "samples").glob("*.wav")):
        word, voice, kind = re.fullmatch(r"([a-z]+)-([a-z]+-[a-z]+)-(.+)", path.stem).groups()
        sound, rate = soundfile.read(path, always_2d=True)
        info = soundfile.info(path)
        assert (rate, info.channels, info.subtype) == synthesise.FORMATS[kind], path.name
        assert 0.4 < len(sound) / rate < 1.2, path.name
        assert 0.48 < np.abs(sound).max() < 0.53, path.name
        assert np.sqrt(np.mean(sound[: rate // 20] ** 2)) < 0.01, path.name
        voices[word].add(voice)
        formats[word].add((rate, info.channels, info.subtype))
    assert set(voices) == {*synthesise.COMMANDS, *synthesise.SAMPLE_OTHERS}
    assert min(map(len, voices.values())) >= 3
    assert min(map(len, formats.values())) >= 3
