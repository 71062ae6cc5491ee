//go:build linux

package e2e

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// Tracepoints of system calls record fields by name, and the strings, bytes and
// structures in the program's memory that fields point to.
func TestFieldsOfSystemCalls(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 400
	args := []string{"--no-stacks"}
	for _, event := range systemCallEvents {
		name, event, _ := strings.Cut(event, "=")
		if !strings.Contains(event, "{") {
			event = name + "=" + event // a pattern cannot be named
		}
		args = append(args, "-e", event)
	}
	path := recordOK(t, append(args, "--", testenv.Target(t, "kernelcalls"), strconv.Itoa(n))...)
	calls := make(map[string]int)
	all := hits(t, path)
	for k := range all {
		h := &all[k]
		i := calls[h.Probe]
		calls[h.Probe]++
		h.expect(t, systemCallArguments(t, h, i))
	}
	for _, name := range []string{"open", "same", "raw", "plain", "read", "write", "connect", "opened", "timed", "syscalls:sys_enter_openat"} {
		if calls[name] != n {
			t.Errorf("%d hits of %s, want %d", calls[name], name, n)
		}
	}
}

// systemCallEvents are tracepoints of the system calls in the loop of kernelcalls.
var systemCallEvents = []string{
	"open=syscalls:sys_enter_openat filename:ustring n=flags second=filename[1] $comm /filename ~ \"/nonexistent/*\"/",
	"same=t:syscalls:sys_enter_openat f=args.filename:string@user args->mode:x8 dfd:s64 c=+1(filename):u8@user arg2 /f ~ \"/nonexistent/*\"/",
	"raw=raw_syscalls:sys_enter path=args.args[1]:ustring nr=id:u16 /nr == 257 && path ~ \"/nonexistent/*\"/",
	"plain=raw_syscalls:sys_enter which=id:u16 /which == 42/",
	"read=syscalls:sys_enter_read bytes=count",
	"write=syscalls:sys_enter_write buf:bytes:count text=buf:ustring",
	"connect=syscalls:sys_enter_connect uservaddr:sockaddr family=uservaddr->sa_family port=+2(uservaddr):port@user addrlen",
	"opened=syscalls:sys_exit_openat why=ret:errno /why < 0/",
	"timed=syscalls:sys_exit_connect duration result=ret:s16 /ret == -111/",
	"open_any=syscalls:sys_enter_open{at,at2} filename:ustring /filename ~ \"/nonexistent/*\"/",
}

// systemCallArguments returns the arguments of iteration i.
func systemCallArguments(t *testing.T, h *hit, i int) map[string]any {
	t.Helper()
	file := "/nonexistent/" + strconv.Itoa(i)
	switch h.Probe {
	case "open":
		return map[string]any{"filename": file, "n": 0, "second": "n", "comm": "kernelcalls"}
	case "same":
		return map[string]any{"f": file, "mode": "0x0", "dfd": -100, "c": int('n'), "arg2": 0}
	case "raw":
		return map[string]any{"path": file, "nr": 257}
	case "plain":
		return map[string]any{"which": 42}
	case "read":
		return map[string]any{"bytes": i%100 + 1}
	case "write":
		return map[string]any{"buf": hex.EncodeToString([]byte(file)), "text": file}
	case "connect":
		port := 20000 + i%1000
		return map[string]any{"uservaddr": fmt.Sprintf("127.0.0.1:%d", port), "family": 2, "port": port, "addrlen": 16}
	case "opened":
		return map[string]any{"why": -2}
	case "timed":
		return map[string]any{"duration": max(h.number(t, "duration"), 1), "result": -111}
	case "syscalls:sys_enter_openat":
		return map[string]any{"filename": file}
	}
	return nil
}

