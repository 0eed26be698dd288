"""What the workflow promises by its form: schemas, documents, rules, targets, and the cost of its DAG."""

import ast
import re
import sys
import textwrap
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from studies import REPOSITORY, jobs, run

from texalign.plan import paths

RULES = sorted((REPOSITORY / "workflow/rules").glob("*.smk"))
SNAKEFILES = [REPOSITORY / "Snakefile", REPOSITORY / "workflow/Snakefile", *RULES]
SCRIPTS = sorted((REPOSITORY / "workflow/scripts").glob("*.py"))
STUDIES = sorted(p for p in (REPOSITORY / "config").glob("*.yaml") if not p.name.startswith("models"))
PLAN = sorted((REPOSITORY / "src/texalign/plan").glob("*.py"))
#: What a snakefile may import besides the standard library.
LIGHT = {
    "snakemake",
    "texalign",
    "texalign.errors",
    "texalign.escaping",
    "texalign.plan",
    "texalign.plan.config",
    "texalign.plan.labels",
}
#: What is fetched is known by its hash: an edited downloader must not fetch it again.
FETCHED = ("fetch_weights", "fetch_dtd", "fetch_descriptions", "unpack_dtd", "unpack_dtd_labels")
RULE = re.compile(r"^rule (\w+):\n((?:    .*\n|\n)*)", re.MULTILINE)
#: A rule that a loop makes has no name of its own.
LOOPED = re.compile(r"^    rule:\n((?:        .*\n|\n)*)", re.MULTILINE)


def read(path):
    return yaml.safe_load(path.read_text())


def schema(name):
    return read(REPOSITORY / f"workflow/schemas/{name}.schema.yaml")


def leaves(properties, prefix=""):
    """Dotted keys of a schema, and what it says of each."""
    for key, rule in properties.items():
        yield f"{prefix}{key}", rule
        yield from leaves(rule.get("properties", {}), f"{prefix}{key}.")


def defaults(properties):
    return {
        key: defaults(rule["properties"]) if "properties" in rule else rule["default"]
        for key, rule in properties.items()
    }


def relative(path):
    return str(path.relative_to(REPOSITORY))


CONFIG_KEYS = dict(leaves(schema("config")["properties"]))
MODEL_KEYS = dict(leaves(schema("models")["additionalProperties"]["properties"]))
RULES_OF = [pytest.param(body, id=name) for path in RULES for name, body in RULE.findall(path.read_text())]
RULES_OF += [
    pytest.param(textwrap.dedent(body), id=f"in-a-loop-of-{path.stem}")
    for path in RULES
    for body in LOOPED.findall(path.read_text())
]


# ---------------------------------------------------------------- schemas and documents


def test_the_config_is_the_schemas_defaults():
    config = read(REPOSITORY / "config/config.yaml")
    # YAML takes an unquoted `on` for true; null is left out.
    config["clustering"]["on"] = config["clustering"].pop(True)

    def without_null(value):
        if not isinstance(value, dict):
            return value
        return {key: without_null(part) for key, part in value.items() if part is not None}

    assert config == without_null(defaults(schema("config")["properties"]))


@pytest.mark.parametrize("key", CONFIG_KEYS)
def test_a_config_key_is_described_and_has_a_default(key):
    assert CONFIG_KEYS[key]["description"].endswith(".")
    assert "default" in CONFIG_KEYS[key]


@pytest.mark.parametrize("key", MODEL_KEYS)
def test_a_column_of_the_model_table_is_described(key):
    assert MODEL_KEYS[key]["description"].endswith(".")


def test_every_object_of_the_schemas_is_closed():
    for name in ("config", "models"):
        text = (REPOSITORY / f"workflow/schemas/{name}.schema.yaml").read_text()
        for key, rule in leaves(schema(name).get("properties", {})):
            assert "properties" not in rule or rule["additionalProperties"] is False, key
        assert "additionalProperties: false" in text


@pytest.mark.parametrize("key", [key for key, rule in CONFIG_KEYS.items() if "properties" not in rule])
def test_a_config_key_is_in_the_readme(key):
    assert f"`{key}`" in (REPOSITORY / "config/README.md").read_text()


