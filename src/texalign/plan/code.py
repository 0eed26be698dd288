"""The code that a rule's result depends on, found from the code's own imports.

Code counts by its content and not by its date or place: a checkout that is moved, or a library that
is installed elsewhere, makes nothing again.
"""

import functools
import hashlib
import importlib.util
import re
import sys
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent.parent

#: They decide how things are fetched, written, told and shown by name, not what a result is.
_NAMES = ("download", "errors", "files", "job", "lazy", "plan", "plan.content", "plan.dataset", "version")
PLUMBING = frozenset(["texalign", *(f"texalign.{name}" for name in _NAMES)])

_FROM = re.compile(r"(?:^|[;:])[ \t]*from[ \t]+([\w.]+)[ \t]+import\b[ \t]*(\([^)]*\)|[^\n;]*)", re.MULTILINE)
_IMPORT = re.compile(r"(?:^|[;:])[ \t]*import[ \t]+([^\n;]*)", re.MULTILINE)
_NOT_READ = re.compile(r"#[^\n]*|\\\n")


def imported(text, package=""):
    """Dotted names that a module's text may import, wherever in it; too many rather than too few.

    Parameters
    ----------
    text : str
    package : str
        The package that the module lies in, for its relative imports.

    Examples
    --------
    >>> sorted(imported("from texalign.geometry import ward"))
    ['texalign.geometry', 'texalign.geometry.ward']
    """
    names, text = set(), _NOT_READ.sub("", text)
    for source, targets in _FROM.findall(text):
        source = _absolute(source, package)
        names.add(source)
        names |= {f"{source}.{name}" for name in _names(targets) if source}
    for targets in _IMPORT.findall(text):
        names |= set(_names(targets))
    return names - {""}


def _names(targets):
    """List the names of an import statement, without their aliases."""
    parts = targets.strip("() \t\n").split(",")
    return [part.split()[0] for part in parts if part.split()]


def _absolute(source, package):
    dots = len(source) - len(source.lstrip("."))
    if not dots:
        return source
    parents = package.split(".")[: len(package.split(".")) - dots + 1]
    return ".".join(filter(None, [*parents, source.lstrip(".")]))


def files_of(names, root, package):
    """Files below `root`, the folder of `package`, that the dotted names may mean."""
    found = {}
    for name in names:
        if name != package and not name.startswith(f"{package}."):
            continue
        place = root.joinpath(*name.split(".")[1:])
        for file in (place.with_suffix(".py") if name != package else None, place / "__init__.py"):
            if file and file.is_file():
                found[name] = file
                break
    return found


@functools.cache
def _text(file):
    return file.read_text(encoding="utf-8")


@functools.cache
def _direct(name, file, root, package):
    """Modules of the package that one of its modules imports itself."""
    within = name if file.name == "__init__.py" else name.rpartition(".")[0]
    return files_of(imported(_text(file), within), root, package)


def closure(names, root=LIBRARY, package="texalign"):
    """All modules of a package that some names bring in, directly or not.

    Parameters
    ----------
    names : iterable of str
        Dotted names, as `imported` gives them.
    root : Path
        The package's folder.
    package : str

    Returns
    -------
    dict of str to Path
        Dotted name to file. A package's ``__init__`` counts where it holds code, and not where it only
        shows what lies in its modules.
    """
    found, waiting = {}, files_of(names, root, package)
    while waiting:
        name, file = waiting.popitem()
        if name in found or (package == "texalign" and name in PLUMBING):
            continue
        if file.name == "__init__.py" and "_FACE = {" in _text(file):
            continue
        found[name] = file
        waiting |= _direct(name, file, root, package)
    return found


def digest(text, *modules):
    """Hash of a script and of all of the library that it depends on.

    Parameters
    ----------
    text : str
        The script.
    *modules : str
        What it loads by name, as the module of a loss.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    files = closure(imported(text) | set(modules))
    return hash_of([text, *(f"{name}\n{_text(files[name])}" for name in sorted(files))])


def hash_of(texts):
    """16 hexadecimal digits for a list of texts."""
    total = hashlib.sha256()
    for text in texts:
        total.update(f"{len(text)}\n{text}".encode())
    return total.hexdigest()[:16]


@functools.cache
def digest_of_pages():
    """Hash of what the report's pages are made of besides code: templates, styles, programs."""
    folders = (LIBRARY / "report/templates", LIBRARY / "report/static")
    files = sorted(file for folder in folders for file in folder.iterdir() if file.is_file())
    return hash_of([f"{file.name}\n{_text(file)}" for file in files])


@functools.cache
def digest_of_builder(architecture):
    """Hash of the program of a network of one's own, ``module:callable``; None for any other.

    Its file counts, and what it imports from beside it. Nothing is imported to find out.
    """
    if ":" not in architecture:
        return None
    name = architecture.partition(":")[0]
    package = name.partition(".")[0]
    folder = _folder_of(package)
    if folder is None:  # the job says in one line that it cannot be imported
        return "absent"
    if folder.is_dir() and (folder / "__init__.py").exists():
        files = closure(_with_parents(name), folder, package)
    else:
        files = _beside(name, folder.parent if folder.is_file() else folder)
    return hash_of([f"{key}\n{_text(files[key])}" for key in sorted(files)])


def _with_parents(name):
    parts = name.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts) + 1)}


def _folder_of(package):
    beside_study = Path(f"{package}.py"), Path(package, "__init__.py")
    for file in beside_study:
        if file.is_file():
            return file.parent if file.name == "__init__.py" else file
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or not (spec.origin or spec.submodule_search_locations):
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin)


def _beside(name, folder):
    """Single modules in one folder that import each other."""
    found, waiting = {}, {name.partition(".")[0]}
    while waiting:
        this = waiting.pop()
        file = next((f for f in (folder / f"{this}.py", folder / this / "__init__.py") if f.is_file()), None)
        if this in found or file is None or this in sys.stdlib_module_names:
            continue
        found[this] = file
        waiting |= {other.partition(".")[0] for other in imported(_text(file), "")}
        if file.name == "__init__.py":
            found |= closure({this}, file.parent, this)
    return found
