//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// Each mistake has its exit code and a message that names what was asked.
func TestMistakes(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("this is not a capture, whatever its name says\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer")
	if err := os.WriteFile(newer, newerCapture(t), 0o644); err != nil {
		t.Fatal(err)
	}
	target := testenv.Target(t, "counter")
	for _, c := range []struct {
		name    string
		args    []string
		code    int
		message string // all words of it, in one message
	}{
		{"unknown flag", []string{"record", "--colour"}, 1, "--colour record --help"},
		{"bad event", []string{"record", "-a", "-e", "kprobe:"}, 1, "kprobe:"},
		{"bad size", []string{"record", "-a", "-m", "lots", "-e", getppid}, 1, `"lots"`},
		{"no tracepoint", []string{"record", "-a", "-e", "sched:sched_swich"}, 2, "sched:sched_swich sched_switch"},
		{"no function", []string{"record", "-a", "-e", "uprobe:" + target + ":leef"}, 2, "leef leaf"},
		{"no library", []string{"record", "-a", "-e", "uprobe:libnothere:f"}, 2, "libnothere"},
		{"no binary", []string{"record", "-a", "-e", "uprobe:/no/such/file:f"}, 2, "/no/such/file"},
		{"binary is text", []string{"record", "-a", "-e", "uprobe:" + text + ":f"}, 2, text},
		{"no process", []string{"record", "-p", "999999999", "-e", getppid}, 2, "999999999 process"},
		{"no command", []string{"record", "-e", getppid, "--", "/no/such/command"}, 1, "/no/such/command"},
		{"no directory", []string{"record", "-o", "/no/such/dir/x", "-a", "-e", getppid}, 4, "/no/such/dir/x"},
		{"directory as output", []string{"record", "-o", dir, "-a", "-e", getppid}, 4, dir},
		{"no capture", []string{"report", "-i", "/no/such/capture"}, 1, "/no/such/capture"},
		{"not a capture", []string{"report", "-i", text}, 1, text + " capture"},
		{"newer format", []string{"report", "-i", newer}, 1, newer + " version"},
		{"directory as capture", []string{"report", "-i", dir}, 1, dir},
		{"not a capture to convert", []string{"convert", "-i", text, "-t", "folded"}, 1, text + " capture"},
		{"unknown format", []string{"convert", "-i", text, "-t", "xls"}, 1, `"xls" pprof`},
		{"unwritable output", []string{"convert", "-i", text, "-o", "/no/such/dir/x.svg"}, 4, "/no/such/dir/x.svg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command(command(t, c.args[0]), c.args[1:]...)
			cmd.Dir = t.TempDir()
			checkMistake(t, run(t, cmd), c.args[0], c.code, c.message)
		})
	}
	t.Run("no capture by default", func(t *testing.T) {
		cmd := exec.Command(command(t, "report"))
		cmd.Dir = t.TempDir()
		checkMistake(t, run(t, cmd), "report", 1, "trapline.data")
	})
	t.Run("not root", func(t *testing.T) {
		os.Chmod(filepath.Dir(command(t, "record")), 0o755)
		cmd := asOtherUser(exec.Command(command(t, "record"), "-o", "/dev/null", "-a", "-e", getppid))
		cmd.Dir = "/"
		checkMistake(t, run(t, cmd), "record", 3, "root")
	})
	if testenv.HaveKprobes() {
		return
	}
	t.Run("no kprobes", func(t *testing.T) {
		cmd := exec.Command(command(t, "record"), "-o", filepath.Join(dir, "x"), "-a", "-e", "kprobe:vfs_read")
		checkMistake(t, run(t, cmd), "record", 2, "kprobe:vfs_read CONFIG_KPROBES")
	})
}

func checkMistake(t *testing.T, r result, program string, code int, words string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	for _, word := range strings.Fields(words) {
		if !strings.Contains(r.stderr, word) {
			t.Errorf("the message does not say %q", word)
		}
	}
	for line := range strings.Lines(r.stderr) {
		if !strings.HasPrefix(line, program+": ") {
			t.Errorf("the line %q does not say that it comes from %s", line, program)
		}
	}
	if strings.Contains(r.stderr, "goroutine ") || r.stdout != "" || t.Failed() {
		t.Errorf("standard output:\n%s\nstandard error:\n%s", r.stdout, r.stderr)
	}
}
