"""The model card in a release: what it is for, what it does, and what nobody should take it for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pipeline.outgoing_text import printable
from pipeline.releasing.manifest import INFERENCE, ONNX, PROGRAM, Limits, Release
from pipeline.report.data_card import Item
from pipeline.tables.parts.wording import percent, target_text, threshold_text

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
"""Where a tag of HTML begins, and no number that something is less than."""

USE = (
    "For research on calibration and referral. **Not a medical device**: no authority has reviewed "
    "it, and nothing here is advice about a patient. It sorts an image into one of its classes or "
    "refers it to a reader; somebody has to read what is referred, and whoever uses it answers for "
    "what it answers."
)

DEFAULT = (
    "A patient is referred unless everything speaks for an answer: every image can be read and "
    "prepared as the study's were, is of the kind that the study had, and is of a patient within "
    "the limits below; and the confidence of every image reaches the threshold."
)

ANSWERED = (
    "**Answered** means that the calibrated probability of the predicted class reached the "
    "threshold for every image of the patient. It does not mean that the answer is right: the "
    "figures below say how often it was wrong. **Referred** means that a person has to look; it "
    "says nothing about what they will see."
)

NOT_FOUND = (
    "**No guarantee was found. This release refers everybody**, unless it is told "
    "`--answer-without-guarantee`, and then its answers come with no promise at all."
)


def render_card(release: Release, sentences: Iterable[str], items: Sequence[Item]) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    release : Release
    sentences : iterable of str
        What the study measured of this very model.
    items : sequence of Item
        The study's model card, where it is about this model.
    """
    sections = {
        "Intended use": [USE],
        "What it does": [DEFAULT, _rule(release), ANSWERED],
        "What was measured": [*sentences, _expected(release)],
        "Limits": _limits(release),
        "How to use it": _use(release),
        "Where it comes from": _provenance(release),
    }
    lines = [f"# {release.name}"]
    for heading, paragraphs in sections.items():
        lines += [f"## {heading}", *(each for each in paragraphs if each)]
    if items:
        lines += ["## Model card of the study", *(_item(item) for item in items)]
    return printable_lines(lines)


def printable_lines(paragraphs: Iterable[str]) -> str:
    """Return paragraphs with a blank line between them, without control characters or HTML.

    A viewer of Markdown runs what a title or a site's name holds of HTML, unless it is text.
    """
    return (
        "\n\n".join(
            "\n".join(_TAG.sub("&lt;", printable(line)) for line in paragraph.split("\n"))
            for paragraph in paragraphs
        )
        + "\n"
    )


def _rule(release: Release) -> str:
    rule = release.rule
    if rule.threshold is None:
        return NOT_FOUND
    return (
        f"Threshold: confidence {threshold_text(rule.threshold)} (exactly {rule.threshold!r}), for "
        f"at most {target_text(rule.target)} wrong among the answered patients. "
        f"{rule.promise}"
    )


def _expected(release: Release) -> str:
    seen = release.reference
    return (
        f"Of the {seen.num_patients:,} patients of the {seen.split} split this release, its scope "
        f"included, refers {percent(seen.referred)}; {percent(seen.out_of_scope)} have an image "
        "out of scope."
    )


def _limits(release: Release) -> list[str]:
    scope = release.scope
    paragraphs = [
        f"Scope: an image whose {scope.score} lies below {scope.threshold:.6g} is referred as out "
        f"of scope; {percent(scope.quantile, 2)} of {scope.num_cases:,} held-out images of the "
        f"study do. {_modality(release)} It tells another kind of image, noise or an empty one; it "
        "does not tell a rare disease, nor a class that the study has not.",
        _seen(release.limits),
    ]
    paragraphs += [
        f"{each.column.replace('_', ' ').capitalize()} {each.group}: wrong in "
        f"{percent(each.risk)} of the answered patients, all others in {percent(each.others)}."
        for each in release.limits.excess_risk
    ]
    paragraphs.append(
        "The guarantee is about patients like the study's, all together: not about another site, "
        "scanner or year, nor about a subgroup or one patient. Validate it on your own cases "
        "before you rely on it, and watch it afterwards."
    )
    return paragraphs


def _modality(release: Release) -> str:
    if release.modality is None:
        return "No DICOM modality is checked: none was stated when it was packed."
    return f"A DICOM file of another modality than {release.modality} is out of scope."


def _seen(limits: Limits) -> str:
    columns = {"sites": limits.sites, "sexes": limits.sexes, "ages": limits.age_bands}
    known = "; ".join(
        f"{name}: {', '.join(groups) or 'none'}"
        for name, groups in columns.items()
        if groups is not None
    )
    unknown = ", ".join(name for name, groups in columns.items() if groups is None)
    seen = (
        f"Groups with at least {limits.at_least} patients in the study: {known}." if known else ""
    )
    return f"{seen} {f'Not recorded: {unknown}.' if unknown else ''}".strip()


def _use(release: Release) -> list[str]:
    members = len(release.members)
    mean = f"the mean probability of {members} networks is calibrated" if members > 1 else ""
    return [
        "Files, folders and DICOM: `python -m pipeline predict RELEASE INPUT --out FOLDER`, which "
        "checks `SHA256SUMS` (and the signature, if it is asked for), prepares each image as the "
        "study did, and applies rule, scope and limits.",
        f"Prepared images alone: `{PROGRAM}` in torch and `{ONNX}` in ONNX Runtime give "
        "probabilities, confidence, decision (1 answered, 0 referred) and scope score of each "
        "image"
        + (f"; {mean}" if mean else "")
        + f". MONAI runs it by `{INFERENCE}`. There is no `models/model.pt`: weights are kept as "
        "safetensors, since a pickle can run code. The decisions are of images; of a patient all "
        "must be 1, and neither program knows sites, ages or modalities.",
    ]


def _provenance(release: Release) -> list[str]:
    made = release.provenance
    seeds = ", ".join(str(seed) for seed in release.seeds)
    trained = ", ".join(dict.fromkeys(member.revision[:12] for member in release.members))
    parent = f"Made from the release {release.parent}." if release.parent else ""
    return [
        f"Study {release.study}, experiment {release.experiment}: {release.network_name}, "
        f"{release.loss}, recipe {release.recipe}, seeds {seeds}, calibrated with "
        f"{release.calibrator.name}. {parent}".strip(),
        f"Data: {made.dataset_title}. Licence: {made.licence}. Citation: {made.citation}. "
        f"Fingerprint {made.data_fingerprint}."
        + (" The images are simulated: nothing follows for patients." if made.simulated else ""),
        f"Trained at revision {trained}, packed at {made.revision[:12]}"
        f"{' with uncommitted changes' if made.dirty else ''}. Every file's hash is in "
        "`SHA256SUMS`; `release.json` says all of this for programs.",
    ]


def _item(item: Item) -> str:
    return f"**{item.question}.** {item.answer}"
