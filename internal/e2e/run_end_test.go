//go:build linux

package e2e

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trapline/internal/testenv"
)

func TestSignalsEndARecordingCleanly(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 1000
	target := testenv.Target(t, "counter-static")
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			r := startRecord(t, "-a", "-u", strconv.Itoa(otherUser), "-e", getppid)
			runOK(t, asOtherUser(exec.Command(target, "-c", "p", strconv.Itoa(n))))
			if code, messages := r.stop(t, s); code != 0 || !strings.Contains(messages, "1,000 recorded") {
				t.Errorf("exit code %d\n%s", code, messages)
			}
			checkWhole(t, r.path, n)
		})
	}
}

func TestStatusOfTheCommandPassesThrough(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "counter-static")
	self := testenv.Target(t, "brief")
	for _, c := range []struct {
		name string
		args []string
		code int
	}{
		{"success", []string{target, "1"}, 0},
		{"failure", []string{target}, 64},
		{"not executable", []string{filepath.Dir(self)}, 1},
		{"killed", []string{os.Args[0]}, 128 + int(syscall.SIGKILL)},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"-o", filepath.Join(t.TempDir(), "x"), "-e", getppid, "--"}, c.args...)
			cmd := exec.Command(command(t, "record"), args...)
			cmd.Env = append(os.Environ(), actAs+"=killSelf")
			if r := run(t, cmd); r.code != c.code {
				t.Errorf("exit code %d, want %d\n%s", r.code, c.code, r.stderr)
			}
		})
	}
}

// Hits reach the file while record runs and remain readable when record is killed.
func TestKilledRecorderLeavesAReadableFile(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 5000
	target := testenv.Target(t, "counter-static")
	r := startRecord(t, "-a", "-u", strconv.Itoa(otherUser), "-e", getppid)
	runOK(t, asOtherUser(exec.Command(target, "-c", "p", strconv.Itoa(n))))
	r.hasHits(t, "file with all hits", func(all []hit) bool { return len(all) == n })
	if code, _ := r.stop(t, syscall.SIGKILL); code != -1 {
		t.Fatalf("exit code %d after SIGKILL", code)
	}
	if all := hits(t, r.path); len(all) != n {
		t.Errorf("%d hits, want %d", len(all), n)
	}
	if q := qualityOf(t, r.path); len(q.Truncated) != 1 || len(q.Damage) != 0 {
		t.Errorf("truncated %v, damage %v: want a truncated, undamaged file", q.Truncated, q.Damage)
	}
}

// record writes the same capture to a pipe as to a file, and report reads it from one.
func TestCaptureThroughAPipe(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 1000
	target := testenv.Target(t, "counter-static")
	rec := exec.Command(command(t, "record"), "-o", "-", "-e", getppid, "--", target, "-c", "p", strconv.Itoa(n))
	rep := exec.Command(command(t, "report"), "-i", "-", "-s", "symbol", "-n")
	pipe, err := rec.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var capture, messages bytes.Buffer
	rec.Stderr = &messages
	rep.Stdin = io.TeeReader(pipe, &capture)
	if err := rec.Start(); err != nil {
		t.Fatal(err)
	}
	live := run(t, rep)
	if err := rec.Wait(); err != nil || live.code != 0 {
		t.Fatalf("record: %v, report: %d\n%s%s", err, live.code, &messages, live.stderr)
	}
	path := filepath.Join(t.TempDir(), "trapline.data")
	if err := os.WriteFile(path, capture.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, path, n)
	fromFile := exec.Command(command(t, "report"), "-i", "-", "-s", "symbol", "-n")
	fromFile.Stdin = bytes.NewReader(capture.Bytes())
	if again := run(t, fromFile); again.stdout != live.stdout || live.stdout == "" {
		t.Errorf("the report from the pipe was\n%s\nand from the bytes that went through it is\n%s", live.stdout, again.stdout)
	}
}

func TestCaptureBelongsToTheUserBehindSudo(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "counter-static")
	path := filepath.Join(t.TempDir(), "trapline.data")
	cmd := exec.Command(command(t, "record"), "-o", path, "-e", getppid, "--", target, "-c", "p", "10")
	cmd.Env = append(os.Environ(), "SUDO_UID=54321", "SUDO_GID=54322")
	runOK(t, cmd)
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	owner := st.Sys().(*syscall.Stat_t)
	if st.Mode().Perm() != 0o600 || owner.Uid != 54321 || owner.Gid != 54322 {
		t.Errorf("mode %v, owner %d:%d, want -rw------- 54321:54322", st.Mode(), owner.Uid, owner.Gid)
	}
}

func TestFullDisk(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "counter-static")
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=32k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	path := filepath.Join(dir, "trapline.data")
	r := run(t, exec.Command(command(t, "record"), "-o", path, "-e", getppid, "--", target, "-c", "p", "-t", "2", "-r", "50000", "100000"))
	if r.code != 4 || !strings.Contains(r.stderr, "no space left on device") {
		t.Errorf("exit code %d, want 4 and a message about space\n%s", r.code, r.stderr)
	}
	if all := hits(t, path); len(all) == 0 {
		t.Error("the part that fitted has no hits")
	}
}
