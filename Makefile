# The two commands of a newcomer are `make demo` and `make test`; plain `make` lists all.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
CORES ?= all
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help demo study report layers test test-slurm lint format clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

.venv/installed: envs/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "texalign needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r envs/requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed envs/dev.txt envs/cluster.txt
	.venv/bin/pip install --quiet --disable-pip-version-check -r envs/dev.txt
	@touch $@

demo: .venv/installed  ## the whole study in miniature, without any download, in about 2 minutes
	snakemake --cores $(CORES) --logger texalign --configfile config/demo.yaml
	@echo
	@echo "Done. Look at results/demo/figures/mutual_information.png and at results/demo/mutual_information.csv."
	@echo "EfficientNet-Lite0 is pretrained on ImageNet. AlexNet, ResNet-18 and Inception-v3 are UNTRAINED here"
	@echo "(random weights, no download): their correlation with Brain-Score shows the machinery, not a result."

study: .venv/installed  ## the published study: 12 CNNs on the Describable Textures Dataset (downloads 2 GB)
	snakemake --cores $(CORES) --logger texalign

report: .venv/installed  ## results/<study>/report.zip with all figures; CONFIG=config/demo.yaml for the demo's
	snakemake report --cores $(CORES) --logger texalign --configfile $(or $(CONFIG),config/config.yaml)

layers: .venv/installed  ## a network's modules with channels, positions, depth, Gram size: MODEL=resnet50
	@test -n "$(MODEL)" || { echo "name a key of config/models.yaml: make layers MODEL=resnet50"; exit 1; }
	@snakemake results/layers/$(MODEL).tsv --cores 1 --quiet rules progress host reason
	@column -t -s $$'\t' results/layers/$(MODEL).tsv

test: .venv/installed-dev  ## the tests (6 minutes on 2 cores)
	OMP_NUM_THREADS=1 pytest --numprocesses 2 --dist worksteal

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

clean:  ## remove the demo's results
	rm -rf results/demo
