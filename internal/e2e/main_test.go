//go:build linux

package e2e

import (
	"fmt"
	"os"
	"testing"

	"trapline/internal/testenv"
)

// binDir holds the commands under test, unless TRAPLINE_BIN says where they are.
var binDir string

func TestMain(m *testing.M) {
	if os.Getenv(silentBreakpoints) != "" {
		fmt.Fprintln(os.Stderr, execWithSilentBreakpoints())
		os.Exit(1)
	}
	dir, err := os.MkdirTemp("", "trapline-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binDir = dir
	if err := os.Chmod(dir, 0o755); err != nil { // tests run the commands as other users, too
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func command(t testing.TB, name string) string {
	t.Helper()
	return testenv.Command(t, binDir, name)
}
