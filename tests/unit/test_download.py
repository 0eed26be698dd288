"""Fetching, checking and unpacking, against a real server on this machine."""

import hashlib
import http.server
import io
import logging
import os
import socket
import subprocess
import sys
import tarfile
import threading
import time

import pytest

from texalign import InputError, download

CONTENT = bytes(range(256)) * 20000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answer each request by the next word of the path's plan; the last one stays."""

    def do_GET(self):
        plan = self.path.strip("/").split("-")
        self.server.requests.append(self.path)
        answer = plan[min(len(self.server.requests), len(plan)) - 1]
        if answer.isdigit():
            self.send_error(int(answer))
            return
        self.send_response(200)
        if answer != "unsized":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if answer == "reset":  # a reset, not an orderly end
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if answer == "slow":
            for first in range(0, len(CONTENT), 500_000):
                self.wfile.write(CONTENT[first : first + 500_000])
                time.sleep(0.3)
            return
        self.wfile.write(CONTENT if answer in ("whole", "unsized") else CONTENT[:100000])
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download, "BACKOFF", 0.01)
    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.requests = []
        httpd.url = f"http://127.0.0.1:{httpd.server_port}"
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield httpd
        httpd.shutdown()
        thread.join()


def left_behind(folder):
    return sorted(os.listdir(folder))


@pytest.mark.parametrize("answer", ["whole", "unsized"])
def test_fetch_checks_and_keeps(server, tmp_path, answer, caplog):
    file = tmp_path / "new/folder/file.bin"
    with caplog.at_level(logging.INFO):
        download.fetch(
            f"{server.url}/{answer}", file, sha256=SHA256.upper(), md5=MD5, sha256_prefix=SHA256[:8]
        )
    assert file.read_bytes() == CONTENT
    assert left_behind(file.parent) == ["file.bin"]
    if answer == "whole":
        assert "100 % of 5.1 MB" in caplog.text
    download.fetch(f"{server.url}/404", file, sha256=SHA256)
    download.fetch(f"{server.url}/404", file)
    assert len(server.requests) == 1


def test_a_wrong_file_in_place_is_fetched_again(server, tmp_path, caplog):
    file = tmp_path / "file.bin"
    file.write_bytes(b"old")
    download.fetch(f"{server.url}/whole", file, sha256=SHA256)
    assert file.read_bytes() == CONTENT
    assert "fetching it again" in caplog.text


@pytest.mark.parametrize("wrong", [{"sha256": "0" * 64}, {"md5": "0" * 32}, {"sha256_prefix": "00000000"}])
def test_a_wrong_hash_leaves_nothing(server, tmp_path, wrong):
    file = tmp_path / "file.bin"
    ((name, digest),) = wrong.items()
    got = MD5 if name == "md5" else SHA256
    with pytest.raises(InputError, match=rf"/whole: expected {name[:6]} {digest}, got {got}; .*file\.bin"):
        download.fetch(f"{server.url}/whole", file, **wrong)
    assert left_behind(tmp_path) == []


def test_a_shortened_sha256_is_not_enough(server, tmp_path):
    with pytest.raises(InputError, match="expected sha256"):
        download.fetch(f"{server.url}/whole", tmp_path / "file.bin", sha256=SHA256[:8])


@pytest.mark.parametrize("trouble", ["503", "429", "cut", "reset", "503-cut"])
def test_passing_trouble_is_tried_again(server, tmp_path, trouble):
    download.fetch(f"{server.url}/{trouble}-whole", tmp_path / "file.bin", sha256=SHA256)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert len(server.requests) == 2 + trouble.count("-")


