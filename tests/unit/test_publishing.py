"""What a published workflow says of itself is true: version, citation, catalog, documentation, automation."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

import texalign

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def released():
    """Versions of the changelog with their dates, newest first, and what stands above them."""
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    versions = [re.fullmatch(r"(\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)", heading) for heading in headings[1:]]
    assert all(versions), f"CHANGELOG.md: a heading is not `## 1.2.3 - 2026-01-31`: {headings}"
    return headings[0], [(version[1], date.fromisoformat(version[2])) for version in versions]


def test_versions_agree():
    _, versions = released()
    assert versions[0][0] == PROJECT["version"] == CITATION["version"] == texalign.__version__
    assert versions[0][1].isoformat() == CITATION["date-released"]


def test_changelog_is_in_order():
    top, versions = released()
    assert top == "Unreleased"
    numbers = [tuple(map(int, version.split("."))) for version, _ in versions]
    assert numbers == sorted(set(numbers), reverse=True)
    assert [day for _, day in versions] == sorted((day for _, day in versions), reverse=True)


def test_citation_has_what_the_format_requires():
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= CITATION.keys()
    assert CITATION["title"] == PROJECT["name"]
    assert CITATION["license"] == PROJECT["license"]
    (paper,) = CITATION["references"]
    assert {"type", "title", "authors", "year"} <= paper.keys()
    assert [author["family-names"] for author in paper["authors"]] == [
        "Paolis",
        "Anselmi",
        "Ansuini",
        "Piasini",
    ]


def test_page_on_citing_names_the_same_paper():
    (paper,) = CITATION["references"]
    page = " ".join((ROOT / "docs/citing.md").read_text().replace("\n> ", " ").split())
    assert paper["title"] in page
    assert paper["url"] in page
    assert all(f"{author['given-names']} " in page for author in paper["authors"])


def test_catalog_file_has_the_keys_the_catalog_reads():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["mandatory-flags"].keys() == {"desc", "flags"}
    assert usage["report"] is True
    deployment = usage["software-stack-deployment"]
    assert deployment == {"conda": True, "apptainer": False, "apptainer+conda": False}


def test_conda_is_offered_because_every_job_has_an_environment():
    """Rules that run in snakemake's own process, or only name targets, have no script and need none."""
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"^(?=rule |checkpoint )", file.read_text(), flags=re.MULTILINE)[1:]:
            assert "script:" not in rule or "conda:" in rule, f"{file.name}: {rule.splitlines()[0]}"


def test_catalogs_test_case_is_the_demo():
    """`snakemake -d .test` reads .test/config/config.yaml alone: the schema fills in the rest."""
    from snakemake.utils import update_config, validate

    schema = str(ROOT / "workflow/schemas/config.schema.yaml")
    test_case, published, demo = (
        # YAML takes an unquoted `on` for true.
        yaml.safe_load((ROOT / path).read_text().replace(" on:", " 'on':"))
        for path in (".test/config/config.yaml", "config/config.yaml", "config/demo.yaml")
    )
    update_config(published, demo)
    demo = published
    validate(test_case, schema)
    validate(demo, schema)
    assert test_case == demo


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_automation_runs_targets_that_exist(file):
    workflow = yaml.safe_load(file.read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = [step["run"] for step in steps if step.get("run", "").startswith("make ")]
    makefile = (ROOT / "Makefile").read_text()
    for command in commands:
        assert re.search(rf"^{command.split()[1]}:", makefile, flags=re.MULTILINE), command
    assert all(re.search(r"@v\d+$", step["uses"]) for step in steps if "uses" in step)


def test_automation_covers_lint_tests_demo_report_and_docs():
    text = "".join(file.read_text() for file in WORKFLOWS)
    for command in ("make lint", "make test", "make demo", "make report", "make docs"):
        assert f"run: {command}" in text


def test_automation_tests_the_oldest_python():
    """What `requires-python` promises is run."""
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    assert f">={ci['jobs']['test']['strategy']['matrix']['python-version'][0]}" == PROJECT["requires-python"]


def test_every_public_room_has_its_page():
    documented = set(
        re.findall(
            r"^::: (texalign\.\w+)", "\n".join(map(Path.read_text, (ROOT / "docs/api").glob("*.md"))), re.M
        )
    )
    public = {f"texalign.{module.split('.')[1]}" for module in texalign._FACE.values()}
    assert public <= documented
    # The strict build finds what is documented and gone; here, too, without that build.
    for name in documented:
        path = ROOT / "src" / name.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), f"docs/api: {name}"


def test_links_of_the_documentation_lead_somewhere():
    for link in (ROOT / "docs").glob("*.md"):
        assert link.is_file(), f"{link} points nowhere"


def test_what_each_target_makes_is_told():
    """Of those that the README names."""
    listed = re.search(r"^Targets: (.*?): ", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)[1]
    targets = set(re.findall(r"`(\w+)`", listed))
    assert len(targets) > 12
    told = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/targets.md").read_text(), re.MULTILINE)
    assert targets - set(told) == set()
