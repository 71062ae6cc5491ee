package x86_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"trapline/internal/testenv"
	"trapline/internal/x86"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decodings are instructions as GNU as and objdump write them. op is 0 if x86asm has no
// name for one.
var decodings = []struct {
	code, text string
	op         x86asm.Op
}{
	{"c3", "ret", x86asm.RET},
	{"c2 08 00", "ret $8", x86asm.RET},
	{"c9", "leave", x86asm.LEAVE},
	{"c8 10 00 01", "enter $16, $1", x86asm.ENTER},
	{"48 b8 88 77 66 55 44 33 22 11", "movabs $0x1122334455667788, %rax", x86asm.MOV},
	{"66 b8 22 11", "mov $0x1122, %ax", x86asm.MOV},
	{"66 48 b8 88 77 66 55 44 33 22 11", "data16 movabs $…, %rax", x86asm.MOV},
	{"48 c7 84 24 00 01 00 00 44 33 22 11", "movq $…, 256(%rsp)", x86asm.MOV},
	{"a1 88 77 66 55 44 33 22 11", "movabs 0x1122334455667788, %eax", x86asm.MOV},
	{"67 a1 44 33 22 11", "addr32 mov 0x11223344, %eax", x86asm.MOV},
	{"48 8d 05 44 33 22 11", "lea 0x11223344(%rip), %rax", x86asm.LEA},
	{"f7 c1 44 33 22 11", "test $…, %ecx", x86asm.TEST},
	{"66 f7 c1 44 33", "test $…, %cx", x86asm.TEST},
	{"f7 d1", "not %ecx", x86asm.NOT},
	{"f6 c1 11", "test $…, %cl", x86asm.TEST},
	{"0f 84 44 33 22 11", "je", x86asm.JE},
	{"f2 e9 44 33 22 11", "bnd jmp", x86asm.JMP},
	{"3e ff e0", "notrack jmp *%rax", x86asm.JMP},
	{"66 66 48 e8 44 33 22 11", "data16 data16 rex.W call", x86asm.CALL},
	{"8f 00", "pop (%rax)", x86asm.POP},
	{"66 2e 0f 1f 84 00 00 00 00 00", "nopw %cs:0(%rax,%rax)", x86asm.NOP},
	{"f3 0f 1e fa", "endbr64", x86asm.NOP},
	{"0f 23 87", "mov %rdi, %db0", 0},
	{"9b", "fwait", x86asm.FWAIT},
	// VEX with two and three bytes.
	{"c5 f8 77", "vzeroupper", x86asm.VZEROUPPER},
	{"c5 fc 77", "vzeroall", x86asm.VZEROALL},
	{"c4 e1 78 77", "vzeroupper, three bytes", x86asm.VZEROUPPER},
	{"c5 fd 6f 07", "vmovdqa (%rdi), %ymm0", x86asm.VMOVDQA},
	{"c5 f9 70 c1 1b", "vpshufd $27, %xmm1, %xmm0", x86asm.VPSHUFD},
	{"c5 f1 73 d8 04", "vpsrldq $4, %xmm0, %xmm1", x86asm.VPSRLDQ},
	{"c5 f0 c2 d0 01", "vcmpltps %xmm0, %xmm1, %xmm2", x86asm.VCMPPS},
	{"c4 e2 7d 18 05 44 33 22 11", "vbroadcastss 0x11223344(%rip), %ymm0", x86asm.VBROADCASTSS},
	{"c4 e3 7d 39 c1 01", "vextracti128 $1, %ymm0, %xmm1", x86asm.VEXTRACTI128},
	{"c4 e2 fb f6 04 24", "mulx (%rsp), %rax, %rax", x86asm.MULX},
	{"c4 e3 fb f0 c0 05", "rorx $5, %rax, %rax", x86asm.RORX},
	// FMA4 and XOP.
	{"c4 e3 f9 6b c2 10", "vfmaddsd %xmm2, %xmm1, %xmm0, %xmm0", 0},
	{"8f e8 78 c2 ec 0e", "vprotd $14, %xmm4, %xmm5", 0},
	{"8f e9 78 01 c8", "blcfill %eax, %eax", 0},
	{"8f ea 78 10 c8 44 33 22 11", "bextr $…, %eax, %ecx", 0},
	// EVEX.
	{"62 f1 7c 48 10 07", "vmovups (%rdi), %zmm0", x86asm.VMOVUPS},
	{"62 f1 7c 48 10 47 01", "vmovups 64(%rdi), %zmm0", x86asm.VMOVUPS},
	{"62 f1 7c 48 10 87 44 33 22 11", "vmovups 0x11223344(%rdi), %zmm0", x86asm.VMOVUPS},
	{"62 f3 7d 48 3b c1 01", "vextracti32x8 $1, %zmm0, %ymm1", x86asm.VEXTRACTI32X8},
	// Behind 0F 38 and 0F 3A, and what x86asm takes for a prefix alone.
	{"66 0f 38 00 c1", "pshufb %xmm1, %xmm0", x86asm.PSHUFB},
	{"66 0f 3a 0f c1 08", "palignr $8, %xmm1, %xmm0", x86asm.PALIGNR},
	{"66 4c 0f 38 f6 c9", "adcx %rcx, %r9", 0},
	{"f3 4c 0f 38 f6 43 e0", "adox -32(%rbx), %r8", 0},
	{"49 0f c7 fa", "rdseed %r10", 0},
	{"0f 01 ee", "rdpkru", 0},
}

