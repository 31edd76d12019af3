"""Start `speechgru demo` of an installed wheel, fetch page and model, and press Ctrl-C.

python .ci/demo.py SPEECHGRU
"""

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import speechgru

signal.signal(signal.SIGINT, signal.SIG_DFL)  # a job in the background ignores it
command = [sys.argv[1], "demo", "--no-browser", "--port", "0"]
with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
    assert demo.stdout
    address = demo.stdout.readline().strip()
    page = urllib.request.urlopen(address, timeout=10).read()
    model = urllib.request.urlopen(f"{address}model.tflite", timeout=10).read()
    demo.send_signal(signal.SIGINT)
pretrained = Path(speechgru.__file__).parent / "pretrained"
assert b"speechgru" in page
assert model == (pretrained / "medium.tflite").read_bytes()
assert demo.returncode == 130, demo.returncode
print(f"speechgru demo: {len(page):,} bytes of HTML and the model at {address}")
