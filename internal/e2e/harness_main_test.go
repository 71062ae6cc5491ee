//go:build linux

package e2e

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"trapline/internal/testenv"
)

// binDir is where the commands under test are built, unless TRAPLINE_BIN is set.
var binDir string

func TestMain(m *testing.M) {
	if act := acts[os.Getenv(actAs)]; act != nil {
		fmt.Fprintln(os.Stderr, act())
		os.Exit(1)
	}
	dir, err := os.MkdirTemp("", "trapline-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binDir = dir
	if err := os.Chmod(dir, 0o755); err != nil { // tests also run the commands as other users
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// actAs is the environment variable that makes this binary one of the programs that
// tests run.
const actAs = "TRAPLINE_E2E_ACT_AS"

// acts are these programs. They return only if something fails.
var acts = map[string]func() error{
	"killSelf":          func() error { return syscall.Kill(os.Getpid(), syscall.SIGKILL) },
	"silentBreakpoints": execWithSilentBreakpoints,
}

func command(t testing.TB, name string) string {
	t.Helper()
	return testenv.Command(t, binDir, name)
}
