"""The measurement of the report's size, in small: it makes pages by the workflow's own scripts."""

import shutil
import sys

import pytest
from studies import REPOSITORY, run

pytestmark = pytest.mark.browser
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.mark.skipif(
    not (shutil.which("chromium") or shutil.which("chromium-browser")),
    reason="there is no chromium on this machine",
)
def test_the_size_of_a_report_can_be_measured(tmp_path):
    few = ["--networks", "2", "--layers", "1", "--classes", "3", "--per-class", "4", "--made", "1"]
    done = run([sys.executable, "bench/report_size.py", str(tmp_path / "size"), *few], REPOSITORY)
    assert done.returncode == 0, done.stdout
    assert "the first page 0.0" in done.stdout
