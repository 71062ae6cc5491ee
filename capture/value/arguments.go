package value

import (
	"fmt"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/layout"
)

// Fetch adds to a record the values that the event asks for or, if it asks for none, all
// known parameters; then what its conditions use in addition. Errors are of type
// [*event.InvalidError].
func (s *Scope) Fetch(r *layout.Record) error {
	if err := s.fetch(r); err != nil {
		return &event.InvalidError{Event: s.ev.Text, Reason: err.Error()}
	}
	return nil
}

func (s *Scope) fetch(r *layout.Record) error {
	switch {
	case len(s.ev.Args) > 0:
		for i := range s.ev.Args {
			if err := s.fetchArgument(r, &s.ev.Args[i]); err != nil {
				return err
			}
		}
	case s.ev.Match == event.MatchExact: // functions of a pattern share a program
		if err := s.fetchAll(r); err != nil {
			return err
		}
	}
	return s.fetchForConditions(r)
}

// fetchForConditions adds the values that conditions use and the record lacks.
func (s *Scope) fetchForConditions(r *layout.Record) error {
	for _, value := range missing(s.ev, r) {
		r.ForConditions = true
		if err := s.fetchArgument(r, &event.Arg{Name: value.String(), Value: *value}); err != nil {
			return err
		}
	}
	return nil
}

// missing returns the values that an event's conditions use and a record lacks. It
// ignores names that are not values; checking the conditions rejects them.
func missing(ev *event.Event, r *layout.Record) []*event.Expr {
	var values []*event.Expr
	for _, name := range r.Unknown(ev.Conditions) {
		if value, err := event.ParseValue(name); err == nil {
			values = append(values, value)
		}
	}
	return values
}

// ConditionsFetch reports whether an event's conditions use values of a hit that have to
// be fetched.
func ConditionsFetch(ev *event.Event) bool { return len(missing(ev, new(layout.Record))) > 0 }

func (s *Scope) fetchArgument(r *layout.Record, a *event.Arg) error {
	if a.Value.Op == event.OpDuration {
		return addDuration(r, s.ev, a.Name)
	}
	at, err := s.locate(&a.Value)
	if err != nil {
		return err
	}
	form, err := s.form(&a.Type)
	if err != nil {
		return err
	}
	if a.Value.Op == event.OpReturn && form.kind == formOwn && at.typ == nil {
		at.typ = &valueType{kind: kindInteger, size: 8, signed: true} // usually a status or a count
	}
	got, err := at.capture(a.Name, form)
	if err != nil {
		return fmt.Errorf("%s %w", &a.Value, err)
	}
	return r.Add(showing(got, a.Name, a.Value.String()))
}

// showing sets the argument that fields with its name show.
func showing(all []layout.Value, name, value string) []layout.Value {
	for i := range all {
		if all[i].Field.Name == name {
			all[i].Field.Value = value
		}
	}
	return all
}

// fetchAll adds all parameters that can be fetched, as long as there is room.
func (s *Scope) fetchAll(r *layout.Record) error {
	form, err := s.form(&event.Type{})
	if err != nil {
		return err
	}
	for i := range s.params {
		param := &s.params[i]
		if param.err != nil || param.hidden {
			continue
		}
		name := paramName(s.params, i)
		got, err := param.at.capture(name, form)
		if err != nil || len(got) > 2 {
			continue // it was not requested
		}
		if len(r.Fetch)+len(got) > bpf.MaxFetches {
			return nil
		}
		if err := r.Add(showing(got, name, name)); err != nil {
			return err
		}
	}
	if s.result == nil || len(r.Fetch) == bpf.MaxFetches {
		return nil
	}
	at, err := s.result()
	if err != nil || at.typ == nil {
		return nil
	}
	if got, err := at.capture("retval", form); err == nil && len(got) == 1 {
		return r.Add(showing(got, "retval", "retval"))
	}
	return nil
}
