package event

import (
	"strings"

	"trapline/format"
	"trapline/internal/glob"
)

// Names of the groups and events that perf probe creates: probe:FUNCTION,
// probe_LIB:FUNCTION__return, sdt_PROVIDER:NAME. See Documentation/perf-probe.txt.
const (
	probeGroup = "probe"
	sdtPrefix  = "sdt_"
)

// isTracepointName distinguishes SYSTEM:EVENT from what perf probe takes: FUNCTION:LINE,
// and names that contain ::.
func isTracepointName(word, rest string, colon bool) bool {
	return colon && word != "" && rest != "" && !strings.Contains(rest, ":") && !startsWithDigit(rest) &&
		strings.Trim(word, identifierBytes+`*?[]{},-!^\`) == "" && !strings.ContainsAny(rest, "(<%@+\"~")
}

// perfTracepoint parses SYSTEM:EVENT.
func (p *parser) perfTracepoint(e *Event, at int, text string) error {
	e.Syntax = p.grammar.Of(format.ProbeTracepoint)
	return p.tracepoint(e, at, text)
}

// perfProbeName parses the name of an event that perf probe creates. If perf probe has
// not created it, the probe goes where the name says.
func (p *parser) perfProbeName(e *Event, at int, text string) error {
	text, percent := strings.CutPrefix(text, "%")
	if percent {
		at++
	}
	system, name, ok := strings.Cut(text, ":")
	provider, isSDT := strings.CutPrefix(system, sdtPrefix)
	if percent && (!ok || !isSDT || provider == "") {
		return p.fail(at, "expected %sdt_PROVIDER:NAME")
	}
	if glob.HasMeta(system) || glob.HasMeta(name) && !isSDT {
		return p.perfTracepoint(e, at, text) // those that perf probe has created
	}
	if err := p.kernelName(at, system, "a group of events"); err != nil {
		return err
	}
	at += len(system) + 1
	if isSDT {
		e.Syntax, e.Provider, e.Name, e.Binary = p.grammar.Of(format.ProbeUSDT), provider, name, "*"
		if provider == "" {
			return p.fail(at-1, "expected sdt_PROVIDER:NAME")
		}
		switch {
		case p.context.Binary != "":
			e.Binary = p.context.Binary
		case !percent:
			e.System = system
		}
		if glob.HasMeta(name) {
			e.Match, e.System = MatchGlob, ""
		}
		return p.pattern(at, name, "USDT probe")
	}
	e.System, e.Syntax = system, p.grammar.Of(format.ProbeKprobe)
	name, atReturn := strings.CutSuffix(name, ReturnSuffix)
	if library, user := strings.CutPrefix(system, probeGroup+"_"); user {
		e.Syntax, e.Binary = p.grammar.Of(format.ProbeUprobe), library
		if library == "" {
			return p.fail(at-1, "expected probe_LIBRARY:FUNCTION")
		}
	}
	if atReturn {
		e.Syntax = p.grammar.atReturnOf(e.Syntax.Kind)
	}
	e.Name = name
	return p.kernelName(at, name, "a function")
}

// perfProbeUser parses what perf probe -x takes: FUNCTION[@FILE][:LINE|+OFFSET|%return]
// or FILE:LINE.
func (p *parser) perfProbeUser(e *Event, at int, text string) error {
	e.Syntax, e.Binary = p.grammar.Of(format.ProbeUprobe), p.context.Binary
	text = p.cutReturn(e, text)
	switch {
	case strings.Contains(text, ";"):
		return p.fail(at+strings.IndexByte(text, ';'), "patterns of source lines are not supported: write FUNCTION:LINE")
	case startsWithDigit(text):
		return p.fail(at, "for an offset in the file write uprobe:BINARY:0xOFFSET")
	}
	if file, line, ok := cutLine(text); ok && looksLikeSource(file) {
		return p.sourceLine(e, at, file, at+len(file)+1, line)
	}
	return p.userFunction(e, at, text)
}

// perfProbeKernel parses what perf probe -m takes.
func (p *parser) perfProbeKernel(e *Event, at int, text string) error {
	e.Syntax = p.grammar.Of(format.ProbeKprobe)
	text = p.cutReturn(e, text)
	if file, line, ok := cutLine(text); ok && looksLikeSource(file) {
		return p.fail(at, "lines of the kernel's source are not supported: write FUNCTION+OFFSET instead of "+file+":"+line)
	}
	return p.kernelFunction(e, at, text)
}

// cutReturn cuts %return off the end.
func (p *parser) cutReturn(e *Event, text string) string {
	text, ok := strings.CutSuffix(text, "%return")
	if ok {
		e.Syntax = p.grammar.atReturnOf(e.Syntax.Kind)
	}
	return text
}
