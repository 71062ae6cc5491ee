package probe_test

import (
	"debug/elf"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"trapline/capture/probe"
	"trapline/internal/testenv"
)

// TestGoReturns compares the return probes of all functions of a Go program, including
// the assembly of the runtime, with the returns that objdump finds.
func TestGoReturns(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		testenv.Unsupported(t, "an x86-64 machine")
	}
	testenv.Slow(t)
	objdump := testenv.Tool(t, "objdump")
	program := testenv.Target(t, "goreturns")
	r := probe.NewResolver(probe.Options{MaxProbes: 1 << 20})
	probes, err := resolve(t, r, "uretprobe:"+program+":*")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[uint64]bool)
	for i := range probes {
		if !probes[i].AtReturns {
			t.Errorf("%s would replace a return address", probes[i].Name)
		}
		for _, s := range probes[i].AllSites() {
			got[s.Offset] = true
		}
	}
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text := file.Section(".text")
	out, err := exec.Command(objdump, "-d", "-j", ".text", "--no-show-raw-insn", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	returns := 0
	for line := range strings.Lines(string(out)) {
		address, instruction, ok := strings.Cut(strings.TrimSpace(line), ":")
		at, err := strconv.ParseUint(address, 16, 64)
		fields := strings.Fields(instruction)
		if !ok || err != nil || len(fields) == 0 {
			continue
		}
		offset := at - text.Addr + text.Offset
		switch op := fields[0]; {
		case op == "ret":
			returns++
			if !got[offset] {
				t.Errorf("no probe at the return at %#x", at)
			}
		case op != "jmp" && got[offset]:
			t.Errorf("a probe at %q", line)
		}
		delete(got, offset)
	}
	if returns < 1000 || len(got) > 0 {
		t.Errorf("%d returns; %d probes inside of instructions", returns, len(got))
	}
}
