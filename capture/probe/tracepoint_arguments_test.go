package probe_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"trapline/capture/event"
	"trapline/capture/probe"
)

// fieldTypes builds the BTF of a kernel with
//
//	struct iocb { __u64 aio_data; int aio_fildes; };
//	struct task_struct { char comm[16]; };
func fieldTypes(t *testing.T) *btf.Spec {
	t.Helper()
	char := &btf.Int{Name: "char", Size: 1, Encoding: btf.Signed}
	integer := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	long := &btf.Typedef{Name: "__u64", Type: &btf.Int{Name: "unsigned long long", Size: 8}}
	builder, err := btf.NewBuilder([]btf.Type{
		char,
		&btf.Struct{Name: "iocb", Size: 16, Members: []btf.Member{{Name: "aio_data", Type: long}, {Name: "aio_fildes", Type: integer, Offset: 64}}},
		&btf.Struct{Name: "task_struct", Size: 16, Members: []btf.Member{{Name: "comm", Type: &btf.Array{Index: integer, Type: char, Nelems: 16}}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := builder.Spec()
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// Values in the record are read there; others are fetched one by one.
func TestTracepointArguments(t *testing.T) {
	r := probe.NewResolver(probe.Options{TraceFS: "../tracefs/testdata", BTF: fieldTypes(t)})
	var b strings.Builder
	for _, text := range []string{
		"sched:sched_switch prev_comm n=next_pid args.next_prio args->prev_state",
		"sched:sched_switch next_pid:x32 low=next_pid:u8 c=prev_comm[1] t=next_comm:string first=prev_comm:char[4]",
		"sched:sched_switch next_pid:u64",
		"sched:sched_switch prev_comm next_pid $comm prev_state:b4@1/64",
		"sched:sched_switch arg6 arg0",
		"sched:sched_process_exec old_pid filename",
		"sched:sched_process_exec pid /filename ~ \"*.sh\"/",
		"sample:rel_loc state name",
		"ras:arm_event oem_buf midr sev",
		"kmem:kmem_cache_alloc call_site accounted ptr",
		"kmem:kmem_cache_alloc +8(ptr):u32 deep=+0(+16(ptr)):u8@user",
		"tcp:tcp_retransmit_skb saddr a=saddr:ipv4 saddr_v6:ipv6 b=daddr[3] dport",
		"tcp:tcp_retransmit_skb sport:port",
		"raw_syscalls:sys_enter args.args w=args.args[2]",
		"raw_syscalls:sys_enter args.args[1]:ustring id",
		"syscalls:sys_enter_openat filename flags nr",
		"syscalls:sys_enter_openat filename:string arg2 flags:x8 byte=+0(filename):u8@user letter=filename[3] size=mode:u64 copy=filename:bytes:dfd",
		"syscalls:sys_enter_io_submit iocbpp[1]->aio_fildes iocbpp",
		"syscalls:sys_exit_openat duration ret",
		"syscalls:sys_exit_openat ret [min-dur=1ms]",
		"syscalls:sys_exit_openat [min-dur=1ms]",
		"syscalls:sys_{enter,exit}_openat nr",
	} {
		probes, err := resolve(t, r, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		b.WriteString("# " + text + "\n" + describeAll(probes))
	}
	compareGolden(t, filepath.Join("testdata", "tracepoint_arguments.golden"), b.String())
}

func TestTracepointArgumentErrors(t *testing.T) {
	r := probe.NewResolver(probe.Options{TraceFS: "../tracefs/testdata", BTF: fieldTypes(t)})
	for text, want := range map[string]string{
		"sched:sched_wakeup x":                                                                    "x is not an argument here: there are comm, pid, prio, target_cpu",
		"sched:sched_{wakeup,switch} target_cpu":                                                  "sched:sched_switch: target_cpu is not an argument here: there are prev_comm, prev_pid, prev_prio, prev_state, next_comm, next_pid, next_prio",
		"syscalls:sys_enter_openat arg4":                                                          "arg4 does not exist: there are 4 arguments",
		"syscalls:sys_enter_openat flags->x":                                                      "flags is int, which has no fields",
		"syscalls:sys_enter_openat flags:ustring":                                                 "flags is not an address: it is narrower",
		"syscalls:sys_enter_io_submit iocbpp[0]->x":                                               "iocbpp[0] struct iocb has no field x (it has aio_data, aio_fildes)",
		"sched:sched_switch prev_comm[16]":                                                        "prev_comm char[16] has no element 16",
		"sched:sched_process_exec filename[0]":                                                    "filename is char[] of variable length, which has no elements",
		"sched:sched_process_exec filename:u32":                                                   "filename has variable length: it can only be recorded as it is, without a type or further steps",
		"sched:sched_process_exec +4(filename)":                                                   "filename has variable length: it can only be recorded as it is, without a type or further steps",
		"sched:sched_process_exec filename $comm":                                                 "filename has variable length: it can be recorded with other fields, but not with what they point to or with $comm; omit these, or all arguments",
		"sched:sched_process_exec $comm /filename == \"/x\"/":                                     "filename has variable length: it can be recorded with other fields, but not with what they point to or with $comm; omit these, or all arguments",
		"syscalls:sys_exit_openat duration $comm":                                                 "at a tracepoint, duration can be recorded with fields, but not with what they point to or with $comm",
		"syscalls:sys_enter_openat a=filename:bytes:2048 b=filename:bytes:2048 $comm /mode == c/": "c is not an argument here: there are dfd, filename, flags, mode, nr",
	} {
		_, err := resolve(t, r, text)
		var invalid *event.InvalidError
		if !errors.As(err, &invalid) || invalid.Reason != want {
			t.Errorf("%s: got %v\nwant %s", text, err, want)
		}
	}
}

// All probes of an event have its depth.
func TestDepth(t *testing.T) {
	r := probe.NewResolver(probe.Options{TraceFS: "../tracefs/testdata"})
	for text, want := range map[string]int{"sched:sched_* [depth=16]": 16, "cpu-clock [depth=3]": 3, "sched:sched_switch prev_comm": 0} {
		probes, err := resolve(t, r, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		for _, p := range probes {
			if p.Depth != want {
				t.Errorf("%s: the depth of %s is %d, want %d", text, p.Name, p.Depth, want)
			}
		}
	}
}
