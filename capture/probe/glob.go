package probe

import (
	"errors"
	"path"
	"strings"
)

// Bounds on one glob, as its braces multiply.
const (
	maxAlternatives = 256
	maxGlob         = 1024 // bytes
)

var (
	errBadGlob  = errors.New("not a glob: brackets and braces must be closed")
	errLongGlob = errors.New("glob is longer than 1024 bytes or has more than 256 alternatives")
)

// slash stands for / in what package path matches, where that separates.
const slash = "\x00"

// A glob matches names by * ? [a-z] and {a,b}. Slashes, as in the names of Go's
// functions, are characters like others.
type glob struct {
	alternatives []string // patterns of package path
	literal      bool     // one alternative without meta characters
}

func newGlob(pattern string) (*glob, error) {
	if len(pattern) > maxGlob {
		return nil, errLongGlob
	}
	pattern = strings.ReplaceAll(pattern, "/", slash)
	g := new(glob)
	if err := g.expand("", pattern); err != nil {
		return nil, err
	}
	for _, a := range g.alternatives {
		if _, err := path.Match(a, ""); err != nil {
			return nil, errBadGlob
		}
	}
	g.literal = len(g.alternatives) == 1 && !hasMeta(pattern)
	return g, nil
}

// hasMeta reports whether a pattern is more than a name.
func hasMeta(pattern string) bool { return strings.ContainsAny(pattern, `*?[]{}\`) }

// expand takes the first braces of a pattern apart; what stands before them has none.
func (g *glob) expand(before, pattern string) error {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		if strings.IndexByte(pattern, '}') >= 0 {
			return errBadGlob
		}
		if len(g.alternatives) == maxAlternatives {
			return errLongGlob
		}
		g.alternatives = append(g.alternatives, before+pattern)
		return nil
	}
	before += pattern[:open]
	depth, start := 0, open+1
	var options []string
	for i := open; i < len(pattern); i++ {
		switch pattern[i] {
		case '{':
			depth++
		case '}':
			depth--
		case ',':
			if depth == 1 {
				options = append(options, pattern[start:i])
				start = i + 1
			}
		}
		if depth > 0 {
			continue
		}
		options = append(options, pattern[start:i])
		for _, o := range options {
			if err := g.expand(before, o+pattern[i+1:]); err != nil {
				return err
			}
		}
		return nil
	}
	return errBadGlob
}

// match reports whether the glob matches the whole name.
func (g *glob) match(name string) bool {
	name = strings.ReplaceAll(name, "/", slash)
	for _, a := range g.alternatives {
		if ok, _ := path.Match(a, name); ok {
			return true
		}
	}
	return false
}
