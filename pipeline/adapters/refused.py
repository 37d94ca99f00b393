"""Why a file or case is left out, in our own words."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - it is an outcome that a reader reports, not a defect
    """Raised where a file turns out to be unusable; readers turn it into `Quarantined`.

    Its texts are ours alone: an image library's own message may quote the header, and with it the
    patient.
    """

    def __init__(self, *, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


def too_large(claimed: int, unit: str) -> Refused:
    """Return the refusal of a file that claims more than the limit."""
    advice = f"it claims {claimed} {unit}: if that is right, raise 'max_pixels'"
    return Refused(reason="too large", advice=advice)
