//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
)

// A list is a flag value of comma-separated names. An empty list means all names.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	*l = nil
	for name := range strings.SplitSeq(value, ",") {
		*l = append(*l, strings.TrimSpace(name))
	}
	return nil
}

func (l list) has(name string) bool { return len(l) == 0 || slices.Contains(l, name) }

// among returns an error if a name is not among the known ones.
func (l list) among(what string, known []string) error {
	for _, name := range l {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%q is not a %s; use %s", name, what, strings.Join(known, ", "))
		}
	}
	return nil
}
