"""The documentation holds: its links lead somewhere, its commands exist, its examples run."""

import contextlib
import importlib.util
import io
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import typer.main

from benchmarks.__main__ import BENCHMARKS
from pipeline.__main__ import app
from pipeline.adapters import Case, Quarantined
from pipeline.config import (
    CalibratorConfig,
    LossConfig,
    NetworkConfig,
    expand_plan,
    read_config,
    read_dataset,
)
from pipeline.errors import InputError
from pipeline.metrics import prepare_cases
from pipeline.tables.parts.experiment import Experiment
from pipeline.tables.parts.scores import Scores
from tests.golden.stored import read_set
from tests.sources import make_dataset

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
FINDINGS = ROOT / "reports/evidence/findings.md"
DOCUMENTS = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "data/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
MOST_LINES = 120
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"`((?:pipeline|configs)/[\w/.]+)`[^`\n]*:\n\n```\w+\n(.*?)^```", re.M | re.S)
EXAMPLES = {
    path: content
    for document in DOCUMENTS
    for path, content in EXAMPLE.findall(document.read_text(encoding="utf-8"))
}
"""Files that the documentation writes out in full, by the path that it gives them."""

every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def links(document):
    """Return the targets of a document's links and pictures, those in code left out."""
    text = re.sub(r"`[^`\n]+`", "", FENCE.sub("", document.read_text(encoding="utf-8")))
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(document):
    """Return what may stand behind a # of a link: GitHub's names of headings, and stated ones."""
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    named = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return named | set(re.findall(r'<a id="([^"]+)">', text))


def code(document):
    """Return the lines of code of a document, inline and fenced."""
    text = document.read_text(encoding="utf-8")
    fenced = [line for _, block in FENCE.findall(text) for line in block.splitlines()]
    return fenced + re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


def commands(group=None, before=()):
    """Return every command of the app by its words."""
    found = {}
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            found |= commands(command, (*before, name))
        else:
            found[" ".join((*before, name))] = command
    return found


def python_block(document):
    """Return the only block of Python of a document."""
    blocks = [block for kind, block in FENCE.findall(document.read_text()) if kind == "python"]
    assert len(blocks) == 1
    return blocks[0]


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Import a module that the documentation writes out."""

    def load(path):
        file = tmp_path / Path(path).name
        file.write_text(EXAMPLES[path], encoding="utf-8")
        spec = importlib.util.spec_from_file_location(f"documented_{file.stem}", file)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return load


@every_document
def test_every_link_leads_to_a_file_or_a_heading(document):
    for link in links(document):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


@every_document
def test_no_link_leads_to_what_git_ignores(document):
    for link in links(document):
        target = (document.parent / link.partition("#")[0]).resolve()
        if target.is_relative_to(ROOT / "reports"):
            assert target.is_relative_to(ROOT / "reports/evidence"), link
        if target.is_relative_to(ROOT / "data"):
            assert target == ROOT / "data/README.md", link


@every_document
def test_every_command_that_is_named_exists_with_its_options(document):
    known = commands()
    for line in code(document):
        for words in re.findall(r"python -m pipeline ((?:[a-z][a-z-]* ?)+)", line):
            name = next((each for each in known if f"{words} ".startswith(f"{each} ")), None)
            assert name, line
            options = {option for each in known[name].params for option in each.opts}
            own = line.partition("python -m pipeline")[2].partition("#")[0].partition("&&")[0]
            assert set(re.findall(r" (--[a-z-]+)", own)) <= options, line


@every_document
def test_every_target_and_benchmark_that_is_named_exists(document):
    targets = re.findall(r"^([a-z -]+):(?! export)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    known = {name for line in targets for name in line.split()}
    for line in code(document):
        assert set(re.findall(r"^make ([a-z-]+)", line)) <= known, line
        assert set(re.findall(r"-m benchmarks[ .]([a-z]+)", line)) <= set(BENCHMARKS), line


@every_document
def test_every_source_that_is_named_exists(document):
    written = {Path(path).stem for path in EXAMPLES}
    for path in code(document):
        if not re.fullmatch(r"(pipeline|tests|configs|benchmarks)/[a-z0-9_/]+\.(py|yaml)", path):
            continue
        stem = Path(path).stem.removeprefix("test_")
        assert (ROOT / path).is_file() or stem in written, path


def test_the_readme_has_a_row_for_every_command():
    cells = re.findall(r"^\| (`.*?) \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    rows = {
        re.match(r"[a-z -]*[a-z]", usage)[0]
        for cell in cells
        for usage in re.findall(r"`([^`]+)`", cell)
    }
    assert {row.partition(" --")[0] for row in rows} == set(commands())


def test_the_readme_fits_two_screens():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_the_readmes_python_prints_what_its_comments_say():
    block = python_block(README)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(block, "README.md", "exec"), {})
    lines = printed.getvalue().splitlines()
    assert len(lines) == block.count("print(")
    for line in lines:
        assert f"# {line}\n" in block


def test_the_readme_names_the_verdicts_that_the_findings_give_on_thin_networks():
    named = re.findall(
        r"\[([a-z ]+)\]\(reports/evidence/findings\.md#([\w-]+)\)", README.read_text("utf-8")
    )
    rows = re.findall(r"^\| \[.*?\]\(#([\w-]+)\) \| \*\*(.*?)\*\*", FINDINGS.read_text(), re.M)
    assert named
    assert {(verdict, claim) for verdict, claim in named} <= {(v, claim) for claim, v in rows}


@pytest.fixture(scope="module")
def configs(tmp_path_factory):
    """The project's configs with those of the documentation among them."""
    folder = tmp_path_factory.mktemp("documented") / "configs"
    shutil.copytree(ROOT / "configs", folder)
    for path, content in EXAMPLES.items():
        if path.startswith("configs/"):
            assert not (folder.parent / path).exists(), path
            (folder.parent / path).write_text(content, encoding="utf-8")
    return folder


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.startswith("configs/")])
def test_every_config_that_is_written_out_is_valid(configs, path):
    _, kind, name = Path(path).with_suffix("").parts
    models = {"losses": LossConfig, "calibrators": CalibratorConfig, "networks": NetworkConfig}
    if kind in models:
        assert read_config(configs / kind / f"{name}.yaml", models[kind]).kind
    elif kind == "datasets":
        assert read_dataset(configs, name).licence
    else:
        assert kind == "studies"
        assert expand_plan([name], configs).experiments


