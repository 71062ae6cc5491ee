package host

import (
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A Capability is one of capabilities(7).
type Capability uint

// The capabilities that recording may require.
const (
	CapBPF           Capability = unix.CAP_BPF             // 5.8: loading programs
	CapPerfmon       Capability = unix.CAP_PERFMON         // 5.8: tracing programs, perf events
	CapSysAdmin      Capability = unix.CAP_SYS_ADMIN       // includes the two above
	CapDACReadSearch Capability = unix.CAP_DAC_READ_SEARCH // files of tracefs and of container runtimes
	CapSysPtrace     Capability = unix.CAP_SYS_PTRACE      // mappings of other users' processes
	CapSyslog        Capability = unix.CAP_SYSLOG          // addresses in /proc/kallsyms
	CapSysResource   Capability = unix.CAP_SYS_RESOURCE    // maps beyond RLIMIT_MEMLOCK, before 5.11
	CapIPCLock       Capability = unix.CAP_IPC_LOCK        // perf buffers beyond kernel.perf_event_mlock_kb
)

var capabilities = []struct {
	c    Capability
	name string
}{
	{CapBPF, "CAP_BPF"}, {CapPerfmon, "CAP_PERFMON"}, {CapSysAdmin, "CAP_SYS_ADMIN"}, {CapDACReadSearch, "CAP_DAC_READ_SEARCH"},
	{CapSysPtrace, "CAP_SYS_PTRACE"}, {CapSyslog, "CAP_SYSLOG"}, {CapSysResource, "CAP_SYS_RESOURCE"}, {CapIPCLock, "CAP_IPC_LOCK"},
}

func (c Capability) String() string {
	for _, known := range capabilities {
		if known.c == c {
			return known.name
		}
	}
	return "capability"
}

// Have reports whether the process has a capability in effect. CAP_SYS_ADMIN includes
// CAP_BPF and CAP_PERFMON (bpf_capable and perfmon_capable in
// include/linux/capability.h).
func Have(c Capability) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return true // the kernel will report it
	}
	has := func(c Capability) bool { return data[c/32].Effective&(1<<(c%32)) != 0 }
	return has(c) || (c == CapBPF || c == CapPerfmon) && has(CapSysAdmin)
}

// Missing returns the capabilities in need that the process lacks.
func Missing(need ...Capability) []Capability {
	return slices.DeleteFunc(slices.Clone(need), Have)
}

// Join formats a list of capabilities for a sentence.
func Join(list []Capability) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.String()
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// InUserNamespace reports whether the process is in a user namespace other than the
// initial one, which maps every user to itself (user_namespaces(7)). There, capabilities
// do not apply to the machine as a whole.
func InUserNamespace() bool { return machine.inUserNamespace() }

func (r root) inUserNamespace() bool {
	b, err := os.ReadFile(r.path("/proc/self/uid_map"))
	return err == nil && strings.Join(strings.Fields(string(b)), " ") != "0 0 4294967295"
}
