package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"

	"trapline/internal/kallsyms"
)

// Inspect examines the machine. tracefs is its mount point, or "". symbols are the
// kernel's, or nil if they are hidden. It leaves Report.Probes empty.
func Inspect(tracefs string, symbols *kallsyms.Symbols) *Report {
	r := &Report{}
	fact := func(name, value string) {
		if value == "" {
			value = "unknown"
		}
		r.Facts = append(r.Facts, Fact{name, value})
	}
	fact("kernel", release()+" "+runtime.GOARCH)
	fact("user", user())
	fact("capabilities", capabilitiesLine())
	fact("restrictions", restrictions())
	fact("lockdown", orElse(Lockdown(), "none (not built in, or /sys/kernel/security is not mounted)"))
	fact("BTF", btfLine())
	fact("tracefs", tracefsLine(tracefs))
	fact("kernel symbols", symbolsLine(symbols))
	fact("kernel stacks", stacksLine(symbols))
	fact("JIT", jitLine())
	fact("locked memory", memoryLine())
	fact("event sources", eventSources())
	fact("perf_event_paranoid", machine.setting("/proc/sys/kernel/perf_event_paranoid"))
	r.Kernel = helpers()
	return r
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func user() string {
	if uid := os.Geteuid(); uid != 0 {
		return fmt.Sprintf("%d", uid)
	}
	return "root"
}

func capabilitiesLine() string {
	var have, missing []Capability
	for _, c := range capabilities {
		if Have(c.c) {
			have = append(have, c.c)
		} else {
			missing = append(missing, c.c)
		}
	}
	switch {
	case len(missing) == 0:
		return "all that recording may require"
	case len(have) == 0:
		return "none that recording may require"
	}
	return Join(have) + "; not " + Join(missing)
}

func btfLine() string {
	if _, err := btf.LoadKernelSpec(); err != nil {
		if errors.Is(err, btf.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			return "none (CONFIG_DEBUG_INFO_BTF): nothing can be recorded"
		}
		return err.Error()
	}
	all, err := filepath.Glob("/sys/kernel/btf/*")
	if err != nil || len(all) == 0 {
		return "yes"
	}
	return fmt.Sprintf("yes, also for %d modules", len(all)-1)
}

func tracefsLine(dir string) string {
	if dir == "" {
		return "not mounted (mount -t tracefs tracefs /sys/kernel/tracing)"
	}
	if _, err := os.ReadDir(filepath.Join(dir, "events")); err != nil {
		return dir + ", not readable: needs root, CAP_DAC_READ_SEARCH or a mount with gid="
	}
	return dir + ", readable"
}

func symbolsLine(symbols *kallsyms.Symbols) string {
	if symbols == nil {
		return "hidden: needs CAP_SYSLOG, and kernel.kptr_restrict (now " + machine.setting("/proc/sys/kernel/kptr_restrict") + ") below 2"
	}
	return "visible"
}

func stacksLine(symbols *kallsyms.Symbols) string {
	if symbols != nil {
		if _, ok := symbols.Section("orc_unwind"); ok {
			return "by ORC tables"
		}
	}
	return "by the kernel's own unwinder"
}

func jitLine() string {
	switch machine.setting("/proc/sys/net/core/bpf_jit_enable") {
	case "0":
		return "off (net.core.bpf_jit_enable): hits cost ten times as much"
	case "1", "2":
		return "on"
	}
	if kernelConfig()["CONFIG_BPF_JIT_ALWAYS_ON"] == "y" {
		return "on"
	}
	return ""
}

// memoryLine describes the limit on the memory of maps.
func memoryLine() string {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return ""
	}
	// Since Linux 5.11, which also added this helper, maps are charged to control groups.
	if features.HaveProgramHelper(ebpf.Kprobe, asm.FnKtimeGetCoarseNs) == nil {
		return "maps are charged to control groups; limit of perf buffers: " + bytesLine(limit.Cur)
	}
	return bytesLine(limit.Cur) + "; CAP_SYS_RESOURCE raises it"
}

func bytesLine(n uint64) string {
	if n == unix.RLIM_INFINITY {
		return "no limit"
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

func eventSources() string {
	entries, err := os.ReadDir("/sys/bus/event_source/devices")
	if err != nil {
		return ""
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return strings.Join(names, ", ")
}

// helpers returns the kernel functions that programs use if available.
func helpers() []Ability {
	var list []Ability
	for _, h := range []struct {
		fn          asm.BuiltinFunc
		name, since string
		without     string
	}{
		{asm.FnTaskPtRegs, "bpf_task_pt_regs", "5.15", "user stacks at tracepoints cost more"},
		{asm.FnFindVma, "bpf_find_vma", "5.17", "mappings are looked up after the hit, too late for short-lived processes"},
		{asm.FnLoop, "bpf_loop", "5.17", "mappings are looked up after the hit, too late for short-lived processes"},
		{asm.FnGetAttachCookie, "bpf_get_attach_cookie", "5.15", "each probe needs its own program"},
	} {
		a := Ability{Name: h.name}
		switch err := features.HaveProgramHelper(ebpf.Kprobe, h.fn); {
		case err == nil:
			a.OK = true
		case IsDenied(err):
			a.Reason, a.Remedy = LoadDenied()
		default:
			a.Reason, a.Remedy = "needs Linux "+h.since, "without it, "+h.without
		}
		list = append(list, a)
	}
	return list
}
