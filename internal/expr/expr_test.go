package expr_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trapline/internal/expr"
	"trapline/internal/expr/exprtest"
	"trapline/internal/testenv"
)

// hit is the scope of the evaluation tests, with its values.
type hit struct {
	scope  expr.Scope
	ints   []uint64
	texts  []string
	unread int
}

func newHit() *hit {
	h := new(hit)
	integer := func(name string, t expr.Type, v int64, aliases ...string) {
		h.scope.Add(expr.Var{Name: name, Type: t}, aliases...)
		h.ints, h.texts = append(h.ints, uint64(v)), append(h.texts, "")
	}
	text := func(name, v string) {
		h.scope.Add(expr.Var{Name: name, Type: expr.Text})
		h.ints, h.texts = append(h.ints, 0), append(h.texts, v)
	}
	integer("pid", expr.U32, 1234)
	integer("fd", expr.U32, 0xffffffff)
	integer("ret", expr.S64, -11, "retval", "$retval")
	integer("count", expr.U64, 70000, "args.count", "arg2", "$arg3")
	integer("prio", expr.S32, 120)
	integer("byte", expr.Type{Size: 1}, 200)
	integer("small", expr.Type{Size: 1, Signed: true}, -56)
	integer("flags", expr.U64, 0x2a)
	integer("duration", expr.U64, 7_000_000)
	integer("zero", expr.S32, 0)
	integer("sk->__sk_common.skc_dport", expr.Type{Size: 2}, 443)
	text("comm", "nginx: worker")
	text("next_comm", "bash")
	text("empty", "")
	h.unread = h.scope.Add(expr.Var{Name: "unread", Type: expr.S32})
	h.ints, h.texts = append(h.ints, 0), append(h.texts, "")
	h.scope.Refuse("buf", "buf is bytes, which cannot be compared")
	return h
}

func (h *hit) Int(slot int) (uint64, bool)  { return h.ints[slot], slot != h.unread }
func (h *hit) Text(slot int) ([]byte, bool) { return []byte(h.texts[slot]), slot != h.unread }

// meanings are expressions, and whether they hold for newHit.
var meanings = map[string]bool{
	// the spellings of the tools that it is learned from
	`comm ~ "ngin*"`:                             true,
	`next_comm == bash`:                          true,
	`next_comm != "bash"`:                        false,
	`"bash" == next_comm`:                        true,
	`comm !~ "*wor?er"`:                          false,
	`/args.count > 4096/`:                        true,
	`/ args->count > 4096 && pid == 1234 /`:      true,
	`$arg3 == arg2`:                              true,
	`$retval < 0`:                                true,
	`sk->__sk_common.skc_dport == 443`:           true,
	`sk.__sk_common.skc_dport == 443`:            true,
	`flags & 0x8`:                                true,
	`!(flags & 1)`:                               true,
	`(flags & 0x6) == 2`:                         true,
	`duration > 5ms && duration < 1s`:            true,
	`count >= 64K && count < 1M`:                 true,
	`comm == 'nginx: worker'`:                    true,
	`comm ~ "[m-o]gin[!a-w]: *"`:                 true,
	`empty == "" && empty ~ "*" && empty !~ "?"`: true,
	`pid == 02322`:                               true,
	`pid == 0b10011010010`:                       true,

	// types, as in C
	`fd == -1`:               true, // both become u32
	`ret == -11`:             true,
	`ret + 0xb`:              false,
	`ret > fd`:               false, // both become s64
	`small == -56`:           true,
	`byte - 201 < 0`:         true, // s32
	`fd + 1 == 0`:            true, // wraps at 32 bits
	`fd + 1K == 4294968319`:  true, // 64 bits: units are s64
	`count - 70001 > 0`:      true, // u64
	`prio - 121 > fd`:        false,
	`prio - 121 == fd`:       true,
	`~byte == -201`:          true,
	`small >> 1 == -28`:      true,
	`byte << 24 < 0`:         true,
	`1 << 31 < 0`:            true,
	`0x80000000 > 0`:         true,
	`-7 / 2 == -3`:           true,
	`ret % 3 == -2`:          true,
	`prio / zero == 0`:       true,
	`prio % zero == 120`:     true,
	`1 << prio == 1 << 24`:   true, // the low 5 bits of the count
	`!ret == 0`:              true,
	`2 + 3 * 4 == 14`:        true,
	`1 || 0 && 0`:            true,
	`(1 || 0) && 0`:          false,
	`-1 < 0 && 0 - 1 == ~0`:  true,
	`prio==120&&!(prio<100)`: true,
	`!~-1`:                   true,
}

