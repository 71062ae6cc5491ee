package program_test

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"trapline/capture/locate"
	"trapline/capture/program"
	"trapline/internal/testenv"
)

func TestSplitVariant(t *testing.T) {
	for name, want := range map[string]struct {
		base    string
		variant program.Variant
	}{
		"foo":                     {"foo", program.NoVariant},
		"foo.isra.0":              {"foo", program.Clone},
		"foo.isra.0.constprop.12": {"foo", program.Clone},
		"foo.llvm.1234":           {"foo", program.Clone},
		"foo.part.1":              {"foo", program.Part},
		"foo.cold":                {"foo", program.Cold},
		"foo.isra.0.cold":         {"foo", program.Cold},
		"foo.0":                   {"foo.0", program.NoVariant},
		"main.cold.start":         {"main.cold.start", program.NoVariant},
		".cold":                   {".cold", program.NoVariant},
	} {
		if base, v := program.SplitVariant(name); base != want.base || v != want.variant {
			t.Errorf("%s: got %s, %d; want %s, %d", name, base, v, want.base, want.variant)
		}
	}
}

// self opens the test program itself, which is a Go program.
func self(t *testing.T) *program.File {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, err := locate.New("", 0).Find(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := program.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestFunctions(t *testing.T) {
	f := self(t)
	if !f.IsGo {
		t.Error("not taken for a Go program")
	}
	const name = "trapline/capture/program_test.TestFunctions"
	found, err := f.Find(name)
	if err != nil || len(found) != 1 || found[0].Name != name || !f.HoldsCode(found[0].Offset) || !f.MayBeProbed(&found[0]) {
		t.Fatalf("%s: %+v, %v", name, found, err)
	}
	address, ok := f.Address(found[0].Offset)
	if back, okBack := f.Offset(address); !ok || !okBack || address != found[0].Address || back != found[0].Offset {
		t.Errorf("file offset %#x is address %#x, whose file offset is %#x", found[0].Offset, address, back)
	}
	if found, err := f.Find(name + "X"); err != nil || len(found) != 0 {
		t.Errorf("a function that does not exist: %+v, %v", found, err)
	}
	if near := f.Nearest("trapline/capture/program_test.TestFunction"); len(near) == 0 || near[0] != name {
		t.Errorf("nearest: %q", near)
	}
	if probes, err := f.USDT(); err != nil || len(probes) != 0 {
		t.Errorf("USDT probes of a Go program: %v, %v", probes, err)
	}
}

// CheckInstruction accepts the offsets where instructions begin: some of the first 16,
// but not all.
func TestCheckInstruction(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		testenv.Missing(t, "an x86-64 machine")
	}
	f := self(t)
	found, err := f.Find("trapline/capture/program_test.TestCheckInstruction")
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	fn := &found[0]
	begins := 0
	for offset := range uint64(16) {
		err := f.CheckInstruction(fn, offset)
		if err == nil {
			begins++
		} else if !strings.Contains(err.Error(), "is inside an instruction") {
			t.Errorf("offset %d: %v", offset, err)
		}
		if same := f.CheckOffset(fn.Offset + offset); (same == nil) != (err == nil) {
			t.Errorf("offset %d: %v in the function, %v in the file", offset, err, same)
		}
	}
	if begins < 2 || begins == 16 {
		t.Errorf("%d instructions in 16 bytes", begins)
	}
	skip, err := f.StackCheck(fn)
	if err != nil || skip == 0 || f.CheckInstruction(fn, skip) != nil {
		t.Errorf("stack check of %d bytes, %v", skip, err)
	}
	returns, err := f.Returns(fn)
	if err != nil || len(returns) == 0 {
		t.Fatalf("returns: %v, %v", returns, err)
	}
	for _, r := range returns {
		if err := f.CheckInstruction(fn, r.Offset); err != nil {
			t.Errorf("return: %v", err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"text": "#!/bin/sh\n", "cut": "\x7fELF\x02\x01\x01"} {
		path := dir + "/" + name
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		file, err := locate.New("", 0).Find(path)
		if err != nil {
			t.Fatal(err)
		}
		if f, err := program.Open(file); err == nil || !strings.Contains(err.Error(), "not an ELF file") {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
}
