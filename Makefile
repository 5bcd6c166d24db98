# Parley. `make help` lists what there is; everything is installed into this folder.

SHELL := /bin/sh
.DEFAULT_GOAL := help

.PHONY: help setup up down logs pushes mails status token chat replay doctor push-doctor missed-pushes reset soak simulate chaos load audit deploy adopt destroy cost bench check test lint format hooks
.PHONY: synth test-functions docs docs-serve release version

BIN := .venv/bin
# Ctrl-C waits until Python is far enough to end without a traceback, where this `env` can have it wait.
CALMLY := $(shell env --block-signal=INT true 2>/dev/null && echo env --block-signal=INT)
LOCAL = $(CALMLY) $(BIN)/python -S local/start.py local
OPS = $(CALMLY) $(BIN)/python -S local/start.py ops
TOOL = $(CALMLY) $(BIN)/python -S local/start.py local.tool
UV := .tools/uv/bin/uv
QUICK := tests/shared tests/functions tests/contracts tests/security tests/test_*.py tests/client/test_[!c]*.py \
	tests/client/test_c[!h]*.py "tests/simulation/test_simulation.py::test_no_history_breaks_a_promise[0]"
# Built with Go, where `make bench RIVALS=1` wants it.
CENTRIFUGO := github.com/centrifugal/centrifugo/v6@v6.9.1
USAGE := USERS HOURS CONNECTS PRIVATE GROUP GROUP_SIZE ONLINE CHANNEL READERS PACE REQUESTS IMAGES IMAGE_KB DOWNLOADS PUSHES MAILS KEPT_MONTHS
FUNCTIONS := connect disconnect message rest offline_push presence files events_out

# `USER` is also the login name, which is not meant by `make token`: only the command line counts. What was given goes on
# through the environment, since a shell would read names with quotes in them.
define need_user
	@$(if $(and $(findstring command,$(origin USER)),$(USER)),:,echo "Say who: make $@ USER=alice" >&2; exit 2)
endef

help:
	@echo "On this machine"
	@echo "  make up                      start the whole stack, deploy what has changed"
	@echo "  make chat USER=alice         chat in this terminal (TO=bob)"
	@echo "  make logs                    a line per request, and what else functions print (FOLLOW=1, LAST=500, RAW=1 for jq)"
	@echo "  make pushes                  what was pushed to devices (FOLLOW=1 goes on)"
	@echo "  make mails                   what was mailed (FOLLOW=1 goes on)"
	@echo "  make status                  what runs, where, and whether it is up to date; an error if not"
	@echo "  make token USER=alice        print a token (TTL=seconds, SCOPE=admin)"
	@echo "  make replay                  do again what is in the failure queues (DRY=1 only shows it, QUEUE=name)"
	@echo "  make doctor                  look at all that the stack does, step by step, with causes and remedies (LONG=1)"
	@echo "  make push-doctor USER=alice  say why alice's devices got nothing"
	@echo "  make missed-pushes SINCE=24h push what was missed while the push function was down (DRY=1 only shows it)"
	@echo "  make down                    stop it; its state stays"
	@echo "  make reset                   stop it and wipe its state and logs (YES=1 does not ask)"
	@echo "  make cost USERS=10000        what a month costs in AWS, by service ($(USAGE); JSON=1)"
	@echo "In AWS"
	@echo "  make deploy                  deploy to the account of your credentials"
	@echo "  make doctor AWS=1            look at it there, as its client and its operator (DEVICE=alice/phone pushes to one, ADDRESS=a@b.com asks SES)"
	@echo "  make replay AWS=1            do again there what failed (also: push-doctor, missed-pushes)"
	@echo "  make adopt                   before a deploy: take over the data that a deleted stack has left (DRY=1 only shows it)"
	@echo "  make destroy                 delete it there (YES=1 does not ask)"
	@echo "For developers"
	@echo "  make check                   for every change: format, lint, types, layers and the quick tests"
	@echo "  make test                    the whole gate: the same, and all tests"
	@echo "  make soak MINUTES=30         random users on the running stack, who must all see the same"
	@echo "  make simulate HISTORIES=9999 faults and races in virtual time (SEED=7 HISTORIES=1 shows one)"
	@echo "  make chaos MINUTES=10        real clients while network, DynamoDB and functions fail, on a stack of its own"
	@echo "  make load MINUTES=10         storms, floods and a full house on the local stack, memory watched"
	@echo "  make bench                   what everything takes, beside others (ONLY=counted, ROUNDS=5, RIVALS=1 with Go, WRITE=1 for docs)"
	@echo "  make docs                    build the docs site in .build/site (make docs-serve shows it, PORT=4590)"
	@echo "  make release                 build all that is handed out, with checksums, in .build/release (make version V=0.2.0 begins one)"
	@echo "  make audit                   attack what is here, ask about known vulnerabilities"
	@echo "  make test-functions          each function's tests with its own dependencies alone"
	@echo "  make lint, format, synth     style and types; fix the style; the CloudFormation templates"
	@echo "  make hooks                   have git refuse commits that are not formatted or break a rule of ruff"
	@echo "  make setup                   install what is missing, which every command does first"
	@echo "PYTHON=/path/to/python3 names the Python that everything is installed with, once."
	@echo "PARLEY_PORT (4577) and PARLEY_HOME (.parley) say where the local stack listens and lives."

