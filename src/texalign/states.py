"""A file of weights → the state dict of a network, also out of what training programs wrap it in."""

import logging
import re
import zipfile

import torch
from torch import nn

from texalign.errors import InputError

log = logging.getLogger(__name__)

#: What torch's compilers and wrappers put into names, wherever they stand.
_WRAPPERS = re.compile(r"(?:^|(?<=\.))(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")

#: The published DenseNet files are older than torch's rule against dots in names.
_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(\d)\.")


def read(path):
    """Read a file of weights: safetensors, or torch's by the unpickler that builds tensors and nothing else.

    Which of them a file is, its content says and not its suffix.

    Raises
    ------
    InputError
        The file holds anything else, or is not whole.
    """
    if _is_safetensors(path):
        return _read_safetensors(path)
    _check_archive(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"{path}: no state dict, or not whole ({type(error).__name__}); only files with tensors and "
            "nothing else are read: save module.state_dict()"
        ) from error


def _is_safetensors(path):
    """Tell whether a file begins as safetensors do: the length of a header, and the header, in JSON."""
    with open(path, "rb") as file:
        begin = file.read(9)
    return len(begin) == 9 and begin[8:] == b"{" and int.from_bytes(begin[:8], "little") < 1e9


def _read_safetensors(path):
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise InputError(f"{path}: needs the package safetensors; run: pip install safetensors") from error
    try:
        return load_file(path, device="cpu")
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: no safetensors, or not whole ({reason}); replace the file") from error


def _check_archive(path):
    """Hold torch's archive against its own checksums, which torch does not read, and bound what it holds.

    torch packs tensors as they are: an archive that unpacks to more than itself is none of torch's.
    """
    if not zipfile.is_zipfile(path):
        return  # the format before torch 1.6
    try:
        with zipfile.ZipFile(path) as archive:
            packed = [
                entry.filename for entry in archive.infolist() if entry.compress_type != zipfile.ZIP_STORED
            ]
            wrong = packed[0] if packed else archive.testzip()
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: damaged, or no file of torch's ({error}); replace the file") from error
    if wrong:
        reason = "is compressed, as torch's never are" if packed else "is damaged"
        raise InputError(f"{path}: {wrong} {reason}; replace the file")


def state_dicts(content, depth=3):
    """Name each dict of tensors in a file's content by its keys, with dots; the content itself by ``""``."""
    if not isinstance(content, dict):
        return {}
    if all(isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in content.items()):
        return {"": content}
    found = {}
    for key, value in content.items() if depth else ():
        if isinstance(key, str) and isinstance(value, dict) and value:
            inner = state_dicts(value, depth - 1)
            found |= {".".join(filter(None, [key, name])): state for name, state in inner.items()}
    return found


def load_state(module, path, state_key=None, strip_prefix=None):
    """Load a file's weights into a network, out of whatever they are wrapped in where that is unambiguous.

    A file may hold several state dicts, under keys, and their names may have a prefix (``module.``,
    ``model.``). The one combination that gives all of the network's names and shapes is taken, and told
    in the log.

    Parameters
    ----------
    module : nn.Module
    path : str or Path
    state_key : str, optional
        Key of the state dict in the file, with dots for keys within keys.
    strip_prefix : str, optional
        What the names begin with; others are left out.

    Raises
    ------
    InputError
        None fits, or several do; or the weights are integers or complex numbers.
    """
    found = _asked(state_dicts(read(path)), path, state_key)
    found = {key: {_plain(name): v for name, v in state.items()} for key, state in found.items()}
    fitting = {}
    for key, state in found.items():
        for prefix in _prefixes(module, state) if strip_prefix is None else [strip_prefix]:
            if not any(_misfits(module, state, prefix)):
                fitting[key, prefix] = state
                if not prefix:
                    break
    if len(fitting) > 1:
        choices = " or ".join(f"state_key: {key!r}, strip_prefix: {prefix!r}" for key, prefix in fitting)
        raise InputError(f"{path}: several of its weights fit the architecture; choose one: {choices}")
    if fitting:
        ((key, prefix), state), *_ = fitting.items()
        _tell(path, key, prefix, state)
    else:
        key, prefix = next(iter(found)), strip_prefix or ""
        state = found[key]
    taken = _without(prefix, state)
    check_types(module, taken, path)
    try:
        module.load_state_dict(taken)
    except RuntimeError as error:
        raise InputError(_no_fit(module, path, found, key, prefix)) from error


