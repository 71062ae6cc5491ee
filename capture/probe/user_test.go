package probe_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"trapline/capture/event"
	"trapline/capture/probe"
	"trapline/format"
	"trapline/internal/testenv"
)

// compile compiles sources from testdata/src and returns the program's path.
func compile(t *testing.T, compiler, name string, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	cmd := exec.Command(testenv.Tool(t, compiler), append([]string{"-O1", "-o", out}, args...)...)
	cmd.Dir = "testdata/src"
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, text)
	}
	return out
}

var programSources = []string{"program.c", "other.c", "third.c"}

// user returns a resolver for this machine's files. It assumes that the kernel has
// uprobes, since nothing is attached.
func user(t *testing.T, pid int) *probe.Resolver {
	t.Helper()
	if _, err := os.Stat("/sys/bus/event_source/devices/software"); err == nil {
		if _, err := os.Stat("/sys/bus/event_source/devices/uprobe"); err != nil {
			testenv.Unsupported(t, "uprobes (CONFIG_UPROBE_EVENTS)")
		}
	}
	return probe.NewResolver(probe.Options{PID: pid})
}

// The file offset of each function has the bytes that the running program has at its
// address.
func TestUserFunctions(t *testing.T) {
	for _, kind := range [][]string{{"-pie", "-fPIE"}, {"-no-pie", "-fno-pie"}, {"-static"}} {
		program := compile(t, "gcc", "program", append(programSources, kind...)...)
		output, err := exec.Command(program).Output()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		file, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		r := user(t, 0)
		lines := strings.Split(strings.TrimSpace(string(output)), "\n")
		if len(lines) != 3 {
			t.Fatalf("%s: printed %q", kind, output)
		}
		for _, line := range lines {
			name, code, _ := strings.Cut(line, " ")
			probes, err := resolve(t, r, "u:"+program+":"+name)
			if err != nil || len(probes) != 1 {
				t.Errorf("%s %s: %+v, %v", kind, name, probes, err)
				continue
			}
			p := probes[0]
			if got := hex.EncodeToString(file[p.Offset:][:16]); got != code {
				t.Errorf("%s %s: code at 0x%x is %s, want %s", kind, name, p.Offset, got, code)
			}
			if p.Kind != format.ProbeUprobe || p.Name != "uprobe:program:"+name || p.Function != name || p.Path != program {
				t.Errorf("%s: %+v", name, p)
			}
			inside, err := resolve(t, r, fmt.Sprintf("u:%s:%s+6", program, name))
			if err != nil || inside[0].Offset != p.Offset+6 || inside[0].Name != p.Name+"+0x6" {
				t.Errorf("%s+6: %+v, %v", name, inside, err)
			}
			raw, err := resolve(t, r, fmt.Sprintf("u:%s:0x%x", program, p.Offset))
			if err != nil || raw[0].Offset != p.Offset || raw[0].Name != fmt.Sprintf("uprobe:program:0x%x", p.Offset) {
				t.Errorf("offset of %s: %+v, %v", name, raw, err)
			}
		}
		twice, err := resolve(t, r, "ur:"+program+":twice retval arg=retval:s32")
		if err != nil || len(twice) != 2 || twice[0].Offset == twice[1].Offset || twice[0].Name == twice[1].Name {
			t.Errorf("two functions of one name: %+v, %v", twice, err)
		}
	}
}

