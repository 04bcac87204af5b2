"""Fuzzing, guided by coverage: `python -m fuzz --seconds 60`, or `make fuzz`."""
