package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"trapline/analysis"
	"trapline/cmd/internal/cli"
)

// openInputs opens the captures. close must be called when they have been read.
func openInputs(env cli.Env, names []string) (inputs []analysis.Input, closeAll func(), err error) {
	var files []*os.File
	closeAll = func() {
		for _, f := range files {
			f.Close()
		}
	}
	if len(names) == 0 {
		names = []string{defaultInput}
	}
	for _, name := range names {
		in := analysis.Input{Name: name}
		var r io.Reader
		if name == "-" {
			in.Name = "standard input"
			if r = env.Stdin; env.StdinTerminal {
				closeAll()
				return nil, nil, errors.New("standard input is a terminal: pipe a capture into it")
			}
		} else {
			f, err := openFile(name)
			if err != nil {
				closeAll()
				return nil, nil, err
			}
			files = append(files, f)
			if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
				in.Size = st.Size()
			}
			r = f
		}
		br := bufio.NewReaderSize(r, 256<<10)
		if err := checkKind(br); err != nil {
			closeAll()
			return nil, nil, fmt.Errorf("%s: %w", in.Name, err)
		}
		in.Reader = br
		inputs = append(inputs, in)
	}
	return inputs, closeAll, nil
}

func openFile(name string) (*os.File, error) {
	f, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == defaultInput:
		return nil, fmt.Errorf("%s: no such file; record makes it, or name a capture with -i", name)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: no such file", name)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s: permission denied; captures belong to the user that recorded them", name)
	case err != nil:
		return nil, err
	}
	if st, err := f.Stat(); err == nil && st.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s: is a directory, not a capture", name)
	}
	return f, nil
}

// checkKind refuses what is easily mistaken for a capture with a hint that helps.
// Everything else is for the format's reader to judge.
func checkKind(r *bufio.Reader) error {
	start, err := r.Peek(8)
	switch {
	case len(start) == 0 && errors.Is(err, io.EOF):
		return errors.New("not a capture: it is empty")
	case len(start) == 0:
		return err
	case string(start) == "PERFILE2" || string(start) == "2ELIFREP":
		return errors.New("not a capture (it is a perf.data file: use perf report)")
	case start[0] == 0x1f && len(start) > 1 && start[1] == 0x8b:
		return errors.New("not a capture (it is gzip: decompress it first)")
	}
	return nil
}
