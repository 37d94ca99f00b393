"""Whether logits computed here are the published ones bit by bit; if not, what else differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.findings.records import NOT_RECORDED, RunRecord

OWN_PACKAGE = "calibrated-imaging"
"""Its version is of the code, which the revision names."""


@dataclass(frozen=True)
class SameBits:
    """How many runs' logits are the same, and what may be why the others are not."""

    num_same: int
    num_shared: int
    """Runs whose logits have the same hash; runs that both sides have."""
    reasons: tuple[tuple[str, str], ...]
    """What else is different for the runs whose logits are: in short, and in detail."""

    def text(self, *, detailed: bool = False) -> str:
        """Say whether the bits are the same, and if not, why.

        >>> SameBits(18, 18, ()).text()
        'yes'
        >>> why = ("another processor", "kernels AVX512, published AVX2")
        >>> SameBits(0, 18, (why,)).text(detailed=True)
        'no, another processor (kernels AVX512, published AVX2)'
        """
        if self.num_shared == 0:
            return "no run in common"
        if self.num_same == self.num_shared:
            return "yes"
        words = [f"{short} ({long})" if detailed else short for short, long in self.reasons]
        some = f"in {self.num_same} of {self.num_shared} runs, in the others not:"
        return f"{some if self.num_same else 'no,'} {' and '.join(words)}"


def same_bits(here: Iterable[RunRecord], published: Iterable[RunRecord]) -> SameBits:
    """Return how the runs that both sides have compare.

    Reasons are looked for in this order: configs and data, which make it another experiment;
    versions, and the processor or device, which round otherwise. Only where none of these is
    different is the code named, which differs in revision from every published run.
    """
    own = {_key(run): run for run in here}
    pairs = [(own[_key(run)], run) for run in published if _key(run) in own]
    changed = [pair for pair in pairs if pair[0].logits_sha256 != pair[1].logits_sha256]
    reasons = dict(reason for pair in changed for reason in _reasons(*pair))
    return SameBits(len(pairs) - len(changed), len(pairs), tuple(reasons.items()))


def _key(run: RunRecord) -> tuple[str, str, int]:
    return run.experiment, run.loss, run.seed


def _reasons(here: RunRecord, published: RunRecord) -> list[tuple[str, str]]:
    found = list(_recorded(here, published))
    return found or [_otherwise(here, published)]


def _recorded(here: RunRecord, published: RunRecord) -> Iterator[tuple[str, str]]:
    """Yield what is recorded of both and different, but for the code."""
    if here.config_hash != published.config_hash:
        yield "other configs", _changed(here.config_hash[:12], published.config_hash[:12])
    if here.data_fingerprint != published.data_fingerprint:
        yield "other data", _changed(here.data_fingerprint[:12], published.data_fingerprint[:12])
    if names := _differing(_versions(here), _versions(published)):
        yield "other versions", _listed(names, here.versions, published.versions)
    yield from _machine(here, published)


def _machine(here: RunRecord, published: RunRecord) -> Iterator[tuple[str, str]]:
    one, other = here.processor, published.processor
    if isinstance(one, dict) and isinstance(other, dict) and (names := _differing(one, other)):
        short = "other threads" if names == ["threads"] else "another processor"
        yield short, _listed(names, one, other)
    elif here.device != published.device:
        yield "another device", _changed(here.device, published.device)


def _otherwise(here: RunRecord, published: RunRecord) -> tuple[str, str]:
    """Say what is left where nothing that is recorded of both is different."""
    code = here.revision != published.revision or here.dirty or published.dirty
    unknown = NOT_RECORDED in (here.processor, published.processor)
    revisions = _changed(here.revision[:12], published.revision[:12])
    if code and unknown:
        return "other code or another processor", f"{revisions}; the processor is not recorded"
    if code:
        return "other code", revisions
    if unknown:
        return "perhaps another processor", "it is not recorded"
    return "for no reason that is recorded", "configs, data, versions, processor and code are equal"


def _versions(run: RunRecord) -> dict[str, str]:
    return {name: text for name, text in run.versions.items() if name != OWN_PACKAGE}


def _differing(here: Mapping[str, object], published: Mapping[str, object]) -> list[str]:
    return [name for name in {**here, **published} if here.get(name) != published.get(name)]


def _listed(
    names: Iterable[str], here: Mapping[str, object], published: Mapping[str, object]
) -> str:
    changes = {
        name: _changed(here.get(name, "none"), published.get(name, "none")) for name in names
    }
    return "; ".join(f"{name} {change}" for name, change in changes.items())


def _changed(here: object, published: object) -> str:
    return f"{here}, published {published}"
