"""What a designed experiment says, in words that follow from its numbers and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.config.designs import Design, Lines
from pipeline.findings.cells import level_text
from pipeline.findings.designed import DesignAnswer, ResponseAnswer, TestedEffect, effect_name
from pipeline.findings.lines import FactorLine, LineEffect, LinesAnswer, ResponseLines
from pipeline.findings.wording import difference_text, unit_text
from pipeline.method_names import named
from pipeline.metrics.comparisons import Summary
from pipeline.metrics.factorial import Effect, Line
from pipeline.metrics.intervals import Interval

MOST_MISSING = 3
"""What is missing beyond so many is counted and not listed."""


def first_rows(found: DesignAnswer, lines: LinesAnswer | None) -> list[list[str]]:
    """Say for each response what explains the difference, in the design and over its lines.

    >>> from pipeline.config.designs import Response
    >>> design = Design.model_construct(responses=[Response.model_construct(says="Accuracy")])
    >>> first_rows(DesignAnswer(design, ("the study size is not published",)), None)
    [['Accuracy', '**not run**']]
    """
    rows = []
    for place, response in enumerate(found.design.responses):
        row = [response.says, "**not run**"]
        if not found.missing:
            row[1] = _short_explained(found.design, found.responses[place])
        if lines is not None:
            row.append("**not run**")
            if not lines.missing:
                row[2] = lines_explained(lines.lines, lines.responses[place])
        rows.append(row)
    return rows


def lines_explained(lines: Lines, found: ResponseLines) -> str:
    """Say which effects of lines explain the difference, the largest first; or that none does."""
    metric = found.response.metric
    return _explained(
        f"{line_effect_name(lines, each)} "
        f"({difference_text(metric, each.found.estimate)}{unit_text(metric)})"
        for each in found.explaining
    )


def lines_sentence(found: LinesAnswer) -> str:
    """Say what the lines run through."""
    centre = ", ".join(f"{name} {level_text(at)}" for name, at in found.lines.centre.items())
    return (
        f"The study `{found.lines.study}` moves one factor at a time, and what must change along "
        f"with it, through a centre of {centre}; all of it under either {found.lines.apart}."
    )


def lines_response_sentence(design: Design, lines: Lines, found: ResponseLines) -> str:
    """Say the verdict on one response's lines, and what an effect needs to explain it."""
    metric = found.response.metric
    least = f"{_size(metric, design.share * found.mean_size)}{unit_text(metric)}"
    return f"{_upper(lines_explained(lines, found))}. An effect needs at least {least}."


def line_effect_name(lines: Lines, effect: LineEffect) -> str:
    """Name an effect of a line."""
    if effect.kind == "pair":
        return f"{effect.factor} × {lines.apart}"
    if effect.kind == "bend":
        return f"bend of {effect.factor}"
    levels = lines.levels[effect.factor]
    return f"{effect.factor}, {level_text(levels[0])} to {level_text(levels[-1])}"


def points_cell(metric: str, line: FactorLine) -> str:
    """Write the difference at every level of a line."""
    return "<br>".join(
        f"{level_text(level)}: {cell_text(metric, point)}"
        for level, point in zip(line.levels, line.points, strict=True)
    )


def explained_text(design: Design, found: ResponseAnswer) -> str:
    """Say which effects explain the difference, the largest first; or that none does."""
    metric = found.response.metric
    return _explained(
        f"{effect_name(design, each.effect)} "
        f"({difference_text(metric, each.effect.estimate)}{unit_text(metric)})"
        for each in found.explaining
    )


def difference_name(design: Design) -> str:
    """Name what is explained: loss less loss."""
    return f"{named(design.loss)} less {named(design.against)}"


def response_sentence(design: Design, found: ResponseAnswer) -> str:
    """Say the verdict, the mean difference, and how much of the variation the effects take."""
    metric = found.response.metric
    unit = unit_text(metric)
    mean = difference_text(metric, found.mean)
    sentences = [
        f"{_upper(explained_text(design, found))}.",
        f"Over all cells the mean difference is {mean}{unit}{_within(metric, found.interval)}, "
        f"the mean absolute one {_size(metric, found.mean_size)}{unit}: an effect needs at least "
        f"{_size(metric, design.share * found.mean_size)}{unit} to explain it.",
    ]
    sentences += [
        _pair_sentence(design, found, each.effect)
        for each in found.explaining
        if len(each.effect.factors) > 1
    ]
    if found.share is not None:
        sentences.append(
            f"All effects below take {100 * found.share:.0f} % of the variation between cells; "
            "the rest is noise and what three or more factors do together."
        )
    return " ".join(sentences)


