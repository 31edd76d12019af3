"""Evaluation: what is heard, what is counted, what is reported, and what is refused."""

import csv
import hashlib
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import scipy.stats
import soundfile

from speechgru.modelfile import ModelError
from training.data.evaluation_set import EvaluationSet, evaluation_set
from training.data.task import make_task
from training.evaluate import main
from training.evaluation.clips import read_set
from training.evaluation.conditions import add_noise, listen, rms
from training.evaluation.metrics import held_out_speaker, summarise, wilson
from training.evaluation.model import Model
from training.evaluation.noises import find_noises, noise_windows

ROOT = Path(__file__).resolve().parents[2]
LABELS = ("yes", "no", "unknown", "silence")
WORDS = ["yes", "no", "bird", "unknown", "silence"]


def clips_of(words, level=0.05, seed=0):
    """Clips of noise at a level, one for each word; its speaker is its word and number."""
    rng = np.random.default_rng(seed)
    samples = np.round(32768 * level * rng.normal(size=(len(words), 16000))).astype(np.int16)
    speakers = [f"{word}{i}" if word != "silence" else "" for i, word in enumerate(words)]
    return EvaluationSet(
        samples, list(words), [f"{w}/{i}" for i, w in enumerate(words)], speakers, []
    )


def scores_of(answers):
    return np.eye(len(LABELS))[[LABELS.index(answer) for answer in answers]]


def listener():
    """A model that remembers what it has heard and answers the first label."""
    heard = []

    def score(audio):
        heard.append(np.array(audio))
        return np.eye(len(LABELS))[np.zeros(len(audio), int)]

    return Model(Path("fake"), LABELS, score), heard


def power(audio):
    return np.square(np.asarray(audio, np.float64)).mean(axis=1)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def answers_in(folder):
    return list(csv.DictReader((folder / "answers.csv").read_text().splitlines()))


