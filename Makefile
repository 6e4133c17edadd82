# Everything that is done with this repository. Go is enough for most of it; lint, package, deploytest, deploy and remove need
# Node as well, and deploytest Python.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The processor that the deployed functions run on: arm64 or amd64.
ARCH ?= arm64
# The number of recipients of demo and bench; empty means the example's own list, 100000 for bench, and 10000000 for bench-plan.
N ?=
# What accident runs (naive or fanmail, empty means both), and where it writes result.json and the picture.
ONLY ?=
RESULT ?= bin/accident

# What deploy and remove work on: the stage, the region, and parameters of serverless.yml (PARAMS='databaseUrl=... subnetIds=a,b').
# The account is that of the AWS variables (AWS_PROFILE ...), as for every program of AWS.
STAGE ?=
REGION ?= $(or $(AWS_REGION),$(AWS_DEFAULT_REGION))
PARAMS ?=
ifneq ($(filter deploy remove,$(MAKECMDGOALS)),)
$(if $(STAGE),,$(error STAGE is not given: make $(MAKECMDGOALS) STAGE=prod REGION=eu-west-1))
$(if $(REGION),,$(error REGION is not given, and AWS_REGION is not set: make $(MAKECMDGOALS) STAGE=$(STAGE) REGION=eu-west-1))
endif
# What a parameter is, after all are checked.
RESOLVED = node_modules/.bin/osls print --format text $(ON_STAGE) $(PARAMETERS) --path custom.fanmail.
ON_STAGE := --stage '$(STAGE)' --region '$(REGION)'
PARAMETERS := --param architecture=$(ARCH:amd64=x86_64) $(foreach p,$(PARAMS),--param '$p')
# osls wants parameters for every verb. To remove a stack, any will do.
ANY_PARAMETERS := --param databaseUrl=postgres://not-set.invalid/fanmail \
  --param databaseSecretArn=arn:aws:secretsmanager:$(REGION):000000000000:secret:not-set