func TestUserErrors(t *testing.T) {
	program := compile(t, "gcc", "program", programSources...)
	stripped := compile(t, "gcc", "stripped", append(programSources, "-static", "-s")...)
	self, err := os.Executable() // a Go program
	if err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\nexit 0\n# long enough for a header of ELF, were it one\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(t.TempDir(), "foreign")
	if data, err := os.ReadFile(program); err != nil {
		t.Fatal(err)
	} else {
		data[18] = 8 // e_machine: EM_MIPS
		if err := os.WriteFile(foreign, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var missing *event.NotFoundError
	var invalid *event.InvalidError
	r := user(t, 0)
	for _, test := range []struct {
		text string
		kind any
		want string
	}{
		{"u:" + program + ":frist", &missing, "no such function in " + program + " (nearest: first)"},
		{"u:" + program + ":first+0x100", &invalid, "offset 0x100 is outside the function"},
		{"u:" + program + ":0x10", &invalid, "file offset 0x10 is not in the code of " + program},
		{"u:" + program + ":first+6 arg6", &invalid, "arg6 is not in a register"},
		{"u:" + stripped + ":first", &missing, "it is stripped"},
		{"u:" + self + ":main.main arg0", &invalid, "arg0 cannot be found: Go has its own calling convention"},
		{"u:" + text + ":main", &invalid, "not an ELF file"},
		{"u:" + foreign + ":main", &invalid, "made for EM_MIPS"},
		{"u:" + filepath.Dir(program) + ":main", &invalid, "not a regular file"},
		{"u:" + program + "x:main", &missing, "no such file: " + program + "x (nearest: program)"},
		{"u:" + program + "/x:main", &invalid, "not a directory"},
		{"u:libthatisnothere:f", &missing, "give its path"},
	} {
		if runtime.GOARCH != "amd64" && strings.Contains(test.text, "arg6") {
			continue
		}
		probes, err := resolve(t, r, test.text)
		if err == nil || !errors.As(err, test.kind) || !strings.HasPrefix(err.Error(), test.text+": ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %+v, %T %v\nwant %s", test.text, probes, err, err, test.want)
		}
	}
	if probes, err := resolve(t, r, "u:"+self+":main.main"); err != nil || len(probes) != 1 {
		t.Errorf("entry of a Go function: %+v, %v", probes, err)
	}
}

func TestUserDemangled(t *testing.T) {
	program := compile(t, "g++", "names", "names.cc")
	r := user(t, 0)
	linkage, err := resolve(t, r, "u:"+program+":_ZN4shop4Cart3addEiPKc")
	if err != nil {
		t.Fatal(err)
	}
	demangled, err := resolve(t, r, "u:"+program+":shop::Cart::add(int, char const*) arg1:s32 arg2:string")
	if err != nil || len(demangled) != 1 || demangled[0].Offset != linkage[0].Offset || demangled[0].Function != linkage[0].Function {
		t.Errorf("got %+v, %v; want the offset of %+v", demangled, err, linkage)
	}
	_, err = resolve(t, r, "u:"+program+":shop::Cart::add(int)")
	if err == nil || !strings.Contains(err.Error(), "shop::Cart::add(int, char const*)") {
		t.Errorf("nearest name: got %v", err)
	}
	var names []string
	err = r.List("u:"+program+":shop::*", false, func(l probe.Listing) bool {
		names = append(names, strings.TrimPrefix(l.Name, "uprobe:"+program+":"))
		return true
	})
	want := `"shop::Cart::add(int, char const*)" "shop::Cart::operator+=(int)"`
	if got := strings.Join(names, " "); err != nil || got != want {
		t.Errorf("listed %s, %v; want %s", got, err, want)
	}
	for _, name := range names { // everything listed can be probed
		if _, err := resolve(t, r, "u:"+program+":"+name); err != nil {
			t.Error(err)
		}
	}
}

// u:LIBRARY:NAME is a USDT probe in bcc and a function here.
func TestHintUSDT(t *testing.T) {
	target := testenv.Target(t, "usdt")
	_, err := resolve(t, user(t, 0), "u:"+target+":inlined")
	if err == nil || !strings.Contains(err.Error(), "but there is a USDT probe with this name: write usdt:"+target+":inlined") {
		t.Errorf("got %v", err)
	}
}

// * and patterns without kind list what a process has mapped.
func TestListProcess(t *testing.T) {
	testenv.Host(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := user(t, os.Getpid())
	for _, pattern := range []string{"uprobe:*:testing.tRunner", "~/^testing[.]tRunner$/"} {
		var names []string
		err := r.List(pattern, false, func(l probe.Listing) bool {
			names = append(names, l.Name)
			return true
		})
		// Leave the tracepoints of this machine out.
		if got, want := strings.Join(names, " "), "uprobe:"+self+":testing.tRunner"; got != want {
			t.Errorf("%s: got %s, %v; want %s", pattern, got, err, want)
		}
	}
	probes, err := resolve(t, r, "u:*:testing.tRunner")
	if err != nil || len(probes) != 1 || probes[0].Path != self {
		t.Errorf("one function of all that is mapped: %+v, %v", probes, err)
	}
	var missing *event.NotFoundError
	if _, err := resolve(t, r, "u:*:testing.tRuner"); !errors.As(err, &missing) || !slices.Contains(missing.Nearest, "testing.tRunner") {
		t.Errorf("a function that nothing mapped has: %v", err)
	}
	if err := user(t, 0).List("uprobe:*:main", false, func(l probe.Listing) bool { return true }); err == nil || !strings.Contains(err.Error(), "process (-p)") {
		t.Errorf("all programs of no process: %v", err)
	}
}

func TestLibcByName(t *testing.T) {
	testenv.Host(t)
	var paths []string
	sleep := exec.Command(testenv.Tool(t, "sleep"), "60")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		sleep.Process.Kill()
		sleep.Wait()
	}()
	for _, name := range []string{"libc", "libc.so.6"} {
		for _, pid := range []int{0, sleep.Process.Pid} {
			probes, err := resolve(t, user(t, pid), "u:"+name+":malloc arg0:u64")
			if err != nil || len(probes) != 1 {
				t.Fatalf("%s: %v, %v", name, probes, err)
			}
			if probes[0].Name != "uprobe:libc.so.6:malloc" {
				t.Errorf("%s: name %s", name, probes[0].Name)
			}
			paths = append(paths, fmt.Sprint(probes[0].Path, probes[0].Offset))
		}
	}
	for _, p := range paths {
		if p != paths[0] {
			t.Errorf("found in different places: %q", paths)
		}
	}
}

// An old version of a function keeps its name; the plain name means the default version.
func TestVersionedName(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		testenv.Unsupported(t, "an x86-64 machine")
	}
	testenv.Host(t)
	r := user(t, 0)
	plain, err := resolve(t, r, "u:libc:pthread_cond_signal")
	if err != nil {
		t.Fatal(err)
	}
	current, err := resolve(t, r, "u:libc:pthread_cond_signal@@GLIBC_2.3.2")
	if err != nil {
		t.Fatal(err)
	}
	old, err := resolve(t, r, "u:libc:pthread_cond_signal@GLIBC_2.2.5")
	if err != nil {
		t.Fatal(err)
	}
	if plain[0].Offset != current[0].Offset || plain[0].Offset == old[0].Offset {
		t.Errorf("plain %+v\ncurrent %+v\nold %+v", plain, current, old)
	}
}
