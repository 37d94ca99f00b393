"""The chain from a figure back to code, data, configuration and seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from pipeline.tables.parts.column import LOSS, SEED, Column, text
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.scores import NOT_RECORDED, Scores
from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.wording import counted

SHORT = 12


def short_hash(text: str) -> str:
    """Return the first twelve characters of a hash, enough to find it again.

    >>> short_hash("0123456789abcdef")
    '0123456789ab'
    """
    return text[:SHORT]


def provenance_table(scores: Scores) -> Table:
    """Return one row a trained run: the hashes that identify it, shortened; whole in the CSV."""
    frame = pd.DataFrame(
        {key: value for key, value in run.items() if key != "versions"}
        | {"processor": _listed(run.get("processor", {}))}
        for run in scores.provenance["runs"]
    )
    return rendered(
        "provenance",
        "Every trained run and what it came from: the first twelve characters of each "
        "hash. The CSV holds them whole.",
        [
            LOSS,
            SEED.shown_as("Seed", write=lambda row: str(row["seed"])),
            text("revision", "Code revision", write=_revision),
            *(_hash(name, label) for name, label in HASHES.items()),
            text("device", "Device"),
        ],
        frame.drop(columns="wall_seconds", errors="ignore"),
    )


HASHES = {
    "data_fingerprint": "Data",
    "config_hash": "Configuration",
    "logits_sha256": "Logits",
}


def _hash(name: str, label: str) -> Column:
    return text(name, label, write=lambda row: short_hash(row[name]))


def _revision(row: Mapping[str, Any]) -> Cell:
    return Cell(short_hash(row["revision"]), "with uncommitted changes" if row["dirty"] else "")


def chain(scores: Scores) -> tuple[tuple[str, str], ...]:
    """Return the chain as pairs of what and which: code, data, software, device, seeds."""
    runs = scores.provenance["runs"]
    evaluated = scores.provenance["evaluated_by"]
    dirty = sum(bool(run["dirty"]) for run in runs)
    revisions = _joined(run["revision"] for run in runs)
    return (
        ("Trained by revision", revisions),
        ("Evaluated by revision", str(evaluated["revision"])),
        ("Uncommitted changes", _uncommitted(dirty, scores)),
        ("Data fingerprint", _joined(run["data_fingerprint"] for run in runs)),
        ("Data set", f"{scores.dataset['title']}; {scores.dataset['licence']}"),
        ("Network and recipe", f"{scores.record['network']}, {scores.record['recipe']}"),
        ("Date", "not recorded, so that equal scores give equal pages; the revisions carry theirs"),
        ("Seeds", ", ".join(str(seed) for seed in scores.record["seeds"])),
        ("Device", _joined(str(run["device"]) for run in runs)),
        ("Software", _versions([run["versions"] for run in runs])),
    )


def _listed(facts: Mapping[str, Any]) -> str:
    """Write a few facts as one text.

    >>> _listed({"kernels": "AVX2", "threads": 1})
    'kernels AVX2; threads 1'
    """
    return "; ".join(f"{name} {value}" for name, value in facts.items())


def _joined(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))


def _versions(records: list[dict[str, Any]]) -> str:
    """Write every version once; where runs differ, all that were used.

    >>> _versions([{"numpy": "2.4"}, {"numpy": "2.5"}])
    'numpy 2.4, 2.5'
    """
    names = dict.fromkeys(name for record in records for name in record)
    found = {n: _joined(str(each[n]) for each in records if n in each) for n in names}
    return "; ".join(f"{name} {versions}" for name, versions in found.items()) or NOT_RECORDED


def _uncommitted(dirty: int, scores: Scores) -> str:
    if scores.brought:
        return NOT_RECORDED
    return f"in {dirty} of {counted(len(scores.provenance['runs']), 'runs')}" if dirty else "none"


def fingerprint_line(all_scores: Iterable[Scores]) -> str:
    """Return the revisions and data fingerprints, shortened, for the foot of every printed page."""
    every = list(all_scores)
    runs = [run for scores in every for run in scores.provenance["runs"]]
    code = _joined(short_hash(run["revision"]) for run in runs)
    data = _joined(short_hash(run["data_fingerprint"]) for run in runs)
    return f"code {code} · data {data}"