FUNCTIONS := $(patsubst lambdas/%/main.go,%,$(wildcard lambdas/*/main.go))
# norpc leaves out the code of a runtime that AWS has retired.
TAGS := -tags lambda.norpc
# The race detector needs a C compiler. Go says 0 where there is none.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)
NODE := node_modules/.installed
# What checks the deployment and is written in Python: cfn-lint and moto. PYTHON= leaves these checks out.
PYTHON := bin/python/.installed
# The processor of this machine.
NATIVE := $(shell go env GOHOSTARCH)
GO_FOLDERS := $(wildcard *.go cmd deploytest examples experiment lambdas local serverless shared statemachine)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: bin/fanmail $(FUNCTIONS:%=bin/lambdas/%/bootstrap) ## build the fanmail command and the functions for this machine

.PHONY: demo
demo: build ## run a whole campaign on this machine, without AWS (N=1000: with that many recipients)
	bin/fanmail demo $(if $(N),--recipients $(N))

.PHONY: test
test: ## run all tests, with the race detector where there is a C compiler
	$(if $(RACE),,@echo 'no C compiler: testing without the race detector')
	go test $(RACE) -shuffle=on -timeout 10m ./...

.PHONY: lint
lint: $(NODE) ## check format, code, import directions and the state machine
	@unformatted=$$(gofmt -l $(GO_FOLDERS)); [ -z "$$unformatted" ] || { echo "not formatted, run gofmt -w:" $$unformatted; exit 1; }
	go vet ./...
	GOOS=darwin go vet ./...
	go tool staticcheck ./...
	go test -count=1 -run 'TestImportsGoOneWay|TestOnlyTheFunctions|TestEachDirection' .
	node_modules/.bin/asl-validator --json-path statemachine/campaign.asl.json

# Each variant of the template, whatever this machine's environment and deployment.yml say.
VARIANTS := serverless/variants.txt
.PHONY: package
package: $(FUNCTIONS:%=bin/deploy/%.zip) $(NODE) ## build the deployment packages and the CloudFormation templates (ARCH=amd64: not for arm64)
	rm -rf bin/variants && mkdir -p bin/variants
	grep -v '^#' $(VARIANTS) | while read -r name parameters; do \
	  env -u DATABASE_URL -u DATABASE_AUTH -u DATABASE_SECRET_ARN -u DATABASE_ADMIN_SECRET_ARN -u DATABASE_ADMIN_URL -u DATABASE_CA \
	    FANMAIL_DEPLOYMENT=none.yml node_modules/.bin/osls package --region us-east-1 --package .serverless \
	    $$(printf ' --param %s' architecture=$(ARCH:amd64=x86_64) $$parameters) || exit 1; \
	  cp .serverless/cloudformation-template-update-stack.json bin/variants/$$name.json; \
	done
	FANMAIL_VARIANTS=$(CURDIR)/bin/variants go test -count=1 ./serverless

# The parameters are looked at before anything is built, the account's limits before anything is created.
.PHONY: deploy
deploy: $(NODE) ## deploy to AWS (STAGE=prod REGION=eu-west-1 PARAMS='databaseUrl=...')
	@reserved=$$($(RESOLVED)reservedConcurrency) || { echo "$$reserved"; exit 1; }; \
	$(MAKE) --no-print-directory bin/fanmail $(FUNCTIONS:%=bin/deploy/%.zip); \
	if [ "$$reserved" = functions ]; then bin/fanmail budget --account --senders "$$($(RESOLVED)senders)" $(ON_STAGE); fi
	node_modules/.bin/osls deploy $(ON_STAGE) $(PARAMETERS)
	@echo "Next: bin/fanmail migrate --stage '$(STAGE)' --region '$(REGION)'   makes the tables, or updates them"
	@echo "      bin/fanmail doctor --stage '$(STAGE)' --region '$(REGION)'    looks whether all is ready for a campaign"

.PHONY: remove
remove: $(NODE) ## remove a deployment from AWS (STAGE=prod REGION=eu-west-1), all but its bucket and its tables
	@info=$$(node_modules/.bin/osls info --verbose $(ON_STAGE) $(ANY_PARAMETERS)) || { echo "$$info"; exit 1; }; \
	bucket=$$(awk '$$1 == "Bucket:" { print $$2 }' <<<"$$info"); \
	node_modules/.bin/osls remove $(ON_STAGE) $(ANY_PARAMETERS); \
	echo "Left, because nobody can bring them back:"; \
	echo "  the bucket $${bucket:-of the campaigns}, with folders and reports. To remove it: empty it in the S3 console, then aws s3 rb s3://$${bucket:-NAME}"; \
	echo "  the tables and the role of the functions. To remove them: drop schema fanmail cascade, in the database, then drop the role"

.PHONY: deploytest
deploytest: package $(FUNCTIONS:%=bin/native/%.zip) bin/fanmail $(PYTHON) ## check what package made: osls, moto, cfn-lint, asl-validator, the zips (PYTHON=: without Python)
	$(if $(PYTHON),,@echo 'SKIPPED: without Python there is no cfn-lint and no moto')
	FANMAIL_ZIPS=$(CURDIR)/bin/native FANMAIL_PYTHON=$(if $(PYTHON),$(CURDIR)/bin/python/bin) go test -count=1 -v -timeout 15m ./deploytest

.PHONY: bench
bench: build bench-start ## measure messages per second against the bare loop (N=100000), and how fast the functions start
	bin/fanmail bench --recipients $(or $(N),100000)

.PHONY: bench-start
bench-start: $(FUNCTIONS:%=bin/deploy/$(NATIVE)/%/bootstrap) ## measure how long the functions take to start
	CGO_ENABLED=0 go build $(TAGS) -trimpath -ldflags "-s -w" -o bin/coldstart/baseline/bootstrap ./experiment/coldstart/baseline
	go build -o bin/coldstart/coldstart ./experiment/coldstart
	bin/coldstart/coldstart bin/coldstart/baseline/bootstrap $(FUNCTIONS:%=bin/deploy/$(NATIVE)/%/bootstrap)

.PHONY: bench-plan
bench-plan: ## measure how long planning the manifest of a large list takes (N=10000000)
	FANMAIL_BENCH_RECIPIENTS=$(or $(N),10000000) go test -run '^$$' -bench BenchmarkPlanningTheManifest -benchtime 3x -timeout 60m ./shared/ledger

.PHONY: bench-rate
bench-rate: build ## show how exactly 20 senders of two campaigns keep SES's limit (N=6000 RATE=200)
	go build -o bin/rate/rate ./experiment/rate
	bin/rate/rate --recipients $(or $(N),6000) --rate $(or $(RATE),200)

# The picture is drawn by a program of its own, so that its libraries are in none of Fanmail's.
.PHONY: accident
accident: $(FUNCTIONS:%=bin/lambdas/%/bootstrap) ## mail a list as in the original accident and then with Fanmail (N=20000 ONLY=fanmail)
	go build $(TAGS) -o bin/accident/naive/bootstrap ./experiment/accident/naive
	go build -o bin/accident/accident ./experiment/accident
	go build -o bin/accident/chart ./experiment/accident/chart
	@mkdir -p $(RESULT) && rm -f $(RESULT)/result.json; status=0; \
	bin/accident/accident --recipients $(or $(N),20000) $(if $(ONLY),--only $(ONLY)) --out $(RESULT) || status=$$?; \
	if [ -f $(RESULT)/result.json ]; then \
	  bin/accident/chart $(RESULT)/result.json $(RESULT)/accident.svg $(RESULT)/accident.png && echo "The picture: $(RESULT)/accident.svg"; \
	fi; exit $$status

# Everything that a run needs it starts itself; a run that went wrong says where its files are.
KILLS ?= 1000
RESTARTS ?= 0
SEED ?= 1
RATE ?=
.PHONY: chaos
chaos: build ## mail a list while senders are killed and all else fails (N=50000 KILLS=1000 RESTARTS=10)
	go build -o bin/chaos/chaos ./experiment/chaos
	bin/chaos/chaos --recipients $(or $(N),50000) --kills $(KILLS) --restarts $(RESTARTS) --seed $(SEED) $(if $(RATE),--rate $(RATE))

.PHONY: docs
docs: ## write docs/cli.md from the commands
	go test -count=1 -run TestTheManualSaysWhatTheCommandsSay ./cmd/fanmail -write-manual

.PHONY: clean
clean: ## remove what these targets made
	rm -rf bin .serverless node_modules

# Go itself knows what is up to date, so it is always asked.
.PHONY: FORCE
FORCE:

bin/fanmail: FORCE
	go build -o $@ ./cmd/fanmail

bin/lambdas/%/bootstrap: FORCE
	go build $(TAGS) -o $@ ./lambdas/$*

# Without paths, symbols and the commit in it, the same code gives the same bytes. The folder names the processor: the program
# of send for arm64 is bin/deploy/arm64/send/bootstrap.
.PRECIOUS: bin/deploy/%/bootstrap
bin/deploy/%/bootstrap: FORCE
	CGO_ENABLED=0 GOOS=linux GOARCH=$(*D) go build $(TAGS) -trimpath -buildvcs=false -ldflags "-s -w" -o $@ ./lambdas/$(*F)

bin/deploy/%.zip: bin/deploy/$(ARCH)/%/bootstrap FORCE
	go run ./cmd/lambdazip $@ $<

# The same for the processor of this machine, to be started here.
bin/native/%.zip: bin/deploy/$(NATIVE)/%/bootstrap FORCE
	@mkdir -p $(@D)
	go run ./cmd/lambdazip $@ $<

$(NODE): package.json package-lock.json .npmrc
	npm ci
	@touch $@

bin/python/.installed: deploytest/requirements.txt
	python3 -m venv bin/python
	bin/python/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
