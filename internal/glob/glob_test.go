package glob_test

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trapline/internal/glob"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern  string
		matching []string
		others   []string
	}{
		{"", []string{""}, []string{"a"}},
		{"nginx", []string{"nginx"}, []string{"nginx2", "ngin", ""}},
		{"*", []string{"", "a", "a/b:c", "é"}, nil},
		{"ngin*", []string{"ngin", "nginx: worker"}, []string{"ngi"}},
		{"*worker", []string{"worker", "nginx: worker"}, []string{"workers"}},
		{"**a**", []string{"a", "xay"}, []string{"", "xy"}},
		{"*ab*ab", []string{"abab", "ababab", "xabyab"}, []string{"ab", "aba"}},
		{"uprobe:*", []string{"uprobe:/usr/bin/x:net/http.(*conn).serve"}, []string{"uprobe"}},
		{"a?c", []string{"abc", "a/c", "aéc", "a世c"}, []string{"ac", "abbc"}},
		{"??", []string{"éé", "ab"}, []string{"é", "a"}},
		{"[a-c0]", []string{"a", "c", "0"}, []string{"d", "", "ab"}},
		{"[!a-c]x", []string{"dx", "éx", "/x"}, []string{"ax", "x"}},
		{"[^a-c]x", []string{"dx", "éx", "^x"}, []string{"ax", "x"}},
		{"[a^]", []string{"a", "^"}, []string{"b"}},
		{"[a!]", []string{"a", "!"}, []string{"b"}},
		{"[]a]", []string{"]", "a"}, []string{"[]a]"}},
		{"[!]a]", []string{"b"}, []string{"]", "a"}},
		{"[-a]", []string{"-", "a"}, []string{"b"}},
		{"[a-]", []string{"-", "a"}, []string{"b"}},
		{`[\]\-a]`, []string{"]", "-", "a"}, []string{`\`}},
		{"a]", []string{"a]"}, []string{"a"}},
		{"sched_{wakeup,wak*}", []string{"sched_wakeup", "sched_waking"}, []string{"sched_"}},
		{"{a,b}{c,d{e,}}", []string{"ac", "bc", "ade", "bd"}, []string{"a", "cd"}},
		{"a{}b", []string{"ab"}, []string{"a{}b"}},
		{"a,b", []string{"a,b"}, []string{"a"}},
		{`\*\{\\`, []string{`*{\`}, []string{"a"}},
		{`{a\,b,c}`, []string{"a,b", "c"}, []string{"a"}},
		{"{[,],b}", []string{",", "b"}, []string{"["}},
	} {
		p, err := glob.Parse(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		a, err := glob.Compile(p)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		for want, names := range map[bool][]string{true: c.matching, false: c.others} {
			for _, name := range names {
				if got := p.Match(name); got != want {
					t.Errorf("%s, %q: Match is %t", c.pattern, name, got)
				}
				if got := a.Match(name); got != want {
					t.Errorf("%s, %q: Automaton.Match is %t", c.pattern, name, got)
				}
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for pattern, want := range map[string]string{
		"[a-":                      "the brackets [a- are not closed",
		"x[]":                      "the brackets [] are not closed",
		"[!]":                      "not closed",
		"[z-a]":                    "the range z-a is empty",
		"[ä]":                      "ASCII",
		`a\`:                       "ends in a backslash",
		"{a":                       `"{" is not closed`,
		"{a,{b}":                   `"{" is not closed`,
		"a}":                       `there is no "{"`,
		"\xff":                     "UTF-8",
		"a\x00":                    "NUL",
		strings.Repeat("a", 1025):  "longer than 1024 bytes",
		strings.Repeat("{a,b}", 9): "more than 256 alternatives",
	} {
		if _, err := glob.Parse(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one about %q", pattern, err, want)
		}
	}
}

func TestLiteral(t *testing.T) {
	for pattern, want := range map[string]string{"abc": "abc", `a\*`: "a*", "a]": "a]", "": ""} {
		if name, ok := glob.MustParse(pattern).Literal(); !ok || name != want {
			t.Errorf("%s: %q, %t", pattern, name, ok)
		}
	}
	for _, pattern := range []string{"a*", "?", "[a]", "{a,b}"} {
		if name, ok := glob.MustParse(pattern).Literal(); ok {
			t.Errorf("%s is taken for the name %q", pattern, name)
		}
	}
}

func TestLength(t *testing.T) {
	for pattern, want := range map[string]int{"": 0, "*": 0, "ab*c": 3, "[a-z]?": 2, "{a,bcd*}e": 4} {
		if got := glob.MustParse(pattern).Length(); got != want {
			t.Errorf("%s: %d, want %d", pattern, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for list, want := range map[string][]string{
		"":              {""},
		"a,b*":          {"a", "b*"},
		"{a,b}c,d":      {"{a,b}c", "d"},
		"[,],x":         {"[,]", "x"},
		`a\,b,c`:        {`a\,b`, "c"},
		"{a,{b,c}},d":   {"{a,{b,c}}", "d"},
		"a},b":          {"a}", "b"},
		"[a,b":          {"[a", "b"},
		`[!\],]x,[^,]y`: {`[!\],]x`, "[^,]y"},
	} {
		if got := glob.Split(list); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", list, got, want)
		}
	}
}

func TestCompileLimits(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		want     string // "" means that the pattern fits
	}{
		{[]string{strings.Repeat("a", 63) + "*"}, ""},
		{[]string{strings.Repeat("a", 64)}, "the pattern has more than 63 characters other than *"},
		{[]string{strings.Repeat("a", 31), strings.Repeat("b", 31)}, ""},
		{[]string{strings.Repeat("{a,b}", 4)}, "the patterns have 64 characters other than *, and with 16 alternatives 48 are possible"},
		{slices.Repeat([]string{"abcdefghij"}, 10), "with 10 alternatives 54 are possible"},
	} {
		var patterns []*glob.Pattern
		for _, p := range c.patterns {
			patterns = append(patterns, glob.MustParse(p))
		}
		_, err := glob.Compile(patterns...)
		var tooLong *glob.TooLongError
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%q: %v", c.patterns, err)
		case c.want != "" && (!errors.As(err, &tooLong) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q: error %v, want one about %q", c.patterns, err, c.want)
		}
	}
}

// An automaton for several patterns accepts the names that any of them matches.
func TestCompileSeveral(t *testing.T) {
	patterns := []*glob.Pattern{glob.MustParse("a"), glob.MustParse("b*"), glob.MustParse("*c")}
	a, err := glob.Compile(patterns...)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"a": true, "ab": false, "b": true, "bx": true, "abc": true, "": false} {
		if got := a.Match(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
	if none, err := glob.Compile(); err != nil || none.Match("") || none.Match("a") {
		t.Errorf("no patterns match something (%v)", err)
	}
}

// reference translates a random pattern to a regular expression.
func reference(t *testing.T, parts []string) *regexp.Regexp {
	var b strings.Builder
	for _, part := range parts {
		switch part[0] {
		case '*':
			b.WriteString("(?:.*)")
		case '?':
			b.WriteString(".")
		case '[':
			b.WriteString(strings.Replace(part, "[!", "[^", 1))
		case '{':
			b.WriteString("(?:")
		case '}':
			b.WriteString(")")
		case ',':
			b.WriteString("|")
		default:
			b.WriteString(regexp.QuoteMeta(strings.TrimPrefix(part, `\`)))
		}
	}
	re, err := regexp.Compile("(?s)^(?:" + b.String() + ")$")
	if err != nil {
		t.Fatal(err)
	}
	return re
}

// randomPattern returns a pattern in pieces that reference understands.
func randomPattern(r *rand.Rand) (parts []string) {
	pieces := []string{"a", "b", "/", "é", "*", "*", "?", "[ab]", "[!a]", "[^a-b]", "[a-b/]", `\*`, `\a`}
	braces := 0
	for range r.IntN(9) {
		switch n := r.IntN(8); {
		case n == 0 && braces < 2:
			parts = append(parts, "{")
			braces++
		case n == 1 && braces > 0:
			parts = append(parts, "}")
			braces--
		case n < 4 && braces > 0:
			parts = append(parts, ",")
		default:
			parts = append(parts, pieces[r.IntN(len(pieces))])
		}
	}
	for range braces {
		parts = append(parts, "}")
	}
	return parts
}

// The matcher, the automaton and a regular expression agree.
func TestAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	alphabet := []string{"a", "a", "b", "b", "/", "é", "*"}
	matches := 0
	for range 5000 {
		parts := randomPattern(r)
		pattern := strings.Join(parts, "")
		re := reference(t, parts)
		p, err := glob.Parse(pattern)
		if err != nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		a, err := glob.Compile(p)
		if err != nil {
			continue // too many states
		}
		for range 20 {
			var name string
			for range r.IntN(7) {
				name += alphabet[r.IntN(len(alphabet))]
			}
			want := re.MatchString(name)
			if got := p.Match(name); got != want {
				t.Errorf("%s, %q: Match is %t", pattern, name, got)
			}
			if got := a.Match(name); got != want {
				t.Errorf("%s, %q: Automaton.Match is %t", pattern, name, got)
			}
			if want {
				matches++
			}
		}
	}
	if matches < 5000 {
		t.Errorf("only %d names matched: the test tests little", matches)
	}
}

// For every valid pattern, the matcher and the automaton agree on all bytes but NUL, and
// splitting a list leaves the pattern whole.
func FuzzAgree(f *testing.F) {
	for _, seed := range [][2]string{{"ngin*", "nginx"}, {"*a*b?", "xaybz"}, {`\[[a-c]`, "[b"}, {"{a,[!b]}é?", "aé\xa9\xa9"}, {"[]-a,]{x,}", "^"}, {"?*?", "\x80a"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		glob.Split(pattern)
		p, err := glob.Parse(pattern)
		if err != nil {
			_ = err.Error()
			return
		}
		if name, ok := p.Literal(); ok && !p.Match(name) {
			t.Errorf("%q does not match its literal %q", pattern, name)
		}
		if parts := glob.Split("a," + "{" + pattern + "}"); len(parts) != 2 {
			t.Errorf("%q is taken apart: %q", pattern, parts)
		}
		if strings.IndexByte(name, 0) >= 0 {
			return
		}
		matches := p.Match(name)
		if matches && len(name) < shortest(p) {
			t.Errorf("%q matches %q, which is shorter than it can be", pattern, name)
		}
		if a, err := glob.Compile(p); err == nil && a.Match(name) != matches {
			t.Errorf("%q, %q: Match is %t, Automaton.Match is not", pattern, name, matches)
		}
	})
}

// shortest returns the least length of names that match the pattern's only alternative.
func shortest(p *glob.Pattern) int {
	if strings.ContainsAny(p.String(), "{") {
		return 0
	}
	return p.Length()
}

func BenchmarkMatch(b *testing.B) {
	p := glob.MustParse("*tcp*{send,recv}*")
	for b.Loop() {
		p.Match("__tcp_v4_do_a_thing_and_another_send_more")
	}
}