def check_types(module, state, path):
    """Refuse integers or complex numbers where a network has real ones: torch would take their digits.

    Raises
    ------
    InputError
    """
    own = module.state_dict()
    for name in own.keys() & state.keys():
        if isinstance(own[name], torch.Tensor) and isinstance(state[name], torch.Tensor):
            ours, theirs = own[name], state[name]
            if theirs.is_complex() != ours.is_complex() or (
                ours.is_floating_point() and not theirs.is_floating_point()
            ):
                kinds = [str(t.dtype).removeprefix("torch.") for t in (theirs, ours)]
                raise InputError(
                    f"{path}: {name} is {kinds[0]}, not {kinds[1]}; save real weights, as quantised ones "
                    "mean nothing without their scales"
                )


def _asked(found, path, state_key):
    if not found:
        raise InputError(f"{path}: holds no state dict (names and tensors); save module.state_dict()")
    if state_key is None:
        return found
    if state_key not in found:
        raise InputError(f"{path}: state_key: {state_key!r} is no state dict in it; {_held(found)}")
    return {state_key: found[state_key]}


def _held(found):
    """Name a file's state dicts."""
    return "it holds " + ", ".join(f"{key or 'one'} ({len(state)} tensors)" for key, state in found.items())


def _plain(name):
    return _OLD_DENSENET.sub(r"\1\2.", _WRAPPERS.sub("", name))


def _prefixes(module, state):
    """All that may stand before the network's names: no prefix comes first."""
    first = next(iter(module.state_dict()), None)
    ends = [name.removesuffix(first) for name in state if first and name.endswith(first)]
    return sorted({"", *(end for end in ends if end.endswith("."))}, key=len)


def _without(prefix, state):
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _misfits(module, state, prefix):
    """List what is missing, what is too much, and what has another shape than the network's own."""
    own, theirs = module.state_dict(), _without(prefix, state)
    # Older files lack the counter, and torch does without.
    missing = [name for name in own if name not in theirs and not name.endswith("num_batches_tracked")]
    # Behind a prefix stands the network; what lies beside it is of the training.
    more = [name for name in theirs if name not in own]
    shapes = [
        f"{name} {tuple(theirs[name].shape)}, not {tuple(own[name].shape)}"
        for name in own
        if name in theirs and not nn.parameter.is_lazy(own[name]) and theirs[name].shape != own[name].shape
    ]
    return missing, more, shapes


def _tell(path, key, prefix, state):
    left_out = [name for name in state if not name.startswith(prefix)]
    parts = [f"its {key!r} is taken" if key else "", f"names begin with {prefix!r}" if prefix else ""]
    parts += [f"left out: {_some(left_out)}"] if left_out else []
    if any(parts):
        log.info("%s: %s", path, "; ".join(filter(None, parts)))


def _some(names, most=3):
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _no_fit(module, path, found, key, prefix):
    """Word how the likeliest of a file's state dicts misfits a network."""
    candidates = [(k, p) for k in found for p in ([prefix] if prefix else _prefixes(module, found[k]))]
    key, prefix = min(candidates, key=lambda c: sum(map(len, _misfits(module, found[c[0]], c[1]))))
    parts = zip(("missing: ", "not of it: ", "shapes: "), _misfits(module, found[key], prefix), strict=True)
    detail = "; ".join(f"{what}{_some(names)}" for what, names in parts if names)
    where = f" (state_key: {key!r}, strip_prefix: {prefix!r})" if key or prefix else ""
    choice = f"; {_held(found)}: choose by state_key" if len(found) > 1 else ""
    return f"{path}: the weights do not fit the architecture{where}: {detail}{choice}"
