//go:build linux

package e2e

import (
	"bytes"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// openssl s_client sends each read of its input with one SSL_write. The test writes a
// piece when the server has received the previous one.
func TestTutorialOpenSSL(t *testing.T) {
	openssl := debianProgram(t, "/usr/bin/openssl", "openssl")
	const libssl = "/lib/x86_64-linux-gnu/libssl.so.3"
	pieces := []int64{1, 4000, 17, 200, 200}

	address, received := startTLSServer(t, openssl)
	client := exec.Command(openssl, "s_client", "-quiet", "-no_ign_eof", "-connect", address)
	input, _ := startPiped(t, client)
	lines := []struct {
		args []string
		num  bool // the event requests the argument
	}{
		{[]string{"-e", "probe_libssl:SSL_write"}, false},
		{[]string{"-x", libssl, "-e", "SSL_write"}, false},
		{[]string{"-e", "probe_libssl:SSL_write num=arg2:s32"}, true},
		{[]string{"-x", libssl, "-e", "SSL_write num=%dx:s32"}, true},
	}
	recordings := make([]*recording, len(lines))
	for i, line := range lines {
		recordings[i] = startRecord(t, append([]string{"-p", strconv.Itoa(client.Process.Pid)}, line.args...)...)
	}
	for _, n := range pieces {
		if _, err := input.Write(bytes.Repeat([]byte("-"), int(n))); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(received, make([]byte, n)); err != nil {
			t.Fatalf("the server has not got %d bytes: %v", n, err)
		}
	}
	input.Close()
	if err := client.Wait(); err != nil {
		t.Errorf("s_client: %v", err)
	}
	for i, line := range lines {
		r := recordings[i]
		if code, messages := r.wait(t); code != 0 {
			t.Fatalf("record %v: exit code %d\n%s", line.args, code, messages)
		}
		checkWhole(t, r.path, len(pieces))
		all := hits(t, r.path)
		checkComplete(t, openssl, all, "SSL_write")
		if !line.num {
			continue
		}
		var sent []int64
		for _, h := range all {
			sent = append(sent, h.number(t, "num"))
		}
		if !slices.Equal(sent, pieces) {
			t.Errorf("record %v: num is %v, want %v", line.args, sent, pieces)
		}
	}
}

// startTLSServer starts openssl s_server with a new certificate. It returns the server's
// address and its output, which is what it receives.
func startTLSServer(t *testing.T, openssl string) (address string, received io.Reader) {
	t.Helper()
	dir := t.TempDir()
	key, cert := filepath.Join(dir, "key"), filepath.Join(dir, "cert")
	runOK(t, exec.Command(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", cert))
	l, err := net.Listen("tcp", "127.0.0.1:0") // finds a free port
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	_, received = startPiped(t, exec.Command(openssl, "s_server", "-quiet", "-accept", address, "-key", key, "-cert", cert))
	dial(t, address).Close()
	return address, received
}

// startPiped starts a program and returns its input and output. The program is killed
// when the test ends or after the time limit.
func startPiped(t *testing.T, cmd *exec.Cmd) (input io.WriteCloser, output io.Reader) {
	t.Helper()
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if output, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	t.Cleanup(func() {
		watchdog.Stop()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return input, output
}

// dial connects to a server as soon as it listens.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	var c net.Conn
	eventually(t, "server at "+address, func() (ok bool) {
		var err error
		c, err = net.Dial("tcp", address)
		return err == nil
	})
	return c
}
