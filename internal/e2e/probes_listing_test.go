//go:build linux

package e2e

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// places matches offsets, which differ from build to build.
var places = regexp.MustCompile(`\+0x[0-9a-f]+\n`)

func TestDryRun(t *testing.T) {
	testenv.Root(t)
	target := testenv.Target(t, "many")
	r := run(t, exec.Command(command(t, "record"), "--dry-run", "-x", target, "-e", "x=many_002 arg0:s32 [every=10]", "-e", "many_00[0-1]%return"))
	got := places.ReplaceAllString(strings.ReplaceAll(r.stdout, target, "TARGET"), "+PLACE\n")
	got = regexp.MustCompile(`(?m)^    # .*\n|, uprobe.*$`).ReplaceAllString(got, "")
	want := `x=uprobe:TARGET:many_002 arg0:s32 [every=10]
    x: 1 site
        at TARGET+PLACE
        arg0:s32
uretprobe:TARGET:many_00[0-1]
    uretprobe:many:many_000: 1 site
        at TARGET+PLACE
    uretprobe:many:many_001: 1 site
        at TARGET+PLACE
2 events, 3 probes, 3 sites, target: system-wide
`
	if r.code != 0 || got != want {
		t.Errorf("exit code %d, got\n%swant\n%s%s", r.code, got, want, r.stderr)
	}
}

func TestListVerbose(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "usdt")
	r := run(t, exec.Command(command(t, "record"), "-lv", "-x", target, "narrow"))
	for _, want := range []string{"# usdt: static probe of a program; stable", "\nusdt:" + target + ":trapline:narrow\n    arg0:u8\n    arg1:s8\n"} {
		if r.code != 0 || !strings.Contains(r.stdout, want) {
			t.Errorf("exit code %d, no %q in\n%s%s", r.code, want, r.stdout, r.stderr)
		}
	}
	r = run(t, exec.Command(command(t, "record"), "-lv", "syscalls:sys_enter_openat"))
	if want := "\n    dfd:s32\n    filename:x64\n"; r.code != 0 || !strings.Contains(r.stdout, want) || !strings.HasPrefix(r.stdout, "# tracepoint: ") {
		t.Errorf("exit code %d, no %q in\n%s%s", r.code, want, r.stdout, r.stderr)
	}
	if r = run(t, exec.Command(command(t, "record"), "-l", "nosuch:*")); r.code != 2 || !strings.Contains(r.stderr, "no event matches") {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
}
