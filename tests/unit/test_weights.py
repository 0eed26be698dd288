"""Where weights come from, as a row of the model table says it."""

import pytest
from architectures import TABLE

from texalign import weights


@pytest.mark.parametrize(
    ("source", "enum", "published", "own"),
    [
        ("IMAGENET1K_V1", True, True, False),
        ("COCO_WITH_VOC_LABELS_V1", True, True, False),
        ("DEFAULT", True, True, False),
        ("https://host/x.pth", False, True, False),
        ("file:///data/x.pth", False, True, False),
        ("package:p/models/x.pth", False, False, False),
        ("untrained", False, False, False),
        ("weights/x.pth", False, False, True),
        ("x.pth", False, False, True),
        ("/data/V1", False, False, True),
        ("V1.pth", False, False, True),
        ("1MODEL", False, False, True),
        ("", False, False, True),
    ],
)
def test_kinds_of_sources(source, enum, published, own):
    assert weights.is_enum(source) is enum
    assert weights.is_published(source) is published
    assert weights.own_file(source) == (source if own else None)


def test_no_entry_of_the_model_table_needs_a_file_of_ones_own():
    assert {weights.own_file(entry["weights"]) for entry in TABLE.values()} == {None}
