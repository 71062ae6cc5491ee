//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// markedLine returns the number of the line with a mark in the source of a target.
func markedLine(t *testing.T, source, mark string) int {
	t.Helper()
	testenv.Host(t)
	text, err := os.ReadFile(filepath.Join(testenv.RepoRoot(t), "testdata", "targets", source))
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(text), "/* line:"+mark+" */")
	if !ok {
		t.Fatalf("%s has no line:%s", source, mark)
	}
	return strings.Count(before, "\n") + 1
}

// Probes at lines, inlined functions and IFUNCs hit as often as their code runs.
func TestPlacesWithoutSymbols(t *testing.T) {
	testenv.Root(t)
	const n = 1000
	target := testenv.Target(t, "lines")
	line := func(mark string) string { return strconv.Itoa(markedLine(t, "lines.c", mark)) }
	for _, c := range []struct {
		name string
		args []string
		want int
	}{
		{"a line", []string{"-e", "u:" + target + "@lines.c:" + line("two")}, n},
		{"a line of an inlined function", []string{"-e", "u:" + target + "@lines.c:" + line("twice")}, 2 * n},
		{"a line of a function", []string{"-x", target, "-e", "two:2"}, n},
		{"an inlined function", []string{"--inlined", "-e", "u:" + target + ":twice"}, 2 * n},
		{"a function of a file", []string{"-x", target, "-e", "one@lines.c"}, n},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := recordOK(t, append(append(c.args, "--no-stacks", "--"), target, strconv.Itoa(n))...)
			checkWhole(t, path, c.want)
		})
	}
	t.Run("an IFUNC", func(t *testing.T) {
		path := recordOK(t, "--no-stacks", "-e", "u:libc:strlen s=arg0:string", "--", target, strconv.Itoa(n))
		all := hits(t, path)
		checkWhole(t, path, len(all))
		if got := len(where(all, func(h *hit) bool { return h.Args["s"] == "a text of the lines target" })); got != n {
			t.Errorf("%d calls of strlen by the program, want %d", got, n)
		}
	})
}
