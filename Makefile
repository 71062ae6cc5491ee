# trapline: `make` builds, `make demo` shows what it does, `make test` runs the tests.
# `make help` lists all targets.

GO        ?= go
PREFIX    ?= /usr/local
BPF_CLANG ?= clang-19
FUZZTIME  ?= 10s
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

COMMANDS := record report convert
LDFLAGS  := -s -w -X trapline/cmd/internal/cli.version=$(VERSION)

# Debian meta packages of the kernels that tests boot, and the Go packages whose tests
# depend on the kernel.
VM_KERNELS ?= linux-image-cloud-amd64 linux-image-6.12-cloud-amd64
VM_PKGS    ?= ./bpf ./capture ./capture/predicate ./capture/teach ./internal/e2e

export GO BPF_CLANG VM_KERNELS VM_PKGS

.PHONY: build install generate check-generate test test-root test-vm cross bench demo lint vuln fuzz clean help

## build           build the static programs bin/record, bin/report and bin/convert
build:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/ $(COMMANDS:%=./cmd/%)

## install         install them as trapline-record, … in $(PREFIX)/bin: plain names would collide
install: build
	install -d $(DESTDIR)$(PREFIX)/bin
	for c in $(COMMANDS); do install -m 0755 bin/$$c $(DESTDIR)$(PREFIX)/bin/trapline-$$c || exit 1; done

## generate        rebuild the BPF objects and loaders (clang 19, llvm-strip 19, libbpf's headers)
generate:
	BPF2GO_CC=$(BPF_CLANG) $(GO) generate ./bpf

## check-generate  generate, and fail if the committed files differ
check-generate: generate
	git diff --exit-code -- bpf

## test            run all tests that this machine allows, and list what was left out
##                 (with TRAPLINE_TEST_ROOT=1, leaving a test out is a failure, unless the
##                 machine itself lacks what it needs)
test: build
	scripts/test.sh

## test-root       run the tests on this kernel, as root
test-root: build
	TRAPLINE_TEST_ROOT=1 $(GO) test -count=1 ./...

## test-vm         run the tests that depend on the kernel, in virtual machines
test-vm: build
	scripts/test-vm.sh

## cross           check that everything builds for the other systems it supports
cross:
	GOOS=linux GOARCH=arm64 $(GO) vet ./...
	for os in darwin windows; do \
		GOOS=$$os $(GO) vet ./cmd/report ./cmd/convert ./analysis/... ./format/... && \
		GOOS=$$os $(GO) build -buildvcs=false -o /dev/null ./cmd/report && GOOS=$$os $(GO) build -buildvcs=false -o /dev/null ./cmd/convert || exit 1; done

## bench           measure costs and sizes next to perf, as root; takes some minutes
##                 (ONLY=loop,uprobe: only these; WRITE=native: update the costs per hit
##                 in internal/cost, README.md and docs/benchmarks.md)
bench: build
	@$(MAKE) -s -C testdata/targets OUT=$(CURDIR)/.cache/targets counter counter-nofp usdt many
	$(GO) run -buildvcs=false ./bench $(if $(ONLY),-only '$(ONLY)') $(if $(WRITE),-write '$(WRITE)')

## demo            record this machine for a few seconds and show the results
demo: build
	@scripts/demo.sh

## lint            run gofmt, go vet, golangci-lint and clang-format; name what is left out
lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "not formatted:" $$unformatted; exit 1; }
	$(GO) vet ./...
	scripts/golangci-lint.sh
	scripts/clang-format.sh

## vuln            look for known vulnerabilities with govulncheck
vuln:
	scripts/govulncheck.sh

## fuzz            run every fuzz target for FUZZTIME
fuzz:
	scripts/fuzz.sh $(FUZZTIME)

## clean           remove what was built, but keep the kernels in .cache/vm
clean:
	rm -rf bin .cache/targets

## help            print this list
help:
	@sed -n 's/^## \{0,1\}//p' Makefile
