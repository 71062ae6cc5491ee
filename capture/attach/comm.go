package attach

import (
	"fmt"
	"strings"

	"trapline/bpf"
)

// commLength is how many characters of a task's name the kernel keeps
// (TASK_COMM_LEN in include/linux/sched.h, without the NUL).
const commLength = 15

// commStates is how many positions all patterns of a set have together: the bits of a word.
const commStates = 64

// commPatterns compiles globs of task names into the automaton that bpf/comm.h
// runs: * ? [a-z] [!a-z], and \ before a character that is meant itself. Position
// i of a pattern is a state; reading a character that it accepts leads to i + 1.
func commPatterns(patterns []string) (*bpf.HooksCommPatterns, error) {
	set := new(bpf.HooksCommPatterns)
	bit := 0
	for _, p := range patterns {
		items, err := commItems(p)
		if err != nil {
			return nil, err
		}
		if bit+len(items)+1 > commStates {
			return nil, fmt.Errorf("the names of tasks to look for have more than %d characters together: shorten them with *", commStates-len(patterns))
		}
		set.Start |= 1 << bit
		for i, item := range items {
			if item.star {
				set.Star |= 1 << bit
				if i == 0 {
					set.Start |= 1 << (bit + 1)
				}
			} else {
				for c := range item.class {
					if item.class[c] {
						set.Class[c] |= 1 << bit
					}
				}
			}
			bit++
		}
		set.Accept |= 1 << bit
		bit++
	}
	return set, nil
}

// A commItem is one position of a pattern.
type commItem struct {
	star  bool // any run of characters
	class [256]bool
}

func commItems(pattern string) (items []commItem, err error) {
	bad := func(why string) ([]commItem, error) { return nil, fmt.Errorf("task name %q: %s", pattern, why) }
	if pattern == "" {
		return bad("it is empty")
	}
	shortest := 0
	for rest := pattern; rest != ""; {
		var item commItem
		c := rest[0]
		rest = rest[1:]
		switch c {
		case '*':
			item.star = true
			if n := len(items); n > 0 && items[n-1].star {
				continue
			}
		case '?':
			for c := 1; c < 256; c++ {
				item.class[c] = true
			}
		case '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return bad("a bracket is not closed")
			}
			if !commClass(&item.class, rest[:end]) {
				return bad("brackets hold characters and ranges, as in [a-z0]")
			}
			rest = rest[end+1:]
		case '\\':
			if rest == "" {
				return bad("it ends in a backslash")
			}
			item.class[rest[0]] = true
			rest = rest[1:]
		default:
			item.class[c] = true
		}
		if !item.star {
			shortest++
		}
		items = append(items, item)
	}
	if shortest > commLength {
		return bad(fmt.Sprintf("the kernel keeps %d characters of a name: end it with * after at most as many", commLength))
	}
	return items, nil
}

// commClass reads what stands between brackets.
func commClass(class *[256]bool, s string) bool {
	s, negated := strings.CutPrefix(s, "!")
	if s == "" {
		return false
	}
	for s != "" {
		first, last := s[0], s[0]
		s = s[1:]
		if len(s) >= 2 && s[0] == '-' {
			last, s = s[1], s[2:]
		}
		if last < first {
			return false
		}
		for c := int(first); c <= int(last); c++ {
			class[c] = true
		}
	}
	if negated {
		for c := 1; c < 256; c++ {
			class[c] = !class[c]
		}
	}
	class[0] = false
	return true
}
