"""Decide upon new cases: read as the study was, answered by its rule, or referred."""
