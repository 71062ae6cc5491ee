package tracefs

import (
	"os"
	"path/filepath"
	"testing"

	"trapline/bpf"
	"trapline/capture/layout"
)

// FuzzParseFormat checks that fields stay inside the record.
func FuzzParseFormat(f *testing.F) {
	files, err := filepath.Glob("testdata/events/*/*/format")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(filepath.Base(filepath.Dir(filepath.Dir(name))), string(text))
	}
	f.Fuzz(func(t *testing.T, system, text string) {
		r, err := parseFormat(system, text)
		if err != nil {
			return
		}
		if len(r.DataLocs) > bpf.MaxDataLocs {
			t.Fatalf("%d data_locs", len(r.DataLocs))
		}
		for _, field := range r.Fields {
			if field.Offset < layout.CommonSize || int(field.Offset)+int(field.Size)*int(field.Count) > int(r.RecordSize) || field.Count == 0 {
				t.Fatalf("%+v in a record of %d bytes", field, r.RecordSize)
			}
		}
	})
}
