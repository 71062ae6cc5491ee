//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trapline/internal/testenv"
)

// All spellings of one function hit as often, with the same argument: many_002 is
// called three times with 2.
func TestSpellingsOfOneFunction(t *testing.T) {
	testenv.Root(t)
	target := testenv.Target(t, "many")
	plan := run(t, exec.Command(command(t, "record"), "--dry-run", "-e", "u:"+target+":many_002"))
	place := regexp.MustCompile(`\+(0x[0-9a-f]+)\n`).FindStringSubmatch(plan.stdout)
	if plan.code != 0 || place == nil {
		t.Fatalf("record --dry-run: exit code %d\n%s%s", plan.code, plan.stdout, plan.stderr)
	}
	path := recordOK(t,
		"-e", "u:"+target+":many_002 arg0:s32",
		"-e", `quoted=uprobe:"`+target+`":"many_002" $arg1:s32`,
		"-e", "u:"+target+":"+place[1]+" arg0:s32",
		"-e", "p:ftrace "+target+":many_002 i=%di:s32",
		"-e", "r:ftrace_return "+target+":"+place[1]+" $retval:s32",
		"-e", "u:"+target+":~/^many_0*2$/ arg0:s32 [name=pattern]",
		"-x", target, "-e", "perf_probe=many_002 arg0:s32", "-e", "perf_probe_return=many_002%return $retval:s32",
		"--", target)
	counts := make(map[string]int)
	for _, h := range hits(t, path) {
		counts[h.Probe]++
		want := int64(2)
		if strings.HasSuffix(h.Probe, "_return") {
			want = 3
		}
		if len(h.Args) != 1 {
			t.Fatalf("%s has arguments %v", h.Probe, h.Args)
		}
		for name := range h.Args {
			if got := h.number(t, name); got != want {
				t.Errorf("%s: %s is %d, want %d", h.Probe, name, got, want)
			}
		}
	}
	for _, name := range []string{"uprobe:many:many_002", "quoted", "uprobe:many:" + place[1], "ftrace", "ftrace_return", "pattern", "perf_probe", "perf_probe_return"} {
		if counts[name] != 3 {
			t.Errorf("%s: %d hits, want 3 (all: %v)", name, counts[name], counts)
		}
	}
	checkWhole(t, path, 8*3)
}

// What an event asks for overrides the options for all.
func TestStacksOfSingleEvents(t *testing.T) {
	testenv.Root(t)
	target := testenv.Target(t, "many")
	event := "raw_syscalls:sys_enter" // where there are both
	path := recordOK(t, "-U", "-e", "default="+event, "-e", "both="+event+" [stack=ku]", "-e", "kernel="+event+"[stack=k]", "-e", "none="+event+" [stack=none]", "--", target)
	all := hits(t, path)
	for _, h := range all {
		kernel, user := len(h.Kernel) > 0, len(h.User) > 0
		if wantKernel, wantUser := h.Probe == "both" || h.Probe == "kernel", h.Probe == "both" || h.Probe == "default"; kernel != wantKernel || user != wantUser {
			t.Errorf("%s: %d frames in the kernel, %d in the program", h.Probe, len(h.Kernel), len(h.User))
		}
	}
	checkWhole(t, path, len(all))
}

// Lines of tutorials, on the programs that they are about.
func TestTutorialPython(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const python = "/usr/bin/python3"
	if _, err := os.Stat(python); err != nil {
		testenv.Missing(t, python)
	}
	path := recordOK(t, "-e", "uprobe:"+python+":PyObject_Call", "--", python, "-c", "print(sorted({3, 1, 2}, key=lambda x: -x))")
	if all := hits(t, path); len(all) == 0 || all[0].Comm != "python3" {
		t.Errorf("%d hits of PyObject_Call", len(all))
	}
}

func TestTutorialOpenSSL(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	openssl := testenv.Tool(t, "openssl")
	dir := t.TempDir()
	key, cert := filepath.Join(dir, "key"), filepath.Join(dir, "cert")
	if r := run(t, exec.Command(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", cert)); r.code != 0 {
		t.Fatal(r.stderr)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	server := exec.Command(openssl, "s_server", "-accept", address, "-key", key, "-cert", cert, "-quiet", "-www")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		server.Process.Kill()
		server.Wait()
	}()
	dial(t, address).Close()
	path := recordOK(t, "-e", "probe_libssl:SSL_write", "-x", "/lib/x86_64-linux-gnu/libssl.so.3", "-e", "perf_probe=SSL_write n=arg2:s32",
		"--", "sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | "+openssl+" s_client -quiet -ign_eof -connect "+address)
	all := hits(t, path)
	named := where(all, func(h *hit) bool { return h.Probe == "perf_probe" })
	requests := where(named, func(h *hit) bool { return h.number(t, "n") == int64(len("GET / HTTP/1.0\r\n\r\n")) })
	if len(requests) != 1 || len(all) != 2*len(named) {
		t.Errorf("%d requests in %d hits of SSL_write by one name, and %d by another", len(requests), len(named), len(all)-len(named))
	}
}

// dial waits for a server.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return c
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// Lines of tutorials about the kernel, with traffic on loopback: each write is one
// tcp_sendmsg.
func TestTutorialTCP(t *testing.T) {
	testenv.Root(t)
	testenv.Kprobes(t)
	loopbackUp(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go io.Copy(io.Discard, c)
		}
	}()
	c := dial(t, l.Addr().String())
	defer c.Close()
	r := startRecord(t, "-p", strconv.Itoa(os.Getpid()), "-e", "p:myprobe tcp_sendmsg", "-e", "r:myretprobe tcp_sendmsg $retval", "-e", "probe:tcp_sendmsg",
		"-e", "tcp:tcp_retransmit_skb")
	const writes = 100
	for n := 1; n <= writes; n++ {
		if _, err := c.Write(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
	}
	r.stopOK(t)
	counts := make(map[string]int)
	for _, h := range hits(t, r.path) {
		counts[h.Probe]++
		if n := counts["myretprobe"]; h.Probe == "myretprobe" && h.number(t, "retval") != int64(n) {
			t.Errorf("return %d of tcp_sendmsg is %v", n, h.Args)
		}
	}
	for _, name := range []string{"myprobe", "myretprobe", "kprobe:tcp_sendmsg"} {
		if counts[name] != writes {
			t.Errorf("%s: %d hits, want %d", name, counts[name], writes)
		}
	}
}

// loopbackUp sets the interface lo up, which nobody has in a fresh machine.
func loopbackUp(t *testing.T) {
	t.Helper()
	err := func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		lo, err := unix.NewIfreq("lo")
		if err != nil {
			return err
		}
		lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	}()
	if err != nil {
		t.Fatal(fmt.Errorf("setting lo up: %w", err))
	}
}
