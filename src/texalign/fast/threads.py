"""How a pass over many images divides a processor's cores."""

import contextlib

import torch

#: Batches that go through a network side by side on a CPU; more than that take too much memory.
MOST_WORKERS = 8


def n_workers(network):
    """How many batches go through a network at a time."""
    return min(torch.get_num_threads(), MOST_WORKERS) if network.device.type == "cpu" else 1


@contextlib.contextmanager
def as_a_worker(network):
    """Compute with as many threads as each batch of a pass has.

    oneDNN puts packed kernels into another order for another number of threads: whatever packs them, and
    whatever is tried with them outside a pass, does it like a worker.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(threads // n_workers(network))
    try:
        yield
    finally:
        torch.set_num_threads(threads)
