package symbol_test

import (
	"runtime"
	"testing"

	"trapline/internal/symbol"
	"trapline/internal/testenv"
)

func TestVDSO(t *testing.T) {
	names := map[string]string{"amd64": "__vdso_clock_gettime", "arm64": "__kernel_clock_gettime"}
	name, ok := names[runtime.GOARCH]
	if !ok {
		testenv.Unsupported(t, "an x86-64 or arm64 machine")
	}
	image, err := symbol.VDSO()
	if err != nil {
		t.Fatal(err)
	}
	e, err := symbol.NewELF(image, symbol.Options{Path: "[vdso]"})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	f := function(t, e, name)
	if calls := e.Lookup(f.Offset + 1); len(calls) != 1 || calls[0].Function != name || calls[0].Offset != 1 {
		t.Errorf("%s+1 is %v", name, calls)
	}
}
