"""The recogniser as one C99 file."""
