"""What is reckoned of sizes that were not tried: operations and bytes, against what can be known."""

import reckon

from texalign import store


def test_operations_of_a_convolution_and_of_its_gram_matrix():
    """AlexNet's first: 64 filters of 3 x 11 x 11 at 55 x 55 positions."""
    counted = reckon.count({"architecture": "alexnet", "layers": ["features.0"]})
    assert counted == (2 * 64 * 3 * 11 * 11 * 55 * 55, 2 * 64 * 64 * 55 * 55, [64])


def test_bytes_of_a_gram_file(tmp_path):
    shapes = {"L1": (10, 2, 2), "L2": (100, 2, 2)}
    with store.create_h5(tmp_path / "gram.h5") as file:
        for layer, writer in store.gram_writers(file, dict.fromkeys(shapes, "m"), shapes, 70).items():
            writer.flush()
            file[layer]["gram"][:] = file[layer]["mean"][:] = 1  # every chunk
        stored = sum(file[layer][name].id.get_storage_size() for layer in shapes for name in ("gram", "mean"))
    assert reckon.gram_bytes([10, 100], 70) == stored
