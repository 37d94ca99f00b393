"""Small frames, each with rows of one table, and a figure of each kind drawn from them."""

import functools

import numpy as np
import pandas as pd

from pipeline.figures import (
    bars_figure,
    confidence_figure,
    costs_figure,
    curve_panels_figure,
    evidence_figure,
    exact_band_figure,
    forest_figure,
    net_benefit_figure,
    reliability_figure,
    risk_coverage_figure,
    risk_so_far_figure,
    shift_figure,
    silent_errors_figure,
    to_svg,
    training_figure,
    workload_figure,
)

NAN = float("nan")
POLICIES = {"model": "this model", "answer_all": "answer all", "refer_all": "refer all"}
MODELS = {"this model": 0}
POINT = pd.Series(
    {"target": 0.05, "threshold": 0.6, "num_test": 200, "answered": 150, "wrong": 6}, dtype=object
)
NOBODY = pd.Series({**POINT, "threshold": NAN, "answered": 0, "wrong": 0}, dtype=object)


def reliability(*calibrators, smooth=False, counted=True):
    """Bins of 0, 9, 10, 29, 30 and 522 cases, drawn as one loss's reliability."""
    count = np.array([0.0, 9.0, 10.0, 29.0, 30.0, 522.0])
    centre = np.where(count == 0, np.nan, (np.arange(6) + 0.5) / 6)
    bins = {
        "count": count,
        "confidence": centre,
        "accuracy": 0.9 * centre,
        "consistency_lower": centre - 0.05,
        "consistency_upper": centre + 0.05,
    }
    edges = np.arange(7) / 6
    counts = {"lower_edge": edges[:-1], "upper_edge": edges[1:]}
    counts |= {"right": 0.9 * count, "wrong": 0.1 * count}
    at = np.linspace(0.3, 1, 20)
    curve = {"confidence": at, "accuracy": at**2, "lower": at**2 - 0.1, "upper": at**2 + 0.1}
    frames = [
        pd.concat([pd.DataFrame(columns).assign(calibrator=name) for name in calibrators])
        for columns in (bins, counts, curve)
    ]
    wanted = (True, counted, smooth)
    return reliability_figure(
        *(each if want else each.iloc[:0] for each, want in zip(frames, wanted, strict=True)),
        calibrators=calibrators,
    )


def band():
    answered = np.arange(30.0, 201.0)
    risk = np.floor(answered / 20) / answered
    return pd.DataFrame(
        {
            "threshold": np.linspace(0.9, 0.4, 171),
            "coverage": answered / 200,
            "answered": answered,
            "wrong": np.floor(answered / 20),
            "risk": risk,
            "lower": risk / 2,
            "upper": 2 * risk + 0.01,
        }
    )


def losses_curve(loss):
    coverage = np.arange(1, 101) / 100
    return pd.DataFrame(
        {"loss": loss, "coverage": coverage, "risk_mean": 0.1 * coverage**2, "risk_sd": NAN}
    )


def groups():
    rows = [("north", "full", 100, 0.04, 0.01, 0.10), ("south", "counts", 20, NAN, 0.0, 0.17),
            ("west", "masked", NAN, NAN, NAN, NAN)]  # fmt: skip
    columns = ["group", "visibility", "num_patients", "share", "lower", "upper"]
    frame = pd.DataFrame(rows, columns=columns).assign(column="site")
    return pd.concat([frame.assign(quantity=quantity) for quantity in ("referred", "wrong")])


def forest():
    labels = dict.fromkeys(("referred", "wrong"), "wrong, % of the answered")
    return forest_figure(groups(), labels=labels, everyone={"referred": 0.05, "wrong": 0.05})


def costs():
    rows = [
        {"policy": policy, "weight": weight, "cost": cost, "lower": 0.9 * cost, "upper": 1.1 * cost}
        for policy, factor in (("model", 2.0), ("answer_all", 90.0), ("refer_all", 0.0))
        for weight in (1.0, 10.0, 100.0)
        for cost in [factor * weight + 900.0]
    ]
    return pd.DataFrame(rows)


def benefits():
    value = np.array([0.12, 0.08, 0.04])
    model = pd.DataFrame(
        {
            "threshold_probability": [0.1, 0.2, 0.5],
            "net_benefit": value,
            "lower": 0.9 * value,
            "upper": 1.1 * value,
        }
    )
    policy = model.assign(lower=NAN, upper=NAN)
    return {
        "this model": model,
        "act on all": policy.assign(net_benefit=value - 0.04),
        "act on none": policy.assign(net_benefit=0.0),
    }


def group_curves(*names, factor=1.0):
    """Return one panel's curves by their label, of groups that go by these names."""
    coverage = np.arange(30, 101) / 100
    curve = pd.DataFrame({"column": "site", "coverage": coverage, "risk": factor * 0.1 * coverage})
    return {name: curve.assign(group=name) for name in names}


