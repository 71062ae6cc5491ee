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

// mistakes are commands with their exit codes and words of their messages. TEXT, NEWER,
// DIR and TARGET stand for files that TestMistakes creates.
var mistakes = []struct {
	name    string
	command string
	code    int
	message string // words that it must contain
}{
	{"unknown flag", "record --colour", 1, "--colour record --help"},
	{"bad event", "record -a -e kprobe:", 1, "kprobe:"},
	{"bad size", "record -a -m lots -e syscalls:sys_enter_getppid", 1, `"lots"`},
	{"no tracepoint", "record -a -e sched:sched_swich", 2, "sched:sched_swich sched_switch"},
	{"no function", "record -a -e uprobe:TARGET:leef", 2, "leef leaf"},
	{"no library", "record -a -e uprobe:libnothere:f", 2, "libnothere"},
	{"no binary", "record -a -e uprobe:/no/such/file:f", 2, "/no/such/file"},
	{"binary is text", "record -a -e uprobe:TEXT:f", 2, "TEXT"},
	{"no process", "record -p 999999999 -e syscalls:sys_enter_getppid", 2, "999999999 process"},
	{"no command", "record -e syscalls:sys_enter_getppid -- /no/such/command", 1, "/no/such/command"},
	{"no directory", "record -o /no/such/dir/x -a -e syscalls:sys_enter_getppid", 4, "/no/such/dir/x"},
	{"directory as output", "record -o DIR -a -e syscalls:sys_enter_getppid", 4, "DIR"},
	{"no capture", "report -i /no/such/capture", 1, "/no/such/capture"},
	{"not a capture", "report -i TEXT", 1, "TEXT capture"},
	{"newer format", "report -i NEWER", 1, "NEWER version"},
	{"directory as capture", "report -i DIR", 1, "DIR"},
	{"not a capture to convert", "convert -i TEXT -t folded", 1, "TEXT capture"},
	{"unknown format", "convert -i TEXT -t xls", 1, `"xls" pprof`},
	{"unwritable output", "convert -i TEXT -o /no/such/dir/x.svg", 4, "/no/such/dir/x.svg"},
}

// Each mistake has its exit code and a message that names what was requested.
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
	names := strings.NewReplacer("TEXT", text, "NEWER", newer, "DIR", dir, "TARGET", testenv.Target(t, "counter"))
	for _, c := range mistakes {
		t.Run(c.name, func(t *testing.T) {
			args := strings.Fields(names.Replace(c.command))
			cmd := exec.Command(command(t, args[0]), args[1:]...)
			cmd.Dir = t.TempDir()
			checkMistake(t, run(t, cmd), args[0], c.code, names.Replace(c.message))
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
			t.Errorf("the message does not contain %q", word)
		}
	}
	for line := range strings.Lines(r.stderr) {
		if !strings.HasPrefix(line, program+": ") {
			t.Errorf("the line %q does not begin with the name of %s", line, program)
		}
	}
	if strings.Contains(r.stderr, "goroutine ") || r.stdout != "" || t.Failed() {
		t.Errorf("standard output:\n%s\nstandard error:\n%s", r.stdout, r.stderr)
	}
}
