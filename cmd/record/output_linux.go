package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"trapline/cmd/internal/cli"
)

// openOutput creates the capture file. A file of that name is kept as NAME.old,
// as perf does. Captures tell what the machine does and what strings its
// programs handle, so only the owner may read them; behind sudo, the owner is
// the user who called it.
func openOutput(env cli.Env, name string) (io.WriteCloser, error) {
	if name == "-" {
		if env.Terminal {
			return nil, fmt.Errorf("a capture is binary: send it to a file or a pipe, not to the terminal")
		}
		return nopCloser{env.Stdout}, nil
	}
	if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() && st.Size() > 0 {
		if err := os.Rename(name, name+".old"); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if uid, gid, ok := caller(); ok {
		f.Chown(uid, gid)
	}
	return f, nil
}

// caller returns the user behind sudo.
func caller() (uid, gid int, ok bool) {
	uid, err1 := strconv.Atoi(os.Getenv("SUDO_UID"))
	gid, err2 := strconv.Atoi(os.Getenv("SUDO_GID"))
	return uid, gid, err1 == nil && err2 == nil && os.Geteuid() == 0
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
