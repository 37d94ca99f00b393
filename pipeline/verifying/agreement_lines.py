"""What `python -m pipeline agree` says: a line a figure, and one that sums a study up."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.findings.wording import difference_text, unit_text
from pipeline.metrics.comparisons import summarise
from pipeline.tables.parts.wording import metric_name, missing, scaled
from pipeline.verifying.agreement import MARGINS, Agreement, Figure
from pipeline.verifying.equivalence import LEVEL, Seeds, Standing

NEAR = "within the margin but beyond seed noise"
WORDS: dict[Standing, str] = {
    "same": "same digits",
    "within": "within seed noise",
    "near": NEAR,
    "differs": "differs",
    "open": "cannot tell",
}
RULE = (
    f"within seed noise: two one-sided t-tests at {LEVEL:.0%} show the means to lie no further "
    f"apart than ±{100 * MARGINS['%']:g} points or ±{MARGINS['nats']:g} nats; in brackets the "
    f"{1 - 2 * LEVEL:.0%} interval of here less published. beyond seed noise: t-tests (Welch's and "
    f"Student's) have p at most {LEVEL:.0%} after Holm's correction over all figures. differs: "
    "beyond seed noise, and not shown to be within the margin."
)


def lines_of(found: Agreement, *, brief: bool) -> Iterator[str]:
    """Yield what is to be said of a study; if brief, what differs and the last line alone."""
    if not brief:
        yield f"{found.study}, {RULE}"
    for figure, standing in found.figures:
        if standing == "differs" or not brief:
            yield f"  {figure_line(figure, standing)}"
    if not brief:
        yield from (f"  {line}" for line in found.one_sided)
        yield f"  same bits: {found.bits.text(detailed=True)}"
    yield summary_line(found)


def summary_line(found: Agreement) -> str:
    """Sum a study up in one line: how many figures agree, and whether the bits are the same."""
    return f"{found.study}{_agreement_text(found)}; same bits: {found.bits.text()}"


def _agreement_text(found: Agreement) -> str:
    agreeing, same, total = found.count("same", "within"), found.count("same"), found.num_published
    if same == total:
        return f" agrees with the published run: {same} of {total} figures to the last digit"
    if agreeing == total:
        exact = f", {same} of them to the last digit" if same else ""
        return (
            f" agrees with the published run: {total} of {total} figures within seed noise{exact}"
        )
    rest = [
        _counted(found.count("near"), f"is {NEAR}", f"are {NEAR}"),
        _counted(found.count("open"), "has too few seeds to tell", "have too few seeds to tell"),
        _counted(total - len(found.figures), "is not here", "are not here"),
    ]
    if differing := _counted(found.count("differs"), "figure differs", "figures differ"):
        words = [differing, f"{agreeing} of {total} agree within seed noise", *filter(None, rest)]
        return f" differs from the published run: {', '.join(words)}"
    agreed = f"{agreeing} of {total} figures agree with the published run within seed noise"
    return f": {', '.join([agreed, *filter(None, rest), 'none differs'])}"


def _counted(number: int, singular: str, plural: str) -> str:
    """Write a count with its verb; nothing for none."""
    return f"{number} {singular if number == 1 else plural}" if number else ""


def figure_line(figure: Figure, standing: Standing) -> str:
    """Say one figure on both sides, how it stands and by which interval."""
    unit = metric_name(figure.metric).unit
    here, published = (_mean(figure.metric, values) for values in (figure.here, figure.published))
    return (
        f"{figure.name}, {unit}: here {here}, published {published}: {_verdict(figure, standing)}"
    )


def _mean(metric: str, values: Seeds) -> str:
    found = summarise(list(values.values()))
    seeds = "1 seed" if found.num_seeds == 1 else f"{found.num_seeds} seeds"
    if missing(found.mean):
        return f"undefined ({seeds})"
    sd = found.standard_deviation
    spread = "" if sd is None else f" ± {scaled(metric, sd)}"
    return f"{scaled(metric, found.mean)}{spread} ({seeds})"


def _verdict(figure: Figure, standing: Standing) -> str:
    if standing == "same":
        return WORDS[standing]
    return f"{WORDS[standing]} ({_ground(figure)})"


def _ground(figure: Figure) -> str:
    compared = figure.compared
    if compared.undefined:
        return "undefined on one side alone"
    if (interval := compared.interval) is None:
        seeds = min(len(figure.here), len(figure.published))
        return "one seed says nothing of scatter" if seeds == 1 else "undefined for some seeds"
    ends = (difference_text(figure.metric, end) for end in (interval.lower, interval.upper))
    return f"{' to '.join(ends)}{unit_text(figure.metric)}"
