package event_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"trapline/capture/event"
	"trapline/capture/probe"
	"trapline/format"
	"trapline/internal/expr"
)

// syntax returns the registered syntax of a kind.
func syntax(k format.ProbeKind) *event.Syntax { return &probe.KindOf(k).Syntax }

func u64(name string, index int) event.Arg {
	return event.Arg{Name: name, Value: event.Expr{Index: index}}
}

var parsed = []struct {
	text string
	want event.Event
}{
	{"sched:sched_switch", event.Event{Syntax: syntax(format.ProbeTracepoint), System: "sched", Name: "sched_switch"}},
	{"t:sched:sched_{wakeup,wak*}", event.Event{Syntax: syntax(format.ProbeTracepoint), System: "sched", Name: "sched_{wakeup,wak*}", Match: event.MatchGlob}},
	{"x=tracepoint:s?:[a-z]*", event.Event{Syntax: syntax(format.ProbeTracepoint), Alias: "x", System: "s?", Name: "[a-z]*", Match: event.MatchGlob}},
	{"sched:sched_[!ps]*", event.Event{Syntax: syntax(format.ProbeTracepoint), System: "sched", Name: "sched_[!ps]*", Match: event.MatchGlob}},
	{"sched:sched_[^ps]*", event.Event{Syntax: syntax(format.ProbeTracepoint), System: "sched", Name: "sched_[^ps]*", Match: event.MatchGlob}},
	{`k:vfs_\*`, event.Event{Syntax: syntax(format.ProbeKprobe), Name: `vfs_\*`, Match: event.MatchGlob}},
	{`u:./prog:operator\[\]*`, event.Event{Syntax: syntax(format.ProbeUprobe), Binary: "./prog", Name: `operator\[\]*`, Match: event.MatchGlob}},
	{"u:./prog:s[!h]ow", event.Event{Syntax: syntax(format.ProbeUprobe), Binary: "./prog", Name: "s[!h]ow", Match: event.MatchGlob}},
	{"u:./prog:f[go.shape.int]", event.Event{Syntax: syntax(format.ProbeUprobe), Binary: "./prog", Name: "f[go.shape.int]"}},
	{"rt:sched_switch", event.Event{Syntax: syntax(format.ProbeRawTracepoint), Name: "sched_switch"}},
	{"k:vfs_read+0x10", event.Event{Syntax: syntax(format.ProbeKprobe), Name: "vfs_read", Offset: 16}},
	{"kprobe:ext4:ext4_sync_file.isra.0 f=arg0 arg5:x32", event.Event{Syntax: syntax(format.ProbeKprobe), Module: "ext4", Name: "ext4_sync_file.isra.0",
		Args: []event.Arg{u64("f", 0), {Name: "arg5", Value: event.Expr{Index: 5}, Type: event.Type{Kind: event.TypeHex, Size: 4}}}}},
	{"kr:vfs_read ret=retval:s64", event.Event{Syntax: syntax(format.ProbeKretprobe), Name: "vfs_read",
		Args: []event.Arg{{Name: "ret", Value: event.Expr{Op: event.OpReturn}, Type: event.Type{Kind: event.TypeInt, Size: 8}}}}},
	{"f:do_filp_open arg1:string arg2:ustring", event.Event{Syntax: syntax(format.ProbeFentry), Name: "do_filp_open",
		Args: []event.Arg{{Name: "arg1", Value: event.Expr{Index: 1}, Type: event.Type{Kind: event.TypeString}}, {Name: "arg2", Value: event.Expr{Index: 2}, Type: event.Type{Kind: event.TypeString, User: true}}}}},
	{"fr:vfs_read arg0 retval", event.Event{Syntax: syntax(format.ProbeFexit), Name: "vfs_read",
		Args: []event.Arg{u64("arg0", 0), {Name: "retval", Value: event.Expr{Op: event.OpReturn}}}}},
	{"u:libc:malloc+8\targ0:u64", event.Event{Syntax: syntax(format.ProbeUprobe), Binary: "libc", Name: "malloc", Offset: 8,
		Args: []event.Arg{{Name: "arg0", Type: event.Type{Kind: event.TypeUint, Size: 8}}}}},
	{"uprobe:./a.out:0x1139", event.Event{Syntax: syntax(format.ProbeUprobe), Binary: "./a.out", Offset: 0x1139}},
	{"u:libc:fopen arg0:string", event.Event{Syntax: syntax(format.ProbeUprobe), Binary: "libc", Name: "fopen",
		Args: []event.Arg{{Name: "arg0", Type: event.Type{Kind: event.TypeString}}}}},
	{`ur:"/opt/my app:1/x":main`, event.Event{Syntax: syntax(format.ProbeUretprobe), Binary: "/opt/my app:1/x", Name: "main"}},
	{"u:./srv:ns::foo(int, std::map<int, char>)", event.Event{Syntax: syntax(format.ProbeUprobe), Binary: "./srv", Name: "ns::foo(int, std::map<int, char>)"}},
	{"u:./srv:a::operator->()", event.Event{Syntax: syntax(format.ProbeUprobe), Binary: "./srv", Name: "a::operator->()"}},
	{`u:./srv:"a::operator<(b const&)"+4`, event.Event{Syntax: syntax(format.ProbeUprobe), Binary: "./srv", Name: "a::operator<(b const&)", Offset: 4}},
	{`u:./srv:"operator+"+4`, event.Event{Syntax: syntax(format.ProbeUprobe), Binary: "./srv", Name: "operator+", Offset: 4}},
	{"u:./prog:github.com/x/y.(*T).Run", event.Event{Syntax: syntax(format.ProbeUprobe), Binary: "./prog", Name: "github.com/x/y.(*T).Run"}},
	{"u:libc:memcpy@GLIBC_2.2.5", event.Event{Syntax: syntax(format.ProbeUprobe), Binary: "libc", Name: "memcpy@GLIBC_2.2.5"}},
	{"cs", event.Event{Syntax: syntax(format.ProbeTimed), Name: "context-switches"}},
	{"cpu-cycles", event.Event{Syntax: syntax(format.ProbeTimed), Name: "cycles"}},
	{"tick=profile:hz:99", event.Event{Syntax: syntax(format.ProbeTimed), Alias: "tick", Name: "profile", Frequency: 99}},
}