// A tracepoint is recorded three times: the whole record, some fields, and the same
// fields fetched one by one. All three must have the same values.
func TestFieldsAreThoseOfTheRecord(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "counter")
	for _, test := range []struct {
		event, fields string
		one           string // makes the BPF program fetch fields one by one; "" impossible
	}{
		{"sched:sched_switch", "next_pid prev_comm prev_state next_comm", "$comm"},
		{"sched:sched_process_exec", "filename pid", ""}, // filename is of variable length
		{"sched:sched_process_exec", "old_pid pid", "$comm"},
		{"sched:sched_wakeup", "pid comm prio", "x=+0(@_text):u8"},
		{"raw_syscalls:sys_enter", "args.args id", "$comm"},
		{"raw_syscalls:sys_exit", "ret id", "bit=id:b1@0/64"},
		{"kmem:mm_page_alloc", "order pfn gfp_flags", "$comm"},
	} {
		t.Run(test.event+" "+test.fields, func(t *testing.T) {
			args := []string{"--no-stacks", "--time-resolution", "1ns", "-e", "whole=" + test.event, "-e", "some=" + test.event + " " + test.fields}
			if test.one != "" {
				args = append(args, "-e", "fetched="+test.event+" "+test.fields+" "+test.one)
			}
			path := recordOK(t, append(args, "--", target, "-c", "pr", "-x", "-f", "2", "-r", "2000", "100")...)
			checkWhole(t, path, len(hits(t, path)))
			var names []string
			for _, f := range strings.Fields(test.fields) {
				names = append(names, strings.TrimPrefix(f, "args."))
			}
			said := make(map[string][]string) // by probe, in order
			all := hits(t, path)
			slices.SortStableFunc(all, func(a, b hit) int { return cmp.Or(cmp.Compare(a.CPU, b.CPU), cmp.Compare(a.Time, b.Time)) })
			for i := range all {
				h := &all[i]
				if h.Probe == "some" && len(h.Args) != len(names) {
					t.Fatalf("the arguments are %v, want %s", h.Args, test.fields)
				}
				values := make([]any, len(names))
				for j, name := range names {
					values[j] = h.Args[name]
				}
				text, err := json.Marshal(values)
				if err != nil {
					t.Fatal(err)
				}
				said[h.Probe] = append(said[h.Probe], string(text))
			}
			if len(said["whole"]) == 0 || !slices.Equal(said["some"], said["whole"]) {
				t.Errorf("with the fields %d hits, %.500q\nwithout %d hits, %.500q", len(said["some"]), said["some"], len(said["whole"]), said["whole"])
			}
			if test.one != "" && !slices.Equal(said["fetched"], said["whole"]) {
				t.Errorf("with %s %d hits, %.500q\nwithout %d hits, %.500q", test.one, len(said["fetched"]), said["fetched"], len(said["whole"]), said["whole"])
			}
		})
	}
}

// A predicate may use fields that were not requested. They are recorded as well.
func TestFilterByOtherFields(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 300
	for _, test := range []struct {
		event  string
		target []string
		hits   int
		args   []string
	}{
		{"syscalls:sys_enter_read fd /count > 50 && count <= 90/", []string{"kernelcalls", strconv.Itoa(n)}, n / 100 * 40, []string{"count", "fd"}},
		{"syscalls:sys_enter_write text=buf:ustring /count == 16 && text ~ \"*/2?7\"/", []string{"kernelcalls", strconv.Itoa(n)}, 10, []string{"count", "text"}},
		{"sched:sched_process_exec pid /filename == \"/proc/self/exe\"/", []string{"counter", "-x", "-f", "3", "1"}, 3, []string{"filename", "pid"}},
		{"sched:sched_process_exec filename /args.pid == hit.pid/", []string{"counter", "-x", "-f", "3", "1"}, 3, []string{"filename", "pid"}},
	} {
		command := append([]string{testenv.Target(t, test.target[0])}, test.target[1:]...)
		path := recordOK(t, append([]string{"--no-stacks", "-e", test.event, "--"}, command...)...)
		all := hits(t, path)
		if len(all) != test.hits {
			t.Errorf("%s: %d hits, want %d", test.event, len(all), test.hits)
		}
		for _, h := range all {
			var names []string
			for name := range h.Args {
				names = append(names, name)
			}
			if slices.Sort(names); !slices.Equal(names, test.args) {
				t.Fatalf("%s: the arguments are %q, want %q", test.event, names, test.args)
			}
		}
		if q := qualityOf(t, path); int(q.Account["recorded"]) != len(all) || q.Account["recorded"]+q.Account["filtered"] != q.total() {
			t.Errorf("%s: %d hits in the capture, the account is %v", test.event, len(all), q.Account)
		}
	}
}

// Invalid fields of tracepoints are reported before recording starts, with an alternative.
func TestFieldMistakes(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	for event, want := range map[string]string{
		"sched:sched_switch next_pit":                   "next_pit is not an argument here: there are prev_comm, ",
		"syscalls:sys_enter_openat flags.x":             "flags is int, which has no fields",
		"syscalls:sys_enter_open* filename:ustring":     "syscalls:sys_enter_open_by_handle_at: filename is not an argument here",
		"syscalls:sys_enter_openat arg4":                "arg4 does not exist: there are 4 arguments",
		"syscalls:sys_enter_openat duration":            "duration exists only at returns",
		"syscalls:sys_exit_openat ret $comm duration":   "duration can be recorded with fields, but not with what they point to or with $comm",
		"sched:sched_process_exec filename $comm":       "filename has variable length: it can be recorded with other fields, but not with what they point to or with $comm; omit these, or all arguments",
		"sched:sched_process_exec filename:u32":         "filename has variable length",
		"sched:sched_switch $stack0":                    "a tracepoint has no registers and no stack words",
		"sched:sched_process_exec filename /pid > 100/": "pid is an argument of sched:sched_process_exec and also a property of the hit: write args.pid or hit.pid",
	} {
		r := run(t, exec.Command(command(t, "record"), "-o", filepath.Join(t.TempDir(), "x"), "-e", event, "--", "true"))
		if r.code == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: exit code %d, message\n%swant %s", event, r.code, r.stderr, want)
		}
	}
}
