"""The tutorial's page → the same as a notebook: python docs/notebook.py."""

import re
from pathlib import Path

import nbformat
from nbformat import v4

FENCE = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)


def notebook(text):
    """Make a notebook of a page: blocks are cells, one with a title is that file; `console` is only shown."""
    cells, end = [], 0
    for block in FENCE.finditer(text):
        language, about, code = block.groups()
        if language not in ("sh", "python", "yaml"):
            continue
        cells.append(v4.new_markdown_cell(text[end : block.start()].strip()))
        title = re.fullmatch(r'title="([^"]+)"', about or "")
        first = f"%%writefile {title[1]}\n" if title else "%%bash\n" if language == "sh" else ""
        cells.append(v4.new_code_cell(first + code.rstrip()))
        end = block.end()
    cells.append(v4.new_markdown_cell(text[end:].strip()))
    for i, cell in enumerate(cells):
        cell["id"] = f"cell{i}"
    about = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return v4.new_notebook(cells=cells, metadata=about)


if __name__ == "__main__":
    here = Path(__file__).parent
    made = notebook((here / "tutorial.md").read_text(encoding="utf-8"))
    (here / "tutorial.ipynb").write_text(nbformat.writes(made) + "\n", encoding="utf-8")
