//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"trapline/internal/testenv"
)

// named returns a copy of a program under another name, which its tasks have too.
func named(t *testing.T, program, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	copyProgram(t, program, path)
	return path
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestTaskNames(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 500
	target := testenv.Target(t, "counter-static")
	programs := map[string]string{}
	for _, name := range []string{"alpha", "alphabet", "beta"} {
		programs[name] = named(t, target, name)
	}
	for _, c := range []struct {
		args string
		want []string
	}{
		{"--comm alpha", []string{"alpha"}},
		{"--comm alpha*", []string{"alpha", "alphabet"}},
		{"--comm alpha,be[st]a", []string{"alpha", "beta"}},
		{"--comm alpha* --exclude *bet", []string{"alpha"}},
		{"--comm [^b]*pha", []string{"alpha"}},
		{"--comm {alp,b}*", []string{"alpha", "alphabet", "beta"}},
		{"--comm *eta --exclude b*", nil},
	} {
		r := startRecord(t, append([]string{"-a", "-e", getppid}, strings.Fields(c.args)...)...)
		for _, p := range programs {
			runOK(t, exec.Command(p, "-c", "p", "-t", "2", strconv.Itoa(n)))
		}
		r.stopOK(t)
		checkWhole(t, r.path, 2*n*len(c.want))
		byName := map[string]int{}
		for _, h := range hits(t, r.path) {
			byName[h.Comm]++
		}
		for _, name := range c.want {
			if byName[name] != 2*n {
				t.Errorf("%s: hits by name %v, want %d of %s", c.args, byName, 2*n, name)
			}
		}
	}
}

func TestCgroups(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 500
	target := testenv.Target(t, "counter-static")
	root := cgroup2(t)
	group := "trapline-test-" + strconv.Itoa(os.Getpid())
	inside := filepath.Join(root, group, "below")
	if err := os.MkdirAll(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.Remove(inside)
		os.Remove(filepath.Dir(inside))
	})
	r := startRecord(t, "-a", "-G", group, "-e", getppid)
	runOK(t, exec.Command(target, "-c", "p", "-t", "2", strconv.Itoa(n)))
	cmd := exec.Command(target, "-c", "p", "-t", "2", "-f", "1", strconv.Itoa(n))
	dir, err := os.Open(inside)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	cmd.SysProcAttr = &unix.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	runOK(t, cmd)
	r.stopOK(t)
	checkWhole(t, r.path, 4*n)
}

// cgroup2 returns where the cgroup2 file system is mounted. In virtual machines it mounts
// the file system if necessary.
func cgroup2(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	dir := "/sys/fs/cgroup"
	if !testenv.InVM() {
		testenv.Missing(t, "a cgroup2 file system")
	}
	if err := unix.Mount("cgroup2", dir, "cgroup2", 0, ""); err != nil {
		t.Fatal(err)
	}
	return dir
}
