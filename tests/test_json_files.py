import json
import pickle

import jinja2
import pytest

from pipeline.errors import InputError
from pipeline.json_files import MAX_DEPTH, AbsentKeyError, read_json, write_json
from pipeline.json_forms import FORMS
from tests.mutants import refusals
from tests.projects import RECIPE

CODE = {"revision": "0" * 40, "dirty": False, "versions": {"numpy": "2.4.6"}}
DATA = {
    "name": "tiny", "title": "Tiny", "licence": "none", "citation": "none", "fingerprint": "f",
    "classes": ["no", "yes"], "critical_classes": ["yes"], "notes": ["small"],
    "files": [{"name": "a.npz", "md5": "0"}], "counts": {"test": {"no": 3, "yes": 4}},
    "images": {"test": 7}, "masked_sites": ["south"],
    "patients": {"test": 7}, "sites": {"north": 7}, "quarantined": {"no label": 1}, "read": 8,
    "left_out": 1, "reuse": {"val": "calibration"}, "long_tail": {"imbalance_ratio": 10.0},
    "equal_pixels": {"across": {}, "within": {"test": 1}, "with_conflicting_labels": 0},
    "show_images": True, "simulated": False,
}  # fmt: skip
RUN = CODE | {
    "seed": 0, "config_hash": "c", "data_fingerprint": "f", "logits_sha256": "l", "device": "cpu",
    "processor": {"kernels": "AVX2", "threads": 1}, "wall_seconds": 2.5,
}  # fmt: skip
SHIFT = CODE | {
    "data_fingerprint": "f", "kind": "site",
    "runs": [{"loss": "gce", "seed": 0, "trained_logits_sha256": "l", "logits_sha256": "m"}],
}  # fmt: skip
FILES = {
    "calibrators.json": {"temperature": {"type": "TemperatureScaling", "notes": ["n"]}},
    "card.json": DATA | {"image_size": [8, 8], "channels": 1, "dtype": "uint8"},
    "experiment.json": {
        "study": "quick", "experiment": "tiny", "network": "thin", "recipe": "short",
        "losses": ["gce"], "seeds": [0], "calibrators": ["identity"], "baseline": "gce",
        "headline_loss": "gce", "headline_calibrator": "identity", "headline_target": 0.05,
        "risk_targets": [0.05], "delta": 0.05, "partners": {"other": "site"}, "dataset": DATA,
        "prevalence": {"no": 0.9, "yes": 0.1}, "costs": {"yes": {"no": 20.0}},
        "bootstrap": {"level": 0.95, "num_resamples": 1000, "seed": 0, "unit": "patient"},
    },
    "provenance.json": {
        "runs": [RUN | {"loss": "gce"}], "evaluated_by": CODE, "partners": {"other": SHIFT},
        "every_run": {"revision": "0", "dirty": False},
    },
    "run.json": RUN | {
        "loss": {"name": "gce", "kind": "gce", "arguments": {}},
        "network": {"name": "thin", "kind": "densenet", "arguments": {"growth_rate": 8}},
        "recipe": RECIPE | {"name": "short"}, "classes": ["no", "yes"], "image_size": [8, 8],
        "channels": 1, "normalisation": {"mean": [77.5], "sd": [95.0]}, "cosine_head": False,
        "logit_scale": 1.0, "logits_sha256_by_split": {"test": "t"},
    },
    "shift.json": SHIFT,
    "source.json": {"name": "tiny", "fingerprint": "f"},
}  # fmt: skip
FREE = ("network.arguments.growth_rate", "processor")
"""What a network is given is checked by the network; of old runs the processor is a text."""


@pytest.fixture
def written(tmp_path):
    """Write a file of ours by its name and return its path."""

    def write(name, content=None):
        write_json(FILES[name] if content is None else content, tmp_path / name)
        return tmp_path / name

    return write


def places(content, *above):
    """Every way to a value within some JSON, the outermost first."""
    if above:
        yield above
    if isinstance(content, dict | list):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in items:
            yield from places(value, *above, key)


def changed(content, place, value):
    # Nothing is shared in a copy by way of text.
    content = json.loads(json.dumps(content))
    around = content
    for key in place[:-1]:
        around = around[key]
    around[place[-1]] = value
    return content


