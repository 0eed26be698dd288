"""A study as a Provenance Run Crate, as the validator of such crates sees it, and a reader of them."""

import json

import crates
import pytest
from reports import Report
from rocrate.rocrate import ROCrate

from texalign.plan import written
from texalign.report import crate

#: The validator and its libraries use each other's older names.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return crates.fetched(tmp_path_factory.mktemp("crate") / "fetched")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study with a table, an RDM and two figures, and what describes it."""
    report = Report(tmp_path_factory.mktemp("described") / "report")
    folder = report.folder.parent / "study"
    for name in ("Snakefile", "rules/a.smk", "config.json"):
        (folder / "workflow" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "workflow" / name).write_text("{}")
    files = ["workflow/Snakefile", "workflow/rules/a.smk", "workflow/config.json"]
    about = crate.describe(folder, report.names[0], report.made, files, "9.27.1", ["figures"])
    return folder, about


def test_the_validator_passes_a_study_with_any_names(study, context):
    result = crates.validated(*study, context)
    assert [issue.message for issue in result.get_issues()] == []
    assert result.passed()
    assert set(crate.PROFILES) == {link["@id"] for link in entity(study[1], "./")["conformsTo"]}


@pytest.mark.runs  # 7 s more
def test_the_validator_sees_what_is_left_out(study, context):
    folder, about = study
    about = json.loads(json.dumps(about))
    del entity(about, "workflow/Snakefile")["programmingLanguage"]
    del entity(about, "#organize")["instrument"]
    messages = " ".join(issue.message for issue in crates.validated(folder, about, context).get_issues())
    assert "programmingLanguage" in messages
    assert "instrument" in messages


def entity(about, identifier):
    (found,) = [one for one in about["@graph"] if one["@id"] == identifier]
    return found


def test_a_reader_finds_each_file_and_what_made_it(study):
    folder, about = study
    (folder / crate.NAME).write_text(json.dumps(about), encoding="utf-8")
    read = ROCrate(folder)
    files = {one.id for one in read.data_entities}
    assert {"rdm/net/L1.h5", "figures/classes.png", "brainscore_uncertainty.csv", "figures/"} <= files
    assert all((folder / name).exists() for name in files)
    table = json.loads((folder / "brainscore_uncertainty.csv.json").read_text())
    assert read.get("brainscore_uncertainty.csv")["sha256"] == table["sha256"]
    jobs = {job["instrument"].id: job for job in read.get_by_type("CreateAction") if job.id != "#run"}
    assert set(jobs) == {"#rule/a_rule", "#rule/compute_rdm", "#rule/join", "#rule/plot"}
    assert [one.id for one in jobs["#rule/plot"]["result"]] == ["figures/classes.pdf", "figures/classes.png"]
    inputs = [one["name"] for one in jobs["#rule/compute_rdm"]["object"]]
    assert inputs[:2] == [str(folder / "images.h5"), "w.pth"]  # both elsewhere, or gone
    assert jobs["#rule/plot"]["object"].id == "brainscore_uncertainty.csv"
    used = jobs["#rule/compute_rdm"]["resourceUsage"]
    assert (used["name"], used["value"]) == ("seconds", 1.5)


def test_what_a_workflow_is_written_in_is_found():
    assert written.included('include: "rules/a.smk"\n# include: "b.smk"\n') == ["rules/a.smk"]
    assert written.scripts('    script:\n        "../scripts/a.py"\n') == ["scripts/a.py"]
