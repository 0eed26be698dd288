"""The rooms of the library: imports go downwards only, by public names, and plans load nothing heavy."""

import ast
import graphlib
import re
import sys

import pytest
from architectures import ROOT

SOURCE = ROOT / "src"

#: Every room, and every module that has none, from the ground up: each imports from those before it.
ROOMS = (
    *(
        "errors",
        "version",
        "escaping",
        "formats",
        "lazy",
        "files",
        "tables",
        "joins",
        "brainscore",
        "weights",
        "locks",
        "download",
        "job",
    ),
    *("blocks", "store", "checkpoint", "pictures", "images", "plan"),
    *(
        "compiler",
        "trial",
        "tokens",
        "channels",
        "depth",
        "readout",
        "preprocessing",
        "states",
        "builders",
        "sources",
        "networks",
        "fast",
        "gram",
        "geometry",
        "information",
        "statistics",
        "decoding",
        "human",
        "alignment",
    ),
    *("synthesis", "views", "figures", "report"),
)

#: What a plan may be made with, before any job runs: these load the standard library alone.
LIGHT = re.compile(
    r"texalign(\.(errors|escaping|formats|lazy|files|tables|brainscore|weights|locks|download|job|images|images\.dtd|plan(\.\w+)?))?"
)

#: What comes with snakemake.
WITH_SNAKEMAKE = {"snakemake", "yaml", "jsonschema"}


def dotted(path):
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {dotted(path): ast.parse(path.read_text()) for path in (SOURCE / "texalign").rglob("*.py")}


def room(module):
    """The room of a module, ``texalign.gram.extract`` → ``gram``; none for the library's own face."""
    return module.split(".")[1] if "." in module else None


def imports(nodes):
    """Module, name in it (None for the whole module) and alias of every import among some nodes."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((item.name, None, item.asname or item.name) for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield from ((node.module, item.name, item.asname or item.name) for item in node.names)


def everywhere(tree):
    return imports(ast.walk(tree))


def at_once(tree):
    """The imports that run when a module is loaded: those in no function."""
    waiting, found = list(tree.body), []
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef):
            waiting += ast.iter_child_nodes(node)
    return imports(found)


def module_of(module, name, modules):
    """The module that an import loads: a name may be one."""
    return f"{module}.{name}" if f"{module}.{name}" in modules else module


def ours(found, modules):
    """Modules of the library that some imports load."""
    return {module_of(m, n, modules) for m, n, _ in found if m.partition(".")[0] == "texalign"}


def upward(modules):
    """Pairs of modules, of which the first imports from a room that is not below its own."""
    rank = {name: i for i, name in enumerate(ROOMS)}
    return [
        (module, other)
        for module, tree in modules.items()
        for other in ours(everywhere(tree), modules)
        if room(module) and rank.get(room(other), len(rank)) > rank[room(module)]
    ]


def private_uses(tree, modules):
    """Private names of other modules that a module imports or reads."""
    found = list(everywhere(tree))
    names = [name for module, name, _ in found if module.startswith("texalign") and name]
    aliases = {alias for m, n, alias in found if (f"{m}.{n}" if n else m) in modules}
    names += [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in aliases
    ]
    return [name for name in names if name.startswith("_") and not name.startswith("__")]


def faces(modules):
    """Rooms that load what they show when it is asked for."""
    return {
        module
        for module, tree in modules.items()
        if any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body)
        or any(name == "face" for _, name, _ in at_once(tree))
    }


def through_a_face(modules):
    """Imports that reach a module through a face, so that it cannot be seen which."""
    return [
        (module, m, name)
        for module, tree in modules.items()
        for m, name, _ in everywhere(tree)
        if module_of(m, name, modules) in faces(modules)
    ]


def test_every_room_is_listed():
    assert {room(module) for module in MODULES} - {None} <= set(ROOMS)


def test_imports_go_downwards():
    assert upward(MODULES) == []


def order(modules):
    """All modules, each behind those that it imports; a circle is an error."""
    graph = {module: ours(everywhere(tree), modules) for module, tree in modules.items()}
    return list(graphlib.TopologicalSorter(graph).static_order())


def test_no_circles():
    assert set(order(MODULES)) == set(MODULES)


def test_no_private_names_across_modules():
    assert {module: found for module, tree in MODULES.items() if (found := private_uses(tree, MODULES))} == {}


def test_no_module_is_reached_through_a_face():
    """What a rule depends on is read from the imports: they name the module."""
    assert through_a_face(MODULES) == []


def heavy(module, modules, seen=frozenset()):
    """Packages beyond the standard library that a module loads, itself or by another."""
    if module in seen:
        return set()
    found = list(at_once(modules[module]))
    packages = {m.partition(".")[0] for m, _, _ in found} - sys.stdlib_module_names - {"texalign"}
    parents = {module.rpartition(".")[0]} & modules.keys()
    for other in ours(found, modules) | parents:
        packages |= heavy(other, modules, seen | {module})
    return packages


@pytest.mark.parametrize("module", sorted(name for name in MODULES if LIGHT.fullmatch(name)))
def test_what_a_plan_is_made_with_loads_the_standard_library_alone(module):
    assert heavy(module, MODULES) == set()


IMPORT = re.compile(r"^[ \t]*(?:from[ \t].+?[ \t]import[ \t]*(?:\([^)]*\)|.*)|import[ \t].*)$", re.MULTILINE)


def test_rule_files_load_nothing_heavy():
    files = [ROOT / "workflow/Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
    assert len(files) > 5
    for file in files:
        text = re.sub(r"^[ \t]+", "", "\n".join(IMPORT.findall(file.read_text())), flags=re.MULTILINE)
        found = list(everywhere(ast.parse(text)))
        packages = {module.partition(".")[0] for module, _, _ in found} - sys.stdlib_module_names
        assert packages <= {"texalign", *WITH_SNAKEMAKE}, file
        for module in ours(found, MODULES):
            assert LIGHT.fullmatch(module), f"{file}: {module}"


# ---------------------------------------------------------------- the rules above do find faults


def planted(**sources):
    return {f"texalign.{name.replace('__', '.')}": ast.parse(text) for name, text in sources.items()}


def test_an_upward_import_is_found_wherever_it_stands():
    modules = planted(
        gram="", gram__algebra="def f():\n    from texalign.figures import style", figures__style=""
    )
    assert upward(modules) == [("texalign.gram.algebra", "texalign.figures.style")]


@pytest.mark.parametrize(
    "text",
    [
        "from texalign.store import _Disk",
        "from texalign import store\nstore._Disk()",
        "import texalign.store as s\ns._Disk",
        "import texalign.store\ntexalign.store._Disk",
    ],
)
def test_a_private_name_is_found(text):
    assert private_uses(ast.parse(text), planted(store="")) == ["_Disk"]
    assert private_uses(ast.parse(text.replace("_Disk", "Disk")), planted(store="")) == []


def test_a_face_and_what_it_loads_are_found():
    modules = planted(
        lazy="",
        gram="from texalign.lazy import face",
        gram__algebra="if True:\n    import numpy, json\ndef f():\n    import torch",
        store="from texalign import job\nfrom texalign.gram import algebra",
        job="from texalign.gram import pack, algebra",
    )
    assert through_a_face(modules) == [("texalign.job", "texalign.gram", "pack")]
    assert heavy("texalign.store", modules) == {"numpy"}


def test_a_circle_is_found():
    modules = planted(store="import texalign.job", job="def f():\n    from texalign import store")
    with pytest.raises(graphlib.CycleError):
        order(modules)
