package export_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/pprof/profile"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/analysis/export"
)

func foldedTotal(t *testing.T, folded []byte) (total int) {
	t.Helper()
	for line := range strings.Lines(string(folded)) {
		count := strings.TrimSpace(line[strings.LastIndexByte(line, ' '):])
		n, err := strconv.Atoi(count)
		if err != nil {
			t.Fatalf("line %q ends in no count", line)
		}
		total += n
	}
	return total
}

// Every format accounts for all hits.
func TestTotals(t *testing.T) {
	capture := testCapture(t)
	if got := foldedTotal(t, convert(t, "folded", export.Request{}, capture)); got != allHits {
		t.Errorf("folded: %d hits, want %d", got, allHits)
	}
	if got := foldedTotal(t, convert(t, "folded", export.Request{Weights: []string{"alloc.bytes"}}, capture)); got != allocBytes {
		t.Errorf("folded: %d bytes, want %d", got, allocBytes)
	}
	if got := foldedTotal(t, convert(t, "folded", export.Request{}, capture, capture)); got != 2*allHits {
		t.Errorf("folded: %d hits of the capture merged with itself, want %d", got, 2*allHits)
	}
	if got := bytes.Count(convert(t, "ndjson", export.Request{}, capture), []byte("\n")); got != allHits {
		t.Errorf("ndjson: %d lines, want %d", got, allHits)
	}
	if svg := convert(t, "flamegraph", export.Request{}, capture); !bytes.Contains(svg, []byte(`data-x="0" data-w="15"><title>all`)) {
		t.Errorf("flamegraph: the root does not stand for %d hits", allHits)
	}
	if rows := readCSV(t, convert(t, "csv", export.Request{}, capture)); len(rows) != allHits {
		t.Errorf("csv: %d rows, want %d", len(rows), allHits)
	}
	for _, labels := range []bool{false, true} {
		r := export.Request{Labels: labels, Weights: []string{"bytes", "slots[2]"}}
		p, err := profile.ParseData(convert(t, "pprof", r, capture))
		if err != nil {
			t.Fatal(err)
		}
		var got [3]int64
		for _, s := range p.Sample {
			for i, v := range s.Value {
				got[i] += v
			}
		}
		if want := [3]int64{allHits, allocBytes, allocHits * 32767}; got != want {
			t.Errorf("pprof with labels %v: totals %v, want %v", labels, got, want)
		}
	}
}

// Complementary filters account for all hits.
func TestFiltersPartition(t *testing.T) {
	capture := testCapture(t)
	for probe, want := range map[string]int{"sched_switch": switchHits, "uprobe:server:alloc": allocHits, "count": countHits} {
		r := export.Request{Filter: analysis.Filter{Probes: []string{probe}}}
		if got := foldedTotal(t, convert(t, "folded", r, capture)); got != want {
			t.Errorf("folded: %d hits of %s, want %d", got, probe, want)
		}
	}
}

func readCSV(t *testing.T, data []byte) []map[string]string {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, r := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = r[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// The formats for programs preserve strings, except for invalid UTF-8.
func TestStringsComeBack(t *testing.T) {
	capture := testCapture(t)
	request := export.Request{Filter: analysis.Filter{Probes: []string{"uprobe:server:alloc"}}}
	var want []string
	for _, s := range awkward {
		want = append(want, strings.ToValidUTF8(strings.ReplaceAll(s, "\xff\xfe", "\ufffd\ufffd"), "?"))
	}

	var got []string
	lines := bufio.NewScanner(bytes.NewReader(convert(t, "ndjson", request, capture)))
	for lines.Scan() {
		var hit struct{ Args struct{ Why string } }
		if err := json.Unmarshal(lines.Bytes(), &hit); err != nil {
			t.Fatalf("%v in %s", err, lines.Bytes())
		}
		got = append(got, hit.Args.Why)
	}
	if !slices.Equal(got, want) {
		t.Errorf("ndjson: %q, want %q", got, want)
	}

	got = nil
	for _, row := range readCSV(t, convert(t, "csv", request, capture)) {
		got = append(got, row["args.why"])
	}
	if !slices.Equal(got, want) {
		t.Errorf("csv: %q, want %q", got, want)
	}
}

// A weight that no probe has is an error.
func TestUnknownWeight(t *testing.T) {
	for _, f := range export.Formats[:3] {
		r := export.Request{Inputs: inputs(testCapture(t)), Weights: []string{"next_comm"}}
		_, err := f.Write(&bytes.Buffer{}, &r)
		if err == nil || !strings.Contains(err.Error(), "there are bytes,") {
			t.Errorf("%s: error %v, want one that lists the numbers", f.Name, err)
		}
	}
}

// Every format accounts for all hits of random captures.
func TestRandomTotals(t *testing.T) {
	for seed := range uint64(10) {
		capture, hits := analysistest.Random(seed, 300)
		size, switches := 0, 0
		for _, h := range hits {
			size += int(max(0, h.Size))
			if h.Tag != "" {
				switches++
			}
		}
		if got := foldedTotal(t, convert(t, "folded", export.Request{}, capture)); got != len(hits) {
			t.Errorf("folded: %d hits, want %d", got, len(hits))
		}
		if got := foldedTotal(t, convert(t, "folded", export.Request{Weights: []string{"size"}}, capture)); got != size {
			t.Errorf("folded: weight %d, want %d", got, size)
		}
		for _, reverse := range []bool{false, true} {
			boxes := parseSVG(t, convert(t, "flamegraph", export.Request{Reverse: reverse}, capture))
			if boxes[0].W != uint64(len(hits)) {
				t.Errorf("flamegraph: the root has %d hits, want %d", boxes[0].W, len(hits))
			}
		}
		if got := bytes.Count(convert(t, "ndjson", export.Request{}, capture), []byte("\n")); got != len(hits) {
			t.Errorf("ndjson: %d lines, want %d", got, len(hits))
		}
		if got := bytes.Count(convert(t, "perfscript", export.Request{}, capture), []byte("\n\n")); got < len(hits) {
			t.Errorf("perfscript: %d blocks, want %d", got, len(hits))
		}
		rows := readCSV(t, convert(t, "csv", export.Request{}, capture))
		tagged := 0
		for _, r := range rows {
			if r["args.tag"] != "" {
				tagged++
			}
		}
		if len(rows) != len(hits) || tagged != switches {
			t.Errorf("csv: %d rows, %d with a tag; want %d and %d", len(rows), tagged, len(hits), switches)
		}
		p, err := profile.ParseData(convert(t, "pprof", export.Request{Labels: seed%2 == 0}, capture))
		if err != nil {
			t.Fatal(err)
		}
		var got int64
		for _, s := range p.Sample {
			got += s.Value[0]
		}
		if got != int64(len(hits)) {
			t.Errorf("pprof: %d hits, want %d", got, len(hits))
		}
	}
}