setup:
	@CALMLY="$(CALMLY)" sh local/setup.sh

up: setup
	@$(LOCAL) up

down: setup
	@$(LOCAL) down

logs: setup
	@$(LOCAL) logs $(if $(FOLLOW),--follow) $(if $(RAW),--raw) $(if $(LAST),--last "$$LAST")

pushes: setup
	@$(LOCAL) pushes $(if $(FOLLOW),--follow)

mails: setup
	@$(LOCAL) mails $(if $(FOLLOW),--follow)

status: setup
	@$(LOCAL) status

token: setup
	$(need_user)
	@$(LOCAL) token --user "$$USER" $(if $(TTL),--ttl "$$TTL") $(if $(SCOPE),--scope "$$SCOPE")

chat: setup
	$(need_user)
	@$(LOCAL) chat --user "$$USER" $(if $(TO),--to "$$TO")

# DROP=1 takes out what can't be done again: a stream keeps its records for 24 hours.
replay: setup
	@$(OPS) replay $(if $(AWS),--aws) $(if $(QUEUE),--queue "$$QUEUE") $(if $(DRY),--dry) $(if $(DROP),--drop)

# Users and conversations of its own, taken away at its end. LONG=1 takes ten minutes more.
doctor: setup
	@$(OPS) doctor $(if $(AWS),--aws) $(if $(LONG),--long) $(if $(DEVICE),--device "$$DEVICE") $(if $(APP_ID),--app-id "$$APP_ID") \
		$(if $(ADDRESS),--address "$$ADDRESS") $(if $(TOKENS),--tokens $$TOKENS)

push-doctor: setup
	$(need_user)
	@$(OPS) push-doctor --user "$$USER" $(if $(AWS),--aws)

# SINCE=24h, or a time; DRY=1 only shows what would be pushed.
missed-pushes: setup
	@$(if $(SINCE),:,echo "Say since when: make missed-pushes SINCE=24h" >&2; exit 2)
	@$(OPS) missed-pushes --since "$$SINCE" $(if $(UNTIL),--until "$$UNTIL") $(if $(DRY),--dry) $(if $(AWS),--aws)

# Random users on the running stack; at the end everybody must have seen the same.
soak: setup
	@$(TOOL) tests.soak $(if $(MINUTES),--minutes "$$MINUTES") $(if $(USERS),--users "$$USERS") $(if $(SEED),--seed "$$SEED")

# The same histories again for the same SEED; PLANTED="…" puts a bug in and looks for it.
simulate: setup
	@$(TOOL) tests.simulation $(if $(HISTORIES),--histories "$$HISTORIES") $(if $(SEED),--seed "$$SEED") $(if $(KEEP),--keep "$$KEEP") $(if $(PLANTED),--planted "$$PLANTED")

