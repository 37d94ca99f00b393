"""Commands from a study to the next patient: release, predict, node, monitor, localise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()


def _without_dots(out: Path | None) -> Path | None:
    """Return where a new folder is to stand, named without the `..` of who stands beside it."""
    return out.parent.resolve() / out.name if out and ".." in out.parts else out


NewFolder = Annotated[Path, typer.Option(callback=_without_dots, help="A new folder to write to.")]
NewFolderIfAny = Annotated[
    Path | None, typer.Option(callback=_without_dots, help="A new folder to write to.")
]
ReleaseFolder = Annotated[
    Path, typer.Argument(help="A folder that `release` or `localise` packed.")
]
AllowedSigners = Annotated[
    Path | None, typer.Option(help="Accept the release only if one of these signed it.")
]
SigningKey = Annotated[Path | None, typer.Option(help="A private SSH key to sign with.")]
WithoutGuarantee = Annotated[
    bool, typer.Option("--answer-without-guarantee", help="Where no threshold was found.")
]


def words(text: str) -> tuple[str, ...]:
    """Return what commas separate.

    >>> words("site, sex,")
    ('site', 'sex')
    """
    return tuple(word.strip() for word in text.split(",") if word.strip())


@commands.command()
def release(  # noqa: PLR0913, one option a question
    study: Annotated[str, typer.Argument(help="Of the plan, evaluated here.")],
    experiment: Annotated[str, typer.Argument(help="One of its experiments.")],
    *,
    out: NewFolder,
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
    sign: SigningKey = None,
) -> None:
    """Pack a trained, calibrated model with its rule: a MONAI bundle for torch and ONNX Runtime."""
    from pipeline.releasing.from_study import Options, release_model
    from pipeline.releasing.sources import Wanted, read_seeds

    wanted = Wanted(loss, read_seeds(seed, words(seeds)), calibrator, target)
    options = Options(without_guarantee, sign, modality, codes)
    typer.echo(release_model(Path.cwd(), study, experiment, wanted, out, options))


@commands.command()
def predict(  # noqa: PLR0913, one option a question
    release: ReleaseFolder,
    inputs: Annotated[
        list[Path],
        typer.Argument(help="DICOM, NIfTI or picture files, folders of them, zip archives."),
    ],
    *,
    out: NewFolder,
    identified: Annotated[
        bool, typer.Option("--identified", help="Also write who is who, for yourself alone.")
    ] = False,
    sr: Annotated[
        bool, typer.Option("--sr", help="Also write a DICOM Structured Report a decision.")
    ] = False,
    allowed_signers: AllowedSigners = None,
    answer_without_guarantee: WithoutGuarantee = False,
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


@commands.command()
def node(  # noqa: PLR0913, one option a question
    release: ReleaseFolder,
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
    allowed_signers: AllowedSigners = None,
    answer_without_guarantee: WithoutGuarantee = False,
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


@commands.command()
def monitor(
    release: ReleaseFolder,
    logs: Annotated[list[Path], typer.Argument(metavar="LOG...", help="decisions.jsonl files.")],
    *,
    labels: Annotated[
        Path | None, typer.Option(help="CSV: patient, study, label; new rows at the end.")
    ] = None,
    out: NewFolderIfAny = None,
    allowed_signers: AllowedSigners = None,
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


@commands.command()
def localise(  # noqa: PLR0913, one option a question
    release: ReleaseFolder,
    *,
    cases: Annotated[Path, typer.Option(help="Your own files, in a folder at any depth.")],
    labels: Annotated[Path, typer.Option(help="CSV or Parquet: a key and `label`.")],
    out: NewFolder,
    key: Annotated[
        str, typer.Option(help="Of the labels: sop, series, study, accession, patient or file.")
    ] = "study",
    key_column: Annotated[str, typer.Option(help="Where it is not named as the key.")] = "",
    target: Annotated[float | None, typer.Option(help="Instead of the release's.")] = None,
    name: Annotated[str, typer.Option(help="Of the new release.")] = "",
    validate_only: Annotated[
        bool, typer.Option("--validate-only", help="Report, and make no release.")
    ] = False,
    sign: SigningKey = None,
    allowed_signers: AllowedSigners = None,
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
