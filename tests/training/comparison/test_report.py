"""A comparison writes its tables and pictures."""

import pytest

from training.compare import main
from training.comparison.cells import CELLS, REFERENCE, lag_cells
from training.comparison.report import epochs_to_target


def test_a_comparison_writes_tables_and_pictures(monkeypatch, tmp_path):
    few = {name: CELLS[name] for name in ("plain RNN", "LSTM", REFERENCE)}
    for module in ("cells", "experiments", "learner", "report"):
        monkeypatch.setattr(f"training.comparison.{module}.CELLS", few)
    monkeypatch.setattr("training.comparison.experiments.LAGS", (3,))
    arguments = ["--quick", "--seeds", "1", "--epochs", "1", "--steps", "2"]
    assert main([*arguments, "--lag-steps", "2", "--out", str(tmp_path)]) == 0
    lines = (tmp_path / "compare.md").read_text().splitlines()
    names = [line.split(" | ")[0].strip("| ") for line in lines if line.startswith("|")]
    cells = [*few, "plain RNN", "LSTM"]  # the last two with the parameters of the reference
    assert names[2 : 2 + len(cells)] == cells
    assert names[2 + len(cells) + 2 :] == [*few]  # the table of gradients
    lags = (tmp_path / "lags.md").read_text().splitlines()
    names = [line.split(" | ")[0].strip("| ") for line in lags if line.startswith("|")]
    assert names[2:] == [*lag_cells(3)]
    for name in ("accuracy", "gradients", "lags"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([[0.5, 0.95], [0.91, 0.8]], "1.5"),
        ([[0.5, 0.95], [0.1, 0.2]], "2.0, 1 of 2 seeds"),
        ([[0.5, 0.6], [0.1, 0.2]], "not reached"),
    ],
)
def test_epochs_to_the_target_are_averaged_over_the_seeds_that_reach_it(accuracies, expected):
    assert epochs_to_target(accuracies) == expected


def test_a_folder_without_clips_is_one_line(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    assert main(["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("compare.py: ")
    assert errors.count("\n") == 1


def test_no_seeds_are_wrong_usage(capsys):
    with pytest.raises(SystemExit) as error:
        main(["--seeds", "0"])
    assert error.value.code == 2
    assert "expected at least 1" in capsys.readouterr().err
