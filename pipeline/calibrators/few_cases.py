"""Which calibrators need more cases than they were given, and are said to."""

from __future__ import annotations

MARGIN_NATS = 0.05
"""How much likelier temperature scaling may leave new cases, on average, than a calibrator does
that says nothing: simulated with 300 calibration cases and 2, 4 and 10 classes."""

FEWEST_PER_CLASS = {"dirichlet": 50, "isotonic": 200, "vector": 50}
"""Below so many calibration cases a class these lose more than the margin by over-fitting."""


def few_cases_notes(kind: str, num_cases: int, num_classes: int) -> tuple[str, ...]:
    """Say that a calibrator needs more cases, if it does.

    >>> few_cases_notes("isotonic", 300, 4)
    ('needs more cases: 75 a class, and below 200 temperature scaling may well be better',)
    >>> few_cases_notes("vector", 300, 4)
    ()
    """
    fewest = FEWEST_PER_CLASS[kind]
    if num_cases >= fewest * num_classes:
        return ()
    given = num_cases // num_classes
    return (
        f"needs more cases: {given} a class, and below {fewest} temperature scaling may well be "
        "better",
    )
