"""Write the golden tables again from the stored logits: `python -m tests.golden.regenerate`.

To be run where a change of numbers is meant, and committed on its own with the reason. `--logits`
makes the stored logits and calibrators anew as well.
"""

from __future__ import annotations

import argparse
import shutil

from tests.golden.simulated import simulate
from tests.golden.stored import FOLDER, SETS, read_set, write_tables


def regenerate(name: str) -> None:
    """Replace the tables of one set."""
    tables = FOLDER / name / "tables"
    shutil.rmtree(tables, ignore_errors=True)
    write_tables(read_set(name), tables)
    shutil.rmtree(tables / "as-written")


def main() -> None:
    """Replace the tables of the sets that are named, or of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=SETS, metavar="SET")
    parser.add_argument("--logits", action="store_true")
    arguments = parser.parse_args()
    for name in arguments.sets:
        if arguments.logits:
            simulate(name)
        regenerate(name)


if __name__ == "__main__":
    main()
