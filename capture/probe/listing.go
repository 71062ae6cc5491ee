package probe

import (
	"regexp"
	"strings"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
	"trapline/internal/glob"
)

// A Listing is an event that can be recorded.
type Listing struct {
	Kind format.ProbeKind
	Name string // as -e takes it
	// Function is the bare name of the function, or "".
	Function string
	// Fields are the arguments, if requested: the recorded fields of a tracepoint, or the
	// parameters of a function in order (arg0 is the first), followed by retval if there
	// is one.
	Fields []layout.Field
}

// A Selection says which events of a kind to list.
type Selection struct {
	Verbose bool // fill Listing.Fields

	asked bool    // the pattern names the kind
	text  string  // the text after the kind, or *
	match matcher // matches names without their kind; nil if text starts with a program
}

// Match reports whether an event is selected, by its name without the kind.
func (s *Selection) Match(name string) bool { return s.match(name) }

// A matcher reports whether an event means a name.
type matcher func(name string) bool

func newMatcher(match event.Match, pattern string) (matcher, error) {
	switch match {
	case event.MatchGlob:
		g, err := glob.Parse(pattern)
		if err != nil {
			return nil, err
		}
		return g.Match, nil
	case event.MatchRegexp:
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, err
		}
		return re.MatchString, nil
	}
	return func(name string) bool { return name == pattern }, nil
}

// listMatcher returns the matcher for a glob or ~/REGEXP/.
func listMatcher(pattern string) (matcher, error) {
	if inside, ok := strings.CutPrefix(pattern, "~/"); ok {
		return newMatcher(event.MatchRegexp, strings.TrimSuffix(inside, "/"))
	}
	return newMatcher(event.MatchGlob, pattern)
}
