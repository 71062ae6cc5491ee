//go:build linux

package main

import (
	"path/filepath"
	"time"
)

// options are the command line.
type options struct {
	runs  int
	only  list
	kinds list
	calls int
	tmp   string
	json  bool
	write string
	from  string
}

// A bench holds what the measures need.
type bench struct {
	options
	root         string // of the module
	bin, targets string // directories
	dir          string // for captures; each measure has its own
	started      time.Time
}

func (b *bench) record() string            { return filepath.Join(b.bin, "record") }
func (b *bench) report() string            { return filepath.Join(b.bin, "report") }
func (b *bench) target(name string) string { return filepath.Join(b.targets, name) }
func (b *bench) file(name string) string   { return filepath.Join(b.dir, name) }