chaos: setup
	@$(TOOL) tests.chaos $(if $(MINUTES),--minutes "$$MINUTES") $(if $(SEED),--seed "$$SEED")

load: setup
	@$(TOOL) tests.load $(if $(MINUTES),--minutes "$$MINUTES") $(if $(USERS),--users "$$USERS")

audit: setup
	@$(TOOL) tests.security $(if $(OFFLINE),--offline)

reset: setup
	@$(LOCAL) reset $(if $(YES),--yes)

deploy: setup
	@$(OPS) deploy $(if $(AFRESH),--afresh)

# NAMES="a b" says which are meant, where several stacks have left theirs.
adopt: setup
	@$(OPS) adopt $(if $(NAMES),--names $$NAMES) $(if $(DRY),--dry)

cost: setup
	@$(BIN)/python -m benchmarks.bill $(if $(JSON),--json) \
		$(foreach name,$(USAGE),$(if $(findstring command,$(origin $(name))),--$(name)="$$$(name)"))

# ONLY="a call" measures some of the suites, ROUNDS is how often, WRITE=1 makes docs/benchmarks.md anew.
bench: setup
ifneq ($(RIVALS),)
	@GOBIN="$(CURDIR)/.tools/rivals" go install $(CENTRIFUGO)
endif
	@$(BIN)/python -m benchmarks --rounds $(or $(ROUNDS),5) $(if $(ONLY),--only "$$ONLY") $(if $(WRITE),--write)

destroy: setup
	@$(OPS) destroy $(if $(YES),--yes)

# Of all tests those that show most for their time: few examples of each property, DynamoDB as it is simulated.
check: lint
	@$(BIN)/python -m pytest -q --no-header -n 2 --dist loadgroup --hypothesis-profile quick \
		-m "not stack and not slow" -k "not moto and not emulator" $(QUICK)

test: lint test-functions
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

# Every function has its tests run where nothing but its own dependencies and the test runner can be imported: two at a time.
test-functions: setup
	@printf '%s\n' $(FUNCTIONS) | xargs -n 1 -P 2 sh -c ' \
		said=$$(env -u VIRTUAL_ENV UV_PYTHON_DOWNLOADS=never UV_PYTHON=$(BIN)/python $(UV) run --quiet --frozen --isolated \
			--no-default-groups --only-group $$0 --only-group test-runner \
			python -m pytest -q --no-header tests/functions/$$0 2>&1) && failed=0 || failed=1; \
		printf "functions/%s\n%s\n" "$$0" "$$said"; exit $$failed'

lint: setup
	@$(BIN)/ruff check --quiet --output-format concise
	@$(BIN)/ruff format --check --quiet || { echo "error: some files are not formatted; run: make format" >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@output=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$output"; exit 1; }
	@output=$$(node_modules/.bin/biome check 2>&1) || { echo "$$output"; exit 1; }
	@npm run --silent types

format: setup
	@$(BIN)/ruff check --quiet --fix
	@$(BIN)/ruff format --quiet
	@node_modules/.bin/biome check --write --log-level=warn

hooks: setup
	@git config core.hooksPath .githooks
	@echo "Commits are checked from now on (.githooks/pre-commit). To end it: git config --unset core.hooksPath"

# PARLEY_DOCS_BASE=/parley/ where it is served below a folder.
docs: setup
	@$(BIN)/python -m website build

docs-serve: setup
	@$(BIN)/python -m website serve $(if $(PORT),--port "$$PORT")

# Of the commit: what is not committed is refused. docs/compatibility.md says how a release is made.
release: setup
	@$(BIN)/python -m release build

# V=0.2.0 writes it everywhere; without V it is checked to be one, and said.
version: setup
	@$(BIN)/python -m release version $(if $(V),"$$V")

synth: setup
	@PATH="$(CURDIR)/$(BIN):$(CURDIR)/.tools/uv/bin:$$PATH" node_modules/.bin/cdk synth --quiet
	@echo "The templates are in cdk.out/"
