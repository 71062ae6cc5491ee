package container

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile limits what is read of a runtime's file.
const maxFile = 16 << 20

// readNames returns the names of all containers by ID. A known container without a name
// has an empty, non-nil list.
func readNames(root string) map[string][]string {
	names := make(map[string][]string)
	add := func(id string, more ...string) {
		if names[id] == nil {
			names[id] = []string{}
		}
		for _, n := range more {
			if n != "" && !slices.Contains(names[id], n) {
				names[id] = append(names[id], n)
			}
		}
	}
	readDocker(root, add)
	readStorage(root, add)
	readBundles(root, add)
	return names
}

// readDocker reads the configuration files of the Docker daemon.
func readDocker(root string, add func(id string, names ...string)) {
	for _, path := range glob(root, "var/lib/docker/containers/*/config.v2.json") {
		var c struct {
			ID, Name string
			Config   struct{ Labels map[string]string }
		}
		if readJSON(path, &c) {
			add(c.ID, strings.TrimPrefix(c.Name, "/"))
			add(c.ID, podNames(c.Config.Labels)...)
		}
	}
}

// readStorage reads the lists of containers/storage, which Podman and CRI-O use, for root
// and for users.
func readStorage(root string, add func(id string, names ...string)) {
	for _, dir := range []string{"var/lib/containers/storage", "run/containers/storage", "home/*/.local/share/containers/storage"} {
		for _, path := range glob(root, dir+"/*-containers/*containers.json") {
			var list []struct {
				ID    string   `json:"id"`
				Names []string `json:"names"`
			}
			if readJSON(path, &list) {
				for _, c := range list {
					add(c.ID, c.Names...)
				}
			}
		}
	}
}

// readBundles reads the annotations of OCI bundles: those of containerd by namespace, and
// those of CRI-O.
func readBundles(root string, add func(id string, names ...string)) {
	for _, pattern := range []string{
		"run/containerd/io.containerd.runtime.v2.task/*/*/config.json",
		"run/k3s/containerd/io.containerd.runtime.v2.task/*/*/config.json",
		"run/containers/storage/*-containers/*/userdata/config.json",
	} {
		for _, path := range glob(root, pattern) {
			var c struct {
				Annotations map[string]string `json:"annotations"`
			}
			if !readJSON(path, &c) {
				continue
			}
			dir := filepath.Dir(path)
			if filepath.Base(dir) == "userdata" {
				dir = filepath.Dir(dir)
			}
			add(filepath.Base(dir), c.Annotations["nerdctl/name"])
			add(filepath.Base(dir), podNames(c.Annotations)...)
		}
	}
}

// podNames returns the names of a Kubernetes container: its own, its pod's, and
// combinations of both with the namespace. The keys are those of containerd and of the
// kubelet's labels, which CRI-O and cri-dockerd store.
func podNames(labels map[string]string) []string {
	first := func(keys ...string) string {
		for _, k := range keys {
			if labels[k] != "" {
				return labels[k]
			}
		}
		return ""
	}
	container := first("io.kubernetes.cri.container-name", "io.kubernetes.container.name")
	pod := first("io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name")
	namespace := first("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace")
	names := []string{container, pod}
	if pod != "" && namespace != "" {
		names = append(names, namespace+"/"+pod)
	}
	if pod != "" && container != "" {
		names = append(names, pod+"/"+container)
		if namespace != "" {
			names = append(names, namespace+"/"+pod+"/"+container)
		}
	}
	return names
}

func glob(root, pattern string) []string {
	paths, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil {
		return nil // the root contains brackets
	}
	return paths
}

// readJSON reports whether it could read a file. A file that disappears or is being
// rewritten counts as absent.
func readJSON(path string, v any) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return json.NewDecoder(io.LimitReader(f, maxFile)).Decode(v) == nil
}
