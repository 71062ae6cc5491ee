package unwind_test

import (
	"os"
	"testing"

	"trapline/capture/unwind"
)

const libc = "/lib/x86_64-linux-gnu/libc.so.6"

func BenchmarkReadImage(b *testing.B) {
	f, err := os.Open(libc)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.ReportAllocs()
	for b.Loop() {
		image, err := unwind.ReadImage(f)
		if err != nil {
			b.Fatal(err)
		}
		image.Rule(0x30000) // opens the sources of rules
	}
}

func BenchmarkRule(b *testing.B) {
	image, _ := openImage(b, libc)
	b.ReportAllocs()
	for offset := uint64(0x30000); b.Loop(); {
		image.Rule(offset)
		if offset += 997; offset > 0x170000 {
			offset = 0x30000
		}
	}
}

// BenchmarkUnwind unwinds a stack of 20 frames in a program and libc.
func BenchmarkUnwind(b *testing.B) {
	run := runStacks(b, compileStacks(b, "gcc", "-O2"))
	stack := &run.stacks[7]
	b.ReportAllocs()
	for b.Loop() {
		if frames, _ := unwind.Unwind(&stack.regs, []unwind.Memory{stack.memory}, &run.maps, 20); len(frames) != 20 {
			b.Fatalf("%s: %d frames", stack.name, len(frames))
		}
	}
}
