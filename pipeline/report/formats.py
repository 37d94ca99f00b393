"""A table in the formats that others read: Parquet of its numbers, LaTeX of its look."""

from __future__ import annotations

from io import BytesIO

import pandas as pd

from pipeline.tables.parts.shown import Cell, Table
from pipeline.tables.parts.wording import MASKED

LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "−": r"$-$",
    "–": "--",
    "≈": r"$\approx$",
    "★": r"$\star$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "\u2009": r"\,",
}
HIDDEN = f"{MASKED} hidden: too few patients, or their number would give such a group away."
MARKS = {"best": r"\textbf{%s}", "tied": r"$\approx$%s", "": "%s"}


def parquet_bytes(table: Table) -> bytes:
    """Return the numbers behind a table as Parquet; equal numbers give equal bytes."""
    buffer = BytesIO()
    # Columns that hold text besides numbers, such as a masked count, are text throughout.
    mixed = {
        name: "string" for name in table.frame if pd.api.types.is_object_dtype(table.frame[name])
    }
    table.frame.astype(mixed).to_parquet(buffer, index=False)
    return buffer.getvalue()


def latex_text(table: Table) -> str:
    r"""Return a table as it is shown, for `booktabs`; the best of a column is bold.

    >>> from pipeline.tables.parts.shown import Heading
    >>> columns = (Heading("Loss", numeric=False), Heading("ECE", "%"))
    >>> rows = ((Cell("flsd_53"), Cell("1.2 ± 0.1", mark="best")),)
    >>> print(latex_text(Table("t", "Errors", columns, rows, pd.DataFrame())))
    % Errors
    \begin{tabular}{lr}
    \toprule
    Loss & ECE (\%) \\
    \midrule
    flsd\_53 & \textbf{1.2 $\pm$ 0.1} \\
    \bottomrule
    \end{tabular}
    <BLANKLINE>
    """
    shape = "".join("r" if column.numeric else "l" for column in table.columns)
    heads = [f"{each.label} ({each.unit})" if each.unit else each.label for each in table.columns]
    lines = [
        f"% {latex_escape(' '.join(table.caption.split()))}",
        *([f"% {latex_escape(HIDDEN)}"] if _hides(table) else []),
        rf"\begin{{tabular}}{{{shape}}}",
        r"\toprule",
        rf"{' & '.join(latex_escape(head) for head in heads)} \\",
        r"\midrule",
        *(rf"{' & '.join(_latex_cell(cell) for cell in row)} \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _hides(table: Table) -> bool:
    return any(cell.text == MASKED for row in table.rows for cell in row)


def latex_escape(text: str) -> str:
    r"""Return text that LaTeX prints as it stands.

    >>> print(latex_escape("50% of $x_1$"))
    50\% of \$x\_1\$
    """
    return "".join(LATEX.get(character, character) for character in text)


def _latex_cell(cell: Cell) -> str:
    text = MARKS[cell.mark] % latex_escape(cell.text)
    return f"{text} ({latex_escape(cell.detail)})" if cell.detail else text