func TestMeaning(t *testing.T) {
	for source, want := range meanings {
		checkMeaning(t, source, want)
	}
}

// checkMeaning compares the result of an expression for newHit, and reads what it prints.
func checkMeaning(t *testing.T, source string, want bool) {
	t.Helper()
	e, err := expr.Parse(source)
	if err != nil {
		t.Errorf("%s: %v", source, err)
		return
	}
	h := newHit()
	p, err := e.Check(&h.scope)
	if err != nil {
		t.Errorf("%s: %v", source, err)
		return
	}
	if got, known := p.Eval(h); got != want || !known {
		t.Errorf("%s: %v, read as %s", source, got, p)
	}
	again, err := expr.Parse(e.String())
	if err != nil || again.String() != e.String() {
		t.Errorf("%s: prints as %s, which is read as %v (%v)", source, e, again, err)
	}
}

// A value that could not be read makes the result unknown, but only if it is evaluated.
func TestUnknown(t *testing.T) {
	for source, want := range map[string]bool{
		"unread == 0":             false,
		"!(unread == 0)":          false,
		"pid == 1 || unread == 0": false,
		"unread == 0 || pid":      false,
		"pid || unread == 0":      true,
		"!pid && unread == 0":     true,
	} {
		h := newHit()
		e, err := expr.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		p, err := e.Check(&h.scope)
		if err != nil {
			t.Fatal(err)
		}
		if holds, known := p.Eval(h); known != want || holds && !known {
			t.Errorf("%s: %t, known: %t", source, holds, known)
		}
	}
}

