# `make help` tells what there is. The logic is in tests/tools.
PYTHON := .venv/bin/python
TOOL := $(PYTHON) tests/tools
PLUGINS := .cache/collections/ansible_collections/selfhosted/lago/plugins
OWN := $(wildcard roles/stack/files tests demo bench molecule)
COVERED := $(foreach kind,module_utils plugin_utils filter action,--cov=plugins/$(kind)) --cov=roles/stack/files

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONPATH := $(CURDIR)/tests
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.cache/collections

.DEFAULT_GOAL := help

##@ Once
.venv/.stamp: requirements.txt constraints.txt tests/tools/make_venv.py
	@python3 tests/tools/make_venv.py

.PHONY: venv
venv: .venv/.stamp ## the environment that everything below runs in (made by itself where it is needed)
	@python3 tests/tools/make_venv.py

##@ Tests, the quick ones first
.PHONY: lint
lint: venv ## ruff, mypy, ansible-lint (profile production)
	@failed=; \
	for check in "ruff check --output-format concise ." "ruff format --check --output-format concise ." \
	  "mypy $(PLUGINS) $(OWN)" "ansible-lint --nocolor -q"; do echo "+ $$check"; $$check || failed=1; done; \
	test -z "$$failed"

.PHONY: unit
unit: venv ## unit tests; shared code is covered to the last line
	pytest tests/unit $(COVERED) --cov-fail-under=100

.PHONY: house
house: venv ## nothing lacks its documentation, tests, declarations or manners
	pytest tests/house

.PHONY: sanity
sanity: venv ## ansible-test sanity
	$(TOOL)/sanity.py

.PHONY: build
build: venv ## build the collection, install the tarball, ask it for its documentation
	$(TOOL)/artifact.py

.PHONY: contract
contract: venv ## client and stand-in against what the real Lago answered
	pytest tests/contract

##@ Tests on servers
.PHONY: testbed testbed-down
testbed: venv ## engine, images, registry: makes what is missing
	$(PYTHON) -m testbed up

testbed-down: venv ## remove what the test bed runs; what was built stays
	$(PYTHON) -m testbed down

molecule-%: venv ## one scenario: make molecule-default
	molecule test -s $*

.PHONY: integration
integration: venv ## modules and roles against what the test bed runs
	pytest tests/integration tests/testbed

.PHONY: edge tls-report
edge: venv ## every configuration of the edge in a real Caddy: routes, headers, TLS
	pytest tests/edge

tls-report: export PYTHONPATH := $(CURDIR)/tests:$(CURDIR)/tests/tools
tls-report: venv ## docs/tls-report.md: what sslyze says of the edge
	$(PYTHON) -m edge.report

.PHONY: browser
browser: venv ## of molecule-tls_modes: a person with Chromium, one origin and two; pictures in .cache/browser
	pytest tests/browser

.PHONY: chaos chaos-by-chance
chaos: venv ## runs killed at every place, two at a time, every fault of an upgrade (some hours)
	pytest tests/chaos --all

chaos-by-chance: venv ## the same at a few places, chosen by a seed that is printed: the commit, or CHAOS_SEED
	pytest tests/chaos

.PHONY: leaks leaks-in-turns
leaks: export LEAKS := all
leaks leaks-in-turns: venv ## no secret is seen: every step on the oldest and the newest ansible-core
	pytest tests/leaks

.PHONY: test
test: venv ## everything above, in order; nothing is begun once something has failed
	@$(TOOL)/stages.py

##@ A server to look at
.PHONY: demo demo-down bench
demo: venv ## one server in a container on this machine, deployed by the playbook; safe to run again
	@$(PYTHON) demo/demo.py

demo-down: venv ## remove the demo and all that was built for it
	@$(PYTHON) demo/demo.py down

bench: demo ## what a converge costs, a first one and one with nothing to do, against doing it by hand
	@$(PYTHON) bench/noop.py
	@$(PYTHON) bench/first.py

##@ Other
.PHONY: docs
docs: venv ## docs/variables.md, from what the roles declare
	@$(TOOL)/variables.py

.PHONY: clean
clean: ## remove environments, caches and logs (not what the test bed built)
	rm -rf .venv .cache/venv.lock .cache/logs .cache/sanity .cache/build .cache/mypy .cache/pytest .ansible
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

.PHONY: help
help: ## this text
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z%-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
