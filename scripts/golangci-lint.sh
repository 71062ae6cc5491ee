#!/bin/sh
# Runs golangci-lint with .golangci.yml. The version is fixed, so results change only
# when we update it. The first run builds golangci-lint, which takes some minutes. If
# that fails, this script says that it is left out.
set -eu
cd "$(dirname "$0")/.."

go=${GO:-go}
tool=github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
if ! "$go" run "$tool" version >/dev/null 2>&1; then
	scripts/left-out.sh "golangci-lint, which cannot be fetched or built here"
	exit
fi
"$go" run "$tool" run ./...
