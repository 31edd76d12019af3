"""The pictures that the scripts draw, one in each module, with matplotlib."""
