"""The README's picture of a report: its first page beside one layer's, as chromium shows them.

Usage: python docs/picture.py results/demo/report networks/efficientnet_lite0/L4.html docs/images/report.png
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

#: Pixels of each page, and between and around them.
SIZE, GAP = (1120, 1400), 24


def shots(report, names):
    """Pictures of the tops of pages."""
    with sync_playwright() as play:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light")
        for name in names:
            page.goto(f"file://{(report / name).resolve()}")
            page.wait_for_load_state("networkidle")
            yield Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        browser.close()


def main():
    """Make the picture that the command line asks for."""
    report, layer, target = sys.argv[1:]
    pictures = list(shots(Path(report), ("index.html", layer)))
    width, height = SIZE
    whole = Image.new("RGB", (2 * width + 3 * GAP, height + 2 * GAP), "#8a94a0")
    for i, picture in enumerate(pictures):
        whole.paste(picture, (GAP + i * (width + GAP), GAP))
    whole = whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.LANCZOS)
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    # Five bits a colour are as good to the eye, and half the size.
    whole.point(lambda value: (value >> 3) * 255 // 31).save(target, optimize=True)


if __name__ == "__main__":
    main()
