package value

import (
	"fmt"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// errnoNames returns the names of a function's error results: -2 is -ENOENT.
var errnoNames = sync.OnceValue(func() string {
	var b strings.Builder
	add := func(n int, name string) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "-%d=-%s", n, name)
	}
	for n := 1; n < maxUserErrno; n++ {
		if name := unix.ErrnoName(syscall.Errno(n)); name != "" {
			add(n, name)
		}
	}
	for i, name := range kernelErrnos {
		add(firstKernelErrno+i, name)
	}
	return b.String()
})

// maxUserErrno is above all errors that user space sees.
const maxUserErrno = 134

// Errors that the kernel uses internally: include/linux/errno.h.
const firstKernelErrno = 512

var kernelErrnos = []string{"ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND", "ENOIOCTLCMD", "ERESTART_RESTARTBLOCK", "EPROBE_DEFER", "EOPENSTALE", "ENOPARAM"}