@pytest.mark.parametrize("key", [key for key in MODEL_KEYS if "." not in key])
def test_a_column_of_the_model_table_is_in_the_readme(key):
    assert f"`{key}`" in (REPOSITORY / "config/README.md").read_text()


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("path", [*SNAKEFILES, REPOSITORY / "bench/Snakefile"], ids=relative)
def test_whatever_goes_through_a_shell_is_quoted(path):
    text = path.read_text()
    blocks = re.findall(r"^( *)shell:((?:\n\1 +.*)+)", text, re.MULTILINE)
    assert len(blocks) == len(re.findall(r"\bshell *[:(]", text))
    for field in re.findall(r"\{(.*?)\}", " ".join(block for _, block in blocks)):
        assert field.endswith(":q"), field


@pytest.mark.parametrize("path", [*SCRIPTS, *sorted((REPOSITORY / "src").rglob("*.py"))], ids=relative)
def test_no_program_starts_a_shell(path):
    assert not re.search(r"os\.system|os\.popen|shell ?= ?True|getoutput|\bshell\(", path.read_text())


@pytest.mark.parametrize("path", sorted((REPOSITORY / "workflow/report").glob("*.rst")), ids=relative)
def test_a_caption_holds_nothing_that_a_user_writes_freely(path):
    """Captions are HTML in the report: names come from patterns and lists of what is allowed."""
    for expression in re.findall(r"\{\{(.*?)\}\}", path.read_text(), re.DOTALL):
        parts = re.fullmatch(r' snakemake\.(?:wildcards\.(\w+)|config((?:\["\w+"\])+)) ', expression)
        assert parts, expression
        if parts[1]:
            assert parts[1] in paths.CONSTRAINTS
        else:
            rule = CONFIG_KEYS[".".join(re.findall(r"\w+", parts[2]))]
            assert "enum" in rule or "pattern" in rule, expression


@pytest.mark.parametrize("body", RULES_OF)
def test_a_rule_that_does_something_has_log_and_conda(body):
    if "script:" in body or "shell:" in body:
        assert re.search("^ *log:\n", body, re.MULTILINE)
        assert re.search("^ *conda:\n", body, re.MULTILINE)


def test_the_loop_of_rules_is_among_the_rules():
    assert [rule.id for rule in RULES_OF].count("in-a-loop-of-synthesis") == 1
    assert len({rule.id for rule in RULES_OF}) == len(RULES_OF) > 30


@pytest.mark.parametrize("body", [rule for rule in RULES_OF if "script:" in rule.values[0]])
def test_a_rule_knows_the_program_of_its_own_script(body):
    (script,) = re.findall(r'"\.\./scripts/(\w+)\.py"', body)
    named = re.findall(r"\bcode=program\(\"(\w+)\"", body)
    assert named == ([] if script in FETCHED else [script])


def test_every_script_has_a_rule():
    text = "".join(path.read_text() for path in RULES)
    assert set(re.findall(r'"\.\./scripts/(\w+\.py)"', text)) == {path.name for path in SCRIPTS}


def test_a_rule_that_loads_a_loss_by_name_knows_its_program():
    for script in SCRIPTS:
        if "losses.get(" in script.read_text():
            assert f'program("{script.stem}", LOSS)' in "".join(path.read_text() for path in RULES)


@pytest.mark.parametrize("path", SNAKEFILES, ids=relative)
def test_a_file_of_rules_defines_no_function(path):
    text = path.read_text()
    assert not (RULE.search(text) and re.search(r"^\s*def ", text, re.MULTILINE))


@pytest.mark.parametrize("path", SNAKEFILES, ids=relative)
def test_a_snakefile_imports_nothing_heavy(path):
    modules = re.findall(r"^\s*(?:from|import) ([\w.]+)", path.read_text(), re.MULTILINE)
    named = {m if m.startswith("texalign") else m.split(".")[0] for m in modules}
    assert named <= LIGHT | sys.stdlib_module_names


