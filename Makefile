# make test   what CI runs: installs what it needs, then vet and all tests
# make race   the tests under the race detector
# make bench  the figures of this machine; make bench-peers the ratios against PyTorch and NumPy
# make bits   the same bits on GOAMD64=v1, v3 and on arm64 under qemu
# make soak   the long suites: 50 kills, coverage of intervals, a minute of fuzzing each target

GO ?= go

.PHONY: test race bench bench-peers bits soak fuzz kills coverage docs tools

test: tools
	$(GO) vet ./...
	$(GO) test -timeout 14m ./...
	bench/bits.sh

race:
	$(GO) test -race -timeout 30m ./...

bench:
	$(GO) run ./cmd/overnight bench
	$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/... ./envs/... ./agents/... ./jobs/... ./results/... ./worker/...

bench-peers:
	bench/peers/run.sh

bits: tools
	bench/bits.sh

soak: kills coverage fuzz

kills:
	$(GO) test -count=1 -timeout 60m -run 'TestKills|TestFailpoints' -v ./cmd/overnight -args -kills 50

coverage:
	$(GO) test -count=1 -timeout 60m ./results/stats -args -long

fuzz:
	bench/fuzz.sh

docs:
	$(GO) run ./cmd/overnight envs --markdown > docs/environments.md
	$(GO) run ./cmd/overnight agents --markdown > docs/agents.md

# What the tests use beside Go, from Debian's packages; nothing is done where it is there.
tools:
	bench/tools.sh
