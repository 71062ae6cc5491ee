package probe_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"trapline/capture/probe"
	"trapline/format"
)

func TestParse(t *testing.T) {
	u64 := func(name string, index int) probe.Arg { return probe.Arg{Name: name, Index: index} }
	for _, test := range []struct {
		text string
		want probe.Event
	}{
		{"sched:sched_switch", probe.Event{Kind: format.ProbeTracepoint, System: "sched", Name: "sched_switch"}},
		{"t:sched:sched_{wakeup,wak*}", probe.Event{Kind: format.ProbeTracepoint, System: "sched", Name: "sched_{wakeup,wak*}"}},
		{"x=tracepoint:s?:[a-z]*", probe.Event{Kind: format.ProbeTracepoint, Alias: "x", System: "s?", Name: "[a-z]*"}},
		{"rt:sched_switch", probe.Event{Kind: format.ProbeRawTracepoint, Name: "sched_switch"}},
		{"k:vfs_read+0x10", probe.Event{Kind: format.ProbeKprobe, Name: "vfs_read", Offset: 16}},
		{"kprobe:ext4:ext4_sync_file.isra.0 f=arg0 arg5:x32", probe.Event{Kind: format.ProbeKprobe, Module: "ext4", Name: "ext4_sync_file.isra.0",
			Args: []probe.Arg{u64("f", 0), {Name: "arg5", Index: 5, Type: format.FieldHex, Size: 4}}}},
		{"kr:vfs_read ret=retval:s64", probe.Event{Kind: format.ProbeKretprobe, Name: "vfs_read",
			Args: []probe.Arg{{Name: "ret", Source: probe.ArgReturn, Type: format.FieldInt, Size: 8}}}},
		{"f:do_filp_open arg1:string arg2:ustring", probe.Event{Kind: format.ProbeFentry, Name: "do_filp_open",
			Args: []probe.Arg{{Name: "arg1", Index: 1, Type: format.FieldString}, {Name: "arg2", Index: 2, Type: format.FieldString, User: true}}}},
		{"fr:vfs_read arg0 retval", probe.Event{Kind: format.ProbeFexit, Name: "vfs_read",
			Args: []probe.Arg{u64("arg0", 0), {Name: "retval", Source: probe.ArgReturn}}}},
		{"u:libc:malloc+8\targ0:u64", probe.Event{Kind: format.ProbeUprobe, Binary: "libc", Name: "malloc", Offset: 8,
			Args: []probe.Arg{{Name: "arg0", Type: format.FieldUint, Size: 8}}}},
		{"uprobe:./a.out:0x1139", probe.Event{Kind: format.ProbeUprobe, Binary: "./a.out", Offset: 0x1139}},
		{"u:libc:fopen arg0:string", probe.Event{Kind: format.ProbeUprobe, Binary: "libc", Name: "fopen",
			Args: []probe.Arg{{Name: "arg0", Type: format.FieldString, User: true}}}},
		{`ur:"/opt/my app:1/x":main`, probe.Event{Kind: format.ProbeUretprobe, Binary: "/opt/my app:1/x", Name: "main"}},
		{"u:./srv:ns::foo(int, std::map<int, char>)", probe.Event{Kind: format.ProbeUprobe, Binary: "./srv", Name: "ns::foo(int, std::map<int, char>)"}},
		{"u:./srv:a::operator->()", probe.Event{Kind: format.ProbeUprobe, Binary: "./srv", Name: "a::operator->()"}},
		{`u:./srv:"a::operator<(b const&)"+4`, probe.Event{Kind: format.ProbeUprobe, Binary: "./srv", Name: "a::operator<(b const&)", Offset: 4}},
		{`u:./srv:"operator+"+4`, probe.Event{Kind: format.ProbeUprobe, Binary: "./srv", Name: "operator+", Offset: 4}},
		{"u:./prog:github.com/x/y.(*T).Run", probe.Event{Kind: format.ProbeUprobe, Binary: "./prog", Name: "github.com/x/y.(*T).Run"}},
		{"u:libc:memcpy@GLIBC_2.2.5", probe.Event{Kind: format.ProbeUprobe, Binary: "libc", Name: "memcpy@GLIBC_2.2.5"}},
		{"cs", probe.Event{Kind: format.ProbeTimed, Name: "context-switches"}},
		{"cpu-cycles", probe.Event{Kind: format.ProbeTimed, Name: "cycles"}},
		{"tick=profile:hz:99", probe.Event{Kind: format.ProbeTimed, Alias: "tick", Name: "profile", Frequency: 99}},
	} {
		got, err := probe.Parse(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		test.want.Text = test.text
		if len(got) != 1 || !reflect.DeepEqual(got[0], test.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", test.text, got, test.want)
			continue
		}
		again, err := probe.Parse(got[0].String())
		if err != nil || len(again) != 1 {
			t.Errorf("%s: canonical spelling %q: %v %v", test.text, got[0].String(), again, err)
			continue
		}
		again[0].Text = test.text
		if !reflect.DeepEqual(again[0], test.want) {
			t.Errorf("%s: canonical spelling %q means another event: %+v", test.text, got[0].String(), again[0])
		}
	}
}

func TestParseLists(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string // Text of the events
	}{
		{"a:b,c:d", []string{"a:b", "c:d"}},
		{" a:b , {c:d, k:f arg0,e:g} , cycles ", []string{"a:b", "c:d", "k:f arg0", "e:g", "cycles"}},
		{"a:{b,c},d:e", []string{"a:{b,c}", "d:e"}},
		{"{a:{b,c}}", []string{"a:{b,c}"}},
		{"u:x:f(int, int),a:b", []string{"u:x:f(int, int)", "a:b"}},
	} {
		events, err := probe.Parse(test.text)
		var got []string
		for _, e := range events {
			got = append(got, e.Text)
		}
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q: got %q, %v; want %q", test.text, got, err, test.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct {
		text   string
		pos    int
		reason string
	}{
		{"", 0, "expected an event"},
		{"a:b,", 4, "expected an event"},
		{"a:b,,c:d", 4, "expected an event"},
		{"{a:b", 0, "not closed"},
		{"{a:b}:S", 5, "modifiers of groups"},
		{"{a:b,{c:d}}", 5, "do not nest"},
		{"a:b}", 3, "closes nothing"},
		{"vfs_read", 0, "kprobe:vfs_read"},
		{"sched:", 6, "empty name"},
		{"sched:a[b", 7, "not closed"},
		{"sched:a b", 8, "take no arguments"},
		{"sched:sched_switch:u", 18, "modifiers"},
		{"sched:sched_switch/prev_pid>0/", 18, "filters"},
		{"k:vfs_read/arg0>0/", 10, "filters"},
		{"k:vfs_read /arg0 > 0/", 11, "filters"},
		{"cycles:pp", 6, "modifiers"},
		{"profile:99", 7, "profile:hz:FREQUENCY"},
		{"profile:hz:0", 11, "from 1 to 1000000"},
		{"usdt:libc:x", 0, "usdt"},
		{"k:vfs_*", 6, "globs"},
		{"k:vfs_read+x", 10, "not a character"},
		{"k:vfs_read+0x", 11, "not an offset"},
		{"kr:vfs_read+4", 11, "takes no offset"},
		{"k:0xffff0", 2, "FUNCTION+OFFSET"},
		{"u:libc", 6, `expected ":"`},
		{"u::x", 2, "program or library"},
		{"u:libc:", 7, "expected a function"},
		{"u:libc:str*", 10, "globs"},
		{`u:"libc:x`, 2, "quote is not closed"},
		{"u:x:f(int", 5, "not closed"},
		{"u:./srv:operator<(b, c)", 16, "double quotes"},
		{"u:libc:0xzz", 7, "file offset"},
		{"k:f retval", 4, "at return only"},
		{"kr:f arg0", 5, "gone at return"},
		{"k:f arg", 4, "expected argN"},
		{"k:f arg99", 4, "arg31"},
		{"k:f arg0:u7", 9, "no such type"},
		{"u:b:f arg0:symbol", 11, "kernel code"},
		{"k:f x=arg0 x=arg1", 13, "two arguments are called x"},
		{"k:f 1x=arg0", 4, "not a name"},
		{"k:f arg0 [depth=3]", 9, "modifiers"},
		{"a:b\x00", 3, "control character"},
	} {
		events, err := probe.Parse(test.text)
		var syntax *probe.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%q: got %v, %v; want a syntax error", test.text, events, err)
			continue
		}
		if syntax.Pos != test.pos || !strings.Contains(syntax.Reason, test.reason) {
			t.Errorf("%q: got %q at %d; want %q at %d", test.text, syntax.Reason, syntax.Pos, test.reason, test.pos)
		}
	}
}

// FuzzParseEvent holds Parse to never panicking, to positions inside the text, and to
// canonical spellings that stay what they are.
func FuzzParseEvent(f *testing.F) {
	for _, seed := range []string{
		"sched:sched_switch", "{a:{b,c},k:m:f+0x10 x=arg0:u32},cycles", "ur:libc:malloc ret=retval:x64",
		`u:"a b":"operator+"+4 arg0:string`, "u:./s:a::operator<(b<c>, d)", "fr:f retval arg1:ustring", "x=profile:hz:99",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		events, err := probe.Parse(text)
		if err != nil {
			var syntax *probe.SyntaxError
			if !errors.As(err, &syntax) || syntax.Pos < 0 || syntax.Pos > len(text) {
				t.Fatalf("%q: error %#v", text, err)
			}
			return
		}
		for _, e := range events {
			again, err := probe.Parse(e.String())
			if err != nil || len(again) != 1 {
				t.Fatalf("%q: canonical spelling %q: %d events, %v", text, e.String(), len(again), err)
			}
			again[0].Text = e.Text
			if !reflect.DeepEqual(again[0], e) {
				t.Fatalf("%q: canonical spelling %q:\ngot  %+v\nwant %+v", text, e.String(), again[0], e)
			}
		}
	})
}
