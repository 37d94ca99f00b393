"""Train the unfinished seeds of the plan on a Ray cluster; their files come back here."""

from pipeline.launching.driver import launch

__all__ = ["launch"]
