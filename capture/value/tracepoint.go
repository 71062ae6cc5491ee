package value

import (
	"errors"
	"fmt"
	"slices"

	"trapline/capture/event"
	"trapline/capture/layout"
)

// ChooseFields replaces the fields of a tracepoint's record by the values that an event
// asks for. systemCall says that it is the tracepoint of one system call.
func (k *Kernel) ChooseFields(ev *event.Event, r *layout.Record, systemCall bool) error {
	args := ev.Args
	if len(args) == 0 {
		// The whole record has everything that conditions can use, except for the
		// duration.
		if !slices.Contains(r.Unknown(ev.Conditions), "duration") {
			return nil
		}
		for i := range r.Fields {
			name := r.Fields[i].Name
			args = append(args, event.Arg{Name: name, Value: event.Expr{Op: event.OpName, Name: name}})
		}
		args = append(args, event.Arg{Name: "duration", Value: event.Expr{Op: event.OpDuration}})
	}
	chosen := *r
	chosen.Fields = nil
	for i := range r.Fields {
		chosen.Others = append(chosen.Others, r.Fields[i].Name)
	}
	sc := k.atTracepoint(ev, r, systemCall)
	for i := range args {
		if err := sc.fetchArgument(&chosen, &args[i]); err != nil {
			return err
		}
	}
	if len(ev.Args) > 0 {
		if err := sc.fetchForConditions(&chosen); err != nil {
			return err
		}
	}
	if readInPlace(&chosen) {
		appendDuration(&chosen)
	} else if err := checkFetched(&chosen); err != nil {
		return err
	}
	*r = chosen
	return nil
}

// atTracepoint returns the scope at a tracepoint: the fields of its record, by name or as
// argN.
func (k *Kernel) atTracepoint(ev *event.Event, r *layout.Record, systemCall bool) *Scope {
	sc := &Scope{ev: ev, space: layout.KernelMemory, typed: true, symbol: k.symbol, comm: k.taskComm}
	for i := range r.Fields {
		f := &r.Fields[i]
		sc.params = append(sc.params, param{name: f.Name, at: k.fieldLocation(f, systemCall)})
	}
	sc.count = len(sc.params)
	if systemCall && sc.count > 0 { // the number of the call is not an argument
		sc.params = append(sc.params[1:], sc.params[0])
		sc.count--
	}
	return sc
}

// readInPlace points the fields into the tracepoint's record if all their values are
// there. The record is then copied as a whole, which is cheaper than fetching values one
// by one. Values of variable length cannot be recorded otherwise.
func readInPlace(r *layout.Record) bool {
	places := make([]uint16, len(r.Fetch))
	for i := range r.Fetch {
		if r.DurationAt != 0 && i == int(r.DurationMark) {
			continue
		}
		var ok bool
		if places[i], ok = inRecord(&r.Fetch[i], r.Fields, i); !ok {
			return false
		}
	}
	for i, at := range places {
		r.Fields[i].Offset = at
	}
	r.Fetch = nil
	return true
}

// inRecord returns the record offset of what a fetch reads for the i-th field. ok is
// false if it is not in the record in the form that the field needs.
func inRecord(f *layout.Fetch, fields []layout.Field, i int) (at uint16, ok bool) {
	if f.Base != layout.FetchRecord || f.Hidden || f.Swap || len(f.Steps) != 1 || f.Steps[0].Add != int32(uint16(f.Steps[0].Add)) {
		return 0, false
	}
	s := &f.Steps[0]
	switch f.As {
	case layout.FetchNumber:
		whole := f.Left == f.Right && (f.Left == 0 || int(f.Left) == 64-8*int(s.Size))
		ok = s.Space == layout.KernelMemory && whole && fields[i].Size <= uint16(s.Size)
	case layout.FetchBlock:
		ok = s.Space == layout.NoMemory && f.Space == layout.KernelMemory
	}
	return uint16(s.Add), ok
}

var errInMemory = errors.New("at a tracepoint, duration can be recorded with fields, but not with what they point to or with $comm")

// checkFetched checks that values fetched one by one do not include data that only the
// whole record has.
func checkFetched(r *layout.Record) error {
	if r.DurationAt != 0 {
		return errInMemory
	}
	if i := slices.IndexFunc(r.Fields, func(f layout.Field) bool { return f.Dynamic }); i >= 0 {
		return fmt.Errorf("%s has variable length: it can be recorded with other fields, but not with what they point to or with $comm; omit these, or all arguments",
			r.Fields[i].Name)
	}
	r.DataLocs = nil
	return nil
}
