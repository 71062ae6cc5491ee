//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func median(values []float64) float64 { slices.Sort(values); return values[len(values)/2] }

// An account says what became of the hits of a capture.
type account struct{ recorded, lost, cut float64 } // cut: incomplete stacks

// account reads the account of a capture.
func (b *bench) account(path string) (account, error) {
	out, err := run(b.report(), "-i", path, "--json", "-s", "comm", "-g", "none")
	if err != nil {
		return account{}, err
	}
	return parseAccount([]byte(out.output))
}

// parseAccount reads the account from the output of report --json.
func parseAccount(report []byte) (a account, err error) {
	var doc struct {
		Quality struct {
			Account map[string]float64 `json:"account"`
			Cut     map[string]float64 `json:"cut"`
		} `json:"quality"`
	}
	if err := json.Unmarshal(report, &doc); err != nil {
		return a, fmt.Errorf("report --json: %w", err)
	}
	if len(doc.Quality.Account) == 0 {
		return a, fmt.Errorf("report --json has no account: %.200s", report)
	}
	for cause, n := range doc.Quality.Account {
		switch cause {
		case "recorded":
			a.recorded = n
		case "filtered", "sampled out":
		default:
			a.lost += n
		}
	}
	for _, n := range doc.Quality.Cut {
		a.cut += n
	}
	return a, nil
}

// measured returns the account and the size of a capture.
func (b *bench) measured(path string) (a account, size float64, err error) {
	if a, err = b.account(path); err != nil {
		return a, 0, err
	}
	size, err = sizeOf(path)
	return a, size, err
}

// perfRecorded counts the samples of a perf.data file.
func perfRecorded(path string) (recorded float64, err error) {
	out, err := run("perf", "report", "-i", path, "--stats")
	if err != nil {
		return 0, err
	}
	return parsePerfStats(out.output)
}

var samplesLine = regexp.MustCompile(`SAMPLE events: +(\d+)`)

// parsePerfStats returns the number of samples in the output of perf report --stats.
func parsePerfStats(text string) (float64, error) {
	m := samplesLine.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("perf report --stats states no number of samples:\n%s", text)
	}
	return strconv.ParseFloat(m[1], 64)
}

var rawLine = regexp.MustCompile(`user stacks: [0-9,]+ sent raw .*, ([0-9,]+) of them after the first second`)

// parseSentLate returns how many stacks were sent raw after the first second, according to
// record -v.
func parseSentLate(said string) (float64, error) {
	m := rawLine.FindStringSubmatch(said)
	if m == nil {
		return 0, fmt.Errorf("record does not say how many stacks were sent raw:\n%s", said)
	}
	return strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
}

// timed runs a command and returns the time that its target printed.
func timed(command []string) (float64, error) {
	out, err := run(command[0], command[1:]...)
	if err != nil {
		return 0, err
	}
	v, err := parseNanoseconds(out.output)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", command[0], err)
	}
	return v, nil
}

// parseNanoseconds returns the ns per call that a target prints with -T: the first line
// that begins with a number. Other lines come from the tool that runs the target.
func parseNanoseconds(output string) (float64, error) {
	for line := range strings.Lines(output) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if v, err := strconv.ParseFloat(words[0], 64); err == nil {
			return v, nil
		}
	}
	return 0, fmt.Errorf("the target printed no time:\n%s", output)
}

func sizeOf(path string) (float64, error) {
	st, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return float64(st.Size()), nil
}
