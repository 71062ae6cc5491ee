// Package tracefs reads which tracepoints the kernel has and what their records contain.
package tracefs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"trapline/capture/event"
	"trapline/capture/layout"
)

// A Dir is the mount point of tracefs; "" means that it is not mounted.
type Dir string

func errNotMounted() error {
	return &event.UnsupportedError{Feature: "tracepoints", Reason: "tracefs is not mounted",
		Remedy: "mount -t tracefs nodev /sys/kernel/tracing"}
}

// Record returns the record of a tracepoint. The error matches fs.ErrNotExist if no such
// tracepoint can be enabled. The events of group ftrace, which describe records in the
// trace buffer, have a format but cannot be enabled.
func (d Dir) Record(system, name string) (*layout.Record, error) {
	if d == "" {
		return nil, errNotMounted()
	}
	dir := filepath.Join(string(d), "events", system, name)
	if _, err := os.Stat(filepath.Join(dir, "enable")); err != nil {
		return nil, readError(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "format"))
	if err != nil {
		return nil, readError(err)
	}
	r, err := parseFormat(system, string(text))
	if err != nil {
		return nil, fmt.Errorf("reading %s/format: %w", dir, err)
	}
	return r, nil
}

// Has reports whether a tracepoint exists and can be enabled.
func (d Dir) Has(system, name string) bool {
	if d == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(string(d), "events", system, name, "enable"))
	return err == nil
}

// Each calls yield for each tracepoint whose group and name match, in sorted order, until
// yield returns an error.
func (d Dir) Each(system, name func(string) bool, yield func(system, name string) error) error {
	if d == "" {
		return errNotMounted()
	}
	root := filepath.Join(string(d), "events")
	groups, err := os.ReadDir(root) // sorted
	if err != nil {
		return readError(err)
	}
	for _, g := range groups {
		if !g.IsDir() || g.Name() == "ftrace" || !system(g.Name()) {
			continue
		}
		events, err := os.ReadDir(filepath.Join(root, g.Name()))
		if err != nil {
			return readError(err)
		}
		for _, e := range events {
			if !e.IsDir() || !name(e.Name()) {
				continue
			}
			if err := yield(g.Name(), e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// All matches every name.
func All(string) bool { return true }

// readError adds the remedy to a permission error.
func readError(err error) error {
	var path *fs.PathError
	if errors.Is(err, fs.ErrPermission) && errors.As(err, &path) {
		return &event.PermissionError{What: "reading " + path.Path, Need: "root or CAP_DAC_READ_SEARCH, or a tracefs mounted with gid="}
	}
	return err
}
