//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every command: one that hangs is killed and fails its test.
const patience = 2 * time.Minute

// A result is what a finished command left.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command to its end.
func run(t testing.TB, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	watchdog := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer watchdog.Stop()
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// recordOK records with the arguments into a new file and returns its path. The
// recording must succeed.
func recordOK(t testing.TB, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trapline.data")
	r := run(t, exec.Command(command(t, "record"), append([]string{"-o", path}, args...)...))
	if r.code != 0 {
		t.Fatalf("record %s: exit code %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return path
}

// A recording is a record that runs until it is told to stop.
type recording struct {
	cmd    *exec.Cmd
	path   string
	stderr bytes.Buffer
	done   chan struct{}
}

// startRecord starts record and returns when its probes are attached.
func startRecord(t testing.TB, args ...string) *recording {
	t.Helper()
	r := &recording{path: filepath.Join(t.TempDir(), "trapline.data"), done: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	r.cmd = exec.CommandContext(ctx, command(t, "record"), append([]string{"-v", "-o", r.path}, args...)...)
	stderr, err := r.cmd.StderrPipe()
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		<-r.done
		r.cmd.Wait()
	})
	lines := bufio.NewReader(stderr)
	for {
		line, err := lines.ReadString('\n')
		r.stderr.WriteString(line)
		if err != nil {
			close(r.done)
			t.Fatalf("record %s ended at once:\n%s", strings.Join(args, " "), &r.stderr)
		}
		if strings.Contains(line, "attached") {
			break
		}
	}
	go func() {
		io.Copy(&r.stderr, lines)
		close(r.done)
	}()
	return r
}

func (r *recording) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// stop ends the recording with the signal and returns its exit code, -1 if the
// signal killed it, and its messages.
func (r *recording) stop(t testing.TB, s syscall.Signal) (int, string) {
	t.Helper()
	r.signal(t, s)
	return r.wait(t)
}

// wait waits for the recording to end by itself.
func (r *recording) wait(t testing.TB) (int, string) {
	t.Helper()
	<-r.done
	r.cmd.Wait()
	return r.cmd.ProcessState.ExitCode(), r.stderr.String()
}

// stopOK ends the recording as Ctrl-C does.
func (r *recording) stopOK(t testing.TB) {
	t.Helper()
	if code, messages := r.stop(t, syscall.SIGINT); code != 0 {
		t.Fatalf("exit code %d after SIGINT\n%s", code, messages)
	}
}