func TestDecode(t *testing.T) {
	for _, c := range decodings {
		code := unhex(t, c.code)
		// The bytes that follow must not count.
		inst, err := x86.Decode(append(bytes.Clone(code), 0x11, 0x22, 0x33, 0x44, 0x55))
		if err != nil || inst.Len != len(code) || inst.Op != c.op {
			t.Errorf("%s: %v, %d bytes (%v), want %v, %d", c.text, inst.Op, inst.Len, err, c.op, len(code))
		}
		if n, err := x86.Len(code); err != nil || n != len(code) {
			t.Errorf("%s: length %d (%v), want %d", c.text, n, err, len(code))
		}
		for n := range code {
			if got, err := x86.Len(code[:n]); err == nil && got > n {
				t.Errorf("%s: length %d of %d bytes", c.text, got, n)
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for code, want := range map[string]error{
		"":                              x86.ErrTruncated,
		"48":                            x86.ErrTruncated,
		"48 b8 88 77":                   x86.ErrTruncated,
		"c5 f8":                         x86.ErrTruncated,
		"62 f1 7c 48":                   x86.ErrTruncated,
		"06":                            x86.ErrInvalid, // push %es
		"9a 00 00 00 00 00 00":          x86.ErrInvalid, // lcall
		"0f 04":                         x86.ErrInvalid,
		"c4 e0 78 10 c0":                x86.ErrInvalid, // map 0
		"62 f4 7c 48 10 07":             x86.ErrInvalid, // map 4
		strings.Repeat("66", 15) + "90": x86.ErrInvalid, // 16 bytes
	} {
		if _, err := x86.Decode(unhex(t, code)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", code, err, want)
		}
		if n, err := x86.Len(unhex(t, code)); !errors.Is(err, want) || n != 0 {
			t.Errorf("%s: length %d, %v, want %v", code, n, err, want)
		}
	}
}

// The registers that an instruction may write are known even if its operation is not.
func TestNamed(t *testing.T) {
	for code, want := range map[string]bool{
		"66 48 0f 38 f6 e9":    true,  // adcx %rcx, %rbp
		"66 4c 0f 38 f6 e9":    false, // adcx %rcx, %r13
		"48 0f c7 fd":          true,  // rdseed %rbp
		"49 0f c7 fd":          false, // rdseed %r13
		"66 48 0f 38 f6 4d 00": false, // adcx (%rbp), %rcx
		"8f e9 50 01 c8":       true,  // blcfill %eax, %ebp
		"8f e9 10 01 c8":       false, // blcfill %eax, %r13d
	} {
		inst, err := x86.Decode(unhex(t, code))
		if err != nil || inst.Op != 0 {
			t.Fatalf("%s: %v, %v", code, inst.Op, err)
		}
		if got := inst.Named&(1<<x86.RBP) != 0; got != want {
			t.Errorf("%s names RBP: %t", code, got)
		}
	}
}

// differs reports whether objdump splits code differently from processors. It prints a
// prefix before another prefix on a line by itself, joins FWAIT with the next instruction,
// and follows AMD for near jumps with an operand-size prefix.
func differs(code []byte, text string) bool {
	if strings.Contains(text, "(bad)") || strings.HasPrefix(text, ".byte") || code[0] == 0x9b || code[0]&0xf0 == 0x40 && len(code) == 1 {
		return true
	}
	last := text[strings.LastIndexByte(text, ' ')+1:]
	return strings.HasPrefix(last, "rex") || strings.Contains(text, "fwait") || code[0] == 0x66 && (code[1]&0xfe == 0xe8 || code[1] == 0x0f && code[2]&0xf0 == 0x80) ||
		strings.HasPrefix(text, "rex") || strings.Contains(text, " f") && bytes.IndexByte(code, 0x9b) >= 0
}

// In all executable sections of libraries and a Go program, the lengths of instructions
// are those that objdump prints.
func TestLengthsAgainstObjdump(t *testing.T) {
	objdump := testenv.Tool(t, "objdump")
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{"/lib/x86_64-linux-gnu/libc.so.6"}
	if !testing.Short() {
		// libcrypto has tables between its functions, which objdump cannot tell from code either.
		paths = append(paths, own, "/lib/x86_64-linux-gnu/libm.so.6", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3")
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			t.Logf("%s is not there", path)
			continue
		}
		cmd := exec.Command(objdump, "-d", "--insn-width=16", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		checked, skipped := compareLines(t, path, bufio.NewScanner(out))
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d instructions, %d that objdump cuts in other ways", path, checked, skipped)
		if checked < 100_000 || skipped*20 > checked {
			t.Errorf("%s: only %d instructions were compared, and %d were not", path, checked, skipped)
		}
	}
}

func compareLines(t *testing.T, path string, lines *bufio.Scanner) (checked, skipped int) {
	wrong := 0
	for lines.Scan() {
		column := strings.Split(lines.Text(), "\t") // address, bytes, text
		if len(column) < 3 {
			continue
		}
		code := unhex(t, column[1])
		if differs(code, column[2]) {
			skipped++
			continue
		}
		checked++
		inst, err := x86.Decode(append(code[:len(code):len(code)], 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90))
		if (err != nil || inst.Len != len(code)) && wrong < 20 {
			wrong++
			t.Errorf("%s: % x is %s: %d bytes (%v)", path, code, column[2], inst.Len, err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return checked, skipped
}

// For any code, lengths stay within it, and Decode and Len agree.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"c5f877", "62f17c48108744332211", "66440f38f6c9", "8fea7810c844332211", "f30f1efa", "48b88877665544332211"} {
		code, err := hex.DecodeString(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		n, err := x86.Len(code)
		inst, decodeErr := x86.Decode(code)
		switch {
		case err == nil && (n < 1 || n > x86.MaxLen || n > len(code)):
			t.Errorf("% x: length %d", code, n)
		case err == nil && decodeErr == nil && inst.Len != n:
			t.Errorf("% x: lengths %d and %d", code, n, inst.Len)
		case err != nil && decodeErr == nil:
			t.Errorf("% x: decoded, but %v", code, err)
		}
	})
}
