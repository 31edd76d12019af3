"""`speechgru info`: what is printed about a model file."""

from pathlib import Path

from speechgru import modelfile
from speechgru.cli import main


def test_info_tells_what_the_bundled_model_holds(capfd):
    assert main(["info"]) == 0
    output, errors = capfd.readouterr()
    model = modelfile.read(None)
    for fact in (
        "yes no up down left right on off stop go unknown silence",
        f"{model.settings['validation_accuracy']:.2%}",
        f"{Path(model.name).stat().st_size:,} bytes",
        "recognize stream features",
        "hop_length 320",
        "CC BY 4.0",
        f"yes {model.detection_rule().thresholds['yes']:g}, no ",
        f"{model.settings['detection']['false_accepts_per_hour']:g} an hour",
        f"{model.settings['detection']['recall']:.2%}",
        "words found in streams",
    ):
        assert fact in output
    assert errors == ""


def test_labels_of_several_words_can_be_told_apart(tmp_path, yes, capfd):
    model = modelfile.read("small")
    labels = ("lights on", "lights off", *model.labels[2:])
    described = {
        k: v for k, v in model.settings.items() if k not in ("flatbuffer_sha256", "detection")
    }
    path = tmp_path / "lights.tflite"
    modelfile.write(path, model.flatbuffer, labels, described)
    assert main(["info", str(path)]) == 0
    assert '"lights on" "lights off" up down left' in capfd.readouterr().out
    assert main(["recognize", "--top", "12", "--model", str(path), yes]) == 0
    assert '  "lights on" 0.997  unknown 0.' in capfd.readouterr().out


def test_info_about_a_model_that_states_little(tmp_path, capfd):
    model = modelfile.read("small")
    needed = ("front_end", "window_samples", "hop_samples")
    path = tmp_path / "plain.tflite"
    settings = {key: model.settings[key] for key in needed}
    modelfile.write(path, model.flatbuffer, model.labels, {**settings, "licence": "a\x1b\nb"})
    assert main(["info", str(path)]) == 0
    output = capfd.readouterr().out
    assert output.count("not stated") == 8
    assert r"a\x1b\nb" in output
