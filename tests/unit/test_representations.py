"""What of the stored Gram matrices is compared."""

import numpy as np
import pytest
import yaml
from studies import REPOSITORY

from texalign.errors import InputError
from texalign.gram import representations


def test_gram_is_the_stored_rows_unread():
    layer = {"gram": np.arange(6.0).reshape(2, 3)}
    assert representations.rows(layer, "gram") is layer["gram"]


def test_an_unknown_one_is_refused_in_one_line():
    with pytest.raises(InputError, match="representation: 'pixels' is not allowed; use one of gram"):
        representations.rows({}, "pixels")


def test_the_schema_allows_what_there_is():
    schema = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text())
    assert schema["properties"]["representation"]["enum"] == list(representations.REPRESENTATIONS)
