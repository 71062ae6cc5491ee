//go:build linux

package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A frameToken matches one frame, or with many one or more. What the words mean is
// said in testdata/targets/stacks/case.h.
type frameToken struct {
	words []string
	many  bool
}

// A stackPattern matches a user stack, innermost first.
type stackPattern []frameToken

func parseStack(t testing.TB, text string) stackPattern {
	t.Helper()
	var p stackPattern
	for word := range strings.FieldsSeq(text) {
		repeat := 1
		if name, n, ok := strings.Cut(word, "*"); ok {
			word = name
			var err error
			if repeat, err = strconv.Atoi(n); err != nil {
				t.Fatalf("the expected stack %q: %v", text, err)
			}
		}
		name, many := strings.CutSuffix(word, "+")
		token := frameToken{words: strings.Split(name, "|"), many: many}
		p = append(p, slices.Repeat(stackPattern{token}, repeat)...)
	}
	return p
}

// limit returns what is left of the pattern by a limit on frames. It has no tokens
// for several frames then.
func (p stackPattern) limit(frames int) stackPattern {
	if len(p) <= frames {
		return p
	}
	return append(slices.Clone(p[:frames]), frameToken{words: []string{"[truncated"}})
}

func (p stackPattern) String() string {
	words := make([]string, len(p))
	for i, t := range p {
		words[i] = strings.Join(t.words, "|")
		if t.many {
			words[i] += "+"
		}
	}
	return folded(words)
}

func (f frameToken) matches(c call) bool {
	return slices.ContainsFunc(f.words, func(word string) bool {
		switch {
		case word == "?":
			return c.Image == "" && !strings.HasPrefix(c.Function, "[truncated")
		case word == "[truncated":
			return strings.HasPrefix(c.Function, word)
		case strings.HasPrefix(word, "@"):
			return filepath.Base(c.Image) == word[1:]
		}
		return baseName(c.Function) == word
	})
}

// baseName drops what compilers append to the name of a function that they split.
func baseName(function string) string {
	if name, _, ok := strings.Cut(function, "."); ok && name != "" {
		return name
	}
	return function
}

// matches reports whether the whole stack is as the pattern says.
func (p stackPattern) matches(stack []call) bool {
	switch {
	case len(p) == 0 || len(stack) == 0:
		return len(p) == len(stack)
	case !p[0].matches(stack[0]):
		return false
	case p[0].many && p.matches(stack[1:]):
		return true
	}
	return p[1:].matches(stack[1:])
}

// endsWith reports whether the stack is the pattern's outer part.
func (p stackPattern) endsWith(stack []call) bool {
	for i := range p {
		if p[i:].matches(stack) {
			return true
		}
	}
	return false
}

// written prints a stack as patterns are written.
func written(stack []call) string {
	words := make([]string, len(stack))
	for i, c := range stack {
		switch words[i] = c.Function; {
		case c.Function != "":
		case c.Image != "":
			words[i] = "@" + filepath.Base(c.Image)
		default:
			words[i] = "?"
		}
	}
	return folded(words)
}

// folded joins words, and says how often each is repeated.
func folded(words []string) string {
	var b strings.Builder
	for i := 0; i < len(words); {
		n := 1
		for i+n < len(words) && words[i+n] == words[i] {
			n++
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(words[i])
		if n > 1 {
			fmt.Fprintf(&b, "*%d", n)
		}
		i += n
	}
	return b.String()
}
