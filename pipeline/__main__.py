"""The command line: `python -m pipeline COMMAND`, one command a stage and a few around them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.disk_faults import writing_to
from pipeline.errors import InputError

app = typer.Typer(
    help=__doc__,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
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


def _without_dots(out: Path | None) -> Path | None:
    """Return where a new folder is to stand, named without the `..` of who stands beside it."""
    return out.parent.resolve() / out.name if out and ".." in out.parts else out


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
    absent = [] if studies else studies_not_here(Path.cwd())
    if absent:
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
    out: Annotated[Path, typer.Option(callback=_without_dots, help="A new folder for the report.")],
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
        critical=_words(critical),
        target=bring_your_own.TARGET if target is None else target,
        calibrators=_words(calibrators) or bring_your_own.CALIBRATORS,
        prevalence=bring_your_own.read_shares(prevalence),
        costs=bring_your_own.read_costs(costs),
        classes=_words(classes),
    )

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    bring_your_own.logits_report(
        file, out, shown, calibration=calibration, groups=_words(groups), tell=tell
    )
    typer.echo(f"{out / 'index.html'}")


@app.command()
def release(  # noqa: PLR0913, one option a question
    study: Annotated[str, typer.Argument(help="Of the plan, evaluated here.")],
    experiment: Annotated[str, typer.Argument(help="One of its experiments.")],
    *,
    out: Annotated[
        Path, typer.Option(callback=_without_dots, help="A new folder for the release.")
    ],
    loss: Annotated[str | None, typer.Option(help="Instead of the headline's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the first.")] = None,
    seeds: Annotated[str, typer.Option(help="An ensemble of these: 0,1,2")] = "",
    calibrator: Annotated[str | None, typer.Option(help="Instead of the headline's.")] = None,
    target: Annotated[float | None, typer.Option(help="Instead of the headline's.")] = None,
    without_guarantee: Annotated[
        bool, typer.Option("--without-guarantee", help="Pack a model that refers everybody.")
    ] = False,
    modality: Annotated[str | None, typer.Option(help="DICOM's, of the images: CT")] = None,
    codes: Annotated[Path | None, typer.Option(help="YAML: a DICOM code for each class.")] = None,
    sign: Annotated[Path | None, typer.Option(help="A private SSH key to sign with.")] = None,
) -> None:
    """Pack a trained, calibrated model with its rule: a MONAI bundle for torch and ONNX Runtime."""
    from pipeline.releasing.from_study import Options, release_model
    from pipeline.releasing.sources import Wanted, read_seeds

    wanted = Wanted(loss, read_seeds(seed, _words(seeds)), calibrator, target)
    options = Options(without_guarantee, sign, modality, codes)
    typer.echo(release_model(Path.cwd(), study, experiment, wanted, out, options))


@app.command()
def predict(  # noqa: PLR0913, one option a question
    release: Annotated[Path, typer.Argument(help="A folder that `release` packed.")],
    inputs: Annotated[
        list[Path],
        typer.Argument(help="DICOM, NIfTI or picture files, folders of them, zip archives."),
    ],
    *,
    out: Annotated[
        Path, typer.Option(callback=_without_dots, help="A new folder for the decisions.")
    ],
    identified: Annotated[
        bool, typer.Option("--identified", help="Also write who is who, for yourself alone.")
    ] = False,
    sr: Annotated[
        bool, typer.Option("--sr", help="Also write a DICOM Structured Report a decision.")
    ] = False,
    allowed_signers: Annotated[
        Path | None, typer.Option(help="Accept the release only if one of these signed it.")
    ] = None,
    answer_without_guarantee: Annotated[
        bool,
        typer.Option("--answer-without-guarantee", help="Where no threshold was found."),
    ] = False,
) -> None:
    """Answer new cases by a release's rule, or refer them with the reason.

    Every study is answered or referred: not confident, out of scope, unreadable, missing image,
    outside limits, no guarantee. Nothing that is written names a patient, but for
    --identified and --sr.
    """
    from pipeline.predicting.predictor import Predictor
    from pipeline.predicting.writing import predict
    from pipeline.releasing import read_release

    released = read_release(release, allowed_signers=allowed_signers)
    predictor = Predictor(released, without_guarantee=answer_without_guarantee)
    typer.echo(predict(predictor, inputs, out, identified=identified, reports=sr))
    typer.echo(f"{out / 'index.html'}")


@app.command()
def node(  # noqa: PLR0913, one option a question
    release: Annotated[Path, typer.Argument(help="A folder that `release` packed.")],
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="To listen at; 0: a free one.")],
    send: Annotated[str, typer.Option(help="The PACS, as HOST:PORT:AET.")],
    aet: Annotated[str, typer.Option(help="This node's AE title.")] = "CALIBRATED",
    host: Annotated[str, typer.Option(help="To listen at; 0.0.0.0: any.")] = "127.0.0.1",
    allow: Annotated[
        list[str] | None, typer.Option(help="An AE title that may call; once for each.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="This node's certificate, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    tls_ca: Annotated[Path | None, typer.Option(help="Whose certificates count, PEM.")] = None,
    quiet_seconds: Annotated[
        float, typer.Option(min=0, help="A study is complete when nothing came for so long.")
    ] = 30,
    keep_hours: Annotated[
        float, typer.Option(min=0, help="Keep a study's files so long after its report is sent.")
    ] = 24,
    max_mb: Annotated[int, typer.Option(min=1, help="The most that one object may have.")] = 512,
    data: Annotated[Path, typer.Option(help="For the queue, the files, the log.")] = Path(
        "data/node"
    ),
    allowed_signers: Annotated[
        Path | None, typer.Option(help="Accept the release only if one of these signed it.")
    ] = None,
    answer_without_guarantee: Annotated[
        bool,
        typer.Option("--answer-without-guarantee", help="Where no threshold was found."),
    ] = False,
) -> None:
    """Receive studies by DICOM, decide them by a release's rule, send reports to the PACS.

    Runs until SIGTERM or Ctrl-C. Each study is answered or referred once, whatever fails. Decisions
    also go to decisions.jsonl in the data folder, which `monitor` reads.
    """
    from pipeline.adapters.identity import load_pseudonyms
    from pipeline.node import Decider, Settings, parse_address, run_node, tls_of
    from pipeline.predicting.predictor import Predictor
    from pipeline.releasing import read_release

    settings = Settings(
        folder=data,
        host=host,
        port=port,
        aet=aet,
        pacs=parse_address(send),
        allowed=allow or [],
        quiet_seconds=quiet_seconds,
        keep_seconds=3600 * keep_hours,
        max_bytes=max_mb * 2**20,
        tls=tls_of(tls_cert, tls_key, tls_ca),
    )
    released = read_release(release, allowed_signers=allowed_signers)
    pseudonyms = load_pseudonyms()
    predictor = Predictor(
        released, pseudonyms=pseudonyms, without_guarantee=answer_without_guarantee
    )
    run_node(settings, Decider(predictor, released, pseudonyms), pseudonyms)


@app.command()
def monitor(
    release: Annotated[Path, typer.Argument(help="The folder of the release that decided.")],
    logs: Annotated[list[Path], typer.Argument(metavar="LOG...", help="decisions.jsonl files.")],
    *,
    labels: Annotated[
        Path | None, typer.Option(help="CSV: patient, study, label; new rows at the end.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(callback=_without_dots, help="A new folder for the page and JSON."),
    ] = None,
    allowed_signers: Annotated[
        Path | None, typer.Option(help="Whose signature of the release is asked for.")
    ] = None,
) -> None:
    """Say whether a release's guarantee still holds, as far as its decisions and labels tell.

    Exit code 0 if it is supported or labels are too few to tell, 3 at evidence of change, 4 if it
    is not supported, so that answering must stop; 2 if something cannot be read.
    """
    from pipeline import monitoring
    from pipeline.releasing import read_release

    released = read_release(release, allowed_signers=allowed_signers)
    verdict = monitoring.monitor(released, logs, labels=labels, out=out)
    typer.echo(verdict.sentence)
    for line in (*verdict.changes, *verdict.warnings):
        typer.echo(line)
    if verdict.exit_code:
        raise typer.Exit(verdict.exit_code)


@app.command()
def localise(  # noqa: PLR0913, one option a question
    release: Annotated[Path, typer.Argument(help="The folder of the release to be used here.")],
    *,
    cases: Annotated[Path, typer.Option(help="Your own files, in a folder at any depth.")],
    labels: Annotated[Path, typer.Option(help="CSV or Parquet: a key and `label`.")],
    out: Annotated[
        Path, typer.Option(callback=_without_dots, help="A new folder: report/ and release/.")
    ],
    key: Annotated[
        str, typer.Option(help="Of the labels: sop, series, study, accession, patient or file.")
    ] = "study",
    key_column: Annotated[str, typer.Option(help="Where it is not named as the key.")] = "",
    target: Annotated[float | None, typer.Option(help="Instead of the release's.")] = None,
    name: Annotated[str, typer.Option(help="Of the new release.")] = "",
    validate_only: Annotated[
        bool, typer.Option("--validate-only", help="Report, and make no release.")
    ] = False,
    sign: Annotated[Path | None, typer.Option(help="A private SSH key to sign with.")] = None,
    allowed_signers: Annotated[
        Path | None, typer.Option(help="Accept the release only if one of these signed it.")
    ] = None,
) -> None:
    """Validate a release on your own labelled cases, and fit calibrator and threshold to them.

    Exit code 0 if a release was made or none was wanted, 1 if your cases give none: the report says
    why, and how many are missing.
    """
    from pipeline import localising
    from pipeline.releasing import read_release

    parent = read_release(release, allowed_signers=allowed_signers)
    table = localising.label_table(labels, key, key_column)
    options = localising.Options(name, target, validate_only, sign)
    told = localising.localise(
        parent, cases, table, out, options, tell=lambda line: typer.echo(line, err=True)
    )
    typer.echo(told.validation)
    typer.echo(told.outcome)
    typer.echo(f"{out / 'report/index.html'}")
    if not (told.released or validate_only):
        raise typer.Exit(1)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


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
