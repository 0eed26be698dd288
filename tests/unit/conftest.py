"""What all unit tests share."""

import numpy as np
import pytest
import torch
from architectures import FAMILIES, noise, randomise_batchnorm, untrained
from torch import nn

from texalign import alignment


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """The same bits on every machine, and no threads that wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    """Untrained network of one family, and a batch."""
    entry, size = FAMILIES[request.param]
    network = untrained(entry)
    if request.param in ("alexnet", "vgg16"):
        network.module.classifier = nn.Identity().eval()  # most of the weights, and never read
    randomise_batchnorm(network.module)
    return network, network.preprocess(noise(size))


@pytest.fixture(scope="session")
def brainscore_csv(request):
    """The table of Brain-Scores that comes with the workflow."""
    return request.config.rootpath / "resources/brainscore.csv"


@pytest.fixture(scope="session")
def scores(brainscore_csv):
    return alignment.read_scores(brainscore_csv)
