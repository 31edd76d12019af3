"""Negative speech that is held out to validate on."""

import numpy as np
import soundfile

from tests.training.data.made_tasks import task
from training.clips.words import USUAL_WORDS
from training.data.held_out_speech import hold_out_speakers, separate_windows
from training.data.negative_speech import Recording

SPEAKERS = [f"s{number}" for number in range(200)]


def recordings(*names):
    return [Recording(name, np.arange(40_000, dtype=np.int16), [0, 8000, 16000]) for name in names]


def names(found):
    return [recording.name for recording in found]


def test_all_recordings_of_about_a_fifth_of_the_speakers_are_held_out():
    given = recordings(*(f"{speaker}_{n}.wav" for n in range(2) for speaker in SPEAKERS))
    speech = hold_out_speakers(given)
    parts = [{name.split("_")[0] for name in names(part)} for part in speech]
    assert not parts[0] & parts[1]
    assert sorted(names(speech.training) + names(speech.held_out)) == sorted(names(given))
    assert 0.1 < len(parts[1]) / len(SPEAKERS) < 0.3


def test_a_speaker_stays_on_one_side_when_others_are_added():
    few = hold_out_speakers(recordings(*(f"{speaker}_0.wav" for speaker in SPEAKERS[:100])))
    all_of_them = hold_out_speakers(recordings(*(f"{speaker}_0.wav" for speaker in SPEAKERS)))
    assert set(names(few.held_out)) <= set(names(all_of_them.held_out))


def test_of_two_speakers_one_is_held_out():
    for number in range(20):
        pair = [f"a{number}_0.wav", f"b{number}_0.wav"]
        speech = hold_out_speakers(recordings(*pair))
        assert len(speech.held_out) == len(speech.training) == 1


def test_one_speaker_and_names_without_a_speaker_are_not_held_out():
    for given in ([], ["anna_1.wav", "anna_2.wav"], ["one.wav", "two.wav"], ["a_1.wav", "two.wav"]):
        speech = hold_out_speakers(recordings(*given))
        assert (names(speech.training), speech.held_out) == (given, [])


def test_speakers_of_training_clips_are_not_held_out():
    given = recordings(*(f"{speaker}_0.wav" for speaker in SPEAKERS))
    held_out = {name.split("_")[0] for name in names(hold_out_speakers(given).held_out)}
    without = hold_out_speakers(given, held_out)
    assert len(without.held_out) == 1  # the hash decides for none of the others
    assert not {name.split("_")[0] for name in names(without.held_out)} & held_out
    assert hold_out_speakers(given, SPEAKERS).held_out == []


def test_synthetic_voices_are_not_held_out():
    voices = recordings("flite-slt_1.wav", "kokoro-af-bella_2.wav", "espeak-ng-m1_3.wav")
    assert hold_out_speakers(voices).held_out == []
    speech = hold_out_speakers([*voices, *recordings("anna_1.wav", "ben_1.wav")])
    assert len(speech.held_out) == 1
    assert names(speech.held_out)[0] in ("anna_1.wav", "ben_1.wav")


def test_windows_that_overlap_are_left_out():
    (one,) = recordings("a_1.wav")
    found = list(separate_windows([one._replace(starts=[0, 8000, 24000])], 16000))
    assert [name for name, _ in found] == ["a_1.wav@0", "a_1.wav@24000"]
    np.testing.assert_array_equal(found[1][1], one.samples[24000:])


def sentences(folder, *named):
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in named:
        soundfile.write(folder / name, 0.1 * rng.normal(size=64000), 16000)
    return [folder]


def test_without_other_words_unknown_is_drawn_from_held_out_speakers(word_folder, tmp_path, capsys):
    named = [f"{speaker}_{n}.wav" for speaker in SPEAKERS[:10] for n in range(2)]
    made = task(word_folder, words=["all"], negative=sentences(tmp_path / "negative", *named))
    held_out = made.lists["validation_negative"]
    assert made.validation_unknown == "negative speech"
    assert sorted(held_out + made.lists["negative"]) == sorted(named)
    assert len(made.held_out_speech) == 4 * len(held_out)
    unknown = made.validation[made.targets == made.labels.index("unknown")]
    drawn = made.lists["validation_unknown"]
    assert len(unknown) == len(drawn) == int(np.ceil(len(made.lists["validation"]) / 10))
    for row, name in zip(unknown, drawn, strict=True):
        file, start = name.split("@")
        assert file in held_out
        expected = soundfile.read(tmp_path / "negative" / file, dtype="int16")[0]
        np.testing.assert_array_equal(row, expected[int(start) : int(start) + 16000])
    assert capsys.readouterr().err == ""


def test_where_nobody_can_be_held_out_unknown_is_made_and_the_user_is_told(
    word_folder, tmp_path, capsys
):
    negative = sentences(tmp_path / "negative", "anna_1.wav", "anna_2.wav")
    made = task(word_folder, words=["all"], negative=negative)
    assert (made.validation_unknown, len(made.held_out_speech)) == ("made sounds", 0)
    assert len(made.lists["negative"]) == 2
    assert "none is validated on" in capsys.readouterr().err


def test_other_words_are_validated_on_and_negative_speech_is_only_counted(
    word_folder, plain, tmp_path
):
    negative = sentences(tmp_path / "negative", *(f"{speaker}_1.wav" for speaker in SPEAKERS[:10]))
    made = task(word_folder, negative=negative)
    assert plain.validation_unknown == made.validation_unknown == "recorded words"
    np.testing.assert_array_equal(made.validation, plain.validation)
    assert len(made.held_out_speech) > 0 == len(plain.held_out_speech)


def test_the_task_of_speech_commands_trains_on_all_negative_speech(tmp_path):
    rng = np.random.default_rng(0)
    for word in (*USUAL_WORDS, "bird"):
        (tmp_path / "words" / word).mkdir(parents=True)
        for speaker in range(10):
            path = tmp_path / "words" / word / f"p{speaker}_{word}_0.wav"
            soundfile.write(path, 0.1 * rng.normal(size=4000), 16000)
    negative = sentences(tmp_path / "negative", *(f"{speaker}_1.wav" for speaker in SPEAKERS[:10]))
    made = task(tmp_path / "words", words=None, negative=negative)
    assert (made.validation_unknown, len(made.held_out_speech)) == ("recorded words", 0)
    assert len(made.lists["negative"]) == 10
    assert "validation_negative" not in made.lists
