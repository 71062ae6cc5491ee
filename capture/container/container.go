// Package container finds the control groups of containers by the names that
// people know them by. It asks no daemon: it reads the control groups that exist
// and the files in which container runtimes keep names.
package container

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// A Container is one that runs: it has a control group.
type Container struct {
	ID     string   // as its runtime knows it
	Names  []string // that it can be found by: web; in Kubernetes the container, the pod and how they combine
	Cgroup string   // directory in the cgroup2 file system
}

// String returns the name that says most, or the short ID.
func (c Container) String() string {
	if len(c.Names) > 0 {
		return c.Names[len(c.Names)-1]
	}
	return c.ID[:min(len(c.ID), shortID)]
}

// shortID is the length to which runtimes cut IDs when they show them.
const shortID = 12

// maxGroups bounds how many control groups are looked at.
const maxGroups = 1 << 17

// List returns the containers that have control groups below a directory of a
// cgroup2 file system, outermost first. The files of runtimes are read below root.
func List(root, cgroups string) ([]Container, error) {
	names := readNames(root)
	var found []Container
	groups := 0
	err := filepath.WalkDir(cgroups, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == cgroups {
				return err
			}
			return nil // ended meanwhile
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
		return filepath.SkipDir // groups below belong to what runs in the container
	})
	return found, err
}

// prefixes are how runtimes mark the scopes that they ask systemd for.
var prefixes = []string{"docker-", "libpod-", "cri-containerd-", "crio-", "nerdctl-", "machine-", "lxc.payload."}

// containerID returns the container that a control group belongs to.
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

// isID reports whether a name is an ID as Docker, Podman and CRI runtimes make
// them: 256 bits.
func isID(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// unescape reads systemd's \x2d for a dash (systemd.unit(5)), the one that names
// of machines can have.
func unescape(s string) string { return strings.ReplaceAll(s, `\x2d`, "-") }

// Find returns the containers with a name or, if there is none, the one whose ID
// begins so.
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
		return nil, fmt.Errorf("the IDs of %d containers begin so: give more of it", len(byID))
	case len(all) == 0:
		return nil, errors.New("no running container has a control group of version 2 that can be seen from here")
	}
	why := "no running container is called so; there are " + listed(all)
	if unnamed > 0 {
		why += "; no names are known of " + fmt.Sprint(unnamed) + " of them (reading what their runtimes keep needs root): give the ID"
	}
	return nil, errors.New(why)
}

// listed names the first few containers.
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
