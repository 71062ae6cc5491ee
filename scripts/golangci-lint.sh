#!/bin/sh
# Runs golangci-lint with .golangci.yml. The version is fixed, so results change only
# when we update it. The first run builds golangci-lint, which takes some minutes. If
# that fails, golangci-lint is left out, and the summary of make test says so.
set -eu
cd "$(dirname "$0")/.."

go=${GO:-go}
tool=github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
if ! "$go" run "$tool" version >/dev/null 2>&1; then
	echo "golangci-lint: left out, $tool cannot be fetched or built here"
	printf 'no\tgolangci-lint, which cannot be fetched or built here\tlinters beyond go vet\n' >>"${TRAPLINE_TEST_LEFT_OUT:-/dev/null}"
	exit 0
fi
"$go" run "$tool" run ./...
