"""The command line: `python -m pipeline COMMAND`, one command a stage and a few around them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.disk_faults import writing_to
from pipeline.errors import InputError
from pipeline.next_patient import NewFolder, commands, words

app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

STAGES = {
    "watch": "Note whether a data set's own folder changed.",
    "acquire": "Fetch a data set's files from a mirror or their URL, and verify them.",
    "prepare": "Decode, split by patient and audit a data set.",
    "train": "Train every loss and seed of an experiment; write logits.",
    "shift": "Let an experiment's trained models predict its partner data sets.",
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
    studies: Annotated[
        list[str] | None, typer.Argument(help="Names of files in configs/studies.")
    ] = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Every study whose data is at hand here.")
    ] = False,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="With --all: also data that has a public URL.")
    ] = False,
) -> None:
    """Expand studies to configs/plan.yaml, the table that dvc.yaml loops over."""
    from pipeline.config import expand_plan, write_plan
    from pipeline.dvc_state import close_state

    if bool(studies) == every:
        message = "name the studies of configs/studies to plan, or --all of them"
        raise InputError(message)
    if every:
        from pipeline.at_hand import studies_at_hand

        studies, left_out = studies_at_hand(Path.cwd(), fetch=fetch)
        for name, reason in left_out.items():
            typer.echo(f"left out   {name}: {reason}")
    configs = Path("configs")
    expanded = expand_plan(studies or [], configs)
    write_plan(expanded, configs / "plan.yaml")
    # Before DVC reads a data set's folder for the first time.
    close_state(Path.cwd())
    num_trained = f"{len(expanded.experiments)} experiments of {expanded.num_seeds} trainings"
    typer.echo(
        f"planned    {', '.join(expanded.studies)}: {len(expanded.datasets)} data sets, "
        f"{num_trained}, {expanded.num_stages} stages"
    )


@app.command()
def doctor(
    studies: Annotated[
        list[str] | None, typer.Argument(help="Studies to cost instead of the current plan.")
    ] = None,
    devices: Annotated[
        int | None, typer.Option(min=1, help="Say as well what so many GPUs like this would take.")
    ] = None,
) -> None:
    """Say what this machine has and what the plan, or some studies, would cost on it."""
    from pipeline.doctor import diagnose

    for line in diagnose(Path.cwd(), studies or (), devices=devices):
        typer.echo(line)


@app.command()
def launch(
    studies: Annotated[list[str] | None, typer.Argument(help="Of the plan; all if none.")] = None,
    *,
    address: Annotated[
        str | None, typer.Option(help="Of a Ray cluster that this machine belongs to, or auto.")
    ] = None,
    seeds_per_gpu: Annotated[int, typer.Option(help="How many seeds share a GPU.")] = 1,
) -> None:
    """Train every unfinished seed of the plan on a Ray cluster; `dvc repro` finds them trained.

    Without an address this machine's cores are the cluster. Workers need no shared files.
    """
    from pipeline.launching import launch as launch_seeds

    launch_seeds(studies or [], root=Path.cwd(), address=address, seeds_per_gpu=seeds_per_gpu)


data = typer.Typer(help="Look at the data and their versions.", no_args_is_help=True)
app.add_typer(data, name="data")


@data.command()
def quarantine(
    dataset: Annotated[str, typer.Argument(help="A data set that was prepared, or refused.")],
) -> None:
    """List what was left out and why, by the files' real paths: they may name patients."""
    from pipeline.preparing import reveal_quarantine

    for line in reveal_quarantine(dataset, root=Path.cwd()):
        typer.echo(line)


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


@app.command()
def verify(
    studies: Annotated[list[str] | None, typer.Argument(help="Of the plan; all if none.")] = None,
    tolerance: Annotated[float, typer.Option(help="Relative; 0 means every digit.")] = 0.0,
) -> None:
    """Compute findings and every reported number again; say which differ.

    Findings and summaries come from reports/evidence, everything else from the stored logits, as
    far as they are here. Exit code 0 if none does, 1 if any does, 2 if something is missing.
    """
    from pipeline.verifying import describe, studies_not_here, verify

    differences = describe(verify(studies or [], root=Path.cwd(), tolerance=tolerance))
    found = 0
    for line in differences:
        typer.echo(line)
        found += 1
    if absent := [] if studies else studies_not_here(Path.cwd()):
        typer.echo(f"not computed from logits, which are not here: {', '.join(absent)}")
    if found:
        raise typer.Exit(1)
    typer.echo("every number that was computed again comes out as it is stored")