def line_sentence(design: Design, found: ResponseAnswer) -> str:
    """Say what the suspect alone explains."""
    line = found.line
    if line is None:
        return f"{found.response.says}: the {design.suspect.says} are the same in every cell."
    metric = found.response.metric
    return (
        f"{found.response.says}: {difference_text(metric, line.slope)}{unit_text(metric)} for "
        f"each doubling{_within(metric, line.interval)}, {_line_verdict(line)}; it takes "
        f"{100 * line.share:.0f} % of the variation between cells."
    )


def effect_row(design: Design, tested: TestedEffect) -> str:
    """Name an effect; that of one factor with the levels between which it is taken."""
    name = effect_name(design, tested.effect)
    if len(tested.effect.factors) > 1:
        return name
    low, high = design.factors[tested.effect.factors[0]].levels
    return f"{name}, {low} to {high}"


def interval_cell(metric: str, interval: Interval | None) -> str:
    """Write an interval; a dash where it is not defined."""
    return "–" if interval is None else _ends(metric, interval)


def cell_text(metric: str, cell: Summary) -> str:
    """Write a cell's mean difference and its standard deviation over the seeds."""
    spread = cell.standard_deviation or 0.0
    return f"{difference_text(metric, cell.mean)} ± {_size(metric, spread)}"


def missing_sentence(found: DesignAnswer | LinesAnswer) -> str:
    """Say why a design, or its lines, are not answered."""
    return (
        f"**Not run**: {_shortened(found.missing)}. Nothing is averaged over a part of the cells."
    )


def _explained(effects: Iterable[str]) -> str:
    said = ", ".join(effects)
    return f"**explained** by {said}" if said else "**not explained**"


def _pair_sentence(design: Design, found: ResponseAnswer, pair: Effect) -> str:
    """Say what the first factor of a pair changes at either level of the second."""
    first, second = (design.factors[place] for place in pair.factors)
    (alone,) = (e.effect for e in found.tested if e.effect.factors == pair.factors[:1])
    metric = found.response.metric
    changes = [
        f"{difference_text(metric, alone.estimate + sign * pair.estimate)}{unit_text(metric)} at "
        f"{second.name} {level}"
        for sign, level in zip((-1, 1), second.levels, strict=True)
    ]
    low, high = first.levels
    return f"From {first.name} {low} to {high} it changes by {' and '.join(changes)}."


def _short_explained(design: Design, found: ResponseAnswer) -> str:
    text = explained_text(design, found)
    if found.explaining:
        return text
    metric = found.response.metric
    mean = f"{difference_text(metric, found.mean)}{unit_text(metric)}"
    ends = "" if found.interval is None else f", {_ends(metric, found.interval)}"
    return f"{text} (mean {mean}{ends})"


def _line_verdict(line: Line) -> str:
    shown = line.interval.lower > 0 or line.interval.upper < 0
    return "an interval without zero" if shown else "an interval with zero in it"


def _within(metric: str, interval: Interval | None) -> str:
    return "" if interval is None else f" ({_ends(metric, interval)})"


def _ends(metric: str, interval: Interval) -> str:
    return " to ".join(difference_text(metric, end) for end in (interval.lower, interval.upper))


def _size(metric: str, value: float) -> str:
    return difference_text(metric, value).removeprefix("+")


def _shortened(missing: Sequence[str]) -> str:
    more = len(missing) - MOST_MISSING
    return "; ".join(missing[:MOST_MISSING]) + (f"; and {more} more" if more > 0 else "")


def _upper(text: str) -> str:
    """Begin a sentence that begins with bold words.

    >>> _upper("**not explained**")
    '**Not explained**'
    """
    return f"**{text[2:3].upper()}{text[3:]}"
