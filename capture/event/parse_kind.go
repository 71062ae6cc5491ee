package event

import (
	"strconv"
	"strings"

	"trapline/format"
	"trapline/internal/glob"
)

// otherKinds give the replacement for bpftrace's kinds that do not exist here.
var otherKinds = map[string]string{
	"software": "write the event alone, as in page-faults or cpu-clock", "s": "write the event alone, as in page-faults or cpu-clock",
	"hardware": "write the event alone, as in cycles or cache-misses", "h": "write the event alone, as in cycles or cache-misses",
	"interval": "intervals have no hits: for samples write profile:hz:99", "i": "intervals have no hits: for samples write profile:hz:99",
	"asyncwatchpoint": "write watchpoint:ADDRESS:LENGTH:ACCESS", "aw": "write watchpoint:ADDRESS:LENGTH:ACCESS",
	"iter": "iterators have no hits",
	"-":    "events need no deletion: they end with the recording",
}

// profileUnits maps the units of profile:UNIT:N to units per second; 0 for hz.
var profileUnits = map[string]uint64{"hz": 0, "s": 1, "ms": 1e3, "us": 1e6}

func isFrequency(rest string) bool {
	unit, n, ok := strings.Cut(rest, ":")
	_, known := profileUnits[unit]
	return ok && known && isNumber(n)
}

// timed parses what follows the name of a timed event: nothing or, for profile,
// :hz:FREQUENCY.
func (p *parser) timed(e *Event, at int, rest string) error {
	if e.Name != ProfileName {
		if rest != "" {
			return p.fail(at, "modifiers are not supported: choose stacks with [stack=k], [stack=u] or [stack=none]")
		}
		return nil
	}
	unit, digits, ok := strings.Cut(strings.TrimPrefix(rest, ":"), ":")
	perSecond, known := profileUnits[unit]
	if !ok || !known {
		return p.fail(at, "expected profile:hz:FREQUENCY")
	}
	n, ok := parseNumber(digits)
	at += len(unit) + 2
	if perSecond > 0 {
		if !ok || n == 0 || perSecond%n != 0 {
			return p.fail(at, "the period must divide a second evenly: write profile:hz:FREQUENCY")
		}
		n = perSecond / n
	}
	if !ok || n == 0 || n > 1e6 {
		return p.fail(at, "frequency must be a number from 1 to 1000000")
	}
	e.Frequency = n
	return nil
}

func (p *parser) rawTracepoint(e *Event, at int, text string) error {
	at, text, err := p.module(e, at, text)
	if err != nil {
		return err
	}
	if startsWithDigit(text) {
		return p.fail(at, "expected the name of a raw tracepoint")
	}
	e.Name = text
	if glob.HasMeta(text) {
		e.Match = MatchGlob
	}
	return p.pattern(at, text, "raw tracepoint")
}

// usdt parses BINARY:[PROVIDER:]NAME.
func (p *parser) usdt(e *Event, at int, text string) error {
	end, err := p.binary(e, at, text)
	if err != nil {
		return err
	}
	name, ok := strings.CutPrefix(text[end:], ":")
	if !ok {
		return p.fail(at+end, "expected \":\" and [PROVIDER:]NAME")
	}
	at += end + 1
	if provider, after, ok := strings.Cut(name, ":"); ok {
		if err := p.pattern(at, provider, "USDT probe"); err != nil {
			return err
		}
		at += len(provider) + 1
		e.Provider, name = provider, after
	}
	e.Name = name
	if glob.HasMeta(e.Provider) || glob.HasMeta(name) {
		e.Match = MatchGlob
	}
	return p.pattern(at, name, "USDT probe")
}

// watchpoint parses bpftrace's ADDRESS:LENGTH:ACCESS.
func (p *parser) watchpoint(e *Event, at int, text string) error {
	address, rest, ok := strings.Cut(text, ":")
	length, access, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 {
		return p.fail(at, "expected watchpoint:ADDRESS:LENGTH:ACCESS, as in watchpoint:0x10000000:8:rw")
	}
	return p.watch(e, at, address, at+len(address)+1, length, at+len(address)+len(length)+2, access)
}

// perfWatchpoint parses perf's ADDRESS[/LENGTH][:ACCESS], with perf's defaults.
func (p *parser) perfWatchpoint(e *Event, at int, text string) error {
	e.Syntax = p.grammar.Of(format.ProbeWatchpoint)
	place, access, ok := strings.Cut(text, ":")
	accessAt := at + len(place) + 1
	if !ok {
		access = "rw"
	}
	address, length, ok := strings.Cut(place, "/")
	if !ok {
		length = "4"
		if access == "x" {
			length = "8"
		}
	}
	return p.watch(e, at, address, at+len(address)+1, length, accessAt, access)
}

func (p *parser) watch(e *Event, at int, address string, lengthAt int, length string, accessAt int, access string) error {
	a, ok := parseNumber(address)
	if !ok || a == 0 {
		return p.fail(at, "expected an address, such as 0x10000000")
	}
	n, ok := parseNumber(length)
	if !ok || n != 1 && n != 2 && n != 4 && n != 8 {
		return p.fail(lengthAt, "a watchpoint is 1, 2, 4 or 8 bytes long, not "+strconv.Quote(length))
	}
	for i := range len(access) {
		letter := strings.IndexByte("rwx", access[i])
		if letter < 0 || e.Access&(1<<letter) != 0 {
			return p.fail(accessAt+i, "access is r, w, x or several of them")
		}
		e.Access |= 1 << letter
	}
	if e.Access == 0 {
		return p.fail(accessAt, "access is r, w, x or several of them")
	}
	e.Offset, e.Length = a, uint8(n)
	return nil
}

func (p *parser) tracepoint(e *Event, at int, text string) error {
	system, name, ok := strings.Cut(text, ":")
	if !ok {
		return p.fail(at, "expected SYSTEM:EVENT")
	}
	e.System, e.Name = system, name
	if glob.HasMeta(system) || glob.HasMeta(name) {
		e.Match = MatchGlob
	}
	if err := p.pattern(at, system, "tracepoint"); err != nil {
		return err
	}
	return p.pattern(at+len(system)+1, name, "tracepoint")
}
