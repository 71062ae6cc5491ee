package probe

import (
	"regexp"

	"trapline/capture/event"
	"trapline/internal/glob"
)

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
