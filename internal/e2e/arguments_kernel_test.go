//go:build linux

package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// Raw tracepoints have arguments typed by BTF. The registers of a system call lead to
// what the program passed.
func TestRawTracepointArguments(t *testing.T) {
	testenv.Root(t)
	const n = 1000
	path := recordOK(t, "--no-stacks",
		"-e", "enter=rawtracepoint:sys_enter id path=regs->si:string@user size=regs->dx comm=$comm word=+0(regs->si):bytes:5@user",
		"-e", "exit=rawtracepoint:sys_exit ret regs->orig_ax",
		"--", testenv.Target(t, "kernelcalls"), strconv.Itoa(n))
	all := hits(t, path)
	const sysOpenat = 257
	opened, failed := 0, 0
	for k := range all {
		h := &all[k]
		switch {
		case h.Probe == "enter" && h.number(t, "id") == sysOpenat && strings.HasPrefix(fmt.Sprint(h.Args["path"]), "/nonexistent/"):
			if want := "/nonexistent/" + strconv.Itoa(opened); h.Args["path"] != want {
				t.Fatalf("call %d opened %v", opened, h.Args["path"])
			}
			if h.Args["comm"] != "kernelcalls" {
				t.Fatalf("comm is %v", h.Args["comm"])
			}
			opened++
		case h.Probe == "exit" && h.number(t, "ret") == -2 && h.number(t, "orig_ax") == sysOpenat:
			failed++
		}
	}
	if opened != n || failed != n {
		t.Errorf("%d files were opened and %d not found, want %d", opened, failed, n)
	}
}

// Kernel functions have arguments typed by BTF, at entry and at return.
func TestKernelArguments(t *testing.T) {
	for _, c := range []struct {
		entry, exit string
		need        func(testing.TB)
	}{
		{"kprobe", "kretprobe", testenv.Kprobes},
		{"fentry", "fexit", testenv.Fentry},
	} {
		t.Run(c.entry, func(t *testing.T) {
			c.need(t)
			const n = 500
			args := []string{"--no-stacks",
				"-e", "opens=" + c.entry + ":do_sys_openat2 filename:ustring dfd",
				"-e", "opened=" + c.exit + ":do_sys_openat2",
				"-e", "reads=" + c.entry + ":vfs_read count file->f_flags name=file->f_path.dentry->d_name.name:string",
				"-e", "connects=" + c.entry + ":tcp_v4_connect uaddr:sockaddr addr_len family=sk->__sk_common.skc_family",
				"-e", "wrapper=" + c.entry + ":__x64_sys_openat filename:ustring flags",
			}
			only := "connected" // recorded with this kind of hook only
			if c.exit == "fexit" {
				args = append(args, "-e", "connected=fexit:tcp_v4_connect sk->__sk_common.skc_dport sk->__sk_common.skc_daddr retval")
			} else {
				only = "words"
				args = append(args, "-e", "words=kprobe:vfs_read n=%dx same=$arg3:u64 name=+0(+0(+0(%di))):u8 plain=arg2:u32")
			}
			path := recordOK(t, append(args, "--", testenv.Target(t, "kernelcalls"), strconv.Itoa(n))...)
			count := make(map[string]int)
			all := hits(t, path)
			for k := range all {
				if isKernelCall(t, &all[k], count[all[k].Probe]) {
					count[all[k].Probe]++
				}
			}
			for _, name := range []string{"opens", "opened", "reads", "connects", "wrapper", only} {
				// The program reads files when it starts, too.
				if got := count[name]; got != n && (name != "words" || got < n) {
					t.Errorf("%d hits of %s, want %d", got, name, n)
				}
			}
		})
	}
}

// isKernelCall reports whether a hit is from the loop of the program kernelcalls. It
// fails unless the hit has the arguments of iteration i.
func isKernelCall(t *testing.T, h *hit, i int) bool {
	t.Helper()
	switch h.Probe {
	case "opens", "wrapper":
		if !strings.HasPrefix(fmt.Sprint(h.Args["filename"]), "/nonexistent/") {
			return false
		}
		if want := "/nonexistent/" + strconv.Itoa(i); h.Args["filename"] != want {
			t.Fatalf("%s: file name %v, want %s", h.Probe, h.Args["filename"], want)
		}
	case "opened":
		return h.number(t, "retval") == -2
	case "reads":
		if h.Args["name"] != "zero" {
			return false
		}
		if got := h.number(t, "count"); got != int64(i%100+1) {
			t.Fatalf("read %d of %d bytes, want %d", i, got, i%100+1)
		}
	case "words":
		if h.Args["n"] != fmt.Sprintf("%#x", h.number(t, "same")) || h.number(t, "same") != h.number(t, "plain") {
			t.Fatalf("the values of the third argument differ: %v", h.Args)
		}
	case "connects":
		h.expect(t, map[string]any{"uaddr": fmt.Sprintf("127.0.0.1:%d", 20000+i%1000), "addr_len": 16, "family": 2})
	case "connected":
		// For a connection that was refused at once, the port may already be reset.
		if got := h.number(t, "retval"); got != 0 {
			t.Fatalf("tcp_v4_connect returned %d", got)
		}
		if port := h.number(t, "skc_dport"); port != int64(20000+i%1000) && port != 0 {
			t.Fatalf("connection %d is to port %d", i, port)
		}
	}
	return true
}
