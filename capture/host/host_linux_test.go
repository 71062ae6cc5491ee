package host

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"trapline/internal/testenv"
)

// fakeRoot returns a root with these files.
func fakeRoot(t *testing.T, files map[string]string) root {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root(dir)
}

func TestCPULists(t *testing.T) {
	for text, want := range map[string][]int{
		"0\n": {0}, "0-3\n": {0, 1, 2, 3}, "0-1,4,6-7\n": {0, 1, 4, 6, 7},
		"": nil, "\n": nil, "3-1": nil, "a": nil, "1-": nil, "0-99999": nil,
	} {
		r := fakeRoot(t, map[string]string{"cpus": text})
		got, err := readCPUList(r.path("cpus"))
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	if _, err := readCPUList(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no file, and no error")
	}
}

func TestMaxSampleRate(t *testing.T) {
	for text, want := range map[string]uint64{"100000\n": 100_000, "1\n": 1, "": 0, "many": 0} {
		if got := fakeRoot(t, map[string]string{"proc/sys/kernel/perf_event_max_sample_rate": text}).maxSampleRate(); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if got := fakeRoot(t, nil).maxSampleRate(); got != 0 {
		t.Errorf("without the file: %d", got)
	}
}

func TestLockdown(t *testing.T) {
	for text, want := range map[string]string{
		"[none] integrity confidentiality\n": "none", "none [integrity] confidentiality\n": "integrity", "none integrity [confidentiality]": "confidentiality", "": "",
	} {
		if got := fakeRoot(t, map[string]string{"sys/kernel/security/lockdown": text}).lockdown(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := fakeRoot(t, nil).lockdown(); got != "" {
		t.Errorf("without securityfs: %q", got)
	}
}

func TestSeccomp(t *testing.T) {
	for mode, want := range map[string]bool{"0": false, "1": false, "2": true} {
		r := fakeRoot(t, map[string]string{"proc/self/status": "Name:\tcat\nSeccomp:\t" + mode + "\nSeccomp_filters:\t2\n"})
		if got := r.seccomp(); got != want {
			t.Errorf("mode %s: %t", mode, got)
		}
	}
	if fakeRoot(t, nil).seccomp() {
		t.Error("a filter without /proc")
	}
}

func TestUserNamespace(t *testing.T) {
	for text, want := range map[string]bool{
		"         0          0 4294967295\n": false, "         0       1000          1\n": true,
	} {
		if got := fakeRoot(t, map[string]string{"proc/self/uid_map": text}).inUserNamespace(); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

func TestConfig(t *testing.T) {
	const text = "# Automatically generated\nCONFIG_BPF=y\nCONFIG_HZ=250\n# CONFIG_KPROBES is not set\nCONFIG_FPROBE=m\n\nnonsense\n"
	want := map[string]string{"CONFIG_BPF": "y", "CONFIG_HZ": "250", "CONFIG_KPROBES": "n", "CONFIG_FPROBE": "m"}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(text))
	z.Close()
	for name, r := range map[string]root{
		"packed": fakeRoot(t, map[string]string{"proc/config.gz": packed.String(), "boot/config-6.1": "CONFIG_OTHER=y\n"}),
		"plain":  fakeRoot(t, map[string]string{"boot/config-6.1": text}),
	} {
		if got := r.config("6.1"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if got := fakeRoot(t, map[string]string{"proc/config.gz": "not packed", "boot/config-6.2": text}).config("6.1"); len(got) != 0 {
		t.Errorf("read from nothing: %v", got)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add("CONFIG_BPF=y\n# CONFIG_KPROBES is not set\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name := range parseConfig(strings.NewReader(text)) {
			if strings.Contains(name, "=") || strings.Contains(name, "\n") {
				t.Errorf("%q is no option", name)
			}
		}
	})
}

func TestFunctionLists(t *testing.T) {
	r := fakeRoot(t, map[string]string{
		"sys/kernel/debug/kprobes/blacklist":            "0xffffffff81000000-0xffffffff81000010\tbad_function\n0xffffffff81000010-0xffffffff81000020\tmodule_function [module]\n",
		"sys/kernel/tracing/available_filter_functions": "vfs_read\next4_sync_file [ext4]\n",
	})
	for function, want := range map[string]bool{"bad_function": true, "module_function": true, "bad": false, "vfs_read": false} {
		if got := r.blacklisted(function); got != want {
			t.Errorf("%s is blacklisted: %t", function, got)
		}
	}
	if fakeRoot(t, nil).blacklisted("bad_function") {
		t.Error("blacklisted by a list that is not there")
	}
	for function, want := range map[string]bool{"vfs_read": true, "ext4_sync_file": true, "bad_function": false} {
		if got := Traceable(r.path("sys/kernel/tracing"), function); got != want {
			t.Errorf("%s is traceable: %t", function, got)
		}
	}
	if !Traceable(t.TempDir(), "vfs_read") {
		t.Error("what cannot be read says that a function is not traceable")
	}
}

func TestCgroupRoot(t *testing.T) {
	r := fakeRoot(t, map[string]string{"proc/self/mounts": "proc /proc proc rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"})
	if got, err := r.cgroupRoot(); err != nil || got != "/sys/fs/cgroup/unified" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := fakeRoot(t, map[string]string{"proc/self/mounts": "proc /proc proc rw 0 0\n"}).cgroupRoot(); err == nil {
		t.Error("found where none is mounted")
	}
}

func TestEventSources(t *testing.T) {
	r := fakeRoot(t, map[string]string{"sys/bus/event_source/devices/cpu_core/type": "4", "sys/bus/event_source/devices/uprobe/type": "9"})
	for name, want := range map[string]bool{"cpu": true, "uprobe": true, "kprobe": false} {
		if got := r.haveEventSource(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestOlderThan(t *testing.T) {
	for _, c := range []struct {
		release, since string
		want           bool
	}{
		{"5.15.0-91-generic", "5.18", true}, {"5.18.0", "5.18", false}, {"6.1.0-18-amd64", "5.18", false}, {"6.6", "6.12", true},
		{"6.1", "", false}, {"unknown", "6.1", false},
	} {
		if got := releaseOlderThan(c.release, c.since); got != c.want {
			t.Errorf("%s is older than %s: %t", c.release, c.since, got)
		}
	}
}

func TestJoin(t *testing.T) {
	for want, list := range map[string][]Capability{
		"": nil, "CAP_BPF": {CapBPF}, "CAP_BPF and CAP_PERFMON": {CapBPF, CapPerfmon},
		"CAP_BPF, CAP_PERFMON and CAP_SYSLOG": {CapBPF, CapPerfmon, CapSyslog},
	} {
		if got := Join(list); got != want {
			t.Errorf("%v: %q, want %q", list, got, want)
		}
	}
}

// Every fact has a value, and root has access.
func TestInspect(t *testing.T) {
	testenv.Root(t)
	symbols, err := ReadKallsyms()
	if err != nil {
		t.Fatal(err)
	}
	tracefs, _, err := TraceFS()
	if err != nil {
		t.Fatal(err)
	}
	r := Inspect(tracefs, symbols)
	facts := make(map[string]string)
	for _, f := range r.Facts {
		if f.Value == "" {
			t.Errorf("%s has no value", f.Name)
		}
		facts[f.Name] = f.Value
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	if got, want := facts["kernel"], unix.ByteSliceToString(u.Release[:]); !strings.HasPrefix(got, want+" ") {
		t.Errorf("kernel %q, want %q", got, want)
	}
	for name, want := range map[string]string{"user": "root", "tracefs": tracefs + ", readable", "kernel symbols": "visible"} {
		if facts[name] != want {
			t.Errorf("%s: %q, want %q", name, facts[name], want)
		}
	}
	if len(r.Kernel) == 0 {
		t.Error("nothing is said of the kernel's functions")
	}
	for _, a := range r.Kernel {
		if a.OK != (a.Reason == "") {
			t.Errorf("%s: %+v", a.Name, a)
		}
	}
}
