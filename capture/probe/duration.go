package probe

import (
	"errors"
	"strings"

	"trapline/format"
)

// durationField is how long a call took, in ns.
func durationField(name string) Field {
	return Field{Name: name, Type: format.FieldUint, Size: 8, Count: 1}
}

// MeasuresCalls reports whether the event's hits can say how long a call took.
func (e *Event) MeasuresCalls() bool {
	return e.atReturn() || e.Kind == format.ProbeTracepoint && systemCallEntry(e.System, e.Name) != ""
}

// systemCallEntry returns the tracepoint of the group that hits at the entry of the
// system calls that the one of the given name hits at the exit of; "" if that is none.
// Both may be patterns.
func systemCallEntry(system, name string) string {
	if rest, ok := strings.CutPrefix(name, "sys_exit"); ok && (system == systemCallGroup || system == "raw_syscalls") {
		return "sys_enter" + rest
	}
	return ""
}

// EntryTracepoint returns the tracepoint of the same group at the entry of the system
// call that the probe hits at the exit of; "" if there is none.
func (p *Probe) EntryTracepoint() string {
	if p.Kind != format.ProbeTracepoint {
		return ""
	}
	return systemCallEntry(p.Group, p.Function)
}

var errNoDuration = errors.New("duration is known at returns only: kretprobe, fexit, uretprobe, and sys_exit tracepoints")

// fetchDuration gives the duration a slot among the fetched values, until layOut or, of
// tracepoints, appendDuration says where. The program puts it there after fetching.
func (p *Probe) fetchDuration(ev *Event, a *Arg) error {
	if !ev.MeasuresCalls() {
		return errNoDuration
	}
	if p.DurationAt != 0 {
		return errors.New("duration is asked for twice")
	}
	p.DurationMark = uint8(len(p.Fields))
	p.DurationAt = commonSize
	return p.addAll([]captured{{Fetch{Base: FetchConstant}, durationField(a.Name)}})
}

// appendDuration puts the duration that the event asks for, if it does, behind a
// tracepoint's record. Those of system calls are of a fixed size.
func (p *Probe) appendDuration() {
	if p.DurationAt == 0 {
		return
	}
	p.DurationAt = (p.RecordSize + 7) &^ 7
	p.MarksAt = p.DurationAt + 8
	p.Fields[p.DurationMark].Offset = p.DurationAt
	p.Fields = append(p.Fields,
		Field{Type: format.FieldUnread, Offset: p.MarksAt, Size: 4, Count: 1},
		Field{Type: format.FieldCut, Offset: p.MarksAt + 4, Size: 4, Count: 1})
}
