package event

import (
	"strconv"
	"strings"
	"time"
)

// Limits of the BPF programs: frames per stack, and bytes per record.
const (
	maxDepth      = 127
	maxStringSize = 4096
)

// modifiers parses [NAME=VALUE,…].
func (p *parser) modifiers(e *Event) error {
	at := p.pos
	end := strings.IndexByte(p.text[at:], ']')
	if end < 0 {
		return p.fail(at, "\"[\" is not closed")
	}
	if e.Modifiers != (Modifiers{}) {
		return p.fail(at, "write all modifiers in one pair of brackets")
	}
	given := make(map[string]bool)
	at++
	for part := range strings.SplitSeq(p.text[at:p.pos+end], ",") {
		name, value, ok := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok {
			return p.fail(at, "expected NAME=VALUE: "+modifierNames)
		}
		if given[name] {
			return p.fail(at, name+" is given twice")
		}
		given[name] = true
		if reason := e.modify(name, value); reason != "" {
			return p.fail(at, reason)
		}
		at += len(part) + 1
	}
	p.pos += end + 1
	return nil
}

const modifierNames = "stack, depth, rate, every, max, min-dur, str and name exist"

// modify sets one modifier, or returns why it cannot.
func (e *Event) modify(name, value string) string {
	m := &e.Modifiers
	var ok bool
	switch name {
	case "stack":
		for choice, s := range stackNames {
			if s != "" && s == value || value == "uk" && StackChoice(choice) == StackBoth {
				m.Stack = StackChoice(choice)
				return ""
			}
		}
		return "stack is k, u, ku or none"
	case "depth":
		if m.Depth, ok = positive(value, maxDepth); !ok {
			return "depth is a number of frames from 1 to " + strconv.Itoa(maxDepth)
		}
	case "str":
		if m.StringSize, ok = positive(value, maxStringSize); !ok {
			return "str is a number of bytes from 1 to " + strconv.Itoa(maxStringSize)
		}
	case "rate":
		n, ok := positive(strings.TrimSuffix(value, "/s"), MaxRate)
		if !ok {
			return "rate is in hits per second, as in rate=100/s"
		}
		m.Rate = uint64(n)
	case "every":
		n, ok := positive(value, 1<<30)
		if !ok {
			return "every is a number N: one hit in N is recorded"
		}
		m.Every = uint64(n)
	case "max":
		n, ok := positive(value, 1<<60)
		if !ok {
			return "max is a number of hits"
		}
		m.Max = uint64(n)
	case "min-dur":
		if !e.MeasuresCalls() {
			return "min-dur is for hits at return: kretprobe, fexit, uretprobe or sys_exit tracepoints"
		}
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 {
			return "min-dur is a time, as in 5ms"
		}
		m.MinDuration = d
	case "name":
		if !isIdentifier(value) {
			return "not a name for an event"
		}
		if e.Alias != "" {
			return "the event has two names: " + e.Alias + " and " + value
		}
		e.Alias = value
	default:
		return "no such modifier: " + modifierNames
	}
	return ""
}

func positive(s string, limit int) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 1 && n <= limit && isNumber(s)
}
