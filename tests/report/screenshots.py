"""Take the pictures and the sample report of docs/ from a study's report.

`python -m tests.report.screenshots reports/quick docs`, and with `../next` behind these also the
pictures of docs/next-patient.md, whose commands filled that folder.
"""

from __future__ import annotations

import io
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.report.chromium import chromium, launched

MOST_BYTES = 200_000
MOST_SAMPLE_BYTES = 1_500_000
SAMPLE = "sample-report.html"
WIDTH = 1240
MARGIN = 16


@dataclass(frozen=True)
class Shot:
    """A picture of a page from the top of one element to the bottom of another."""

    name: str
    page: str
    first: str
    last: str


def explorer_page(report: Path) -> Path:
    """Return the last experiment's page on which operating points can be tried."""
    pages = (report / "experiments").glob("*.html")
    return max(page for page in pages if 'id="explorer-data"' in page.read_text(encoding="utf-8"))


def shots(report: Path) -> list[Shot]:
    """Return what to take of a report: its first screen, an explorer, a comparison."""
    explorer = f"experiments/{explorer_page(report).name}"
    return [
        Shot("first-screen", "index.html", "header", "section.experiment .more"),
        Shot("explorer", explorer, "#explorer-heading", ".explorer .controls"),
        Shot("comparison", "comparison.html", "header", ".compared figure.table"),
    ]


FOLLOWED = [
    Shot("next-patient-decisions", "decisions/index.html", "header", ".scroll"),
    Shot("next-patient-monitor", "monitor/index.html", "header", "section figure.table"),
]
"""What to take of the folder of docs/next-patient.md."""


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


def sample_page(page: str) -> str:
    """Return an experiment's page as a file that stands alone: nothing beside it is linked.

    >>> sample_page('<a href="#top">up</a> <a href="../tables/x.csv">CSV</a>')
    '<a href="#top">up</a> CSV'
    """
    page = re.sub(r'<span class="links">.*?</span>', "", page, flags=re.DOTALL)
    return re.sub(
        r'<a\s[^>]*href="(?!#|https?:)[^"]*"[^>]*>(.*?)</a>', r"\1", page, flags=re.DOTALL
    )


def write_sample(report: Path, out: Path) -> None:
    """Write one experiment's page on its own."""
    sample = sample_page(explorer_page(report).read_text(encoding="utf-8")).encode()
    if len(sample) > MOST_SAMPLE_BYTES:
        sys.exit(f"{SAMPLE}: {len(sample):,} bytes, at most {MOST_SAMPLE_BYTES:,} expected")
    (out / SAMPLE).write_bytes(sample)
    sys.stdout.write(f"{out / SAMPLE}: {len(sample):,} bytes\n")


def write_pictures(wanted: list[Shot], source: Path, out: Path) -> None:
    """Write pictures of a folder's pages."""
    with launched() as browser:
        context = browser.new_context(viewport={"width": WIDTH, "height": 800})
        page = context.new_page()
        for shot in wanted:
            page.goto((source / shot.page).resolve().as_uri())
            picture = take(page, shot)
            if len(picture) > MOST_BYTES:
                sys.exit(f"{shot.name}: {len(picture):,} bytes, at most {MOST_BYTES:,} expected")
            path = out / f"{shot.name}.png"
            path.write_bytes(picture)
            sys.stdout.write(f"{path}: {len(picture):,} bytes\n")


def main(report: Path, out: Path, followed: Path | None = None) -> None:
    """Write the pictures and the sample into a folder."""
    if chromium() is None:
        sys.exit("no Chromium: `make browser` installs Debian's")
    write_sample(report, out)
    write_pictures(shots(report), report, out)
    if followed:
        write_pictures(FOLLOWED, followed, out)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
