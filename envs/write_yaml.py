"""Write the conda environments of the rules from the lists of pinned versions beside this script.

Snakemake copies an environment's file elsewhere before it builds the environment, and hashes that one
file: what a file names besides itself cannot be found there, and its changes would not count. So each
holds all its versions. `make envs` writes them; a test tells when they were forgotten. `ndd.yaml` is
written by hand.
"""

from pathlib import Path

HERE = Path(__file__).parent

#: Environment → the list it comes from.
LISTS = {
    "texalign.yaml": "requirements.txt",
    "plenoptic.yaml": "plenoptic.txt",
    "human.yaml": "human.txt",
    "timm.yaml": "timm.txt",
    "torch7.yaml": "torch7.txt",
}

HEAD = """\
# Written by `make envs` from {name}. It holds what texalign needs, not texalign itself: in a checkout
# the rules use its src/; a workflow used from a URL uses the texalign that pip installed beside snakemake.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python =3.12
  - pip
  - pip:
"""


def pins(path):
    """Read the requirements of a list, in its order, with those of the lists it names by ``-r``."""
    found = []
    for line in path.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("-r "):
            found += pins(path.parent / line.removeprefix("-r ").strip())
        elif line:
            found.append(line)
    return found


def environment(name):
    """Text of the environment that comes from a list."""
    return HEAD.format(name=name) + "".join(f"      - {pin}\n" for pin in pins(HERE / name))


if __name__ == "__main__":
    for file, name in LISTS.items():
        (HERE / file).write_text(environment(name))
