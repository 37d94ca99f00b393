"""The command line: `python -m pipeline COMMAND`, one command a stage and a few around them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import InputError

app = typer.Typer(
    help=__doc__,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

STAGES = {
    "acquire": "Fetch a data set's files from a mirror or their URL, and verify them.",
    "prepare": "Decode, split by patient and audit a data set.",
    "train": "Train every seed of one experiment and loss; write logits.",
    "calibrate": "Fit every calibrator of an experiment on its calibration split; apply it.",
    "evaluate": "Compute an experiment's numbers with their intervals.",
    "report": "Write a study's page, tables and figures.",
}


def _add_stage(name: str, description: str) -> None:
    def run(key: Annotated[str, typer.Argument(help="A key of configs/plan.yaml.")]) -> None:
        # Imported here: only training pays for torch.
        importlib.import_module(f"pipeline.stages.{name}").run(key, root=Path.cwd())

    app.command(name, help=description)(run)


for _name, _description in STAGES.items():
    _add_stage(_name, _description)


@app.command()
def plan(
    studies: Annotated[list[str], typer.Argument(help="Names of files in configs/studies.")],
) -> None:
    """Expand studies to configs/plan.yaml, the table that dvc.yaml loops over."""
    from pipeline.config import expand_plan, write_plan

    configs = Path("configs")
    expanded = expand_plan(studies, configs)
    write_plan(expanded, configs / "plan.yaml")
    tables = expanded.model_dump()
    counts = ", ".join(f"{len(rows)} {name}" for name, rows in tables.items())
    typer.echo(f"configs/plan.yaml: {counts}, {expanded.num_stages} stages")


@app.command()
def doctor(
    studies: Annotated[
        list[str] | None, typer.Argument(help="Studies to cost instead of the current plan.")
    ] = None,
) -> None:
    """Say what this machine has and what the plan, or some studies, would cost on it."""
    from pipeline.doctor import diagnose

    for line in diagnose(Path.cwd(), studies or ()):
        typer.echo(line)


data = typer.Typer(help="Look at the data's versions.", no_args_is_help=True)
app.add_typer(data, name="data")


@data.callback()
def _data() -> None:
    """Keep `data` a group though it has a single command."""


@data.command()
def diff(
    old: Annotated[str, typer.Argument(help="A git revision, or 'workspace'.")],
    new: Annotated[str, typer.Argument(help="A git revision, or 'workspace'.")],
    dataset: Annotated[str | None, typer.Argument(help="One data set instead of all.")] = None,
) -> None:
    """Say which cases were added, removed, relabelled, moved between splits or redrawn."""
    from pipeline.data_diff import diff_revisions

    for line in diff_revisions(old, new, root=Path.cwd(), dataset=dataset):
        typer.echo(line)


def main() -> None:
    """Run the command line; an `InputError` is one line on standard error and exit code 2."""
    try:
        app()
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
