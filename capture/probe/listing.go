package probe

import (
	"regexp"
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

// A Selection is what a listing is to show of each kind.
type Selection struct {
	Verbose bool // Listing.Fields are wanted

	asked bool    // the pattern names the kind
	text  string  // what follows the kind; * when nothing does
	match matcher // of names without their kind; nil where text starts with a program
}

// Match reports whether a name, without its kind, is to be listed.
func (s *Selection) Match(name string) bool { return s.match(name) }

// A matcher reports whether a name is one of those that an event means.
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

// listMatcher returns the matcher of a glob or ~/REGEXP/.
func listMatcher(pattern string) (matcher, error) {
	if inside, ok := strings.CutPrefix(pattern, "~/"); ok {
		return newMatcher(event.MatchRegexp, strings.TrimSuffix(inside, "/"))
	}
	return newMatcher(event.MatchGlob, pattern)
}
