//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// Only known outermost frames end a stack without a mark.
func TestStacksEndWithAMark(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	program := testenv.Target(t, "ends")
	for _, mode := range []string{"lost", "undefined", "returns"} {
		t.Run(mode, func(t *testing.T) {
			all := hits(t, recordOK(t, "--call-graph", "dwarf", "-e", trap, "--", program, mode))
			if len(all) != 1 {
				t.Fatalf("%d hits, want 1", len(all))
			}
			if got, want := written(frames(&all[0])), "trap "+mode+" [truncated: no unwind rule]"; got != want {
				t.Errorf("the stack is %s, want %s", got, want)
			}
		})
	}
}

// The first stacks from each place are unwound from copies of the stack. These reach beyond
// large frames and to what a signal interrupted.
func TestStacksOfNewPlaces(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	for mode, stack := range map[string]string{
		"alternate": "trap places handler __restore_rt|@libc.so.6 @libc.so.6+ interrupted main " + dynamicTail,
		"large":     "trap places large thread start_thread|@libc.so.6 clone3|__clone3|@libc.so.6",
	} {
		t.Run(mode, func(t *testing.T) {
			all := hits(t, recordOK(t, "--call-graph", "dwarf", "-e", trap, "--", testenv.Target(t, "ends"), mode))
			if len(all) != 32 {
				t.Fatalf("%d hits, want 32", len(all))
			}
			want := parseStack(t, stack)
			for i := range all {
				if got := frames(&all[i]); !want.matches(got) {
					t.Fatalf("hit %d: the stack is\n\t%s\nwant\n\t%s", i, written(got), want)
				}
			}
		})
	}
}

// A thread goes on after the first thread of its process has ended.
func TestStacksAfterTheFirstThread(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	cmd := exec.Command(testenv.Target(t, "ends"), "leader")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	eventually(t, "first thread that has ended", func() bool {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		return strings.Contains(string(status), "\nState:\tZ")
	})
	all := hits(t, recordOK(t, "--call-graph", "dwarf", "-e", trap, "-p", strconv.Itoa(cmd.Process.Pid), "--duration", "300ms"))
	if len(all) == 0 {
		t.Fatal("no hits")
	}
	want := parseStack(t, "trap thread start_thread|@libc.so.6 clone3|__clone3|@libc.so.6")
	for i := range all {
		if stack := frames(&all[i]); !want.matches(stack) {
			t.Fatalf("hit %d: the stack is %s, want %s", i, written(stack), want)
		}
	}
}

// At a return instruction, the caller's frame pointer is still read from below the stack
// pointer, as the tables of GCC say.
func TestStacksReadTheRedZone(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	program := testenv.Target(t, "ends-fp")
	text := run(t, exec.Command(testenv.Tool(t, "objdump"), "--disassemble=keeps", "--no-show-raw-insn", program)).stdout
	args := []string{"--call-graph", "dwarf", "--verify-stacks", "1", "-v"}
	start := int64(-1)
	for _, m := range regexp.MustCompile(`(?m)^ *([0-9a-f]+):\t(\w+)`).FindAllStringSubmatch(text, -1) {
		at, _ := strconv.ParseInt(m[1], 16, 64)
		if start < 0 {
			start = at
		}
		if m[2] == "ret" {
			args = append(args, "-e", fmt.Sprintf("uprobe:%s:keeps+%d", program, at-start))
		}
	}
	r := run(t, exec.Command(command(t, "record"), append(args, "-o", t.TempDir()+"/trapline.data", "--", program, "redzone")...))
	if r.code != 0 {
		t.Fatalf("exit code %d\n%s", r.code, r.stderr)
	}
	m := regexp.MustCompile(`stacks verified: (\d+) user, (\d+) different`).FindStringSubmatch(r.stderr)
	if m == nil || m[1] == "0" || m[2] != "0" {
		t.Errorf("want stacks verified and none different:\n%s", r.stderr)
	}
}
