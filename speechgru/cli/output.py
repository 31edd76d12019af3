"""Results as lines of text, JSON and CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from speechgru.detection import Detection
from speechgru.errors import escape

DETECTION_COLUMNS = ("file", "label", "time", "confidence")


def quote(label: str) -> str:
    """Put a label of several words into quotation marks."""
    label = escape(label)
    return f'"{label}"' if " " in label else label


def clock(seconds: float, decimals: int = 0) -> str:
    """Write a time as hours, minutes and seconds, such as 1:02:03.45."""
    unit = 10**decimals
    whole, rest = divmod(round(seconds * unit), unit)
    text = f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{text}.{rest:0{decimals}}" if decimals else text


def json_line(record: Mapping[str, Any]) -> str:
    """Write a record as a JSON object in one line."""
    return json.dumps(record).replace("\x7f", "\\u007f")  # the control character that JSON allows


def csv_line(fields: Sequence[object]) -> str:
    """Write a row of CSV in one line, with control characters escaped."""
    text = io.StringIO()
    row = [escape(field) if isinstance(field, str) else field for field in fields]
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()


def detection_line(detection: Detection) -> str:
    """Write a detection as a line of a table."""
    confidence = f"{quote(detection.label)} {detection.confidence:.3f}"
    return f"{clock(detection.time, 2)}  {confidence}"


def detection_record(detection: Detection) -> dict[str, Any]:
    """The values of a detection that JSON and CSV show, in the order of the columns."""
    return {
        "label": detection.label,
        "time": round(detection.time, 3),
        "confidence": round(detection.confidence, 6),
    }
