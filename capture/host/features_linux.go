package host

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// InPIDNamespace reports whether the process is in a PID namespace other than the initial
// one. BPF programs see the PIDs of the initial namespace. Its inode is PROC_PID_INIT_INO
// in include/linux/proc_ns.h.
func InPIDNamespace() bool {
	link, err := os.Readlink("/proc/self/ns/pid")
	return err == nil && link != "pid:[4026531836]"
}

// HaveCycles reports whether the machine has a cycle counter. Virtual machines often lack
// one.
func HaveCycles() bool {
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_HARDWARE, Config: unix.PERF_COUNT_HW_CPU_CYCLES}
	attr.Size = uint32(unsafe.Sizeof(attr))
	fd, err := unix.PerfEventOpen(&attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

// HaveFindVMA reports whether programs can look up mappings. Requires Linux 5.17.
func HaveFindVMA() bool {
	return features.HaveProgramHelper(ebpf.Kprobe, asm.FnFindVma) == nil &&
		features.HaveProgramHelper(ebpf.Kprobe, asm.FnLoop) == nil
}

// MappingTracepoint is hit when a mapping is stored in Linux 6.1 and some later versions.
const MappingTracepoint = "vma_store"

// MappingsUncounted reports whether the kernel has MappingTracepoint but does not count
// changes of address spaces itself (mm_lock_seq, of per-VMA locks).
var MappingsUncounted = sync.OnceValue(func() bool {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return false
	}
	var mm *btf.Struct
	if spec.TypeByName("mm_struct", &mm) != nil || hasMember(mm.Members, "mm_lock_seq") {
		return false
	}
	_, err = spec.AnyTypeByName("btf_trace_" + MappingTracepoint)
	return err == nil
})

// hasMember also searches anonymous members.
func hasMember(members []btf.Member, name string) bool {
	return slices.ContainsFunc(members, func(m btf.Member) bool {
		switch t := m.Type.(type) {
		case *btf.Struct:
			return m.Name == name || m.Name == "" && hasMember(t.Members, name)
		case *btf.Union:
			return m.Name == name || m.Name == "" && hasMember(t.Members, name)
		}
		return m.Name == name
	})
}

// HaveEventSource reports whether perf has an event source. Names are prefixes: hybrid
// CPUs have cpu_core and cpu_atom.
func HaveEventSource(name string) bool { return machine.haveEventSource(name) }

func (r root) haveEventSource(name string) bool {
	sources, err := filepath.Glob(r.path("/sys/bus/event_source/devices/" + name + "*"))
	return err != nil || len(sources) > 0
}
