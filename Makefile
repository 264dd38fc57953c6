# make test   what CI runs: installs what it needs, then vet and all tests
# make race   the tests under the race detector
# make bench  the figures of this machine; make bench-peers the ratios against PyTorch and NumPy
# make lint  golangci-lint with .golangci.yml
# make bits   the same bits on GOAMD64=v1 and v3, with and without vector instructions, and on arm64 under qemu
# make browser  report and dashboard in headless Chromium: every control, axe-core, and the pictures of docs/images
# make soak   the long suites: 50 kills, coverage of intervals, a minute of fuzzing each target
# make chaos  every fault on every engine, twice (about half an hour); make campaign 1,008 kills an engine

GO ?= go

.PHONY: test lint race bench bench-peers bits soak fuzz kills coverage chaos campaign docs tools browser

test: tools
	$(GO) vet ./...
	$(GO) test -timeout 14m ./...
	cd internal/asm && $(GO) vet ./... && $(GO) test -count=1 ./...
	bench/bits.sh

browser: tools
	bench/tools.sh chromium
	cd bench/browser && $(GO) vet . && $(GO) test -count=1 -timeout 30m . -args -images $(CURDIR)/docs/images

lint:
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.6.2 run ./...

race:
	$(GO) test -race -timeout 30m ./...

bench:
	$(GO) run ./cmd/overnight bench
	$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/... ./envs/... ./agents/... ./jobs/... ./results/... ./worker/...

bench-peers:
	bench/peers/run.sh
	bench/peers/updates.sh
	bench/peers/bandits.sh

bits: tools
	bench/bits.sh

soak: kills coverage fuzz

kills:
	$(GO) test -count=1 -timeout 60m -run 'TestKills|TestFailpoints' -v ./cmd/overnight -args -kills 50

coverage:
	$(GO) test -count=1 -timeout 60m -v -run 'Coverage|TypeI' ./results/stats -args -long
	$(GO) test -count=1 -timeout 60m -v -run 'Coverage' ./results/stopping -args -long
	$(GO) test -count=1 -timeout 60m -v ./results/sensitivity -args -long

fuzz:
	bench/fuzz.sh

chaos: tools
	$(GO) build -o bin/overnight ./cmd/overnight
	for engine in embedded joined asynq nats; do bin/overnight chaos --engine $$engine --times 2 --idle 25 --work 25s || exit 1; done

campaign: tools
	$(GO) build -o bin/overnight ./cmd/overnight
	for engine in joined asynq nats; do bin/overnight chaos --engine $$engine --fault kill-worker --workers 16 --at-once 16 --times 63 --idle 40 || exit 1; done
	bin/overnight chaos --engine asynq --fault pause-worker --workers 16 --at-once 16 --times 63 --idle 40
	bin/overnight chaos --engine asynq --fault rolling-restart --workers 10 --times 20 --idle 30

docs:
	$(GO) run ./cmd/overnight envs --markdown > docs/environments.md
	$(GO) run ./cmd/overnight agents --markdown > docs/agents.md

# What the tests use beside Go, from Debian's packages; nothing is done where it is there.
tools:
	bench/tools.sh
