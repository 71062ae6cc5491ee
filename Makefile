# trapline: `make` builds, `make demo` shows it at work, `make test` tests all that
# this machine allows. `make help` lists the rest.

GO        ?= go
PREFIX    ?= /usr/local
BPF_CLANG ?= clang-19
FUZZTIME  ?= 10s
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

COMMANDS := record report convert
LDFLAGS  := -s -w -X trapline/cmd/internal/cli.version=$(VERSION)

# Debian meta packages of the kernels that tests boot, and the packages with tests
# that depend on the kernel.
VM_KERNELS ?= linux-image-cloud-amd64 linux-image-6.12-cloud-amd64
VM_PKGS    ?= ./bpf ./capture ./internal/e2e

export GO BPF_CLANG VM_KERNELS VM_PKGS

.PHONY: build install generate check-generate test test-root test-vm cross bench demo lint vuln fuzz clean help

## build           the static programs bin/record, bin/report and bin/convert
build:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/ $(COMMANDS:%=./cmd/%)

## install         them as trapline-record, … in $(PREFIX)/bin: bare names would collide
install: build
	install -d $(DESTDIR)$(PREFIX)/bin
	for c in $(COMMANDS); do install -m 0755 bin/$$c $(DESTDIR)$(PREFIX)/bin/trapline-$$c || exit 1; done

## generate        the BPF objects and loaders, with clang 19 and libbpf's headers
generate:
	BPF2GO_CC=$(BPF_CLANG) $(GO) generate ./bpf

## check-generate  generate, and fail if the committed files differ
check-generate: generate
	git diff --exit-code -- bpf

## test            everything that this machine allows; ends by naming what was left out
##                 (with TRAPLINE_TEST_ROOT=1 leaving something out is a failure)
test: build
	scripts/test.sh

## test-root       the tests on this kernel, as root
test-root: build
	TRAPLINE_TEST_ROOT=1 $(GO) test -count=1 ./...

## test-vm         the tests that depend on the kernel, in virtual machines
test-vm: build
	scripts/test-vm.sh

## cross           that everything builds where it should
cross:
	GOOS=linux GOARCH=arm64 $(GO) vet ./...
	for os in darwin windows; do \
		GOOS=$$os $(GO) vet ./cmd/report ./cmd/convert ./analysis/... ./format/... && \
		GOOS=$$os $(GO) build -buildvcs=false -o /dev/null ./cmd/report && GOOS=$$os $(GO) build -buildvcs=false -o /dev/null ./cmd/convert || exit 1; done

## bench           costs and sizes beside perf's, as root (takes some minutes);
##                 ONLY=loop,uprobe: these measures alone; WRITE=native: put what
##                 hits cost into internal/cost, README.md and docs/benchmarks.md
bench: build
	@$(MAKE) -s -C testdata/targets OUT=$(CURDIR)/.cache/targets counter counter-nofp usdt many
	$(GO) run -buildvcs=false ./bench $(if $(ONLY),-only '$(ONLY)') $(if $(WRITE),-write '$(WRITE)')

## demo            records this machine for a few seconds and shows the results
demo: build
	@scripts/demo.sh

## lint            gofmt, go vet, golangci-lint and clang-format; names what it leaves out
lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "not formatted:" $$unformatted; exit 1; }
	$(GO) vet ./...
	scripts/golangci-lint.sh
	scripts/clang-format.sh

## vuln            govulncheck: known vulnerabilities that the code reaches
vuln:
	scripts/govulncheck.sh

## fuzz            every fuzz target for FUZZTIME
fuzz:
	scripts/fuzz.sh $(FUZZTIME)

## clean           what was built; .cache/vm, with the kernels, stays
clean:
	rm -rf bin .cache/targets

## help            this list
help:
	@sed -n 's/^## \{0,1\}//p' Makefile
