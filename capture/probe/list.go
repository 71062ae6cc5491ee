package probe

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
	"trapline/internal/glob"
)

// A Listing is one thing that can be probed.
type Listing struct {
	Kind format.ProbeKind
	Name string // as -e takes it
	// Function is the function's name alone; "" none.
	Function string
	// Fields are the arguments, when asked for: those that are recorded of
	// tracepoints, the parameters in order of functions (arg0 is the first), with
	// retval behind them where there is one.
	Fields []layout.Field
}

// A Selection is what a listing is to show of one kind.
type Selection struct {
	Kind    *Kind
	Verbose bool // Listing.Fields are wanted

	asked bool    // the pattern names the kind
	text  string  // what follows the kind; * when nothing does
	match matcher // of names without their kind; nil where text starts with a program
}

// Match reports whether a name, without its kind, is to be listed.
func (s *Selection) Match(name string) bool { return s.match(name) }

// parseSelection reads "", a glob or ~/REGEXP/ over names, or either behind "KIND:".
// A word without colon and meta characters stands for all names that contain it. Kind
// is nil when the pattern names none.
func parseSelection(text string) (*Selection, error) {
	s := &Selection{text: text}
	word, rest, colon := strings.Cut(text, ":")
	if syntax := grammar().Spelled(word); syntax != nil && colon {
		s.Kind, s.asked, s.text = KindOf(syntax.Kind), true, rest
	}
	if s.text == "" {
		s.text = "*"
	}
	if s.asked && s.Kind.InPrograms {
		return s, nil
	}
	pattern := s.text
	if !colon && !glob.HasMeta(pattern) && !strings.HasPrefix(pattern, "~/") {
		pattern = "*" + pattern + "*"
	}
	var err error
	if s.match, err = listMatcher(pattern); err != nil {
		return nil, &event.SyntaxError{Text: text, Reason: err.Error()}
	}
	return s, nil
}

// listMatcher returns the matcher of a glob or ~/REGEXP/.
func listMatcher(pattern string) (matcher, error) {
	if inside, ok := strings.CutPrefix(pattern, "~/"); ok {
		return newMatcher(event.MatchRegexp, strings.TrimSuffix(inside, "/"))
	}
	return newMatcher(event.MatchGlob, pattern)
}

// List calls yield with what can be probed and matches a pattern, until it returns
// false: kind by kind, each sorted by name. Return probes and watchpoints are listed
// when the pattern asks for their kind; USDT probes and functions of programs, for
// usdt:BINARY:GLOB and uprobe:BINARY:GLOB, or of what the process has mapped. What this
// machine does not support is left out, unless the pattern asks for nothing else: then
// the error says why. What may not be read is an error after all else was listed.
// verbose fills Listing.Fields.
func (r *Resolver) List(pattern string, verbose bool, yield func(Listing) bool) error {
	s, err := parseSelection(pattern)
	if err != nil {
		return err
	}
	s.Verbose = verbose
	if s.asked {
		if s.Kind.List == nil {
			return nil
		}
		return s.Kind.List(r, s, yield)
	}
	var first error
	stopped := false
	count := func(l Listing) bool {
		stopped = !yield(l)
		return !stopped
	}
	for _, kind := range listed() {
		of := *s
		of.Kind = kind
		var unsupported *event.UnsupportedError
		if err := kind.List(r, &of, count); err != nil && first == nil && !errors.As(err, &unsupported) {
			first = err
		}
		if stopped {
			return nil
		}
	}
	return first
}

// listed returns the kinds that are listed without being asked for, in order.
func listed() []*Kind {
	all := slices.DeleteFunc(Kinds(), func(k *Kind) bool { return k.ListRank == 0 })
	slices.SortFunc(all, func(a, b *Kind) int { return cmp.Compare(a.ListRank, b.ListRank) })
	return all
}
