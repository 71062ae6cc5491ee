// Package container finds the control groups of containers by name. It asks no daemon: it
// reads the existing control groups and the files in which container runtimes store
// names.
package container

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// A Container is a running container: one that has a control group.
type Container struct {
	ID     string   // the runtime's ID
	Names  []string // such as web; in Kubernetes also the pod and combinations
	Cgroup string   // directory in the cgroup2 file system
}

// String returns the most specific name, or the short ID.
func (c Container) String() string {
	if len(c.Names) > 0 {
		return c.Names[len(c.Names)-1]
	}
	return c.ID[:min(len(c.ID), shortID)]
}

// shortID is the length of the IDs that runtimes display.
const shortID = 12

// maxGroups limits the control groups examined.
const maxGroups = 1 << 17

// List returns the containers with control groups below a directory of a cgroup2 file
// system, outermost first. root is the directory that contains the runtimes' files, / on
// a real machine.
func List(root, cgroups string) ([]Container, error) {
	names := readNames(root)
	var found []Container
	groups := 0
	err := filepath.WalkDir(cgroups, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == cgroups {
				return err
			}
			return nil // has ended
		}
		if !d.IsDir() {
			return nil
		}
		if groups++; groups > maxGroups {
			return fmt.Errorf("more than %d control groups below %s", maxGroups, cgroups)
		}
		id, ok := containerID(d.Name(), filepath.Base(filepath.Dir(path)), names)
		if !ok {
			return nil
		}
		found = append(found, Container{ID: id, Names: names[id], Cgroup: path})
		return filepath.SkipDir // groups below belong to the container
	})
	return found, err
}

// prefixes are those of the systemd scopes that runtimes create.
var prefixes = []string{"docker-", "libpod-", "cri-containerd-", "crio-", "nerdctl-", "machine-", "lxc.payload."}

// containerID returns the ID of the container of a control group.
func containerID(group, parent string, names map[string][]string) (string, bool) {
	id := strings.TrimSuffix(group, ".scope")
	for _, p := range prefixes {
		rest, ok := strings.CutPrefix(id, p)
		if !ok {
			continue
		}
		if isID(rest) || names[rest] != nil || p == "machine-" || p == "lxc.payload." {
			return unescape(rest), true // systemd-nspawn and LXC use the name itself
		}
	}
	if isID(id) || names[id] != nil || parent == "lxc" {
		return id, true
	}
	return "", false
}

// isID reports whether a name is an ID of Docker, Podman or a CRI runtime: 256 bits in
// hexadecimal.
func isID(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// unescape replaces systemd's \x2d by a dash, the only escaped character in machine names
// (systemd.unit(5)).
func unescape(s string) string { return strings.ReplaceAll(s, `\x2d`, "-") }

// Find returns the containers with a name or, if there are none, the container whose ID
// starts with it.
func Find(all []Container, name string) ([]Container, error) {
	var found, byID []Container
	unnamed := 0
	for _, c := range all {
		switch {
		case slices.Contains(c.Names, name):
			found = append(found, c)
		case strings.HasPrefix(c.ID, name) && name != "":
			byID = append(byID, c)
		}
		if len(c.Names) == 0 {
			unnamed++
		}
	}
	switch {
	case len(found) > 0:
		return found, nil
	case len(byID) == 1:
		return byID, nil
	case len(byID) > 1:
		return nil, fmt.Errorf("the IDs of %d containers start with it: give more digits", len(byID))
	case len(all) == 0:
		return nil, errors.New("no running container has a visible control group of version 2")
	}
	why := "no running container has this name; there are " + listed(all)
	if unnamed > 0 {
		why += "; the names of " + fmt.Sprint(unnamed) + " of them are unknown (reading their runtimes' files requires root): give the ID"
	}
	return nil, errors.New(why)
}

// listed formats the first few containers.
func listed(all []Container) string {
	const most = 8
	var names []string
	for _, c := range all[:min(len(all), most)] {
		names = append(names, c.String())
	}
	if n := len(all) - len(names); n > 0 {
		names = append(names, fmt.Sprintf("%d more", n))
	}
	return strings.Join(names, ", ")
}
