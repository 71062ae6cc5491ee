package value

import (
	"errors"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
)

var errNoDuration = errors.New("duration is known only at returns: kretprobe, fexit, uretprobe, and sys_exit tracepoints")

// addDuration adds a slot for the duration of the call to the fetched values. LayOut, or
// appendDuration for tracepoints, determines its place. The program stores the duration
// there after it has fetched the other values.
func addDuration(r *layout.Record, ev *event.Event, name string) error {
	if !ev.MeasuresCalls() {
		return errNoDuration
	}
	if r.DurationAt != 0 {
		return errors.New("duration is given twice")
	}
	r.DurationMark = uint8(len(r.Fields))
	r.DurationAt = layout.CommonSize
	field := layout.Field{Name: name, Type: format.FieldUint, Size: 8, Count: 1, Value: "duration"} // in ns
	return r.Add([]layout.Value{{Fetch: layout.Fetch{Base: layout.FetchConstant}, Field: field}})
}

// appendDuration appends the duration to a tracepoint's record, if the event asks for it.
// The records of system calls have a fixed size.
func appendDuration(r *layout.Record) {
	if r.DurationAt == 0 {
		return
	}
	r.DurationAt = (r.RecordSize + 7) &^ 7
	r.Fields[r.DurationMark].Offset = r.DurationAt
	r.Mark(r.DurationAt + 8)
}