@pytest.mark.parametrize("path", PLAN, ids=relative)
def test_a_plan_is_loaded_with_the_standard_library_alone(path):
    """`tests/unit/test_rooms.py` follows what it imports of the library."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"texalign"}


@pytest.mark.parametrize("path", [*SNAKEFILES, *SCRIPTS, *STUDIES], ids=relative)
def test_no_path_is_absolute(path):
    assert not re.findall(r"""["' ](?:/(?!/)\w+){2,}""", path.read_text())


@pytest.mark.parametrize("path", RULES, ids=relative)
def test_a_file_of_rules_is_short(path):
    assert len(path.read_text().splitlines()) < (350 if path.stem.startswith("common") else 150)


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_a_script_is_short_and_opens_its_log_first(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 60
    assert lines[0].startswith('"""')
    said = [line for line in lines if re.match(r"from |import |job\.", line)]
    assert said[0] == "from texalign import job"
    assert re.match(r"job\.start\(snakemake[,)]", said[1])


def test_downloads_are_local_rules():
    """Compute nodes may have no internet."""
    text = (REPOSITORY / "workflow/rules/resources.smk").read_text()
    listed = re.search(r"^localrules:\n((?:    .*\n)*)", text, re.MULTILINE)[1]
    assert set(re.findall(r"\w+", listed)) == {name for name, _ in RULE.findall(text)}


def test_the_rules_files_are_all_included():
    snakefile = (REPOSITORY / "workflow/Snakefile").read_text()
    included = set(re.findall(r'include: "rules/(\w+\.smk)"', snakefile))
    assert included == {path.name for path in RULES}


def test_all_ends_with_the_aggregate():
    snakefile = (REPOSITORY / "workflow/Snakefile").read_text()
    (body,) = [body for name, body in RULE.findall(snakefile) if name == "all"]
    assert "default_target: True" in body
    assert re.findall(r"rules\.(\w+)\.", body) == [
        "aggregate",
        "join_statistics",
        "alignment",
        "human",
        "variants",
        "figures",
    ]


def test_snakefmt_would_change_nothing():
    command = [sys.executable, "-m", "snakefmt", "--check", *map(str, SNAKEFILES)]
    done = run(command, REPOSITORY)
    assert done.returncode == 0, done.stdout


def test_snakemake_finds_nothing_to_lint(fresh):
    done = run([sys.executable, "-m", "snakemake", "--lint"], fresh.folder)
    assert done.returncode == 0, done.stdout
    assert "in a good condition" in done.stdout


# ---------------------------------------------------------------- targets and studies


def dry_run(study, *arguments):
    done = run([sys.executable, "-m", "snakemake", "--dry-run", *arguments], study.folder)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_published_study_is_the_default_and_fetches_what_it_needs(fresh):
    output = dry_run(fresh)
    planned = jobs(output)
    networks = schema("config")["properties"]["networks"]["default"]
    assert "all" in planned
    assert {name for name in planned if name.startswith("fetch_")} == {
        "fetch_dtd",
        *(f"fetch_weights {network}" for network in networks),
    }
    assert sum(name.startswith("compute_rdm ") for name in planned) == 5 * (len(networks) + 1)


@pytest.mark.parametrize("path", [p for p in STUDIES if p.name != "config.yaml"], ids=relative)
def test_a_study_of_this_repository_plans(fresh, path):
    planned = jobs(dry_run(fresh, "--configfile", relative(path)))
    assert {"all", "aggregate"} <= planned


def test_the_named_targets(fresh):
    targets = {
        "gram",
        "rdms",
        "clusters",
        "mutual_information",
        "alignment",
        "variants",
        "multiverse",
        "representations",
        "decoding",
        "human",
        "references",
        "exchange",
        "figures",
        "synthesis",
        "report",
        "html_report",
        "describe_run",
    }
    assert targets <= fresh.plan(*sorted(targets))


def test_a_table_needs_no_figures(fresh):
    assert not {job for job in fresh.plan("mutual_information") if job.startswith("plot_")}


@pytest.mark.parametrize("on", ["on", '"on"'])
def test_on_needs_no_quotes(fresh, on):
    fresh.overlay = f"{yaml.safe_dump(fresh.overlay)}clustering:\n  {on}: rdm_rows\n"
    fresh.write()
    assert "measure_information linear gram rdm_rows nsb resnet18" in fresh.plan("mutual_information")


def test_a_control_that_comes_unasked_is_told_before_all_else(fresh):
    fresh.overlay.pop("controls")
    fresh.table["resnet18_untrained"] = fresh.table["resnet18"]
    fresh.change()
    lines = [line for line in fresh.make("--dry-run").splitlines() if "snakemake" not in line.lower()]
    told = "texalign: resnet18_untrained is measured too, as a control"
    assert [line.startswith(told) for line in lines].index(True) <= 2
    assert sum(line.startswith(told) for line in lines) == 1


# ---------------------------------------------------------------- the cost of a large DAG

MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(done.stdout, done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)
"""


def test_200_networks_of_5_layers_are_planned_within_bounds(fresh):
    # Per network a pass, 5 RDMs, trees, information, what varies it, classes, figures; and 9 jobs for all.
    names = [f"network{i}" for i in range(200)]
    layers = ["bn1", *(f"layer{i}.0.bn1" for i in range(1, 5))]
    entry = {"architecture": "resnet18", "weights": "untrained", "layers": layers}
    fresh.table = dict.fromkeys(names, entry)
    fresh.change(networks=names)
    command = fresh.command("--dry-run", "--quiet", "rules")
    output = run([sys.executable, "-c", MEASURED, *command], fresh.folder).stdout
    code, cpu_seconds, mebibytes = output.split()[-3:]
    assert code == "0", output
    assert re.search(r"^total +2209$", output, re.MULTILINE)
    assert float(cpu_seconds) < 40
    assert int(mebibytes) < 1024


def cpu_seconds(command, folder):
    output = run([sys.executable, "-c", MEASURED, *command], folder).stdout
    code, seconds, _ = output.split()[-3:]
    assert code == "0", output
    return float(seconds)


def test_a_jobs_parse_of_the_workflow_is_cheap(fresh):
    """Every cluster job parses the workflow again: its own part, beside that of snakemake, is small."""
    (fresh / "Empty").write_text("rule all:\n    shell: 'true'\n")
    command = [sys.executable, "-m", "snakemake", "--list-rules"]
    both = [command, [*command, "--snakefile", "Empty"]]
    ours, empty = zip(*([cpu_seconds(one, fresh.folder) for one in both] for _ in range(3)), strict=True)
    # 0.35 s, the least of three beside other work. It may take 1 s, and here half more on a busy machine.
    assert min(ours) - min(empty) < 1.5


def test_a_plan_loads_no_library_of_numbers():
    said = (
        "import sys; from texalign import brainscore, weights; from texalign.plan import code, content, "
        "dataset, networks, paths, reading, recipes, synthesis; from texalign.plan import config; "
        "print(sorted({'numpy', 'pandas', 'scipy', 'torch', 'h5py', 'matplotlib', 'PIL'} & {*sys.modules}))"
    )
    assert run([sys.executable, "-c", said], REPOSITORY).stdout.split() == ["[]"]


def test_the_catalog_entry():
    catalog = read(REPOSITORY / ".snakemake-workflow-catalog.yml")
    usage = catalog["usage"]
    assert usage["software-stack-deployment"]["conda"] is True
    assert usage["report"] is True
    assert Path(REPOSITORY / "config/README.md").is_file()


def test_what_a_report_needs_is_installed_for_users_too():
    """snakemake leaves it out unless asked, and the packages of the tests happen to bring it."""
    needed = {line.split(";")[0].strip() for line in metadata.requires("snakemake") if '"reports"' in line}
    pinned = {line.split("==")[0] for line in (REPOSITORY / "envs/requirements.txt").read_text().splitlines()}
    assert needed
    assert needed <= pinned


def test_scheduling_has_a_round_for_each_job_and_no_more(finished):
    """With a timer for the next round in each, jobs that take seconds have hundreds."""
    count = len(finished.plan("--forcerun", "compute_rdm", "--", "rdms"))
    said = finished.make("--cores", "1", "--verbose", "--forcerun", "compute_rdm", "--", "rdms")
    assert 3 <= said.count("Ready jobs") <= count + 3
