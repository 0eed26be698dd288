# The two commands of a newcomer are `make demo` and `make test`; plain `make` lists all.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
CORES ?= all
INSTALL = install --quiet --disable-pip-version-check
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# make itself, the first line of installed commands, and PATH each fail at some of these in a cryptic way.
ifneq ($(shell pwd | LC_ALL=C grep -c "[][:space:]:;&|<>(){}*?!\"'\`\$$\\#%[]"),0)
  $(error texalign cannot work in this folder: $(shell pwd). Move it to a path of letters, digits, / - _ . + @ only, without spaces)
endif

.PHONY: help demo study report picture layers test test-runs test-fuzz test-browser test-slurm test-ndd bench lint format lock envs docs clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# Every version and its hash come from the lock file. Each package index has its own builds of torch, with
# or without CUDA: they come by their version, last, because all else that they need is then there already.
.venv/installed: envs/lock.txt envs/requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "texalign needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/pip $(INSTALL) --require-hashes --no-deps -r envs/lock.txt
	.venv/bin/pip $(INSTALL) $(shell grep -E '^torch(vision)?==' envs/requirements.txt)
	.venv/bin/pip $(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

.venv/installed-dev: .venv/installed envs/lock-dev.txt
	.venv/bin/pip $(INSTALL) --require-hashes --no-deps -r envs/lock-dev.txt
	@touch $@

.venv-docs/installed: envs/lock-docs.txt
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/pip $(INSTALL) --require-hashes --no-deps -r envs/lock-docs.txt
	@touch $@

demo: .venv/installed  ## the whole study in miniature, without any download: a minute, at most 1 GB of disk
	@echo "The demo takes about a minute on 2 cores, up to 1 GB of disk while it runs and 0.1 GB in results/demo in the end."
	snakemake --cores $(CORES) --logger texalign --configfile config/demo.yaml
	@echo
	@echo "Done. Look at results/demo/figures/mutual_information.png and at results/demo/mutual_information.csv."
	@echo "EfficientNet-Lite0 is pretrained on ImageNet. AlexNet, ResNet-18 and Inception-v3 are UNTRAINED here"
	@echo "(random weights, no download): their correlation with Brain-Score shows the machinery, not a result."

study: .venv/installed  ## the published study: 12 CNNs on the Describable Textures Dataset (downloads 2 GB; 55 GB of disk)
	snakemake --cores $(CORES) --logger texalign

report: .venv/installed  ## results/<study>/report/index.html, report.zip, RO-Crate; CONFIG=config/demo.yaml for the demo's
	snakemake html_report report describe_run --cores $(CORES) --logger texalign --configfile $(or $(CONFIG),config/config.yaml)

# The picture is in git: chromium is needed to make it anew, not to have it.
picture: .venv/installed-dev  ## docs/images/report.png, the README's picture, from the demo's report (needs chromium)
	$(MAKE) report CONFIG=config/demo.yaml
	python docs/picture.py results/demo/report networks/efficientnet_lite0/L4.html docs/images/report.png

layers: .venv/installed  ## a network's modules with channels, positions, depth, Gram size: MODEL=resnet50
	@test -n "$(MODEL)" || { echo "name a key of config/models.yaml: make layers MODEL=resnet50"; exit 1; }
	@snakemake results/layers/$(MODEL).tsv --cores 1 --quiet rules progress host reason $(if $(CONFIG),--configfile $(CONFIG))
	@column -t -s $$'\t' results/layers/$(MODEL).tsv

test: .venv/installed-dev  ## the tests (10 minutes on 2 cores)
	OMP_NUM_THREADS=1 pytest --numprocesses 2 --dist worksteal

test-runs: .venv/installed-dev  ## whole runs: killed and gone on with, again from nothing, from a git URL (10 minutes on 2 cores)
	OMP_NUM_THREADS=1 pytest --numprocesses 2 --dist worksteal -m runs $(or $(RUNS),tests/unit/test_more.py tests/workflow tests/integration)

test-fuzz: .venv/installed-dev  ## every kind of file that a run reads, damaged in many ways (2 minutes on 2 cores)
	OMP_NUM_THREADS=1 pytest -m fuzz tests/integration/test_fuzz.py

test-browser: .venv/installed-dev  ## the report's pages in a real chromium (skipped, with a reason, where there is none)
	pytest -m browser tests/browser

test-slurm: .venv/installed-dev  ## the profile for Slurm on a real one, started here (root; see docs/cluster.md)
	pytest -m slurm tests/slurm

.venv-ndd:
	envs/ndd-pip.sh .venv-ndd || { rm -rf .venv-ndd; exit 1; }

test-ndd: .venv/installed-dev .venv-ndd  ## our entropies against the package ndd, built here (needs gfortran)
	pytest tests/integration/test_ndd.py

bench: .venv/installed-dev  ## every step against the plain way, with ratios: results/bench/benchmark.md
	snakemake --snakefile bench/Snakefile --cores $(CORES) --quiet rules

lint: .venv/installed-dev  ## ruff, snakefmt, snakemake --lint
	ruff check .
	ruff format --check .
	snakefmt --check .
	snakemake --lint --configfile config/demo.yaml

format: .venv/installed-dev  ## let ruff and snakefmt write
	ruff check --fix .
	ruff format .
	snakefmt .

docs: .venv-docs/installed  ## the documentation as a site: site/index.html
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet

# Versions in the lock files stay while they may; `make lock UPGRADE=--upgrade` takes the newest ones. torch
# and what comes with its CUDA builds alone are taken out again: see .venv/installed.
LOCK = uv pip compile $(UPGRADE) --quiet --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --no-annotate --custom-compile-command "make lock"
lock: .venv/installed-dev  ## envs/lock*.txt anew, after a change in envs/*.txt
	$(LOCK) envs/requirements.txt -o envs/lock.txt
	$(LOCK) envs/dev.txt -c envs/lock.txt -o envs/lock-dev.txt
	$(LOCK) envs/docs.txt -o envs/lock-docs.txt
	sed -i.old -E '/^(torch|torchvision|triton|nvidia-[a-z0-9-]+|cuda-[a-z]+)==/,/[^\\]$$/d' envs/lock.txt envs/lock-dev.txt
	rm envs/lock.txt.old envs/lock-dev.txt.old

envs: .venv/installed  ## envs/*.yaml anew, after a change in envs/*.txt
	python envs/write_yaml.py

clean:  ## remove the demo's results
	rm -rf results/demo
