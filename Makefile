# Every target works in a fresh clone; .make/setup does nothing when .venv is up to date.
.PHONY: help demo test soak lint format bench protos docs baseline requirements advisories clean
.DEFAULT_GOAL := help
bin := .venv/bin

# Node 18, which Debian 12 has, keeps from programs what node-opcua needs.
test soak bench: export NODE_OPTIONS = $(if $(filter v18.%,$(shell node --version 2>/dev/null)),--experimental-global-webcrypto)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

demo: ## a simulated bottling line; Ctrl-C ends it
	@.make/setup
	@$(bin)/bedplate demo $(ARGS)

# Tests mostly wait for processes, so there is one worker more than there are processors; a file stays whole,
# and they begin in the order of tests/conftest.py.
workers = $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

test: ## everything: style, types, layers, protos, behaviour; make test ARGS='-k words'
	@.make/setup dev
	@$(bin)/pytest -n $(workers) --dist loadfile --no-loadscope-reorder $(ARGS)

soak: ## the long runs: full counts, a fault every five seconds; an hour and more
	@.make/setup dev
	@BEDPLATE_SOAK=1 $(bin)/pytest -n $(workers) --dist loadfile --no-loadscope-reorder -m "soak or counted" -o timeout=7200 $(ARGS)

lint: ## style, types, layers and protos only
	@.make/setup dev
	@$(bin)/pytest -q tests/test_tools.py

format: ## put the Python files into the house format
	@.make/setup dev
	@$(bin)/ruff check -q --fix-only . && $(bin)/ruff format -q .

bench: ## measure; prints a table; make bench ARGS='a c --quick'
	@.make/setup dev
	@$(bin)/python -m tests.benchmarks $(ARGS)

protos: ## write core/bedplate/<area>/v1 from protos/
	@.make/setup dev
	@.make/protos

docs: ## write the parts of docs/ that are made from the code
	@.make/setup dev
	@$(bin)/python -m tests.docs.reference

baseline: ## renew protos/baseline.binpb; refuses what would break a peer
	@.make/setup dev
	@[ ! -e protos/baseline.binpb ] || $(bin)/buf breaking protos --against protos/baseline.binpb
	@$(bin)/buf build protos --as-file-descriptor-set --exclude-source-info -o protos/baseline.binpb

requirements: ## pin .make/*.txt again; make requirements ARGS=--upgrade
	@.make/lock $(ARGS)

advisories: ## ask whether a pinned library has a known weakness; needs the network
	@.make/advisories

clean: ## remove the environments and what the tools left behind
	@rm -rf .venv .venv-codegen .pytest_cache .mypy_cache .ruff_cache .import_linter_cache \
		.hypothesis dist build tests/peers/node_modules
	@find core plugins tests -name __pycache__ -prune -exec rm -rf {} +
