"""torch's compiler is not imported in passing, and is there for those who ask for it."""

import subprocess
import sys

PASSING = """
import sys
from texalign import builders, depth
module = builders.torchvision_models().resnet18(weights=None).eval()
depth.SMALL = 0  # without numbers, where torch would import it
found = depth.of(module, ["layer1", "layer4"])
assert found["layer4"] == 1 and 0 < found["layer1"] < 1, found
assert "torch._dynamo" not in sys.modules
"""

ASKED = """
import torch
compiled = torch.compile(lambda x: x + 1, backend="eager")
assert compiled(torch.ones(2)).tolist() == [2, 2]
assert "torch._dynamo" in sys.modules
"""

ASKED_INSIDE = """
import sys
from texalign import compiler
with compiler.left_out():
    import torch._dynamo
    assert torch._dynamo.disable(recursive=False)(len) is torch._dynamo.disable(len) is len
    from torch._dynamo.utils import is_compile_supported
    assert callable(torch._dynamo.reset)
    assert is_compile_supported("cpu") in (True, False)
assert torch._dynamo is sys.modules["torch._dynamo"]
assert hasattr(torch._dynamo, "optimize")
"""


def run(program):
    """In a process of its own, as what was imported once stays."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_networks_and_their_depth_do_without_it():
    run(PASSING)


def test_who_asks_for_it_later_has_it():
    run(PASSING + ASKED)


def test_who_asks_for_it_meanwhile_has_it():
    run(ASKED_INSIDE)
