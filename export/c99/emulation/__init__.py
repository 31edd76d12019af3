"""The C99 file on emulated microcontrollers: its results, memory and instructions."""
