"""Compute an experiment's numbers, with their intervals, from its stored predictions."""

from __future__ import annotations

from pathlib import Path

from pipeline import evaluation
from pipeline.artifacts import read_json, whole_folder
from pipeline.config import read_plan
from pipeline.config.plan import require_row


def run(key: str, *, root: Path) -> None:
    """Write the tables of the experiment ``key`` as CSV, and what they are about as JSON."""
    row = require_row(read_plan(root / "configs/plan.yaml").experiments, key)
    prepared = root / "data/prepared" / row.dataset
    card = read_json(prepared / "card.json")
    logits = root / "data/logits" / row.study / row.experiment
    probabilities = root / "data/probabilities" / row.study / row.experiment
    runs = evaluation.read_runs(logits, probabilities, row)
    partners = evaluation.read_partners(root / row.shifted, runs, row)
    tables = evaluation.experiment_tables(runs, row, card, partners)
    tables["history"] = evaluation.read_histories(logits, row)
    if card["show_images"]:
        tables["gallery"] = evaluation.read_gallery(prepared, runs, row, tables)
    provenance = evaluation.read_provenance(logits, row)
    if partners:
        provenance["partners"] = evaluation.read_partner_records(root / row.shifted, row)
    with whole_folder(root / "data/scores" / row.study / row.experiment) as folder:
        evaluation.write_scores(tables, row, card=card, provenance=provenance, folder=folder)
