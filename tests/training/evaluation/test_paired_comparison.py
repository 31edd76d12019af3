"""Two reports on the same clips, compared with McNemar's exact test."""

import json

import pytest

from training.evaluate import main
from training.evaluation.paired_comparison import binomial_p

RECIPE = {"seed": 0}


def write_report(folder, correct, found=None, recipe=RECIPE, false_accepts=4):
    """A report's folder: whether each clip was predicted correctly, and found in a stream."""
    folder.mkdir()
    rate = {"count": false_accepts, "per_hour": false_accepts / 2, "hours": 2.0}
    negatives = {"all folders": {"all": rate}}
    streams = {"recipe": recipe, "negatives": negatives} if found is not None else None
    report = {"model": folder.name, "sha256": "0", "conditions": {}, "streams": streams}
    (folder / "report.json").write_text(json.dumps(report))
    lines = [f"yes/{n},yes,{'yes' if c else 'no'},0.9" for n, c in enumerate(correct)]
    text = "\n".join(["clip,label,prediction,probability", *lines])
    (folder / "predictions.csv").write_text(text)
    if found is not None:
        lines = [f"quiet,yes/{number},{int(hit)}" for number, hit in enumerate(found)]
        (folder / "words.csv").write_text("\n".join(["condition,clip,found", *lines]))
    return folder


def cells(output, row):
    (line,) = [line for line in output.splitlines() if line.startswith(f"| {row}")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


@pytest.mark.parametrize(
    ("first", "second", "p"),  # 2 * sum of binomial coefficients / 2**n, by hand
    [(0, 0, 1.0), (5, 0, 2 / 32), (1, 6, 16 / 128), (3, 3, 1.0), (0, 10, 2 / 1024)],
)
def test_p_is_that_of_the_exact_test(first, second, p):
    assert binomial_p(first, second) == pytest.approx(p)


def test_clips_that_both_get_right_or_wrong_do_not_count(tmp_path, capsys):
    a = write_report(tmp_path / "a", [1, 1, 1, 1, 0, 0, 1])
    b = write_report(tmp_path / "b", [1, 0, 0, 0, 1, 0, 1])
    assert main(["--compare", str(a), str(b)]) == 0
    found = cells(capsys.readouterr().out, "clean clips, correct")
    assert found == ["7", "71.43%", "42.86%", "3", "1", "0.62"]


def test_words_in_streams_and_false_accepts_are_compared(tmp_path, capsys):
    a = write_report(tmp_path / "a", [1] * 6, [1, 1, 1, 1, 1, 1], false_accepts=2)
    b = write_report(tmp_path / "b", [1] * 6, [0, 0, 0, 0, 0, 1], false_accepts=10)
    assert main(["--compare", str(a), str(b)]) == 0
    output = capsys.readouterr().out
    assert cells(output, "words found in streams, quiet")[3:] == ["5", "0", "0.062"]
    assert cells(output, "false accepts an hour")[1:3] == ["1", "5"]
    assert cells(output, "false accepts an hour")[-1] == "0.039"


def test_reports_on_other_clips_cannot_be_compared(tmp_path, capsys):
    a, b = write_report(tmp_path / "a", [1, 1]), write_report(tmp_path / "b", [1])
    assert main(["--compare", str(a), str(b)]) == 2
    assert "expected reports on the same clips, found 1 clips in only one" in (
        capsys.readouterr().err
    )


def test_streams_of_another_seed_cannot_be_compared(tmp_path, capsys):
    a = write_report(tmp_path / "a", [1], [1])
    b = write_report(tmp_path / "b", [1], [1], recipe={"seed": 1})
    assert main(["--compare", str(a), str(b)]) == 2
    assert "expected streams of the same recipe and seed" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["report.json", "predictions.csv", "words.csv"])
@pytest.mark.parametrize("content", [None, "", "[1]", "a,b\n1,2\n"])
def test_a_damaged_report_is_one_line_that_names_it(tmp_path, capsys, name, content):
    a, b = (write_report(tmp_path / folder, [1], [1]) for folder in "ab")
    (a / name).unlink()
    if content is not None:
        (a / name).write_text(content)
    assert main(["--compare", str(a), str(b)]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"evaluate.py: {a}")
    assert errors.count("\n") == 1
