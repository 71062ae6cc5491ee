package unwind_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"trapline/capture/unwind"
	"trapline/internal/testenv"
)

// outermostCode has functions whose tables say that they have no caller, or that have no
// tables. Only those that pass the result of a call to the exit system call, and the code
// at the entry point, are outermost frames.
const outermostCode = `
	.text
	.globl _start, claims, plain, glibc_clone, musl_clone
	.type _start, @function
_start:
	xor %ebp, %ebp
	call claims
	hlt
	.skip 300, 0x90
	.type claims, @function
claims:
	.cfi_startproc
	.cfi_undefined rip
	call plain
	ret
	.cfi_endproc
	.skip 300, 0x90
	.type plain, @function
plain:
	call *%rax
	ret
	.skip 300, 0x90
	.type glibc_clone, @function
glibc_clone:
	.cfi_startproc
	.cfi_undefined rip
	xor %ebp, %ebp
	call *%rdx
	mov %rax, %rdi
	mov $60, %eax
	syscall
	.cfi_endproc
	.skip 300, 0x90
	.type musl_clone, @function
musl_clone:
	nop
	call *%r9
	mov %eax, %edi
	xor %eax, %eax
	mov $60, %al
	syscall
	hlt
	.section .note.GNU-stack, "", @progbits
`

func TestOutermostFrames(t *testing.T) {
	for _, c := range []struct {
		function string
		offset   uint64 // of an instruction, or of the byte before a return address
		link     string
		want     unwind.RuleKind
	}{
		{"_start", 0, "-no-pie", unwind.RuleEnd},
		{"_start", 6, "-no-pie", unwind.RuleEnd},
		{"_start", 6, "-static-pie", unwind.RuleEnd},
		{"_start", 200, "-no-pie", unwind.RuleNone},
		{"claims", 0, "-no-pie", unwind.RuleNone},
		{"claims", 4, "-no-pie", unwind.RuleNone},
		{"plain", 1, "-no-pie", unwind.RuleNone},
		{"glibc_clone", 0, "-no-pie", unwind.RuleEnd},
		{"glibc_clone", 3, "-no-pie", unwind.RuleEnd},
		{"glibc_clone", 3, "-shared", unwind.RuleEnd},
		{"musl_clone", 0, "-no-pie", unwind.RuleNone},
		{"musl_clone", 3, "-no-pie", unwind.RuleEnd},
		{"musl_clone", 3, "-shared", unwind.RuleEnd},
	} {
		path := outermostImage(t, c.link)
		if got := ruleAt(t, path, c.function, c.offset); got.Kind != c.want {
			t.Errorf("%s, %s+%d: %+v, want kind %d", c.link, c.function, c.offset, got, c.want)
		}
	}
}

// The entry point of a shared library means nothing.
func TestSharedLibrariesHaveNoEntry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "library.so")
	build(t, "int f(void) { return 1; }", "c", path, "-shared", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-Wl,-e,f")
	if got := ruleAt(t, path, "f", 0); got.Kind != unwind.RuleNone {
		t.Errorf("%+v, want none", got)
	}
}

func outermostImage(t *testing.T, link string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image")
	build(t, outermostCode, "assembler", path, "-nostdlib", "-Wl,-z,notext", link)
	return path
}

func build(t *testing.T, code, language, path string, options ...string) {
	t.Helper()
	source := path + ".source"
	if err := os.WriteFile(source, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-o", path}, options...)
	if out, err := exec.Command(testenv.Tool(t, "gcc"), append(args, "-x", language, source)...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
}

func ruleAt(t *testing.T, path, function string, offset uint64) unwind.Rule {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	image, err := unwind.ReadImage(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Name != function {
			continue
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_LOAD && s.Value-p.Vaddr < p.Filesz {
				return image.Rule(s.Value - p.Vaddr + p.Off + offset)
			}
		}
	}
	t.Fatalf("%s has no function %s", path, function)
	return unwind.Rule{}
}
