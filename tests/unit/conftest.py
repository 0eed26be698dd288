"""What all unit tests share."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """The same bits on every machine, and no threads that wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
