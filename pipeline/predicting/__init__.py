"""New cases and a release: a decision for each patient's study, and its files."""
