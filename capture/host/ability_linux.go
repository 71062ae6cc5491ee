package host

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// A kind is one kind of probe and what it needs.
type kind struct {
	name   string
	try    func(tracefs string) error // attaches a probe for a moment
	need   []Capability
	config []string // options without which the kernel has none
	source string   // perf event source that goes with it; "" none
	since  string   // first kernel; "" older than all that are supported
	remedy string   // what works instead
}

const useTracepoints = "use tracepoints or raw tracepoints"

var kinds = []kind{
	{name: "tracepoint", try: tryTracepoint, need: []Capability{BPF, Perfmon}, config: []string{"CONFIG_BPF_EVENTS", "CONFIG_EVENT_TRACING"}},
	{name: "rawtracepoint", try: tryRawTracepoint, need: []Capability{BPF, Perfmon}, config: []string{"CONFIG_BPF_EVENTS", "CONFIG_DEBUG_INFO_BTF"}},
	{name: "kprobe", try: tryKprobe, need: []Capability{BPF, Perfmon}, config: []string{"CONFIG_KPROBES", "CONFIG_KPROBE_EVENTS"}, source: "kprobe", remedy: useTracepoints},
	{name: "kretprobe", try: tryKretprobe, need: []Capability{BPF, Perfmon}, config: []string{"CONFIG_KPROBES", "CONFIG_KRETPROBES", "CONFIG_KPROBE_EVENTS"}, source: "kprobe", remedy: useTracepoints},
	{name: "kprobe.multi", try: tryKprobeMulti, need: []Capability{BPF, Perfmon}, config: []string{"CONFIG_FPROBE"}, since: "5.18", remedy: "kprobes, where there are any, are attached one by one"},
	{name: "fentry, fexit", try: tryFentry, need: []Capability{BPF, Perfmon}, config: []string{"CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "CONFIG_DEBUG_INFO_BTF"}, remedy: useTracepoints},
	{name: "uprobe", try: tryUprobe, need: []Capability{BPF, Perfmon, SysAdmin}, config: []string{"CONFIG_UPROBE_EVENTS"}, source: "uprobe", remedy: "where there is uprobe.multi, record uses that"},
	{name: "uprobe.multi", try: tryUprobeMulti, need: []Capability{BPF, Perfmon}, config: []string{"CONFIG_UPROBE_EVENTS"}, since: "6.6", remedy: "uprobes are attached one by one"},
	{name: "cpu-clock", try: tryClock, need: []Capability{BPF, Perfmon}},
	{name: "cycles", try: tryCycles, need: []Capability{BPF, Perfmon}, source: "cpu", remedy: "use cpu-clock"},
	{name: "watchpoint", try: tryWatchpoint, need: []Capability{BPF, Perfmon}, config: []string{"CONFIG_HAVE_HW_BREAKPOINT"}, source: "breakpoint", remedy: WithoutBreakpoints},
}

// ability tries a kind of probe.
func (k *kind) ability(tracefs string) Ability {
	err := k.try(tracefs)
	a := Ability{Name: k.name, OK: err == nil}
	if err == nil {
		return a
	}
	a.Remedy = k.remedy
	option := lacks(k.config...)
	switch {
	case errors.Is(err, errNoTraceFS):
		a.Reason, a.Remedy = err.Error(), "mount -t tracefs tracefs /sys/kernel/tracing"
	case option != "":
		a.Reason = "the kernel was built without " + option
	case k.source == "cpu" && !haveEventSource(k.source):
		a.Reason = "this machine has no such counter, as is usual for virtual ones"
	case k.source != "" && !haveEventSource(k.source):
		a.Reason = "the kernel was built without " + k.config[0]
	case olderThan(k.since):
		a.Reason = "needs Linux " + k.since
	case errors.Is(err, ebpf.ErrNotSupported) && len(k.config) > 0:
		a.Reason = "the kernel was built without " + k.config[0]
	case IsDenied(err) && isFile(err):
		a.Reason, a.Remedy = EventDenied(append([]Capability{DACReadSearch}, k.need...)...)
		a.Remedy = orElse(a.Remedy, "mount tracefs so that this user can read it: gid=")
	case IsDenied(err):
		reason, remedy := EventDenied(k.need...)
		a.Reason, a.Remedy = reason, orElse(remedy, k.remedy)
	default:
		a.Reason = err.Error()
	}
	return a
}

// IsDenied reports whether the kernel refused for want of a privilege: EPERM or EACCES.
func IsDenied(err error) bool { return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) }

func isFile(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path)
}

// haveEventSource reports whether perf has a source of events; hybrid CPUs have
// cpu_core and cpu_atom.
func haveEventSource(name string) bool {
	sources, err := filepath.Glob("/sys/bus/event_source/devices/" + name + "*")
	return err != nil || len(sources) > 0
}
