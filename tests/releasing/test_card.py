"""The card is Markdown, in which HTML would be HTML."""

from pipeline.releasing.card import render_card
from tests.made_releases import make_release


def test_names_from_outside_are_text_and_never_markup():
    hostile = "<script>alert(1)</script>\x1b <img src=x onerror=alert(2)><!-- & 'x'"
    release = make_release(
        provenance__dataset_title=hostile, provenance__citation=hostile, limits__sites=[hostile]
    )
    card = render_card(release, [hostile, "Wrong: <0.1%."], ())
    assert card.count("&lt;script>alert(1)&lt;/script> &lt;img src=x") == 4
    assert not any(each in card for each in ("<s", "</", "<i", "<!", "\x1b"))
    assert "Wrong: <0.1%." in card
