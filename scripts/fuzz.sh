#!/bin/sh
# Runs each fuzz target of the module for the given time, one after the other.
set -eu
cd "$(dirname "$0")/.."

for package in $("$GO" list ./...); do
	for target in $("$GO" test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "== $package $target"
		# Minimizing an input whose coverage varies with goroutines takes all the time there is.
		"$GO" test -run '^$' -fuzz "^$target\$" -fuzztime "$1" -fuzzminimizetime 1x "$package"
	done
done
