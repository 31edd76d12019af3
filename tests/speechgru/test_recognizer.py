"""Recognition with the bundled model and with one trained in the tests."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

import speechgru
from speechgru import AudioError, ModelError, Recognizer, modelfile
from training.clips.words import USUAL_WORDS

COMMANDS = set(USUAL_WORDS)


@pytest.fixture(scope="module")
def bundled():
    return Recognizer()


@pytest.fixture(scope="module")
def yes(samples):
    return samples / "yes-festival-kal-32k-pcm16.wav"


def test_the_bundled_model_names_every_command_sample(bundled, samples):
    paths = [p for p in sorted(samples.glob("*.wav")) if p.stem.split("-")[0] in COMMANDS]
    assert len(paths) >= 30
    wrong = {
        path.name: answer.label
        for path, answer in zip(paths, bundled.recognize(paths), strict=True)
        if answer.label != path.stem.split("-")[0]
    }
    assert wrong == {}


def test_scores_are_probabilities_in_descending_order(yes):
    answer = speechgru.recognize(yes)
    values = list(answer.scores.values())
    assert (answer.label, answer.confidence) == next(iter(answer.scores.items()))
    assert values == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(1, abs=1e-6)
    assert set(answer.scores) == set(Recognizer().labels)


def test_labels_are_the_commands_unknown_and_silence(bundled):
    assert bundled.labels == (*USUAL_WORDS, "unknown", "silence")


def test_every_kind_of_source_gives_the_same_answer(bundled, yes):
    samples, rate = soundfile.read(yes, dtype="float32")
    expected = bundled.recognize(str(yes))
    with yes.open("rb") as file:
        found = bundled.recognize([yes, yes.read_bytes(), file])
    assert found == [expected] * 3
    from_array = bundled.recognize(samples, sample_rate=rate)
    assert from_array.scores == pytest.approx(expected.scores, abs=1e-4)
    stereo = bundled.recognize(np.stack([samples, samples], axis=1), sample_rate=rate)
    assert stereo.scores == pytest.approx(expected.scores, abs=1e-4)


def test_an_empty_list_has_no_answers(bundled):
    assert bundled.recognize([]) == []


def test_a_short_word_is_centred(bundled, yes):
    samples = speechgru.audio.load(yes)
    assert samples.size < 16000
    spare = 16000 - samples.size
    centred = np.pad(samples, (spare // 2, spare - spare // 2))
    assert bundled.recognize(samples, sample_rate=16000) == bundled.recognize(
        centred, sample_rate=16000
    )


def test_a_word_is_found_anywhere_in_a_long_sound(bundled, yes):
    samples = speechgru.audio.load(yes)
    for before, after in ((0, 50000), (23456, 9999), (70000, 0)):
        noise = 1e-3 * np.random.default_rng(0).normal(size=before + samples.size + after)
        noise[before : before + samples.size] += samples
        assert bundled.recognize(noise, sample_rate=16000).label == "yes"


def test_silence_is_silence(bundled):
    quiet = 1e-4 * np.random.default_rng(0).normal(size=40000)
    for signal in (np.zeros(16000), np.zeros(100), quiet):
        assert bundled.recognize(signal, sample_rate=16000).label == "silence"


def test_an_answer_does_not_change_with_what_came_before(bundled, yes, samples):
    expected = bundled.recognize(yes)
    bundled.recognize(sorted(samples.glob("stop-*.wav")))
    assert bundled.recognize(yes) == expected


def test_threads_may_share_a_recognizer(bundled, samples):
    paths = sorted(samples.glob("*.wav"))
    expected = bundled.recognize(paths)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(bundled.recognize, paths)) == expected


def test_an_exported_run_recognises_its_own_words(model_file, word_folder):
    recognizer = Recognizer(model_file)
    assert recognizer.labels == ("yes", "no", "unknown", "silence")
    paths = [*sorted((word_folder / "yes").iterdir()), *sorted((word_folder / "no").iterdir())]
    answers = recognizer.recognize(paths)
    right = [a.label == path.parent.name for a, path in zip(answers, paths, strict=True)]
    assert np.mean(right) > 0.8


def test_a_bad_sound_in_a_list_is_named(bundled, yes, tmp_path):
    (tmp_path / "bad.wav").write_text("words")
    with pytest.raises(AudioError, match=r"bad\.wav"):
        bundled.recognize([yes, tmp_path / "bad.wav"])
    with pytest.raises(FileNotFoundError, match=r"none\.wav"):
        bundled.recognize(tmp_path / "none.wav")


@pytest.mark.parametrize("threads", [0, -1, 1.0, True])
def test_wrong_threads_are_refused(threads):
    with pytest.raises(ValueError, match="`num_threads` must be a positive integer"):
        Recognizer(num_threads=threads)


def test_a_flatbuffer_that_is_no_recogniser_is_a_model_error(model_file, tmp_path):
    good = modelfile.read(model_file)
    settings = {k: v for k, v in good.settings.items() if k != "flatbuffer_sha256"}
    path = tmp_path / "bad.tflite"
    for flatbuffer, labels, changes in (
        (b"\x1c\0\0\0TFL3" + bytes(64), good.labels, {}),
        (b"", good.labels, {}),
        (good.flatbuffer, good.labels[:3], {}),
        (good.flatbuffer, good.labels, {"window_samples": 8000}),
        (good.flatbuffer, good.labels, {"front_end": {"sample_rate": 8000}}),
    ):
        modelfile.write(path, flatbuffer, labels, {**settings, **changes})
        with pytest.raises(ModelError, match=r"bad\.tflite: expected"):
            Recognizer(path)


def test_recognising_loads_no_training_library(yes):
    code = (
        "import sys, json, speechgru\n"
        f"label = speechgru.recognize({str(yes)!r}).label\n"
        "heavy = {'tensorflow', 'keras', 'librosa', 'numba', 'scipy'} & set(sys.modules)\n"
        "print(json.dumps([label, sorted(heavy)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["yes", []]


def test_every_public_name_is_there():
    for name in speechgru.__all__:
        assert getattr(speechgru, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = speechgru.nothing


def test_a_bundled_model_has_a_name(yes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where no file has such a name
    scores = [Recognizer(name).recognize(yes).scores for name in (None, "medium", "small")]
    assert scores[0] == scores[1] != scores[2]
    assert [next(iter(s)) for s in scores] == ["yes"] * 3
    (tmp_path / "small").write_text("a file, not the model")
    with pytest.raises(ModelError, match=r"small: expected a speechgru model"):
        Recognizer("./small")
    with pytest.raises(FileNotFoundError):
        Recognizer("large")


@pytest.mark.parametrize(("name", "least"), [("medium", 0.94), ("small", 0.92)])
def test_validation_recordings_are_recognised(name, least, real_data):
    names = (real_data / "validation_list.txt").read_text().split()
    names = [name for name in names if name.split("/")[0] in COMMANDS][::4]
    answers = Recognizer(name).recognize([real_data / name for name in names])
    right = [a.label == name.split("/")[0] for a, name in zip(answers, names, strict=True)]
    assert len(right) > 300
    assert np.mean(right) >= least


@pytest.mark.parametrize("name", modelfile.BUNDLED)
def test_the_model_card_states_what_the_file_holds(name):
    model = modelfile.read(name)
    card = modelfile.BUNDLED[name].with_suffix(".card.md").read_text()
    assert f"{model.settings['validation_accuracy']:.2%}" in card
    assert f"{model.settings['parameters']:,}" in card
    assert f"{modelfile.BUNDLED[name].stat().st_size:,}" in card
    assert model.settings["licence"] in card