def test_every_module_that_is_written_out_is_tried_here():
    tried = Path(__file__).read_text(encoding="utf-8")
    for path in EXAMPLES:
        if path.startswith("pipeline/"):
            assert f'load("{path}")' in tried


def test_the_documented_loss_is_cross_entropy_plus_the_doubt(load):
    import torch

    loss = load("pipeline/losses/poly1.py").Poly1(num_classes=2, epsilon=3)
    value = loss(torch.zeros(1, 2), torch.tensor([0]))
    assert float(value) == pytest.approx(np.log(2) + 3 * 0.5)


def test_the_documented_calibrator_recovers_the_share_that_was_blended(load):
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(3, 0.2), 20_000)
    blended = 0.7 * probabilities + 0.3 / 3
    labels = (blended.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1).clip(max=2)
    logits = np.log(probabilities + 1e-12)
    fitted = load("pipeline/calibrators/blend.py").fit_blend(logits, labels)
    # The share's standard error is about 0.005 here.
    assert fitted.share == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(np.exp(fitted(logits)).sum(axis=1), 1, atol=1e-9)


def test_the_documented_network_gives_a_row_of_logits_a_case(load):
    import torch

    from pipeline.networks.parts.problem import Problem

    problem = Problem(spatial_dims=3, in_channels=1, num_classes=5, image_size=(4, 4, 4))
    network = load("pipeline/networks/perceptron.py").perceptron(problem, width=8)
    assert network(torch.zeros(2, 1, 4, 4, 4)).shape == (2, 5)


def test_the_documented_table_is_computed_and_shown(load):
    module = load("pipeline/tables/sureness.py")
    golden = read_set("screening")
    frame = Experiment(golden.runs, golden.row, golden.card).frame(module.SURENESS)
    assert list(frame.columns) == [column.name for column in module.SURENESS.columns]
    about = golden.row.model_dump() | {"dataset": golden.card}
    (table,) = module.SURENESS.show(Scores(about, {}, {"sureness": frame}))
    assert [row[0].text for row in table.rows] == golden.row.calibrators
    right, wrong = (float(cell.text.rstrip("%")) for cell in table.rows[0][1:])
    assert right > wrong


def test_the_documented_metric_counts_labels_in_the_top_two(load):
    module = load("pipeline/metrics/top_two.py")
    top_two = module.top_two
    log_probabilities = np.log([[0.5, 0.3, 0.2]] * 2)
    labels = np.array([1, 2])
    assert top_two(log_probabilities, labels) == 1 / 2
    np.testing.assert_array_equal(
        top_two(log_probabilities, labels, weights=np.array([[3.0, 1.0], [1.0, 0.0]])), [3 / 4, 1]
    )
    assert module.TOP_TWO(prepare_cases(log_probabilities, labels)) == 1 / 2


def test_the_documented_format_yields_cases_and_what_it_cannot_use(load, tmp_path):
    read = load("pipeline/adapters/npy.py").read
    np.save(tmp_path / "images.npy", np.arange(2 * 16, dtype=np.uint8).reshape(2, 4, 4, 1))
    (tmp_path / "labels.csv").write_text("case,patient,label\na,p,ill\nb,q,?\n")
    dataset = make_dataset(adapter="npy")
    case, left_out = read(tmp_path, dataset)
    assert isinstance(case, Case)
    assert (case.case, case.patient, case.label) == ("a", "p", 1)
    assert isinstance(left_out, Quarantined)
    np.save(tmp_path / "images.npy", np.zeros((1, 4, 4, 1), np.uint8))
    with pytest.raises(InputError, match=r"uint8 \(2, 4, 4, 1\) expected, got uint8 \(1, "):
        next(read(tmp_path, dataset))
