//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is the time limit of a command. A command that exceeds it is killed.
const patience = 2 * time.Minute

// eventually polls a condition until it holds. It is for conditions that no event
// announces.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v there is still no %s", patience, what)
		}
	}
}

// A result is the outcome of a command.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command and waits for it.
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

// recordOK runs record, which must succeed, and returns the path of the capture.
func recordOK(t testing.TB, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trapline.data")
	r := run(t, exec.Command(command(t, "record"), append([]string{"-o", path}, args...)...))
	if r.code != 0 {
		t.Fatalf("record %s: exit code %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return path
}

// A recording is a running record command.
type recording struct {
	cmd    *exec.Cmd
	path   string
	stderr bytes.Buffer
	done   chan struct{} // closed when record has ended
}

// startRecord starts record and waits until recording has started.
func startRecord(t testing.TB, args ...string) *recording {
	t.Helper()
	ready, notify, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer ready.Close()
	r := &recording{path: filepath.Join(t.TempDir(), "trapline.data"), done: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	r.cmd = exec.CommandContext(ctx, command(t, "record"), append([]string{"-o", r.path, "--ready-fd", "3"}, args...)...)
	r.cmd.Stderr, r.cmd.ExtraFiles = &r.stderr, []*os.File{notify}
	err = r.cmd.Start()
	notify.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		r.cmd.Wait()
		close(r.done)
	}()
	t.Cleanup(func() {
		cancel()
		<-r.done
	})
	if line, err := bufio.NewReader(ready).ReadString('\n'); line != "ready\n" {
		cancel()
		<-r.done
		t.Fatalf("record %s did not start: it wrote %q (%v)\n%s", strings.Join(args, " "), line, err, &r.stderr)
	}
	return r
}

func (r *recording) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// stop sends a signal and waits for record to exit. It returns the exit code, -1 if the
// signal killed it, and the messages.
func (r *recording) stop(t testing.TB, s syscall.Signal) (int, string) {
	t.Helper()
	r.signal(t, s)
	return r.wait(t)
}

// wait waits for record to exit by itself.
func (r *recording) wait(t testing.TB) (int, string) {
	t.Helper()
	<-r.done
	return r.cmd.ProcessState.ExitCode(), r.stderr.String()
}

// hasHits waits until the hits in the file satisfy a condition.
func (r *recording) hasHits(t testing.TB, what string, enough func(all []hit) bool) {
	t.Helper()
	eventually(t, what, func() bool { return enough(hits(t, r.path)) })
}

// stopOK stops record as Ctrl-C does. It must succeed.
func (r *recording) stopOK(t testing.TB) {
	t.Helper()
	if code, messages := r.stop(t, syscall.SIGINT); code != 0 {
		t.Fatalf("exit code %d after SIGINT\n%s", code, messages)
	}
}
