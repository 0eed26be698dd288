"""Weights from the hub: their hash is recorded when they are first fetched, and checked ever after."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from studies import LAYERS, assert_one_line, refusal

from texalign import builders

SOURCE = "hub:owner/squeezenet@v1/squeezenet.pth"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub on this machine, and the one file that is there."""
    folder = tmp_path / "hub"
    file = folder / "owner/squeezenet/resolve/v1/squeezenet.pth"
    file.parent.mkdir(parents=True)
    torch.save(builders.build("squeezenet1_1", {}).state_dict(), file)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield file, server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.runs
def test_weights_from_the_hub(fresh, hub):
    file, server = hub
    entry = {"architecture": "squeezenet1_1", "layers": LAYERS["squeezenet1_1"], "weights": SOURCE}
    fresh.change_model("theirs", **entry)
    fresh.change(networks=["theirs"])
    gram = "results/tiny/gram/linear/theirs.h5"
    assert fresh.plan(gram) == {"decode_images", "compute_gram linear theirs", "fetch_locked_weights theirs"}

    said = fresh.make(gram)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert_one_line(said, "fetched for the first time", SOURCE, sha256, "models.lock")
    lock, fetched = fresh / "models.lock", fresh / "resources/weights/theirs.locked"
    assert lock.read_text().splitlines()[1:] == [f"{sha256}  {SOURCE}"]
    assert fresh.plan(gram) == set()

    # The same file again, where it was lost: nothing is computed anew, whatever its date.
    fetched.unlink()
    fresh.make(str(fetched.relative_to(fresh.folder)))
    assert fresh.plan(gram) == set()

    # Another file in its place is refused; with the line deleted by hand it is taken, and all is made again.
    file.write_bytes(file.read_bytes() + b"more")
    fetched.unlink()
    assert_one_line(refusal(fresh, str(fetched.relative_to(fresh.folder))), f"expected sha256 {sha256}")
    torch.save(builders.build("squeezenet1_1", {}).state_dict(), file)
    lock.unlink()
    fresh.make(str(fetched.relative_to(fresh.folder)))
    assert fresh.plan(gram) == {"compute_gram linear theirs"}

    # Without a network.
    fetched.unlink()
    server.shutdown()
    server.server_close()
    said = refusal(fresh, str(fetched.relative_to(fresh.folder)))
    assert_one_line(said, "resolve/v1/squeezenet.pth: cannot be fetched", "with its `sha256`")