func TestParse(t *testing.T) {
	for _, test := range parsed {
		got, err := probe.Parse(event.Context{}, test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		test.want.Text = test.text
		if len(got) != 1 || !reflect.DeepEqual(got[0], test.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", test.text, got, test.want)
			continue
		}
		again, err := probe.Parse(event.Context{}, got[0].String())
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
		events, err := probe.Parse(event.Context{}, test.text)
		var got []string
		for _, e := range events {
			got = append(got, e.Text)
		}
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q: got %q, %v; want %q", test.text, got, err, test.want)
		}
	}
}

var refused = []struct {
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
	{"sched:sched_switch:u", 18, "modifiers"},
	{"sched:sched_switch/prev_pid>0", 18, "not closed"},
	{"k:vfs_read/arg0/2>1", 10, "not closed"},
	{"k:f //", 4, "empty"},
	{"k:vfs_read /arg0 > 0/ /pid>1/", 22, "two predicates"},
	{"cycles:pp", 6, "modifiers"},
	{"profile:99", 7, "profile:hz:FREQUENCY"},
	{"profile:hz:0", 11, "from 1 to 1000000"},
	{"usdt:libc", 9, "PROVIDER"},
	{"k:vfs_*+4", 2, "takes no offset"},
	{"k:~/a(/", 4, "missing closing"},
	{"k:vfs_read+x", 10, "not a character"},
	{"k:vfs_read+0x", 11, "not an offset"},
	{"kr:vfs_read+4", 11, "takes no offset"},
	{"kr:0xffff0", 3, "takes no address"},
	{"u:libc", 6, `expected ":"`},
	{"u::x", 2, "program or library"},
	{"u:libc:", 7, "expected a function"},
	{"u:libc:str*+1", 7, "takes no offset"},
	{`u:"libc:x`, 2, "quote is not closed"},
	{"u:x:f(int", 5, "not closed"},
	{"u:./srv:operator<(b, c)", 16, "double quotes"},
	{"u:libc:0xzz", 7, "file offset"},
	{"k:f retval", 4, "only at returns"},
	{"kr:f arg0", 5, "gone at the return"},
	{"k:f arg", 4, "expected argN"},
	{"k:f arg99", 4, "arg31"},
	{"k:f arg0:u7", 9, "no such type"},
	{"u:b:f arg0:symbol", 11, "kernel code"},
	{"k:f x=arg0 x=arg1", 13, "two arguments are named x"},
	{"k:f 1x=arg0", 4, "not a name"},
	{"k:f arg0 [depth=300]", 10, "from 1 to 127"},
	{"k:f [depth=1,depth=2]", 13, "given twice"},
	{"k:f [min-dur=1ms]", 5, "at return"},
	{"k:f [frob=1]", 5, "no such modifier"},
	{"k:f $arg0", 4, "count from $arg1"},
	{"k:f +8(arg0", 6, "not closed"},
	{"k:f 17", 4, "not an argument"},
	{"k:f arg0:b9@0/8", 9, "bit field"},
	{"k:f arg0:u8[99]", 12, "1 to 64"},
	{"t:a:b %di", 6, "no registers"},
	{"kr:f sk", 5, "gone at the return"},
	{"p:c:malloc", 2, "write uprobe:c:malloc"},
	{"r::vfs_read", 2, "write kretprobe:vfs_read"},
	{"p:malloc", 8, "write kprobe:malloc"},
	{"x=p:y f", 4, "two names"},
	{"w:0x1000:3:rw", 9, "1, 2, 4 or 8 bytes"},
	{"w:0x1000:8:rr", 12, "access is"},
	{"s:page-faults:100", 0, "write the event alone"},
	{"a:b\x00", 3, "control character"},
}

