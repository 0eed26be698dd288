"""The code that a result depends on, found from the code's own imports."""

import ast
import shutil

import pytest
from architectures import ROOT

from texalign.plan import code

SOURCES = sorted((ROOT / "src/texalign").rglob("*.py"))
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))


def by_ast(text):
    """Dotted names that a module imports: a second implementation, which parses it."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def closure_by_ast(names):
    """The modules of the library that some names bring in, by the parser and one file a step."""
    found, waiting = {}, sorted(names)
    while waiting:
        name = waiting.pop()
        parts = name.split(".")
        place = ROOT.joinpath("src", *parts)
        file = next((f for f in (place.with_suffix(".py"), place / "__init__.py") if f.is_file()), None)
        if parts[0] != "texalign" or name in code.PLUMBING or name in found or not file:
            continue
        text = file.read_text()
        if file.name != "__init__.py" or "_FACE = {" not in text:
            found[name] = file
            waiting += by_ast(text)
    return found


@pytest.mark.parametrize("path", [*SOURCES, *SCRIPTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_import_is_found(path):
    text = path.read_text()
    assert by_ast(text) <= code.imported(text)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_closure_of_a_script(path):
    names = by_ast(path.read_text())
    assert code.closure(code.imported(path.read_text())) == closure_by_ast(names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a", {"a"}),
        ("import a.b as c, d  # e", {"a.b", "d"}),
        ("from a import b", {"a", "a.b"}),
        ("from a import b as c, d", {"a", "a.b", "a.d"}),
        ("from a import (\n    b,  # one\n    c as d,\n)", {"a", "a.b", "a.c"}),
        ("from a import (b,  # see (1)\n    c)", {"a", "a.b", "a.c"}),
        ("from a import(b)", {"a", "a.b"}),
        ("import a; from b import c; import d", {"a", "b", "b.c", "d"}),
        ("try: import a\nexcept ImportError: from b import c\n", {"a", "b", "b.c"}),
        ("from a import b, \\\n    c", {"a", "a.b", "a.c"}),
        ("import a, \\\n    b", {"a", "b"}),
        ("def f():\n    from a.b import c\n", {"a.b", "a.b.c"}),
        ("if x:\n\timport a\n", {"a"}),
        ("from . import b", {"here.room", "here.room.b"}),
        ("from .b import c", {"here.room.b", "here.room.b.c"}),
        ("from ..b import c", {"here.b", "here.b.c"}),
        ("x = 'no'\nimportant = 1\nfrom_ = 2\n", set()),
    ],
)
def test_what_a_text_imports(text, expected):
    assert code.imported(text, "here.room") == expected


@pytest.fixture
def package(tmp_path):
    """A copy of the library, to be changed."""
    return shutil.copytree(ROOT / "src/texalign", tmp_path / "texalign")


def test_the_closure_of_a_package_elsewhere(tmp_path):
    files = {"__init__": "", "a": "from p import b", "b": "from .c import x", "c": "import p.a", "d": ""}
    (tmp_path / "p").mkdir()
    for name, text in files.items():
        (tmp_path / f"p/{name}.py").write_text(text)
    found = code.closure({"p.a", "numpy"}, tmp_path / "p", "p")
    assert set(found) == {"p", "p.a", "p.b", "p.c"}  # in a circle


def test_where_the_library_lies_does_not_count(package):
    here, there = code.closure({"texalign.gram.extract"}), code.closure({"texalign.gram.extract"}, package)
    assert {name: file.read_text() for name, file in here.items()} == {
        name: file.read_text() for name, file in there.items()
    }
    assert not {*here.values()} & {*there.values()}


def test_what_only_tells_and_shows_does_not_count():
    names = {"texalign", *code.PLUMBING, "texalign.geometry", "texalign.gram"}
    assert not set(code.closure(names)) & code.PLUMBING
    assert "texalign.geometry" not in code.closure(names)
    for name in code.PLUMBING - {"texalign"}:
        assert code.files_of({name}, code.LIBRARY, "texalign"), f"{name} is no module"


def test_a_digest_changes_with_the_script_and_with_what_is_loaded_by_name():
    text = "from texalign.geometry import ward\n"
    assert code.digest(text) == code.digest(text)
    assert len(code.digest(text)) == 16
    others = [
        code.digest(f"{text}#"),
        code.digest(text, "texalign.synthesis.losses.paper"),
        code.digest(text, "texalign.synthesis.losses.gatys"),
    ]
    assert len({code.digest(text), *others}) == 4


def test_texts_are_not_run_together():
    assert code.hash_of(["ab", "c"]) != code.hash_of(["a", "bc"])
    assert code.hash_of(["a", "b"]) != code.hash_of(["b", "a"])
    assert code.hash_of([]) != code.hash_of([""])


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """A folder of a study with a network's program in it; what is known of other folders is forgotten."""
    monkeypatch.chdir(tmp_path)
    forget()
    yield tmp_path
    forget()


def forget():
    for function in (code.digest_of_builder, code._text, code._direct):
        function.cache_clear()


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)


def changes(folder, name, builder="mynets:net"):
    """Whether new content of a file changes the digest of a builder."""
    forget()
    before = code.digest_of_builder(builder)
    (folder / name).write_text((folder / name).read_text() + "\n# changed\n")
    forget()
    return code.digest_of_builder(builder) != before


def test_a_known_architecture_has_no_program_of_its_own():
    assert code.digest_of_builder("resnet18") is None
    assert code.digest_of_builder("timm/convnext_tiny") is None


def test_a_module_beside_the_study_with_what_it_imports(beside):
    write(beside, mynets="import os\nfrom parts import block", parts="import deeper", deeper="", other="")
    assert all(changes(beside, name) for name in ("mynets.py", "parts.py", "deeper.py"))
    assert not changes(beside, "other.py")


def test_a_package_beside_the_study(beside):
    (beside / "mynets").mkdir()
    for name, text in {"__init__": "", "vision": "from .parts import x", "parts": "", "other": ""}.items():
        (beside / f"mynets/{name}.py").write_text(text)
    builder = "mynets.vision:net"
    assert changes(beside, "mynets/vision.py", builder)
    assert changes(beside, "mynets/parts.py", builder)
    assert changes(beside, "mynets/__init__.py", builder)
    assert not changes(beside, "mynets/other.py", builder)


def test_nothing_is_imported_to_find_out(beside):
    write(beside, mynets="raise SystemExit('imported')")
    assert len(code.digest_of_builder("mynets:net")) == 16


def test_the_name_of_the_builder_is_not_its_program(beside):
    write(beside, mynets="")
    assert code.digest_of_builder("mynets:net") == code.digest_of_builder("mynets:other")


def test_a_moved_program_is_the_same(beside, monkeypatch):
    write(beside, mynets="import parts", parts="x = 1")
    first = code.digest_of_builder("mynets:net")
    moved = shutil.copytree(beside, beside / "moved")
    monkeypatch.chdir(moved)
    forget()
    assert code.digest_of_builder("mynets:net") == first


def test_an_absent_program_is_left_to_the_job(beside):
    assert code.digest_of_builder("no_such_module_anywhere:net") == "absent"