@pytest.fixture(scope="module")
def report(tmp_path_factory, model_file, word_folder):
    """The folder of a report on the exported model."""
    out = tmp_path_factory.mktemp("report") / "new" / "report"
    assert main([str(model_file), "--data", str(word_folder), "--report", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def archive(tmp_path_factory, word_folder):
    """A folder in the layout of the official test set, with a clip of digital silence."""
    folder = tmp_path_factory.mktemp("archive") / "test_set"
    for word in ("yes", "no"):
        shutil.copytree(word_folder / word, folder / word)
    (folder / "_unknown_").mkdir()
    for path in (word_folder / "bird").iterdir():
        shutil.copy(path, folder / "_unknown_" / f"bird_{path.name}")
    (folder / "_silence_").mkdir()
    soundfile.write(folder / "_silence_" / "0.wav", np.zeros(16000), 16000)
    soundfile.write(folder / "_silence_" / "1.wav", np.full(16000, 0.25), 16000)
    (folder / "LICENSE").touch()
    return folder


# What is counted


def test_the_interval_is_wilsons():
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    for (count, of), expected in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert wilson(count, of) == pytest.approx(expected, abs=5e-5)
    for of in (1, 7, 2220):
        for count in {0, 1, of // 2, of - 1, of}:
            found = scipy.stats.binomtest(count, of).proportion_ci(method="wilson")
            low, high = wilson(count, of)
            assert (low, high) == pytest.approx((found.low, found.high), abs=1e-12)
            assert 0 <= low <= count / of <= high <= 1


def test_a_perfect_model_has_all_and_no_false_commands():
    clips = clips_of(["yes", "yes", "no", "bird", "silence"])
    scores = {"as they are": scores_of(["yes", "yes", "no", "unknown", "silence"])}
    found = summarise(LABELS, clips, scores)
    outcome = found["conditions"]["as they are"]
    for key in ("accuracy", "command_recall", "unknown_recall", "silence_recall"):
        assert outcome[key]["share"] == 1, key
    assert outcome["mean_recall_of_labels"] == 1
    assert outcome["false_commands_of_unknown"]["count"] == 0
    assert outcome["false_commands_of_silence"]["count"] == 0
    assert all(f[k]["share"] == 1 for f in found["labels"].values() for k in f)
    assert found["confusion"]["counts"] == np.diag([2, 1, 1, 1]).tolist()


def test_a_constant_model_is_right_on_its_own_label_alone():
    clips = clips_of(["yes", "yes", "no", "bird", "silence"])
    found = summarise(LABELS, clips, {"as they are": scores_of(["yes"] * 5)})
    outcome = found["conditions"]["as they are"]
    assert outcome["accuracy"]["share"] == 2 / 5
    assert outcome["command_recall"]["share"] == 2 / 3
    assert outcome["mean_recall_of_labels"] == 1 / 4
    assert outcome["false_commands_of_unknown"]["share"] == 1
    assert outcome["false_commands_of_silence"]["share"] == 1
    assert found["labels"]["yes"]["precision"]["share"] == 2 / 5
    assert found["labels"]["no"]["precision"] == {
        "share": None,
        "low": None,
        "high": None,
        "count": 0,
        "of": 0,
    }


def test_precision_and_recall_are_of_the_right_axis():
    clips = clips_of(["yes", "yes", "yes", "no", "bird", "silence"])
    answers = ["yes", "no", "unknown", "no", "no", "unknown"]
    found = summarise(LABELS, clips, {"as they are": scores_of(answers)})
    shares = {
        k: (f["recall"]["share"], f["precision"]["share"]) for k, f in found["labels"].items()
    }
    assert shares == {"yes": (1 / 3, 1), "no": (1, 1 / 3), "unknown": (0, 0), "silence": (0, None)}
    assert found["confusion"]["counts"][0] == [1, 1, 1, 0]  # rows are what was spoken


def test_speakers_are_halved_by_their_names_and_silence_has_none():
    names = [f"{number:08x}" for number in range(1000)]
    for name in names:
        odd = int(hashlib.sha1(name.encode()).hexdigest(), 16) % 2 == 1
        assert held_out_speaker(name) == odd
    assert 450 < sum(map(held_out_speaker, names)) < 550

    clips = clips_of(["yes", "no", "bird", "unknown"] * 5 + ["silence"] * 3)
    answers = ["yes" if held_out_speaker(speaker) else "no" for speaker in clips.speakers]
    found = summarise(LABELS, clips, {"as they are": scores_of(answers)})["speakers"]
    assert sum(part["accuracy"]["of"] for part in found.values()) == 20
    assert sum(part["speakers"] for part in found.values()) == 20
    held_out = [
        w for w, s in zip(clips.words, clips.speakers, strict=True) if s and held_out_speaker(s)
    ]
    part = found["held-out speakers"]
    assert part["accuracy"]["count"] == held_out.count("yes")
    assert part["accuracy"]["of"] == len(held_out)


# What is heard


def test_the_snr_is_the_one_asked_for_and_silence_is_noise_at_the_median_level():
    clips = clips_of(["yes", "no", "bird", "unknown", "yes", "silence"], level=0.01)
    clips.samples[:5] *= np.array([[1], [2], [3], [4], [5]], np.int16)
    noise = clips_of([*WORDS, "yes"], seed=1).samples
    model, heard = listener()
    names = list(listen(model, clips, noise))
    audio = dict(zip(names, heard, strict=True))
    clean = audio["as they are"]
    np.testing.assert_array_equal(clean, clips.samples / np.float32(32768))
    for snr in (20, 10, 5, 0):
        found = audio[f"noise at {snr} dB"]
        measured = 10 * np.log10(power(clean[:5]) / power(found[:5] - clean[:5]))
        np.testing.assert_allclose(measured, snr, atol=1e-3)
        # The third of five levels is the median.
        assert 10 * np.log10(power(clean)[2] / power(found)[5]) == pytest.approx(snr, abs=1e-3)
        correlation = np.corrcoef(found[5], noise[5])[0, 1]
        assert correlation == pytest.approx(1, abs=1e-6)


def test_a_loud_sum_stays_within_full_scale():
    clips = np.full((1, 16000), 0.9, np.float32)
    noise = np.tile([0.1, -0.1], (1, 8000)).astype(np.float32)
    found = add_noise(clips, noise, rms(clips), 0)
    assert (found.min(), found.max()) == (pytest.approx(0, abs=1e-6), 1)


@pytest.mark.parametrize("ms", [-100, -50, 50, 100])
def test_a_shift_moves_by_just_so_many_samples_and_brings_in_zeros(ms):
    clips = clips_of(["yes", "no", "silence"])
    model, heard = listener()
    names = list(listen(model, clips, clips_of(["yes"] * 3, seed=1).samples))
    found = heard[names.index(f"shift of {ms:+d} ms")]
    clean = heard[names.index("as they are")]
    moved = abs(ms) * 16
    if ms > 0:
        np.testing.assert_array_equal(found[:, moved:], clean[:, :-moved])
        assert not found[:, :moved].any()
    else:
        np.testing.assert_array_equal(found[:, :-moved], clean[:, moved:])
        assert not found[:, -moved:].any()


def test_two_models_hear_the_same_and_another_seed_gives_other_noise(word_folder):
    clips = evaluation_set(word_folder, words=["yes", "no"], split="validation", seed=0)
    heard = []
    for seed in (3, 3, 4):
        rng = np.random.default_rng(seed)
        noises, _ = find_noises(clips, None, rng)
        model, own = listener()
        listen(model, clips, noise_windows(noises, len(clips.words), rng))
        heard.append(own)
    for one, other in zip(heard[0], heard[1], strict=True):
        np.testing.assert_array_equal(one, other)
    assert (heard[0][1] != heard[2][1]).any()


def test_noise_is_the_part_that_training_does_not_hear(word_folder, tmp_path):
    folder = tmp_path / "words"
    shutil.copytree(word_folder, folder)
    noise = np.where(np.arange(160_000) < 128_000, 0.5, 0.25)
    soundfile.write(folder / "_background_noise_" / "hiss.wav", noise, 16000)
    clips = evaluation_set(folder, words=["yes", "no"], split="validation", seed=0)
    rng = np.random.default_rng(0)
    noises, source = find_noises(clips, None, rng)
    assert "last fifth" in source
    assert np.unique(noise_windows(noises, 20, rng)).tolist() == [8192]


def test_noise_may_be_short_and_of_another_rate(tmp_path):
    soundfile.write(tmp_path / "short.wav", np.tile([0.1, -0.1], 1200), 8000)
    soundfile.write(tmp_path / "nothing.wav", np.zeros(8000), 8000)
    (tmp_path / "link.wav").symlink_to("short.wav")
    rng = np.random.default_rng(0)
    noises, source = find_noises(clips_of(["yes"]), tmp_path, rng)
    assert source == f"1 recordings of {tmp_path}"
    (window,) = noise_windows(noises, 1, rng)
    np.testing.assert_array_equal(window[4800:9600], window[:4800])


def test_without_recordings_noise_is_made():
    rng = np.random.default_rng(0)
    noises, source = find_noises(clips_of(WORDS), None, rng)
    assert "made noises" in source
    assert all(window.any() for window in noise_windows(noises, 50, rng))


# The clips


@pytest.mark.parametrize("words", [["yes", "no"], ["yes", "no", "bird"]])
def test_validation_clips_are_those_that_training_validates_on(word_folder, words):
    task = make_task(
        word_folder,
        words=words,
        negative=None,
        synthetic=None,
        synthetic_weight=0.2,
        synthetic_share=0.0,
        seed=5,
    )
    found = evaluation_set(word_folder, words=words, split="validation", seed=5)
    parts = ("validation", "validation_unknown", "validation_silence")
    assert found.names == [name for part in parts for name in task.lists[part]]
    np.testing.assert_array_equal(found.samples, task.validation)
    numbers = {label: number for number, label in enumerate(task.labels)}
    answers = [numbers.get(word, numbers["unknown"]) for word in found.words]
    assert answers == task.targets.tolist()
    spoken = len(task.lists["validation"])
    assert found.speakers[spoken:] == [""] * (len(found.words) - spoken)
    for name, speaker in zip(found.names[:spoken], found.speakers, strict=False):
        assert name.split("/")[1].startswith(f"{speaker}_nohash_")


def test_testing_clips_are_those_listed_with_a_tenth_of_unknown_and_silence(word_folder, tmp_path):
    folder = tmp_path / "words"
    shutil.copytree(word_folder, folder)
    listed = [f"{w}/speaker{s}_nohash_{t}.wav" for w in WORDS[:3] for s in (0, 1) for t in range(3)]
    (folder / "testing_list.txt").write_text("\n".join(listed))
    found = evaluation_set(folder, words=["yes", "no"], split="testing", seed=0)
    tenth = math.ceil(12 / 10)
    assert [found.words.count(w) for w in ("yes", "no", "bird", "silence")] == [6, 6, tenth, tenth]
    assert set(found.names[: 12 + tenth]) <= set(listed)


def test_the_official_test_set_is_taken_as_it_is(archive, model_file, tmp_path):
    out = tmp_path / "report"
    arguments = [str(model_file), "--data", str(archive), "--report", str(out)]
    assert main([*arguments, "--split", "testing"]) == 0
    found = json.loads((out / "report.json").read_text())
    assert found["clips"] == {"yes": 30, "no": 30, "unknown": 30, "silence": 2}
    assert found["conditions"]["as they are"]["accuracy"]["share"] > 0.8
    assert sum(part["speakers"] for part in found["speakers"].values()) == 10
    assert "made noises" in found["noise"]
    clips, _ = read_set(archive, LABELS, "testing", 0)
    silence = [
        row for row, word in zip(clips.samples, clips.words, strict=True) if word == "silence"
    ]
    assert [np.unique(row).tolist() for row in silence] == [[0], [8192]]


# The report


def test_the_report_says_what_was_measured(report, model_file, word_folder):
    assert set(files(report)) == {
        "report.md",
        "report.json",
        "answers.csv",
        "confusion.png",
        "noise.png",
    }
    text = (report / "report.md").read_text()
    sha256 = hashlib.sha256(model_file.read_bytes()).hexdigest()
    for said in (
        sha256,
        str(word_folder),
        "not official",
        "(confusion.png)",
        "last fifth",
        "seed 0",
    ):
        assert said.lower() in text.lower(), said
    for name in ("confusion.png", "noise.png"):
        assert (report / name).read_bytes().startswith(b"\x89PNG")
    found = json.loads((report / "report.json").read_text())
    rows = answers_in(report)
    right = sum(row["label"] == row["answer"] for row in rows)
    accuracy = found["conditions"]["as they are"]["accuracy"]
    assert (accuracy["count"], accuracy["of"]) == (right, len(rows))
    assert accuracy["share"] > 0.8
    assert np.array(found["confusion"]["counts"]).sum() == len(rows)
    assert len(found["conditions"]) == 9


def test_a_run_its_keras_model_and_its_export_agree(report, run_folder, word_folder, tmp_path):
    answers = [answers_in(report)]
    for number, model in enumerate((run_folder, run_folder / "model.keras")):
        out = tmp_path / str(number)
        assert main([str(model), "--data", str(word_folder), "--report", str(out)]) == 0
        answers.append(answers_in(out))
    metrics = json.loads((run_folder / "metrics.json").read_text())
    found = json.loads((tmp_path / "0" / "report.json").read_text())
    accuracy = found["conditions"]["as they are"]["accuracy"]
    assert accuracy["share"] == metrics["validation_accuracy"]
    assert found["confusion"]["counts"] == metrics["confusion"]
    assert files(tmp_path / "0") == files(tmp_path / "1")
    for exported, own in zip(answers[0], answers[1], strict=True):
        assert [exported[k] for k in ("clip", "label", "answer")] == [
            own[k] for k in ("clip", "label", "answer")
        ]
        assert float(exported["probability"]) == pytest.approx(float(own["probability"]), abs=2e-3)


def test_two_evaluations_write_the_same(report, model_file, word_folder, tmp_path, capsys):
    arguments = [str(model_file), "--data", str(word_folder), "--report", str(tmp_path)]
    assert main(arguments) == 0
    assert files(tmp_path) == files(report)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(tmp_path / "report.md")
    assert any(line.startswith("| noise at 0 dB") for line in lines)


def test_an_exported_model_is_measured_without_tensorflow(model_file, word_folder):
    code = (
        "import sys; from training.evaluate import main; "
        "code = main(sys.argv[1:]); sys.exit(code or 'tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(model_file), "--data", str(word_folder)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


# What is refused


@pytest.fixture
def broken(tmp_path, run_folder):
    """Models that are none, by name."""
    (tmp_path / "text.tflite").write_text("no model")
    shutil.copy(run_folder / "model.keras", tmp_path / "alone.keras")
    for name, labels in (
        ("text", LABELS),
        ("fewer", LABELS[1:]),
        ("other", ("yes", "no", "a", "b")),
        ("numbers", (1, 2, 3, 4)),
        ("twice", ("yes", "yes", "unknown", "silence")),
        ("unbuilt", LABELS),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text(json.dumps({"labels": labels}))
        shutil.copy(run_folder / "model.keras", tmp_path / name)
    (tmp_path / "text" / "model.keras").write_text("no model")
    with pytest.warns(UserWarning, match="not yet been built"):
        keras.Sequential([keras.layers.Dense(4)]).save(tmp_path / "unbuilt" / "model.keras")
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.tflite"], "nowhere.tflite: expected a trained model, found nothing"),
        (["BROKEN/empty"], "model.keras: expected a trained model, found nothing"),
        (["BROKEN/text.tflite"], "text.tflite: expected a speechgru model"),
        (["BROKEN/text"], "model.keras: expected a Keras model"),
        (["BROKEN/alone.keras"], "metrics.json: expected the labels of alone.keras"),
        (["BROKEN/fewer"], "expected input and output of ((None, 16000), (None, 3)), found"),
        (["BROKEN/other"], "expected a label unknown, found yes no a b"),
        (["BROKEN/numbers"], "metrics.json: expected different labels, found [1, 2, 3, 4]"),
        (["BROKEN/twice"], "metrics.json: expected different labels, found ['yes', 'yes', "),
        (["BROKEN/unbuilt"], "model.keras: expected a Keras model"),
        (["MODEL", "--data", "nowhere"], "nowhere: expected a folder of <word>/*.wav"),
        (["MODEL", "--data", "BROKEN"], "no clips of yes, no; there are clips of maybe"),
        (["MODEL", "--split", "testing"], "expected clips in testing_list.txt, found none"),
        (["MODEL", "--noise", "BROKEN/empty"], "empty: expected noise recordings"),
        (["MODEL", "--data", "ARCHIVE"], "found a test set: --split testing"),
        (["MODEL", "--report", "BROKEN/text.tflite"], "text.tflite"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    arguments, message, broken, model_file, word_folder, archive, capsys
):
    (broken / "maybe").mkdir()
    soundfile.write(broken / "maybe" / "a.wav", np.ones(16000), 16000)
    places = {"MODEL": model_file, "BROKEN": broken, "ARCHIVE": archive}
    for name, place in places.items():
        arguments = [argument.replace(name, str(place)) for argument in arguments]
    if "--data" not in arguments:
        arguments += ["--data", str(word_folder)]
    assert main(arguments) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("evaluate.py: ")
    assert message in errors
    assert errors.count("\n") == 1


def test_a_word_without_clips_in_the_split_is_a_warning(word_folder, tmp_path, capsys):
    folder = tmp_path / "words"
    shutil.copytree(word_folder, folder)
    (folder / "testing_list.txt").write_text("yes/speaker1_nohash_0.wav\n")
    clips, _ = read_set(folder, LABELS, "testing", 0)
    assert "no testing clips of no" in capsys.readouterr().err
    assert clips.words.count("yes") == 1


def test_a_folder_of_some_words_is_measured_on_those(word_folder, tmp_path, capsys):
    shutil.copytree(word_folder / "no", tmp_path / "no")
    clips, _ = read_set(tmp_path, LABELS, "validation", 0)
    assert "no validation clips of yes" in capsys.readouterr().err
    assert {*clips.words} == {"no", "unknown", "silence"}


def test_all_is_every_clip_and_none_that_was_made(word_folder, model_file, tmp_path, capsys):
    folder, out = tmp_path / "words", tmp_path / "report"
    for word in ("no", "bird"):
        shutil.copytree(word_folder / word, folder / word)
    shutil.copytree(word_folder / "_background_noise_", folder / "_background_noise_")
    names = [f"{w}/{p.name}" for w in ("bird", "no") for p in sorted((folder / w).iterdir())]
    (folder / "testing_list.txt").write_text("\n".join(names))
    arguments = ["--data", str(folder), "--split", "all", "--report", str(out)]
    assert main([str(model_file), *arguments]) == 0
    assert [row["clip"] for row in answers_in(out)] == names
    found = json.loads((out / "report.json").read_text())
    assert found["clips"] == {"yes": 0, "no": 30, "unknown": 30, "silence": 0}
    assert "on 60 clips of" in (out / "report.md").read_text()
    assert "last fifth" in found["noise"]
    assert f"{folder}: no clips of yes" in capsys.readouterr().err


@pytest.mark.parametrize("lacking", ["_unknown_", "_silence_"])
def test_one_folder_of_the_official_test_set_tells_it(archive, tmp_path, lacking):
    folder = tmp_path / "test_set"
    shutil.copytree(archive, folder)
    shutil.rmtree(folder / lacking)
    clips, kind = read_set(folder, LABELS, "testing", 0)
    assert kind == "test set"
    expected = {"yes", "no", "unknown", "silence"} - {lacking.strip("_")}
    assert {*clips.words} == expected


def test_a_model_that_gives_no_numbers_is_refused():
    model = Model(Path("fake"), LABELS, lambda audio: np.full((len(audio), 4), np.nan))
    with pytest.raises(ModelError, match="no numbers"):
        listen(model, clips_of(WORDS), clips_of(WORDS, seed=1).samples)


def test_ctrl_c_is_exit_code_130(monkeypatch):
    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("training.evaluation.model.load_model", interrupted)
    assert main(["model.tflite"]) == 130