@pytest.mark.parametrize(
    ("answer", "requests", "reason"),
    [
        ("404", 1, "HTTP 404"),
        ("403", 1, "HTTP 403"),
        ("503", 3, "HTTP 503"),
        ("cut", 3, "connection was lost 5020000 bytes before the end"),
    ],
)
def test_lasting_trouble_is_told(server, tmp_path, answer, requests, reason):
    file = tmp_path / "weights.pth"
    with pytest.raises(InputError) as caught:
        download.fetch(f"{server.url}/{answer}", file, hint="set weights: untrained")
    message = str(caught.value)
    assert len(server.requests) == requests
    for part in (f"{server.url}/{answer}", reason, str(file), "set weights: untrained"):
        assert part in message
    assert "\n" not in message
    assert left_behind(tmp_path) == []


def test_no_network_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "BACKOFF", 60)
    with socket.socket() as nobody:  # bound, not listening: refuses
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/x"
        with pytest.raises(InputError, match=r"127\.0\.0\.1.*refused.*without one, put the file at .*x\.bin"):
            download.fetch(url, tmp_path / "x.bin")


def test_file_urls_and_other_schemes(tmp_path):
    (tmp_path / "source").write_bytes(CONTENT)
    download.fetch((tmp_path / "source").as_uri(), tmp_path / "copy", sha256=SHA256)
    assert (tmp_path / "copy").read_bytes() == CONTENT
    with pytest.raises(InputError, match="absent: cannot be fetched"):
        download.fetch((tmp_path / "absent").as_uri(), tmp_path / "other")
    for url in ("ftp://host/file", "data:,x", "resources/file.pth"):
        with pytest.raises(InputError, match="unknown kind of URL; allowed: https, http, file"):
            download.fetch(url, tmp_path / "other")


def test_check(tmp_path):
    file = tmp_path / "weights.pth"
    with pytest.raises(InputError, match=r"weights\.pth: no such file"):
        download.check(file)
    file.write_bytes(CONTENT)
    assert download.sha256_of(file) == SHA256
    download.check(file)
    download.check(file, sha256=SHA256, md5=MD5, sha256_prefix=SHA256[:8])
    with pytest.raises(InputError, match=rf"weights\.pth: expected sha256 {'1' * 64}, got {SHA256}; replace"):
        download.check(file, sha256="1" * 64)


