"""Take the README's pictures of a report: `python -m tests.report.screenshots reports/quick`."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.report.chromium import chromium, launched

MOST_BYTES = 300_000
WIDTH = 1240
MARGIN = 16


@dataclass(frozen=True)
class Shot:
    """A picture of a page from the top of one element to the bottom of another."""

    name: str
    page: str
    first: str
    last: str


def shots(report: Path) -> list[Shot]:
    """Return what to take of a report: its first screen, an explorer, a comparison."""
    experiments = sorted(
        page
        for page in (report / "experiments").glob("*.html")
        if 'id="explorer-data"' in page.read_text(encoding="utf-8")
    )
    explorer = f"experiments/{experiments[-1].name}"
    return [
        Shot("first-screen", "index.html", "header", "section.experiment .more"),
        Shot("explorer", explorer, "#explorer-heading", ".explorer .controls"),
        Shot("comparison", "comparison.html", "header", ".compared figure.table"),
    ]


def take(page, shot: Shot) -> bytes:
    """Return a picture as PNG of at most 256 colours."""
    box = page.evaluate(
        "([first, last]) => [document.querySelector(first).getBoundingClientRect().top,"
        " document.querySelector(last).getBoundingClientRect().bottom]",
        [shot.first, shot.last],
    )
    top = max(0, box[0] - MARGIN)
    clip = {"x": 0, "y": top, "width": WIDTH, "height": box[1] + MARGIN - top}
    raw = page.screenshot(clip=clip, full_page=True)
    buffer = io.BytesIO()
    few = Image.open(io.BytesIO(raw)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def main(report: Path) -> None:
    """Write the pictures beside a report's folder."""
    if chromium() is None:
        sys.exit("no Chromium: `make browser` installs Debian's")
    with launched() as browser:
        context = browser.new_context(viewport={"width": WIDTH, "height": 800})
        page = context.new_page()
        for shot in shots(report):
            page.goto((report / shot.page).resolve().as_uri())
            picture = take(page, shot)
            if len(picture) > MOST_BYTES:
                sys.exit(f"{shot.name}: {len(picture):,} bytes, at most {MOST_BYTES:,} expected")
            path = report.parent / f"{shot.name}.png"
            path.write_bytes(picture)
            sys.stdout.write(f"{path}: {len(picture):,} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
