"""How fast and how large: tables to read, not tests. Run `python -m benchmarks [NAME...]`."""
