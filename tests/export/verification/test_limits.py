"""The limits within which a form counts as the same model."""

from export.verification.forms import FormResult
from export.verification.limits import failures

SAME = FormResult(
    bytes=1,
    accuracy=0.9,
    stream_accuracy=0.9,
    hop_by_hop_difference=0.0,
    score_difference=0.0,
    changed_labels=0.0,
    mfcc_difference=0.0,
)
CLIPS = 1000


def changed(**values):
    return {"form": FormResult(**vars(SAME) | values)}


def failures_of(results, quantizations, label_limits=None):
    return failures(results, quantizations, 0.9, CLIPS, label_limits or {})


def test_the_same_model_has_no_failures():
    assert failures_of({"form": SAME}, {"form": "none"}) == []


def test_each_figure_over_its_limit_is_a_failure():
    for values, name in (
        ({"accuracy": 0.85, "stream_accuracy": 0.85}, "loss of accuracy against Keras"),
        ({"stream_accuracy": 0.8}, "loss of accuracy in one stream"),
        ({"hop_by_hop_difference": 2e-4}, "difference between hop by hop and at once"),
        ({"score_difference": 2e-4}, "difference of a score from Keras"),
        ({"changed_labels": 0.001}, "share of labels that differ from Keras"),
        ({"mfcc_difference": 2e-3}, "difference of an MFCC from librosa"),
    ):
        (line,) = failures_of(changed(**values), {"form": "none"})
        assert line.startswith(f"form: {name} is ")


def test_nan_is_over_every_limit():
    (line,) = failures_of(changed(mfcc_difference=float("nan")), {"form": "none"})
    assert "nan" in line


def test_a_quantised_form_may_differ_more():
    results = changed(score_difference=0.1, changed_labels=0.005)
    assert len(failures_of(results, {"form": "none"})) == 2
    assert failures_of(results, {"form": "dynamic"}) == []


def test_each_implementation_of_int8_has_its_own_limit_of_changed_labels():
    results = changed(changed_labels_from_int8=0.003)
    assert failures_of(results, {"form": "int8"}, {"form": 0.0025}) == []  # rounded up to clips
    (line,) = failures_of(results, {"form": "int8"}, {"form": 0.002})
    assert line.startswith("form: share of labels that differ from the int8 form is ")


def test_one_clip_more_or_less_is_no_loss():
    results = changed(accuracy=0.899, stream_accuracy=0.899)
    assert failures_of(results, {"form": "none"}) == []
