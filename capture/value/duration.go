package value

import (
	"errors"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
)

var errNoDuration = errors.New("duration is known at returns only: kretprobe, fexit, uretprobe, and sys_exit tracepoints")

// addDuration gives the duration of the call a slot among the fetched values, until
// LayOut or, of tracepoints, appendDuration says where. The program puts it there after
// fetching.
func addDuration(r *layout.Record, ev *event.Event, name string) error {
	if !ev.MeasuresCalls() {
		return errNoDuration
	}
	if r.DurationAt != 0 {
		return errors.New("duration is asked for twice")
	}
	r.DurationMark = uint8(len(r.Fields))
	r.DurationAt = layout.CommonSize
	field := layout.Field{Name: name, Type: format.FieldUint, Size: 8, Count: 1, Value: "duration"} // ns
	return r.Add([]layout.Value{{Fetch: layout.Fetch{Base: layout.FetchConstant}, Field: field}})
}

// appendDuration puts the duration that the event asks for, if it does, behind a
// tracepoint's record. Those of system calls are of a fixed size.
func appendDuration(r *layout.Record) {
	if r.DurationAt == 0 {
		return
	}
	r.DurationAt = (r.RecordSize + 7) &^ 7
	r.Fields[r.DurationMark].Offset = r.DurationAt
	r.Mark(r.DurationAt + 8)
}
