"""Every MedMNIST set has a config at 28 and 64 pixels that names the official file."""

import pytest

from pipeline.acquiring import file_digest
from pipeline.config import read_dataset
from tests.projects import ROOT
from tests.sources import mirrored

# As published with the sets (MedMNIST v2 and v3, Zenodo record 10519652).
OFFICIAL = [
    ("pathmnist", 28, "a8b06965200029087d5bd730944a56c1"),
    ("pathmnist", 64, "55aa9c1e0525abe5a6b9d8343a507616"),
    ("chestmnist", 28, "02c8a6516a18b556561a56cbdd36c4a8"),
    ("chestmnist", 64, "9de6cd0b934ebb5b7426cfba5efbae16"),
    ("dermamnist", 28, "0744692d530f8e62ec473284d019b0c7"),
    ("dermamnist", 64, "b70a2f5635c6199aeaa28c31d7202e1f"),
    ("octmnist", 28, "c68d92d5b585d8d81f7112f81e2d0842"),
    ("octmnist", 64, "e229e9440236b774d9f0dfef9d07bdaf"),
    ("pneumoniamnist", 28, "28209eda62fecd6e6a2d98b1501bb15f"),
    ("pneumoniamnist", 64, "8f4eceb4ccffa70c672198ea285246c6"),
    ("retinamnist", 28, "bd4c0672f1bba3e3a89f0e4e876791e4"),
    ("retinamnist", 64, "afda852cc34dcda56f86ad2b2457dbcc"),
    ("breastmnist", 28, "750601b1f35ba3300ea97c75c52ff8f6"),
    ("breastmnist", 64, "742edef2a1fd1524b2efff4bd7ba9364"),
    ("bloodmnist", 28, "7053d0359d879ad8a5505303e11de1dc"),
    ("bloodmnist", 64, "2b94928a2ae4916078ca51e05b6b800b"),
    ("tissuemnist", 28, "ebe78ee8b05294063de985d821c1c34b"),
    ("tissuemnist", 64, "123ece2eba09d0aa5d698fda57103344"),
    ("organamnist", 28, "68e3f8846a6bd62f0c9bf841c0d9eacc"),
    ("organamnist", 64, "2dcccc29b88e6da5a01161ef20cda288"),
    ("organcmnist", 28, "b9ceb9546e10131b32923c5bbeaea2b1"),
    ("organcmnist", 64, "3ce34a8724ea6f548e6db4744d03b6a9"),
    ("organsmnist", 28, "9ab87b696fb54e2a387ebe992d6ed5f1"),
    ("organsmnist", 64, "53a6d115339d874c25e309a994ff46d3"),
    ("organmnist3d", 28, "a0c5a1ff56af4f155c46d46fbb45a2fe"),
    ("organmnist3d", 64, "58a2205adf14a9d0a189cb06dc78bf10"),
    ("nodulemnist3d", 28, "8755a7e9e05a4d9ce80a24c3e7a256f3"),
    ("nodulemnist3d", 64, "c47c5b7d457bf6332200d2ea6d64ecd8"),
    ("adrenalmnist3d", 28, "bbd3c5a5576322bc4cdfea780653b1ce"),
    ("adrenalmnist3d", 64, "17721accfe9fb005146a47d33bc54b2f"),
    ("fracturemnist3d", 28, "6aa7b0143a6b42da40027a9dda61302f"),
    ("fracturemnist3d", 64, "f01d7e6316aedf4210da0da5b7437b42"),
    ("vesselmnist3d", 28, "b41fd4f7e7e2feedddb201585ecafa1b"),
    ("vesselmnist3d", 64, "6bb274a8846e1097066dcd64e2c4520f"),
    ("synapsemnist3d", 28, "1235b78a3cd6280881dd7850a78eadb6"),
    ("synapsemnist3d", 64, "43bd14ebf3af9d3dd072446fedc14d5e"),
]
VERIFIED = {
    "3a22d2a4625e7dd8903f0f59030e81a3d0c222bece2e5e10927456cb50efdec1": (
        "750601b1f35ba3300ea97c75c52ff8f6"
    ),
}
"""The md5 of a file whose config states its sha256, since it is at hand."""


@pytest.fixture(scope="module")
def by_md5():
    found = {}
    for path in sorted((ROOT / "configs/datasets").glob("*.yaml")):
        dataset = read_dataset(ROOT / "configs", path.stem)
        for file in dataset.files:
            found.setdefault((file.md5 or VERIFIED.get(file.sha256), *dataset.image_size), dataset)
    return found


def test_the_list_holds_twelve_flat_and_six_solid_sets_at_two_sizes():
    names = {name for name, *_ in OFFICIAL}
    assert len(OFFICIAL) == 2 * len(names) == 36
    assert sum(name.endswith("3d") for name in names) == 6


@pytest.mark.parametrize(("name", "pixels", "md5"), OFFICIAL)
def test_an_official_file_has_a_config_of_its_size(by_md5, name, pixels, md5):
    dataset = by_md5[md5, *[pixels] * (3 if name.endswith("3d") else 2)]
    stem = name if pixels == 28 else f"{name}_{pixels}"
    (file,) = dataset.files
    assert file.name == f"{stem}.npz"
    assert file.url == f"https://zenodo.org/records/10519652/files/{stem}.npz?download=1"
    assert dataset.adapter == "medmnist"
    assert dataset.splits.official
    assert dataset.licence == ("CC BY-NC 4.0" if name == "dermamnist" else "CC BY 4.0")


@pytest.mark.parametrize("pixels", [28, 64])
def test_the_set_with_many_findings_an_image_says_which_is_the_label(by_md5, pixels):
    md5 = next(md5 for name, size, md5 in OFFICIAL if (name, size) == ("chestmnist", pixels))
    dataset = by_md5[md5, pixels, pixels]
    assert dataset.arguments == {"label_column": 2}
    assert dataset.classes == ["no effusion", "effusion"]
    assert "effusion against none" in dataset.title
    assert any("14 findings" in note for note in dataset.notes)


def test_the_file_at_hand_is_the_official_one():
    path = mirrored("breastmnist.npz")
    assert VERIFIED[file_digest(path)] == file_digest(path, "md5")
