package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trapline/cmd/internal/cli"
)

func TestShellQuote(t *testing.T) {
	got := shellQuote([]string{"record", "-e", "uprobe:libc:malloc size=arg0", "it's", "", "--"})
	want := `record -e 'uprobe:libc:malloc size=arg0' 'it'\''s' '' --`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOpenOutput(t *testing.T) {
	env := cli.Env{Name: "record", Stdout: &strings.Builder{}}
	file := filepath.Join(t.TempDir(), "x.data")
	for _, text := range []string{"first", "second"} {
		out, err := openOutput(env, file)
		if err != nil {
			t.Fatal(err)
		}
		out.Write([]byte(text))
		out.Close()
	}
	old, err := os.ReadFile(file + ".old")
	if err != nil || string(old) != "first" {
		t.Errorf("%s.old holds %q, %v", file, old, err)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v", file, st.Mode(), err)
	}
	if _, err := openOutput(env, "-"); err != nil {
		t.Errorf("standard output: %v", err)
	}
	env.Terminal = true
	if _, err := openOutput(env, "-"); err == nil {
		t.Error("a capture was written to a terminal")
	}
}
