"""Fail if a bundled model is worse than its file states.

    python .ci/stated_figures.py FOLDER

FOLDER holds the reports of evaluate.py, report-medium and report-small. Other processors round
differently, so a label in 200, a word in 100 and one false accept more are no failure.
"""

import json
import sys
from pathlib import Path

from speechgru import modelfile


def check(name: str, stated: float, found: float, is_good: bool) -> bool:
    """Print a figure; return whether it is as stated."""
    print(f"{name}: stated {stated:.4g}, found {found:.4g}{'' if is_good else ', which is worse'}")
    return is_good


def is_as_stated(model: str, report: Path) -> bool:
    """Compare a model file with a report about it."""
    settings = modelfile.read(model).settings
    found = json.loads((report / "report.json").read_text())
    streams, detection = found["streams"], settings["detection"]
    accuracy = found["conditions"]["clean"]["accuracy"]["share"]
    recall = streams["words"]["noise at 10 dB"]["recall_held_out"]["share"]
    accepts = streams["negatives"]["all folders"]["held_out"]
    rate, one_more = detection["false_accepts_per_hour"], 1.01 / accepts["hours"]
    expected = settings["validation_accuracy"]
    checks = [
        check("accuracy", expected, accuracy, accuracy >= expected - 1 / 200),
        check("words found", detection["recall"], recall, recall >= detection["recall"] - 1 / 100),
        check("false accepts", rate, accepts["per_hour"], accepts["per_hour"] <= rate + one_more),
    ]
    return all(checks)


models = [is_as_stated(m, Path(sys.argv[1]) / f"report-{m}") for m in ("medium", "small")]
sys.exit(not all(models))
