package probe

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"trapline/capture/event"
	"trapline/internal/glob"
)

// parseSelection reads "", a glob or ~/REGEXP/ over names, or either behind "KIND:".
// A word without colon and meta characters stands for all names that contain it. The
// kind is nil when the pattern names none.
func parseSelection(text string) (*Kind, *Selection, error) {
	var kind *Kind
	s := &Selection{text: text}
	word, rest, colon := strings.Cut(text, ":")
	if syntax := grammar().Spelled(word); syntax != nil && colon {
		kind, s.asked, s.text = KindOf(syntax.Kind), true, rest
	}
	if s.text == "" {
		s.text = "*"
	}
	if s.asked && kind.InPrograms {
		return kind, s, nil
	}
	pattern := s.text
	if !colon && !glob.HasMeta(pattern) && !strings.HasPrefix(pattern, "~/") {
		pattern = "*" + pattern + "*"
	}
	var err error
	if s.match, err = listMatcher(pattern); err != nil {
		return nil, nil, &event.SyntaxError{Text: text, Reason: err.Error()}
	}
	return kind, s, nil
}

// List calls yield with what can be probed and matches a pattern, until it returns
// false: kind by kind, each sorted by name. Return probes and watchpoints are listed
// when the pattern asks for their kind; USDT probes and functions of programs, for
// usdt:BINARY:GLOB and uprobe:BINARY:GLOB, or of what the process has mapped. What this
// machine does not support is left out, unless the pattern asks for nothing else: then
// the error says why. What may not be read is an error after all else was listed.
// verbose fills Listing.Fields.
func (r *Resolver) List(pattern string, verbose bool, yield func(Listing) bool) error {
	kind, s, err := parseSelection(pattern)
	if err != nil {
		return err
	}
	s.Verbose = verbose
	if s.asked {
		if kind.List == nil {
			return nil
		}
		return kind.List(r, kind, s, yield)
	}
	var first error
	stopped := false
	count := func(l Listing) bool {
		stopped = !yield(l)
		return !stopped
	}
	for _, kind := range listed() {
		var unsupported *event.UnsupportedError
		if err := kind.List(r, kind, s, count); err != nil && first == nil && !errors.As(err, &unsupported) {
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
