package probe

import (
	"errors"
	"fmt"
	"slices"
)

// chooseFields makes what an event asks for the arguments of a tracepoint, in the place
// of all of its fields.
func (r *Resolver) chooseFields(ev *Event, p *Probe) error {
	if len(ev.Args) == 0 {
		return nil
	}
	of := ""
	if ev.Match != MatchExact {
		of = p.Name + ": " // which of those that match
	}
	chosen := *p
	chosen.Fields = nil
	for i := range p.Fields {
		chosen.recordNames = append(chosen.recordNames, p.Fields[i].Name)
	}
	sc := r.tracepointScope(ev, p)
	for i := range ev.Args {
		if err := sc.fetchArgument(&chosen, &ev.Args[i]); err != nil {
			return &InvalidError{ev.Text, of + err.Error()}
		}
	}
	if chosen.readInPlace() {
		chosen.appendDuration()
	} else if err := chosen.checkFetched(); err != nil {
		return &InvalidError{ev.Text, of + err.Error()}
	}
	*p = chosen
	return nil
}

// tracepointScope is what can be asked for at a tracepoint: the fields of its record, by
// name or, as argN, in order.
func (r *Resolver) tracepointScope(ev *Event, p *Probe) *scope {
	sc := &scope{ev: ev, space: KernelMemory, typed: true, symbol: r.kernelSymbol, comm: r.taskComm}
	systemCall := p.Group == systemCallGroup
	for i := range p.Fields {
		f := &p.Fields[i]
		sc.params = append(sc.params, param{name: f.Name, at: r.fieldPlace(f, systemCall)})
	}
	sc.count = len(sc.params)
	if systemCall && sc.count > 0 { // the number of the call is none of its arguments
		sc.params = append(sc.params[1:], sc.params[0])
		sc.count--
	}
	return sc
}

// readInPlace points the fields into the tracepoint's record, if all that they show lies there.
// It is then copied as a whole, which is cheaper than reading one value after another,
// and the only way to have what is of variable length.
func (p *Probe) readInPlace() bool {
	places := make([]uint16, len(p.Fetch))
	for i := range p.Fetch {
		if p.DurationAt != 0 && i == int(p.DurationMark) {
			continue
		}
		var ok bool
		if places[i], ok = p.Fetch[i].inRecord(p.Fields, i); !ok {
			return false
		}
	}
	for i, at := range places {
		p.Fields[i].Offset = at
	}
	p.Fetch = nil
	return true
}

// inRecord returns where in a tracepoint's record the i-th field finds what the fetch
// takes; ok is false if it does not lie there as the field shows it.
func (f *Fetch) inRecord(fields []Field, i int) (at uint16, ok bool) {
	if f.Base != FetchRecord || f.Hidden || f.Swap || len(f.Steps) != 1 || f.Steps[0].Add != int32(uint16(f.Steps[0].Add)) {
		return 0, false
	}
	s := &f.Steps[0]
	switch f.As {
	case FetchNumber:
		whole := f.Left == f.Right && (f.Left == 0 || int(f.Left) == 64-8*int(s.Size))
		ok = s.Space == KernelMemory && whole && fields[i].Size <= uint16(s.Size)
	case FetchBlock:
		ok = s.Space == NoMemory && f.Space == KernelMemory
	}
	return uint16(s.Add), ok
}

var errInMemory = errors.New("at a tracepoint, duration is recorded with fields as they are, but not with what they point to and not with $comm")

// checkFetched checks that values which are read one by one need nothing else of the
// tracepoint's record.
func (p *Probe) checkFetched() error {
	if p.DurationAt != 0 {
		return errInMemory
	}
	if i := slices.IndexFunc(p.Fields, func(f Field) bool { return f.Dynamic }); i >= 0 {
		return fmt.Errorf("%s is of variable length: it is recorded with fields as they are, but not with what they point to and not with $comm; leave these out, or all arguments",
			p.Fields[i].Name)
	}
	p.DataLocs = nil
	return nil
}
