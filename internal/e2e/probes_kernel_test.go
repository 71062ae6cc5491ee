//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"trapline/internal/testenv"
)

// Probes of kernel functions hit exactly as often as the program calls them. It reads
// /dev/zero, so vfs_read returns the requested size.
func TestKernelFunctions(t *testing.T) {
	for _, c := range []struct {
		entry, exit string
		need        func(testing.TB)
	}{
		{"kprobe", "kretprobe", testenv.Kprobes},
		{"fentry", "fexit", testenv.Fentry},
	} {
		t.Run(c.entry, func(t *testing.T) {
			c.need(t)
			const n, threads = 1000, 2
			path := recordOK(t,
				"-e", c.entry+":vfs_read size=arg2:u64", "-e", c.exit+":vfs_read ret=retval:s64",
				"-e", c.entry+":__x64_sys_getppid", "-e", c.exit+":__x64_sys_getppid ret=retval:s64",
				"--", testenv.Target(t, "counter-static"), "-t", strconv.Itoa(threads), strconv.Itoa(n))
			all := hits(t, path)
			checkWhole(t, path, len(all))
			entries := of(all, c.entry, "__x64_sys_getppid")
			for _, got := range []struct {
				what string
				hits []hit
			}{
				{"entries of getppid", entries},
				{"exits of getppid", of(all, c.exit, "__x64_sys_getppid")},
				{"entries of vfs_read", where(of(all, c.entry, "vfs_read"), func(h *hit) bool { return argument(t, h, "size") == readSize })},
				{"exits of vfs_read", where(of(all, c.exit, "vfs_read"), func(h *hit) bool { return argument(t, h, "ret") == readSize })},
			} {
				if len(got.hits) != n*threads {
					t.Errorf("%d %s, want %d", len(got.hits), got.what, n*threads)
				}
				checkThreads(t, got.what, got.hits, n, threads)
				checkStacks(t, got.hits, "leaf mid top")
			}
			for _, h := range entries {
				if !strings.Contains(functions(h.Kernel), "do_syscall_64") {
					t.Fatalf("the kernel stack is %q", functions(h.Kernel))
				}
			}
		})
	}
}

func TestKprobeInsideAFunction(t *testing.T) {
	testenv.Kprobes(t)
	// On all tested kernels the instruction at offset 5 follows the call that ftrace
	// patches.
	path := recordOK(t, "-e", "kprobe:do_sys_openat2+5", "--", testenv.Target(t, "counter-static"), "1")
	if n := len(hits(t, path)); n == 0 {
		t.Error("no hit, though the program opens a file")
	}
	r := run(t, exec.Command(command(t, "record"), "-o", "/dev/null", "-e", "kprobe:do_sys_openat2+4", "-a", "--duration", "1"))
	if r.code != 2 || !strings.Contains(r.stderr, "do_sys_openat2+") || !strings.Contains(r.stderr, "instruction") {
		t.Errorf("inside an instruction: exit code %d, message\n%s", r.code, r.stderr)
	}
}

// Functions of modules can be probed, here the driver of dummy network interfaces.
func TestModuleFunction(t *testing.T) {
	testenv.VM(t)
	testenv.Kprobes(t)
	f, err := os.Open("/vm/dummy.ko")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil {
		t.Fatal(err)
	}
	interfaceUp(t, "dummy0")
	const n = 200
	for _, event := range []string{"kprobe:dummy_xmit", "kprobe:dummy:dummy_xmit", "fentry:dummy_xmit"} {
		path := recordOK(t, "-e", event, "--", testenv.Target(t, "packets"), "dummy0", strconv.Itoa(n))
		checkWhole(t, path, n)
		for _, h := range hits(t, path) {
			if f := h.Kernel[0]; f.Function != "dummy_xmit" || !strings.Contains(f.Image, "dummy") {
				t.Fatalf("%s: the innermost call is %+v, want dummy_xmit of the module", event, f)
			}
		}
	}
}

func interfaceUp(t *testing.T, name string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	ifr.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		t.Fatal(err)
	}
}
