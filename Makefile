# The two commands for a fresh machine are `make daily` and `make test`. `make help` lists all targets.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SILENT:

# The first Python that is new enough.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
# Your own inventory for `make daily`. Without it, the sample run on this machine.
INVENTORY ?=
# The systems of `make test-platforms`, such as SUITES=trixie. Without it, all systems.
SUITES ?=
# Further options of ansible-playbook, such as ARGS='--check --diff'.
ARGS ?=

bin := .venv/bin
playbook := $(bin)/ansible-playbook $(if $(INVENTORY),--inventory '$(INVENTORY)') $(ARGS)
pytest := $(bin)/python -m pytest --quiet --numprocesses auto --dist loadgroup --no-loadscope-reorder --no-header

.PHONY: help
help: ## List all targets
	sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

.PHONY: daily
daily: .venv/ready ## Set up a log host, then start a run: this machine with sample logs, or INVENTORY=…
	$(playbook) fedora_infra.dnf_counting.deploy
	$(playbook) fedora_infra.dnf_counting.daily

.PHONY: test
test: .venv/ready .venv/programs ## Run the gates and all tests: unit, parity, integration, faults, molecule
	$(pytest) tests

.PHONY: test-order
test-order: .venv/ready ## Run quick tests in a random order; ARGS='--random-order-seed=…' repeats an order
	$(bin)/python -m pytest --quiet --no-header -p no:xdist --random-order-bucket=global $(ARGS) tests/unit tests/parity tests/faults

.PHONY: test-platforms
test-platforms: .venv/ready ## Run the sample run and quick tests on Debian 13 and on Debian testing; needs root
	$(bin)/python tests/platforms.py $(SUITES)

.PHONY: lint
lint: .venv/ready ## Run the gates, which every change must pass
	$(bin)/python tests/lint/gates.py

.PHONY: bench
bench: .venv/ready .venv/programs ## Compare the speed with the programs of the earlier system; takes minutes
	.ci/install awstats goaccess xz-utils || echo 'bench: without these peers'
	for bench in tests/bench/bench_*.py; do echo "== $$bench"; $(bin)/python "$$bench" || exit 1; done

.PHONY: requirements
requirements: .venv/ready ## Pin the libraries of the log host with hashes; needs a package index
	$(bin)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-header --no-annotate --no-emit-index-url --output-file .venv/pinned roles/web_data_analysis/files/requirements.in
	# all of it as wheels, for each Python
	for version in 3.11 3.12 3.13 3.14; do \
		$(bin)/uv pip compile --quiet --python-version $$version --python-platform linux --only-binary :all: .venv/pinned \
			--output-file .venv/wheels || exit 1; \
	done
	{ echo "# Made by 'make requirements': what the log host's environment holds, for Python 3.11 to 3.14."; \
		cat .venv/pinned; } > roles/web_data_analysis/files/requirements.txt

.PHONY: clean
clean: ## Remove all files that make has made
	if [ -d sample-run/rsyncd ] && [ -x $(bin)/python ]; then $(bin)/python sample/log_hosts.py stop sample-run; fi
	rm -rf .venv build sample-run tests/output .ansible .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment, in which the collection is a link to this checkout: so ansible, ansible-doc and
# ansible-playbook find it without any setting.
.venv/ready: requirements.txt requirements-dev.txt Makefile .ci/environment
	[ -n '$(PYTHON)' ] || { echo 'make: no Python 3.11 or newer found; set PYTHON=…' >&2; exit 1; }
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || .ci/install python3-venv
	[ -x $(bin)/pip ] || $(PYTHON) -m venv .venv
	.ci/environment
	packages=$$($(bin)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
		&& mkdir -p "$$packages/ansible_collections/fedora_infra" \
		&& ln -sfn '$(CURDIR)' "$$packages/ansible_collections/fedora_infra/dnf_counting"
	touch $@

# What the tests need beside the environment, as root all at once: rsync; a real broker for messages; a
# browser and a web server for the pages; the schedules, for real, on a throw-away copy of this machine;
# namespaces with log hosts in them. Without root, tests that need more than the first two may be skipped.
.venv/programs: .venv/ready .ci/install
	if [ $$(id -u) -eq 0 ]; then \
		.ci/install rsync chromium nginx-light git cron faketime openssh-server sudo systemd systemd-container iproute2; \
	else command -v rsync >/dev/null || .ci/install rsync; fi
	[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || .ci/install rabbitmq-server || echo 'make: without tests of messages'
	touch $@