@pytest.mark.parametrize("gap", [0.05, 0.2])
def test_two_fetch_into_one_folder_at_once(server, tmp_path, gap):
    """Two studies with shared resources: each process has the file in the end."""
    program = "import sys; from texalign import download; download.fetch(*sys.argv[1:3], sha256=sys.argv[3])"
    command = [sys.executable, "-c", program, f"{server.url}/slow", tmp_path / "file.bin", SHA256]
    first = subprocess.Popen(command)
    deadline = time.monotonic() + 60
    while not left_behind(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(gap)
    second = subprocess.Popen(command)
    assert (first.wait(60), second.wait(60)) == (0, 0)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert left_behind(tmp_path) == ["file.bin"]


# ---------------------------------------------------------------- archives


def make_archive(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
            else:
                member.type, member.linkname = content
            tar.addfile(member, io.BytesIO(content if isinstance(content, bytes) else b""))
    return path


IMAGES = [(f"dtd/images/{c}/{c}_{i}.jpg", f"{c}{i}".encode()) for c in ("banded", "woven") for i in range(3)]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_unpack_takes_the_images_only(tmp_path, mode):
    others = [("dtd/labels/all.txt", b"x"), ("../evil", b"x"), ("/tmp/texalign-evil", b"x")]
    links = [
        ("dtd/images/banded/soft.jpg", (tarfile.SYMTYPE, "/etc/passwd")),
        ("dtd/images/banded/hard.jpg", (tarfile.LNKTYPE, "dtd/labels/all.txt")),
    ]
    archive = make_archive(
        tmp_path / "dtd.tar", *others, *links, *IMAGES, ("./dtd/images/woven/4.jpg", b"4"), mode=mode
    )
    download.unpack(archive, tmp_path / "out/dtd")
    found = {
        str(f.relative_to(tmp_path / "out/dtd")) for f in (tmp_path / "out/dtd").rglob("*") if f.is_file()
    }
    assert found == {name.removeprefix("dtd/images/") for name, _ in IMAGES} | {"woven/4.jpg"}
    assert (tmp_path / "out/dtd/woven/woven_2.jpg").read_bytes() == b"woven2"
    assert left_behind(tmp_path) == ["dtd.tar", "out"]
    assert left_behind(tmp_path / "out") == ["dtd"]


@pytest.mark.parametrize("name", ["dtd/images/../../../evil", "dtd/images//tmp/texalign-evil"])
def test_unpack_refuses_to_leave_its_folder(tmp_path, name):
    archive = make_archive(tmp_path / "dtd.tar.gz", *IMAGES, (name, b"x"))
    with pytest.raises(InputError, match="would land outside its folder"):
        download.unpack(archive, tmp_path / "out")
    assert left_behind(tmp_path) == ["dtd.tar.gz"]


def test_unpack_does_not_write_through_a_link(tmp_path):
    (tmp_path / "victim").mkdir()
    link = ("dtd/images/door", (tarfile.SYMTYPE, str(tmp_path / "victim")))
    archive = make_archive(tmp_path / "dtd.tar.gz", link, ("dtd/images/door/x.jpg", b"x"))
    download.unpack(archive, tmp_path / "out")
    assert left_behind(tmp_path / "victim") == []


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_corrupt_archives_are_named(tmp_path, mode):
    noise = os.urandom(50000)
    content = make_archive(tmp_path / "good", ("dtd/images/a/1.jpg", noise), mode=mode).read_bytes()
    archive = tmp_path / "dtd.tar.gz"
    for broken in (content[: len(content) // 2], b"<html>moved</html>", b""):
        archive.write_bytes(broken)
        with pytest.raises(
            InputError, match=r"dtd\.tar\.gz: corrupt or not a tar archive .*delete it and run again"
        ):
            download.unpack(archive, tmp_path / "out")
    assert left_behind(tmp_path) == ["dtd.tar.gz", "good"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_an_archive_with_another_hash_is_not_opened(tmp_path, monkeypatch, mode):
    """Copied by hand, with one bit flipped: a tar has no checksum of its members."""
    archive = make_archive(tmp_path / "dtd.tar.gz", ("dtd/images/a/1.jpg", bytes(2000)), mode=mode)
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    content = bytearray(archive.read_bytes())
    content[len(content) // 3] ^= 4
    archive.write_bytes(content)
    monkeypatch.setattr(tarfile, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(InputError, match=rf"dtd\.tar\.gz: expected md5 {md5}, got .*delete it and run again"):
        download.unpack(archive, tmp_path / "out", md5=md5)
    assert left_behind(tmp_path) == ["dtd.tar.gz"]


@pytest.mark.parametrize("mode", ["w:gz", "w:xz", "w:bz2"])
def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path, mode):
    zeros = [(f"dtd/images/a/{i}.jpg", bytes(2**20)) for i in range(5)]
    archive = make_archive(tmp_path / "bomb.tar", *zeros, mode=mode)
    with pytest.raises(InputError, match=r"bomb\.tar: unpacks to more than 100 times its size"):
        download.unpack(archive, tmp_path / "out")
    assert left_behind(tmp_path) == ["bomb.tar"]


def test_unpack_says_what_is_in_the_way_or_missing(tmp_path):
    archive = make_archive(tmp_path / "x.tar.gz", ("other/1.jpg", b"x"))
    with pytest.raises(InputError, match="no files below dtd/images/"):
        download.unpack(archive, tmp_path / "out")
    with pytest.raises(InputError, match="no such archive"):
        download.unpack(tmp_path / "absent.tar", tmp_path / "out")
    (tmp_path / "out").mkdir()
    download.unpack(archive, tmp_path / "out", "other/")
    with pytest.raises(InputError, match="out: exists already; delete it"):
        download.unpack(archive, tmp_path / "out", "other/")


# ---------------------------------------------------------------- whole files
