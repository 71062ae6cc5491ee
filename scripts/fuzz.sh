#!/bin/sh
# Runs each fuzz target of the module for the time given, one after the other.
set -eu
cd "$(dirname "$0")/.."

for package in $("$GO" list ./...); do
	for target in $("$GO" test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "== $package $target"
		"$GO" test -run '^$' -fuzz "^$target\$" -fuzztime "$1" "$package"
	done
done
