//go:build linux

package e2e

import (
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trapline/internal/testenv"
)

// A client and a server in this process exchange data over loopback. Each write is one
// call of tcp_sendmsg, which returns the number of bytes.
func TestTutorialTCP(t *testing.T) {
	testenv.Kprobes(t)
	c := connected(t)
	r := startRecord(t, "-p", strconv.Itoa(os.Getpid()),
		"-e", "p:myprobe tcp_sendmsg",
		"-e", "r:myretprobe tcp_sendmsg $retval",
		"-e", "probe:tcp_sendmsg")
	const writes = 100
	for n := 1; n <= writes; n++ {
		if _, err := c.Write(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
	}
	r.stopOK(t)
	checkWhole(t, r.path, 3*writes)
	counts := make(map[string]int)
	for _, h := range hits(t, r.path) {
		counts[h.Probe]++
		if h.Probe == "myretprobe" {
			if n := counts[h.Probe]; h.number(t, "retval") != int64(n) {
				t.Errorf("return %d of tcp_sendmsg is %v, want %d bytes", n, h.Args, n)
			}
			continue
		}
		kernel, program := functions(h.Kernel), functions(h.User)
		if !strings.HasPrefix(kernel, "tcp_sendmsg ") || !strings.Contains(kernel, " do_syscall_64 ") ||
			!strings.Contains(program, "/e2e.TestTutorialTCP testing.tRunner ") || !strings.Contains(program, " runtime.goexit") {
			t.Fatalf("%s: the stack is %q in the kernel and %q in the program", h.Probe, kernel, program)
		}
	}
	for _, name := range []string{"myprobe", "myretprobe", "kprobe:tcp_sendmsg"} {
		if counts[name] != writes {
			t.Errorf("%s: %d hits, want %d", name, counts[name], writes)
		}
	}
}

// connected returns a connection to a server that discards its input.
func connected(t *testing.T) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		if c, err := l.Accept(); err == nil {
			io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A server whose backlog is full does not answer. The client's kernel retransmits the
// SYN after a second and counts that.
func TestTutorialRetransmissions(t *testing.T) {
	testenv.Root(t)
	args := []string{"-e", "tcp:tcp_retransmit_skb", "-ag", "sleep", "4"}
	if testenv.InVM() { // which have no sleep
		args = []string{"-e", "tcp:tcp_retransmit_skb", "-ag", "--duration", "4s"}
	}
	server := busyServer(t)
	r := startRecord(t, args...)
	// record excludes its own process, and with it a timer that expires while record runs.
	// So record is stopped meanwhile.
	r.signal(t, syscall.SIGSTOP)
	sent := retransmissions(t, server, 5)
	r.signal(t, syscall.SIGCONT)
	if code, messages := r.wait(t); code != 0 {
		t.Fatalf("exit code %d\n%s", code, messages)
	}
	ours := where(hits(t, r.path), func(h *hit) bool { return h.number(t, "dport") == int64(server.Port) })
	// A timer that expires while another BPF program runs is lost and counted.
	q := qualityOf(t, r.path)
	lost := int(q.Account["recursion"])
	if len(ours) == 0 || len(ours) > sent || len(ours)+lost < sent {
		t.Errorf("%d hits of the connections, and %d lost on the machine, want %d", len(ours), lost, sent)
	}
	for _, h := range ours {
		if kernel := functions(h.Kernel); !strings.Contains(kernel, "tcp_retransmit_timer") {
			t.Errorf("the stack is %q", kernel)
		}
	}
}

// busyServer returns the address of a server whose backlog is full.
func busyServer(t *testing.T) *unix.SockaddrInet4 {
	t.Helper()
	server := tcpSocket(t)
	const waiting = 1
	if err := unix.Bind(server, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(server, waiting); err != nil {
		t.Fatal(err)
	}
	address, err := unix.Getsockname(server)
	if err != nil {
		t.Fatal(err)
	}
	for range waiting + 1 { // Linux accepts one more than the backlog
		if err := unix.Connect(tcpSocket(t), address); err != nil {
			t.Fatal(err)
		}
	}
	return address.(*unix.SockaddrInet4)
}

// retransmissions starts clients that connect to the server, waits until the kernel has
// retransmitted each SYN, and returns the number of retransmissions.
func retransmissions(t *testing.T, server *unix.SockaddrInet4, clients int) (sent int) {
	t.Helper()
	sockets := make([]int, clients)
	for i := range sockets {
		sockets[i] = tcpSocket(t)
		if err := unix.SetNonblock(sockets[i], true); err != nil {
			t.Fatal(err)
		}
		if err := unix.Connect(sockets[i], server); err != unix.EINPROGRESS {
			t.Fatalf("connecting to a busy server: %v, want EINPROGRESS", err)
		}
		time.Sleep(50 * time.Millisecond) // so that their timers expire separately
	}
	for _, s := range sockets {
		n := 0
		eventually(t, "retransmission", func() bool {
			info, err := unix.GetsockoptTCPInfo(s, unix.IPPROTO_TCP, unix.TCP_INFO)
			if err != nil {
				t.Fatal(err)
			}
			n = int(info.Total_retrans)
			return n > 0
		})
		unix.Shutdown(s, unix.SHUT_RDWR) // stops retransmitting
		sent += n
	}
	return sent
}

// tcpSocket returns a socket that is closed when the test ends.
func tcpSocket(t *testing.T) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}