def mean_curves(*names):
    curves = group_curves(*names)
    return {
        name: curve.rename(columns={"risk": "risk_mean"}).assign(risk_sd=0.01)
        for name, curve in curves.items()
    }


def points(*names):
    index = pd.MultiIndex.from_product([["site"], names], names=["column", "group"])
    values = {"coverage": 0.7, "risk": 0.07, "lower": 0.03, "upper": 0.12}
    return pd.DataFrame(values, index=index)


def curve_panels(*every, marked=("north", "south", "F")):
    panels = {f"{number}. panel": curves for number, curves in enumerate(every)}
    return curve_panels_figure(
        panels, x_label="answered, %", target=0.05, points=points(*marked) if marked else None
    )


def long_tail():
    rows = [
        {"loss": loss, "seed": seed, "group": group, "accuracy": accuracy, "cases": cases}
        for loss in ("gce", "cross_entropy")
        for group, accuracy, cases in (("many", 0.9, 90), ("few", 0.5, NAN))
        for seed in (0, 1)
    ]
    return pd.DataFrame(rows)


def shift_rows(kind):
    """Two losses on clean images and two severities of noise, or at home and elsewhere."""
    views = {
        "corruption": [("clean", "", 0), ("noise 1", "noise", 1), ("noise 2", "noise", 2)],
        "site": [("home", "", 0), ("away", "", 0), ("east", "", 0)],
    }[kind]
    rows = [
        {"kind": kind, "loss": loss, "view": view, "corruption": corruption, "severity": severity}
        | {"cases": 60, "patients": 50.0, "risk": 0.1, "risk_lower": 0.05, "risk_upper": 0.2}
        for loss in ("gce", "cross_entropy")
        for view, corruption, severity in views
    ]
    frame = pd.DataFrame(rows)
    hidden = ["patients", "risk", "risk_lower", "risk_upper"]
    frame.loc[frame["view"] == "east", hidden] = NAN
    return frame


def shift(kind):
    return shift_figure(
        shift_rows(kind), losses=["gce", "cross_entropy"], quantities={"risk": "wrong, %"},
        target=0.05,
    )  # fmt: skip


def confidences():
    sides = {"known": "known", "textures": "far_ood"}
    rows = [
        {"calibrator": calibrator, "partner": partner, "kind": kind, "left": left}
        | {"right": left + 0.5, "cases": 20, "share": 0.5}
        for calibrator in ("identity", "ats")
        for partner, kind in sides.items()
        for left in (0.0, 0.5)
    ]
    return pd.DataFrame(rows)


def history():
    return pd.DataFrame({"loss": "gce", "epoch": [0, 1, 2], "val_loss": [0.0, 1.0, 2.0]})


def risks():
    """A risk that comes down to 5 %."""
    labels = np.arange(1, 101)
    risk = 0.05 + 0.2 / labels
    return pd.DataFrame({"labels": labels, "risk": risk, "lower": risk / 2, "upper": 2 * risk})


FIGURES = {
    "bars": lambda: bars_figure(
        long_tail(), losses=["gce", "cross_entropy"], quantities={"accuracy": "right, %"}
    ),
    "confidence": lambda: confidence_figure(confidences(), {"identity": NAN, "ats": 0.7}),
    "costs": lambda: costs_figure(costs(), names=POLICIES, unit="patients"),
    "curve_panels": lambda: curve_panels(group_curves("north", "south"), group_curves("F")),
    "evidence": lambda: evidence_figure(
        {"confidence": np.linspace(-3, 3, 50)}, enough=20.0, units="patients"
    ),
    "exact_band": lambda: exact_band_figure(band(), band().iloc[::50], POINT, unit="patients"),
    "forest": forest,
    "net_benefit": lambda: net_benefit_figure(
        benefits(), series=MODELS, positive="malignant", unit="patients"
    ),
    "reliability": lambda: reliability("before", "after"),
    "risk_coverage": lambda: risk_coverage_figure(
        losses_curve("gce"), losses=["gce"], target=0.05, unit="200 patients"
    ),
    "risk_so_far": lambda: risk_so_far_figure(risks(), target=0.05),
    "shift": lambda: shift("corruption"),
    "silent_errors": lambda: silent_errors_figure(band(), NOBODY, unit="patients"),
    "sites": lambda: shift("site"),
    "smooth": lambda: reliability("before", smooth=True),
    "training": lambda: training_figure(
        history(), losses=["gce"], quantities={"val_loss": "validation loss"}
    ),
    "workload": lambda: workload_figure(band(), POINT, unit="patients"),
}


def drawn(name):
    return to_svg(FIGURES[name](), name=name, title="x < y & z", description="A description")


# One drawing serves every test that only looks at it.
svg_of = functools.cache(drawn)
