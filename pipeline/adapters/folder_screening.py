"""Sort out the files that give no case, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.adapters.case import Quarantined
from pipeline.adapters.file_facts import FileFacts
from pipeline.adapters.refused import too_large


def screened(
    files: Iterable[FileFacts], *, max_pixels: int, allow_burned_in: bool = False
) -> Iterator[FileFacts | Quarantined]:
    """Yield every file, in order, as it is or as the reason why it is left out.

    Of two duplicates the first stays.
    """
    seen: dict[str, str] = {}
    for facts in files:
        fault = _fault_of(facts, max_pixels, allow_burned_in, seen)
        if fault is not None:
            yield Quarantined(facts.source, *fault)
        else:
            seen |= {key: facts.source for key in (facts.sha256, facts.sop) if key}
            yield facts


def _fault_of(
    facts: FileFacts, max_pixels: int, allow_burned_in: bool, seen: dict[str, str]
) -> tuple[str, str] | None:
    if facts.fault:
        return facts.fault, facts.advice
    if facts.num_pixels > max_pixels:
        refused = too_large(facts.num_pixels, "values")
        return refused.reason, refused.advice
    if facts.burned_in and not allow_burned_in:
        advice = "its pixels may show who it is: look, then clean it or set 'allow_burned_in'"
        return "burned-in annotation", advice
    if facts.sha256 in seen:
        return "duplicate file", f"keep one copy: it has the bytes of {seen[facts.sha256]}"
    if facts.sop in seen:
        advice = f"keep the right one of it and {seen[facts.sop]}, another image of that UID"
        return "duplicate SOP instance UID", advice
    return None