@app.command()
def table(
    study: Annotated[str, typer.Argument(help="Whose scores are here.")],
    experiment: Annotated[str, typer.Argument(help="One of its experiments.")],
    name: Annotated[str, typer.Argument(help="Of the table, as its CSV in the report is named.")],
    *,
    tex: Annotated[bool, typer.Option("--tex", help="LaTeX (booktabs) instead of CSV.")] = False,
) -> None:
    """Print one table of an experiment's page."""
    from pipeline.config.names import require_name
    from pipeline.report import printed_table

    folder = Path(
        "data/scores", require_name(study, "a study"), require_name(experiment, "an experiment")
    )
    typer.echo(printed_table(folder, name, tex=tex), nl=False)


@app.command()
def overview() -> None:
    """Write reports/index.html, the front page of every tracked study."""
    importlib.import_module("pipeline.stages.overview").run(root=Path.cwd())


@app.command()
def publish(
    studies: Annotated[list[str], typer.Argument(help="Of the plan, with their scores here.")],
) -> None:
    """Write studies' scores with their provenance to reports/evidence, and the findings anew."""
    from pipeline.findings import publish

    for line in publish(studies, root=Path.cwd()):
        typer.echo(line)


@app.command()
def findings() -> None:
    """Answer the claims of configs/claims.yaml from reports/evidence, in its findings.md."""
    from pipeline.findings import write_findings

    typer.echo(write_findings(Path.cwd()))


@app.command()
def results() -> None:
    """Write the tables of results in README.md and docs/results.md from reports/evidence."""
    from pipeline.findings import write_results

    for name in write_results(Path.cwd()):
        typer.echo(name)


@app.command()
def agree(
    studies: Annotated[
        list[str] | None, typer.Argument(help="Of the plan; all that are published if none.")
    ] = None,
    *,
    brief: Annotated[
        bool, typer.Option("--brief", help="A line a study, and the figures that differ.")
    ] = False,
) -> None:
    """Say whether the scores computed here come out like the published ones, figure by figure.

    Exit code 0 if no figure differs, 1 if any does, 2 if something is missing.
    """
    from pipeline.verifying.agreement import agree
    from pipeline.verifying.agreement_lines import lines_of

    found = agree(studies or [], root=Path.cwd())
    for each in found:
        for line in lines_of(each, brief=brief):
            typer.echo(line)
    if any(each.count("differs") for each in found):
        raise typer.Exit(1)


@app.command("logits-report")
def logits_report(  # noqa: PLR0913, one option a question
    file: Annotated[Path, typer.Argument(help="Test cases: .csv, .parquet or .npz.")],
    *,
    out: NewFolder,
    calibration: Annotated[Path | None, typer.Option(help="Other cases, to calibrate on.")] = None,
    groups: Annotated[str, typer.Option(help="Columns to break down by: site,sex,age")] = "",
    critical: Annotated[str, typer.Option(help="Classes that must not be missed.")] = "",
    classes: Annotated[str, typer.Option(help="Columns that are classes: benign,malignant")] = "",
    calibrators: Annotated[str, typer.Option(help="Kinds to fit; the last is shown.")] = "",
    target: Annotated[float | None, typer.Option(help="Most errors among the answers.")] = None,
    prevalence: Annotated[str, typer.Option(help="At your site: benign=0.9,malignant=0.1")] = "",
    costs: Annotated[str, typer.Option(help="TRUE:ANSWERED=COST, where not 1.")] = "",
    title: Annotated[str, typer.Option(help="Of the page.")] = "",
) -> None:
    """Report on logits or probabilities that you bring: same tables and pages, no training.

    FILE holds `label` and one column a class, `logit_CLASS` or `probability_CLASS`; optionally
    `case`, `patient` and columns to break down by. What comes next is told on standard error.
    """
    from pipeline import bring_your_own

    shown = bring_your_own.Shown(
        title=title or file.name,
        critical=words(critical),
        target=bring_your_own.TARGET if target is None else target,
        calibrators=words(calibrators) or bring_your_own.CALIBRATORS,
        prevalence=bring_your_own.read_shares(prevalence),
        costs=bring_your_own.read_costs(costs),
        classes=words(classes),
    )

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    bring_your_own.logits_report(
        file, out, shown, calibration=calibration, groups=words(groups), tell=tell
    )
    typer.echo(f"{out / 'index.html'}")


app.registered_commands.extend(commands.registered_commands)


def main() -> None:
    """Run the command line; an `InputError` is one line on standard error and exit code 2."""
    try:
        with writing_to("this folder"):
            app()
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
