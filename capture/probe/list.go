package probe

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"trapline/capture/event"
	"trapline/internal/glob"
)

// parseSelection parses "", a glob or ~/REGEXP/ for names, or one of them after "KIND:".
// A word without colon and meta characters matches all names that contain it. The kind is
// nil if the pattern names none.
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

// List calls yield for each event that matches a pattern, until yield returns false.
// Events are grouped by kind and sorted by name. Return probes and watchpoints are listed
// only if the pattern names their kind. USDT probes and functions are those of a program,
// for usdt:BINARY:GLOB and uprobe:BINARY:GLOB, or of everything the process has mapped. A
// kind that this machine does not support is an error if the pattern names it, and is
// left out otherwise. If some events cannot be read, List lists the others first and then
// returns the error. verbose fills [Listing.Fields].
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

// listed returns the kinds that are listed without request, in order.
func listed() []*Kind {
	all := slices.DeleteFunc(Kinds(), func(k *Kind) bool { return k.ListRank == 0 })
	slices.SortFunc(all, func(a, b *Kind) int { return cmp.Compare(a.ListRank, b.ListRank) })
	return all
}
