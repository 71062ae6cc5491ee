package main

import (
	"fmt"
	"strings"
)

// grouped writes 1234567 as 1,234,567.
func grouped(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size writes a number of bytes with a binary unit: 2.0 KiB.
func size(n uint64) string {
	v, unit := float64(n), 0
	for v >= 1024 && unit < 4 {
		v, unit = v/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %ciB", v, " KMGT"[unit])
}

// count writes a number with its noun: 1 probe, 2 probes.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%s %s", grouped(uint64(n)), noun)
}

// numbers writes a list of numbers separated by commas.
func numbers[T int | uint32](list []T) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ","), "[]")
}

// ranges writes a sorted list of numbers as ranges separated by commas: 0-3,8.
func ranges(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		first := i
		for i++; i < len(list) && list[i] == list[i-1]+1; i++ {
		}
		part := fmt.Sprint(list[first])
		if i-first > 1 {
			part += fmt.Sprintf("-%d", list[i-1])
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ",")
}

// shellQuote joins arguments into a line that a shell splits back into them.
func shellQuote(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		if a == "" || strings.ContainsFunc(a, needsQuotes) {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		quoted[i] = a
	}
	return strings.Join(quoted, " ")
}

func needsQuotes(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !letter && !strings.ContainsRune("-_=+./:,@%", r)
}
