package probe

import (
	"strconv"
	"strings"

	"trapline/format"
)

// String returns the canonical spelling, which is bpftrace's where bpftrace has one.
// Parsing it gives the same event, but for Text and Dialect.
func (e Event) String() string {
	var b strings.Builder
	if e.Alias != "" {
		b.WriteString(e.Alias + "=")
	}
	b.WriteString(e.place())
	if e.Predicate != "" {
		b.WriteString(" /" + e.Predicate + "/")
	}
	for i := range e.Args {
		b.WriteString(" " + e.Args[i].spelling(i+1))
	}
	if e.Modifiers != (Modifiers{}) {
		b.WriteString(" " + e.Modifiers.String())
	}
	return b.String()
}

// place spells the kind and what it is at.
func (e *Event) place() string {
	kind := e.Kind.String() + ":"
	switch e.Kind {
	case format.ProbeTimed:
		if e.Name == profileName {
			return profileName + ":hz:" + strconv.FormatUint(e.Frequency, 10)
		}
		return e.Name
	case format.ProbeTracepoint:
		return kind + e.System + ":" + e.Name
	case format.ProbeWatchpoint:
		return kind + "0x" + strconv.FormatUint(e.Offset, 16) + ":" + strconv.Itoa(int(e.Length)) + ":" + e.Access.String()
	case format.ProbeUSDT:
		if e.System != "" {
			return e.System + ":" + e.Name
		}
		if e.Provider != "" {
			return kind + quoteBinary(e.Binary) + ":" + e.Provider + ":" + e.Name
		}
		return kind + quoteBinary(e.Binary) + ":" + e.Name
	case format.ProbeUprobe, format.ProbeUretprobe:
		if e.System != "" {
			return e.perfName()
		}
		if e.Name == "" && e.Line > 0 {
			return kind + quoteBinary(e.Binary) + "@" + quoteBinary(e.Source) + ":" + strconv.Itoa(e.Line)
		}
		return kind + quoteBinary(e.Binary) + ":" + e.function(true)
	}
	if e.System != "" {
		return e.perfName()
	}
	if e.Module != "" {
		kind += e.Module + ":"
	}
	return kind + e.function(false)
}

// perfName spells a name that perf probe gives to its events.
func (e *Event) perfName() string {
	if e.atReturn() {
		return e.System + ":" + e.Name + returnSuffix
	}
	return e.System + ":" + e.Name
}

// function spells the function, its source file and the place in it.
func (e *Event) function(user bool) string {
	s := e.Name
	switch {
	case e.Name == "":
		return "0x" + strconv.FormatUint(e.Offset, 16)
	case e.Match == MatchRegexp:
		s = "~/" + strings.ReplaceAll(e.Name, "/", `\/`) + "/"
	case e.Match == MatchExact && user:
		s = quoteFunction(e.Name)
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

// spelling returns NAME=VALUE:TYPE, short where the default says the same.
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

// quoteBinary puts the name of a file into quotes when the grammar would take it apart.
func quoteBinary(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\"'\\,:;|=(){}<>[]@") {
		return s
	}
	return doubleQuoted(s)
}

// quoteFunction does so with the name of a user program's function.
func quoteFunction(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\"'\\,:;|=(){}<>[]+/*?@%~") && !startsWithDigit(s) {
		return s
	}
	return doubleQuoted(s)
}

func doubleQuoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }
