//go:build linux

package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A frameToken matches one frame or several. testdata/targets/stacks/case.h defines the
// words.
type frameToken struct {
	words []string
	count frameCount
}

type frameCount string

const (
	one       frameCount = ""
	oneOrMore frameCount = "+"
	anyNumber frameCount = "*"
)

// A stackPattern matches a user stack, innermost first.
type stackPattern []frameToken

func parseStack(t testing.TB, text string) stackPattern {
	t.Helper()
	var p stackPattern
	for word := range strings.FieldsSeq(text) {
		token, repeat := frameToken{}, 1
		if name, many := strings.CutSuffix(word, string(oneOrMore)); many {
			word, token.count = name, oneOrMore
		} else if name, many := strings.CutSuffix(word, string(anyNumber)); many {
			word, token.count = name, anyNumber
		} else if name, n, ok := strings.Cut(word, "*"); ok {
			var err error
			if repeat, err = strconv.Atoi(n); err != nil {
				t.Fatalf("the expected stack %q: %v", text, err)
			}
			word = name
		}
		token.words = strings.Split(word, "|")
		p = append(p, slices.Repeat(stackPattern{token}, repeat)...)
	}
	return p
}

func (p stackPattern) String() string {
	words := make([]string, len(p))
	for i, t := range p {
		words[i] = strings.Join(t.words, "|") + string(t.count)
	}
	return folded(words)
}

func (f frameToken) matches(c call) bool {
	return slices.ContainsFunc(f.words, func(word string) bool {
		switch {
		case word == "?":
			return c.Image == "[anon]"
		case strings.HasPrefix(word, "@"):
			return strings.HasPrefix(filepath.Base(c.Image), word[1:])
		}
		return baseName(c.Function) == word
	})
}

// splitSuffix matches what compilers and linkers append to the name of a function that
// they split, copied or wrapped.
var splitSuffix = regexp.MustCompile(`(\.(cold|part|constprop|isra|abi0)(\.\d+)*)+$`)

// baseName returns the name of a function without parameters and suffixes, as patterns
// spell it.
func baseName(function string) string {
	name, _, _ := strings.Cut(function, "(")
	return splitSuffix.ReplaceAllString(name, "")
}

// matches reports whether the pattern matches the stack, or its beginning if the stack is
// truncated at the maximum depth.
func (p stackPattern) matches(stack []call) bool {
	if n := len(stack) - 1; n == maxFrames && stack[n].Function == "[truncated: depth limit reached]" {
		return p.matchesFrames(stack[:n], true)
	}
	return p.matchesFrames(stack, false)
}

// matchesFrames reports whether the pattern matches the frames. With more, the pattern may
// match further frames.
func (p stackPattern) matchesFrames(stack []call, more bool) bool {
	switch {
	case len(p) == 0:
		return len(stack) == 0 && !more
	case len(stack) == 0 && more:
		return true
	case p[0].count == anyNumber && p[1:].matchesFrames(stack, more):
		return true
	case len(stack) == 0 || !p[0].matches(stack[0]):
		return false
	case p[0].count != one && p.matchesFrames(stack[1:], more):
		return true
	}
	return p[0].count != anyNumber && p[1:].matchesFrames(stack[1:], more)
}

// endsWith reports whether an outer part of the pattern matches the stack.
func (p stackPattern) endsWith(stack []call) bool {
	for i := range p {
		if p[i:].matches(stack) {
			return true
		}
	}
	return false
}

// written formats a stack as a pattern.
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

// folded joins words and writes repeated words as WORD*COUNT.
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