// The message, and the part of the expression that it underlines.
func TestErrors(t *testing.T) {
	for source, want := range map[string]string{
		``:                             `empty expression |^`,
		`//`:                           `empty expression |  ^`,
		`pid = 1`:                      `= does not compare: write == |    ^`,
		`pid == `:                      `the expression is not complete |       ^`,
		`pid 1`:                        `an operator must come before 1 |    ^`,
		`(pid == 1`:                    `the parenthesis is not closed |^`,
		`pid == 1)`:                    `an operator must come before ) |        ^`,
		`== 1`:                         `a name or value must come before == |^^`,
		`flags & 4 == 4`:               `& binds more loosely than ==: use parentheses |      ^`,
		`0 < prio < 9`:                 `comparisons do not chain: join them with && |         ^`,
		`count > 5m`:                   `unknown unit m: there are K, M and G, and for times ns, us, ms and s |         ^`,
		`count > 0x1G`:                 `not a number |        ^^^^`,
		`count > 18446744073709551616`: `number beyond 64 bits |        ^^^^^^^^^^^^^^^^^^^^`,
		`count > 10000000000G`:         `number beyond 63 bits |        ^^^^^^^^^^^^`,
		`comm ~ "a`:                    `the quote is not closed |       ^^`,
		`comm ~ "[a"`:                  `the brackets [a are not closed: write \[ for a literal bracket |       ^^^^`,
		`comm ~ "[b-a]"`:               `the range b-a is empty |       ^^^^^^^`,
		`comm == "a\x00"`:              `a text ends at its first NUL: there can be none in it |        ^^^^^^`,
		`comm ~ "` + strings.Repeat("?", 64) + `"`: `the pattern has more than 63 characters other than * |       ` + strings.Repeat("^", 66),
		`comm`:                 `a condition must be a number, and this is a string: compare it by == != ~ or !~ |^^^^`,
		`comm == 1`:            `comm is a string, and can be compared with a text in quotes only |        ^`,
		`comm == next_comm`:    `comm is a string, and can be compared with a text in quotes only |        ^^^^^^^^^`,
		`comm < "a"`:           `strings are compared by == != ~ and !~ |^^^^^^^^^^`,
		`pid == "a"`:           `== compares a number with a string |       ^^^`,
		`pid ~ "a*"`:           `~ compares a string with a pattern, and this is not a string |^^^`,
		`pid + comm == 1`:      `+ takes numbers, and this is a string |      ^^^^`,
		`buf == 1`:             `buf is bytes, which cannot be compared |^^^`,
		`ret < 0 && count < 0`: `this is false whatever count is: count is u64, from 0 to 18446744073709551615 |           ^^^^^^^^^`,
		`byte != 256`:          `this is true whatever byte is: byte is u8, from 0 to 255 |^^^^^^^^^^^`,
		`-129 == small`:        `this is false whatever small is: small is s8, from -128 to 127 |^^^^^^^^^^^^^`,
		`prio / 0`:             `division by 0 |       ^`,
		`prio << 32`:           `a shift of s32 must be by 0 to 31 |        ^^`,
		`pid == 1 # x`:         `unexpected character '#' |         ^`,
		`args. == 1`:           `a name must follow args. |^^^^^`,
		`duratoin > 5`: `there is no duratoin, but duration; there are pid:u32 fd:u32 ret:s64 count:u64 prio:s32 byte:u8 small:s8 flags:u64 ` +
			`duration:u64 zero:s32 sk->__sk_common.skc_dport:u16 comm:string next_comm:string empty:string unread:s32 |^^^^^^^^`,
	} {
		h := newHit()
		e, err := expr.Parse(source)
		if err == nil {
			_, err = e.Check(&h.scope)
		}
		if err == nil {
			t.Errorf("%s: accepted", source)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != 3 || lines[1] != "  "+source {
			t.Errorf("%s:\n%v", source, err)
			continue
		}
		if got := lines[0] + " |" + lines[2][2:]; got != want {
			t.Errorf("%s:\n got %q\nwant %q", source, got, want)
		}
	}
}

func TestUnknownNames(t *testing.T) {
	e, err := expr.Parse("arg0 == 1 && comm == bash && pid == tgid || !arg0 || args.len")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(e.Unknown(&newHit().scope)); got != "[arg0 tgid args.len]" {
		t.Errorf("unknown: %s", got)
	}
}

// The arithmetic is C's: a C compiler computes the same results.
func TestAsInC(t *testing.T) {
	cc := testenv.Tool(t, "gcc")
	g := exprtest.Generator{Rand: rand.New(rand.NewPCG(1, 2)), C: true}
	var program, want strings.Builder
	program.WriteString("#include <stdint.h>\n#include <stdio.h>\nint main(void)\n{\n")
	values := g.Values(0)
	for i, v := range exprtest.Vars {
		if v.Type == expr.Text {
			continue
		}
		sign := "u"
		if v.Type.Signed {
			sign = ""
		}
		values.Ints[i] = v.Type.Extend(values.Ints[i])
		fmt.Fprintf(&program, "\tvolatile %sint%d_t %s = %dull;\n", sign, v.Type.Size*8, v.Name, values.Ints[i])
	}
	checked := 0
	for checked < 1000 {
		source := g.Expression()
		e, err := expr.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		p, err := e.Check(exprtest.Scope())
		if err != nil {
			continue
		}
		checked++
		holds, _ := p.Eval(values)
		fmt.Fprintf(&program, "\tputchar('0' + !!(%s));\n", source)
		want.WriteByte("01"[bit(holds)])
	}
	program.WriteString("}\n")
	dir := t.TempDir()
	file, binary := filepath.Join(dir, "as_in.c"), filepath.Join(dir, "as_in")
	if err := os.WriteFile(file, []byte(program.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(cc, "-w", "-fwrapv", "-o", binary, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != checked {
		t.Fatalf("%d results of %d", len(out), checked)
	}
	lines := strings.Split(program.String(), "\n\tputchar")
	for i := range out {
		if out[i] != want.String()[i] {
			t.Errorf("C has %c: %s", out[i], lines[i+1])
		}
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Printing and parsing an expression returns the same expression. Parsing, checking and
// evaluating never panic.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`comm ~ "ngin*"`, `/args->count > 64K && !(flags & 0x4)/`, `$retval < 0 || duration >= 5ms`,
		`(a.b ^ -1) << 3 % 2 == ~7`, `comm != 'a\x41\\\*[!a-z]'`, `!~x`, `- -1`, `pid == 0b1 && tid == 0o17`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := expr.Parse(source)
		if err != nil {
			_ = err.Error()
			return
		}
		again, err := expr.Parse(e.String())
		if err != nil || again.String() != e.String() {
			t.Fatalf("%q prints as %q, which is read as %v (%v)", source, e, again, err)
		}
		h := newHit()
		p, err := e.Check(&h.scope)
		q, err2 := again.Check(&h.scope)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%q and %q: %v and %v", source, e, err, err2)
		}
		if err != nil {
			return
		}
		holds, known := p.Eval(h)
		holds2, known2 := q.Eval(h)
		if holds != holds2 || known != known2 {
			t.Fatalf("%q and %q come to different results", source, e)
		}
	})
}
