package event

import (
	"strconv"
	"strings"
)

// String returns the canonical spelling, which is bpftrace's if bpftrace has one. Parsing
// it gives the same event, except for Text.
func (e Event) String() string {
	var b strings.Builder
	if e.Alias != "" {
		b.WriteString(e.Alias + "=")
	}
	b.WriteString(e.place())
	b.WriteString(e.predicate())
	for i := range e.Args {
		b.WriteString(" " + e.Args[i].spelling(i+1))
	}
	if e.Modifiers != (Modifiers{}) {
		b.WriteString(" " + e.Modifiers.String())
	}
	return b.String()
}

// predicate spells the conditions as one predicate.
func (e *Event) predicate() string {
	if len(e.Conditions) == 0 {
		return ""
	}
	if len(e.Conditions) == 1 {
		text := scanner{text: "/" + e.Conditions[0].Source() + "/"}
		if text.predicateEnd(0, true) == len(text.text)-1 {
			return " " + text.text
		}
	}
	parts := make([]string, len(e.Conditions))
	for i, c := range e.Conditions {
		parts[i] = "(" + c.Source() + ")"
	}
	return " /" + strings.Join(parts, " && ") + "/"
}

// writers print each form.
var writers = [...]func(*Event) string{
	FormTracepoint:     (*Event).tracepointPlace,
	FormRawTracepoint:  (*Event).kernelPlace,
	FormKernelFunction: (*Event).kernelPlace,
	FormUserFunction:   (*Event).userPlace,
	FormUSDT:           (*Event).usdtPlace,
	FormWatchpoint:     (*Event).watchedPlace,
	FormTimed:          (*Event).timedPlace,
}

// place spells the kind and its target.
func (e *Event) place() string { return writers[e.Syntax.Form](e) }

func (e *Event) timedPlace() string {
	if e.Name == ProfileName {
		return ProfileName + ":hz:" + strconv.FormatUint(e.Frequency, 10)
	}
	return e.Name
}

func (e *Event) tracepointPlace() string { return e.Syntax.Name() + ":" + e.System + ":" + e.Name }

func (e *Event) watchedPlace() string {
	return e.Syntax.Name() + ":0x" + strconv.FormatUint(e.Offset, 16) + ":" + strconv.Itoa(int(e.Length)) + ":" + e.Access.String()
}

func (e *Event) usdtPlace() string {
	if e.System != "" {
		return e.System + ":" + e.Name
	}
	place := e.Syntax.Name() + ":" + QuoteBinary(e.Binary) + ":"
	if e.Provider != "" {
		place += e.Provider + ":"
	}
	return place + e.Name
}

func (e *Event) userPlace() string {
	if e.System != "" {
		return e.perfName()
	}
	place := e.Syntax.Name() + ":" + QuoteBinary(e.Binary)
	if e.Name == "" && e.Line > 0 {
		return place + "@" + QuoteBinary(e.Source) + ":" + strconv.Itoa(e.Line)
	}
	return place + ":" + e.function(true)
}

func (e *Event) kernelPlace() string {
	if e.System != "" {
		return e.perfName()
	}
	place := e.Syntax.Name() + ":"
	if e.Module != "" {
		place += e.Module + ":"
	}
	return place + e.function(false)
}

// perfName spells a name as perf probe does.
func (e *Event) perfName() string {
	if e.Syntax.AtReturn() {
		return e.System + ":" + e.Name + ReturnSuffix
	}
	return e.System + ":" + e.Name
}

// function spells the function with its source file, line and offset.
func (e *Event) function(user bool) string {
	s := e.Name
	switch {
	case e.Name == "":
		return "0x" + strconv.FormatUint(e.Offset, 16)
	case e.Match == MatchRegexp:
		s = "~/" + strings.ReplaceAll(e.Name, "/", `\/`) + "/"
	case e.Match == MatchExact && user:
		s = QuoteFunction(e.Name)
	}
	if e.Source != "" {
		s += "@" + e.Source
	}
	if e.Line > 0 {
		s += ":" + strconv.Itoa(e.Line)
	}
	if e.Offset != 0 {
		s += "+0x" + strconv.FormatUint(e.Offset, 16)
	}
	return s
}

// spelling returns NAME=VALUE:TYPE. It omits what is the default.
func (a *Arg) spelling(place int) string {
	s := a.Value.String()
	if a.Name != a.Value.defaultName(place) {
		s = a.Name + "=" + s
	}
	t := a.Type.String()
	if t == "" || t[0] == '@' {
		return s + t
	}
	return s + ":" + t
}

// String returns the canonical spelling: "[every=10,str=64]".
func (m Modifiers) String() string {
	var parts []string
	add := func(name, value string) { parts = append(parts, name+"="+value) }
	if m.Stack != StackDefault {
		add("stack", stackNames[m.Stack])
	}
	if m.Depth != 0 {
		add("depth", strconv.Itoa(m.Depth))
	}
	if m.Rate != 0 {
		add("rate", strconv.FormatUint(m.Rate, 10)+"/s")
	}
	if m.Every != 0 {
		add("every", strconv.FormatUint(m.Every, 10))
	}
	if m.Max != 0 {
		add("max", strconv.FormatUint(m.Max, 10))
	}
	if m.MinDuration != 0 {
		add("min-dur", m.MinDuration.String())
	}
	if m.StringSize != 0 {
		add("str", strconv.Itoa(m.StringSize))
	}
	return "[" + strings.Join(parts, ",") + "]"
}