func TestParseErrors(t *testing.T) {
	for _, test := range refused {
		events, err := probe.Parse(event.Context{}, test.text)
		var syntax *event.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%q: got %v, %v; want a syntax error", test.text, events, err)
			continue
		}
		if syntax.Pos != test.pos || !strings.Contains(syntax.Reason, test.reason) {
			t.Errorf("%q: got %q at %d; want %q at %d", test.text, syntax.Reason, syntax.Pos, test.reason, test.pos)
		}
	}
}

// FuzzParseEvent checks that Parse never panics, that error positions are inside the
// text, and that parsing a canonical spelling gives the same event.
func FuzzParseEvent(f *testing.F) {
	for _, seed := range []string{
		"sched:sched_switch", "{a:{b,c},k:m:f+0x10 x=arg0:u32},cycles", "ur:libc:malloc ret=retval:x64",
		`u:"a b":"operator+"+4 arg0:string`, "u:./s:a::operator<(b<c>, d)", "fr:f retval arg1:ustring", "x=profile:hz:99",
		"k:f/arg0>1/ a->b.c[3]:u8[4]@user +u8(+0(%di)):b4@2/32 [every=3,min-dur=5ms]", "kr:f [min-dur=5ms]", "k:m:~/a\\/|b/",
		"p:a/b f+4 $arg1 $stack3 @x+4 n=$retval", "r10:x /bin/a:0x10", "probe_libc:malloc__return", "sdt_libc:x*", "%sdt_a:b",
		"u:a@b.c:12", "u:a:f@b.c:3", "U:libc:p:n*", "w:0x10:8:rw", "mem:0x10/4:x", "rt:m:e args.retval buf=arg1:bytes:arg2",
	} {
		f.Add(seed, uint8(0))
	}
	f.Add("a::b@c.c:3,f%return,c.c:12,g:x=f+4", uint8(1))
	f.Add("f%return,k:f,cycles,{f:3,s:e}", uint8(2))
	contexts := []event.Context{{}, {Binary: "/bin/x"}, {Module: "m"}}
	f.Fuzz(func(t *testing.T, text string, context uint8) {
		events, err := probe.Parse(contexts[int(context)%len(contexts)], text)
		if err != nil {
			var syntax *event.SyntaxError
			var predicate *expr.Error
			if !errors.As(err, &predicate) && (!errors.As(err, &syntax) || syntax.Pos < 0 || syntax.Pos > len(text)) {
				t.Fatalf("%q: error %#v", text, err)
			}
			return
		}
		for _, e := range events {
			again, err := probe.Parse(event.Context{}, e.String())
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
