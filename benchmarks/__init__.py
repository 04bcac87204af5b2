"""What archspec costs beside what it is measured against: `python -m benchmarks` writes docs/benchmarks.md."""