def test_every_form_has_an_example_that_states_each_of_its_keys():
    assert set(FILES) == set(FORMS)
    for name, form in FORMS.items():
        if name != "calibrators.json":
            assert set(FILES[name]) == set(form.__annotations__), name


@pytest.mark.parametrize("name", FILES)
def test_what_is_written_is_read(written, name):
    assert read_json(written(name)) == FILES[name]


@pytest.mark.parametrize("name", FILES)
def test_a_value_of_another_type_is_refused_by_file_and_key(written, name):
    for place in places(FILES[name]):
        key = ".".join(str(part) for part in place)
        value = FILES[name]
        for part in place:
            value = value[part]
        if key.endswith(FREE):
            continue
        wrong = "text" if isinstance(value, dict | list) else ["text"]
        path = written(name, changed(FILES[name], place, wrong))
        with pytest.raises(InputError) as refused:
            read_json(path)
        # Of a processor no fact is named, but where they stand.
        named = str(refused.value).removeprefix(f"{path}: key '").split("'")[0]
        assert named == (key.rpartition(".")[0] if "processor." in key else key)
        assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("wrong", ["7", True, None, -1, 2.5])
def test_a_count_is_a_whole_number_from_zero(written, wrong):
    path = written("card.json", changed(FILES["card.json"], ("counts", "test", "no"), wrong))
    with pytest.raises(InputError, match=r"card\.json: key 'counts\.test\.no': "):
        read_json(path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_holds_a_list_is_refused(written, name):
    with pytest.raises(InputError, match=rf"{name}: Input should be "):
        read_json(written(name, [1]))


def test_a_key_that_is_missing_is_named_with_its_file_and_the_way_to_it(written):
    record = read_json(written("experiment.json"))
    with pytest.raises(InputError, match=r"experiment\.json: missing key 'recepie'$"):
        record["recepie"]
    with pytest.raises(InputError, match=r"experiment\.json: key 'dataset\.counts': missing key"):
        record["dataset"]["counts"]["train"]
    with pytest.raises(InputError, match=r"provenance\.json: key 'runs\.0': missing key 'day'"):
        read_json(written("provenance.json"))["runs"][0]["day"]
    assert record.get("recepie") is None
    assert "recepie" not in record


def test_a_template_may_ask_for_a_key_that_is_missing(written):
    template = jinja2.Template("{% if card.day %}{{ card.day }}{% else %}no day{% endif %}")
    assert template.render(card=read_json(written("card.json"))) == "no day"


def test_a_record_is_the_same_in_another_process(written):
    again = pickle.loads(pickle.dumps(read_json(written("card.json"))))
    assert again == FILES["card.json"]
    with pytest.raises(AbsentKeyError, match=r"card\.json: key 'counts': missing key 'train'"):
        again["counts"]["train"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not valid JSON: line 1: Expecting value"),
        (b'{\n"a": 1,\n}', "not valid JSON: line 3: "),
        (b'{"a": "\xff"}', "text in UTF-8 expected, got other bytes in line 1"),
        ('{"a": "ä"}'.encode("utf-16"), "text in UTF-8 expected"),
        (b'{"a": NaN}', "not valid JSON: a number, or a nesting, that is too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON: a number, or a nesting, that is too lar"),
        (b'{"a": {"b": [1e999]}}', "key 'a.b.0': a number expected, got one that is too large"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "key 'c' is stated twice"),
        (b'{"a": "\\ud800"}', "not valid JSON: an escape that stands for no character"),
        (b"[" * 100_000, "not valid JSON: a number, or a nesting, that is too large"),
        (b"[" * 60 + b"]" * 60, f"at most {MAX_DEPTH} lists and objects within one another"),
    ],
)
def test_damage_is_one_line_that_names_the_file(tmp_path, content, message):
    path = tmp_path / "metrics.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"metrics\.json: {message}") as refused:
        read_json(path)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_read_or_refused_in_one_line(written, name):
    path = written(name)
    assert len(refusals(read_json, path, path.read_bytes(), number=300)) > 150


def test_json_refuses_what_json_cannot_hold(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json({"ece": float("nan")}, tmp_path / "scores.json")


def test_equal_content_gives_equal_bytes_in_whatever_order(tmp_path):
    for name, content in (("a", {"x": 1, "y": 2}), ("b", {"y": 2, "x": 1})):
        write_json(content, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert json.loads((tmp_path / "a").read_text()) == {"x": 1, "y": 2}
