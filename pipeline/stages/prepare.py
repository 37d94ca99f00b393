"""Prepare: decode what was acquired, split it by patient, audit it and describe it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.adapters import find_adapter
from pipeline.artifacts import whole_folder, write_json
from pipeline.cases import write_cases
from pipeline.config import read_dataset
from pipeline.errors import InputError, located
from pipeline.hashes import require_intact
from pipeline.preparing import (
    ImageSpool,
    collect,
    contact_sheet,
    listing_of,
    make_card,
    remarks_on,
    render_page,
    require_few_quarantined,
    split_cases,
    summarise,
    write_images,
    write_quarantine,
)


def run(key: str, *, root: Path) -> None:
    """Write data/prepared/KEY: images, cases, quarantine, card; whole or not at all."""
    path = root / "configs" / "datasets" / f"{key}.yaml"
    dataset = read_dataset(root / "configs", key)
    raw = root / "data" / "raw" / key
    with located(path), whole_folder(root / "data" / "prepared" / key, hashed=True) as folder:
        read = find_adapter(dataset.adapter)
        if not raw.is_dir():
            message = f"{raw} does not exist: run acquire first"
            raise InputError(message)
        if "folder" in dataset.arguments:
            require_intact(raw, stage=f"data@{key}")
        with ImageSpool(folder / "spool", (*dataset.image_size, dataset.channels)) as spool:
            collected = collect(read(raw, dataset), dataset, spool)
        quarantined = collected.quarantined
        print(f"{key}: {summarise(len(collected.cases), quarantined)}")
        require_few_quarantined(collected.num_files, quarantined, dataset, listing_of(key, root))
        cases = split_cases(collected, dataset)
        write_images(spool, cases.index, folder / "images.npy")
        spool.path.unlink()
        write_cases(cases, folder / "cases.parquet")
        write_quarantine(quarantined, folder / "quarantine.csv")
        images = np.load(folder / "images.npy", mmap_mode="r")
        card = make_card(key, dataset, cases, images.dtype, collected)
        for remark in remarks_on(card, dataset):
            print(f"{key}: {remark}")
        write_json(card, folder / "card.json")
        sheet = contact_sheet(images, cases, len(dataset.classes)) if dataset.show_images else None
        (folder / "card.html").write_text(render_page(card, sheet), encoding="utf-8")
