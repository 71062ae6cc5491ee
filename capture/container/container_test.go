package container

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	idWeb    = strings.Repeat("a1", 32)
	idDB     = strings.Repeat("a2", 32)
	idPod    = strings.Repeat("b1", 32)
	idPause  = strings.Repeat("b2", 32)
	idCRIO   = strings.Repeat("c1", 32)
	idNerd   = strings.Repeat("d1", 32)
	idOrphan = strings.Repeat("e1", 32)
)

// machine lays out the control groups and the files of one machine with every runtime.
func machine(t *testing.T) (root, cgroups string) {
	root = t.TempDir()
	cgroups = filepath.Join(root, "sys/fs/cgroup")
	for _, dir := range []string{
		"system.slice/docker-" + idWeb + ".scope/init",
		"machine.slice/libpod-" + idDB + ".scope/container",
		"machine.slice/libpod-conmon-" + idDB + ".scope",
		"kubepods.slice/kubepods-burstable.slice/cri-containerd-" + idPod + ".scope",
		"kubepods.slice/kubepods-burstable.slice/cri-containerd-" + idPause + ".scope",
		"kubepods.slice/crio-" + idCRIO + ".scope",
		"default/" + idNerd,
		"default/by-hand",
		"docker/" + idOrphan,
		`machine.slice/machine-old\x2ddebian.scope`,
		"lxc.payload.alpine",
		"system.slice/ssh.service",
	} {
		if err := os.MkdirAll(filepath.Join(cgroups, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, text := range map[string]string{
		"var/lib/docker/containers/" + idWeb + "/config.v2.json":                                 `{"ID":"` + idWeb + `","Name":"/web","Config":{"Labels":null}}`,
		"var/lib/docker/containers/" + idOrphan + "/config.v2.json":                              `{"ID":`,
		"var/lib/containers/storage/overlay-containers/containers.json":                          `[{"id":"` + idDB + `","names":["db"]}]`,
		"run/containerd/io.containerd.runtime.v2.task/k8s.io/" + idPod + "/config.json":          `{"annotations":{"io.kubernetes.cri.container-name":"app","io.kubernetes.cri.sandbox-name":"shop-0","io.kubernetes.cri.sandbox-namespace":"prod"}}`,
		"run/containerd/io.containerd.runtime.v2.task/k8s.io/" + idPause + "/config.json":        `{"annotations":{"io.kubernetes.cri.sandbox-name":"shop-0","io.kubernetes.cri.sandbox-namespace":"prod"}}`,
		"run/containers/storage/overlay-containers/" + idCRIO + "/userdata/config.json":          `{"annotations":{"io.kubernetes.container.name":"app","io.kubernetes.pod.name":"cart-0","io.kubernetes.pod.namespace":"prod"}}`,
		"run/containerd/io.containerd.runtime.v2.task/default/" + idNerd + "/config.json":        `{"annotations":{"nerdctl/name":"cache"}}`,
		"run/containerd/io.containerd.runtime.v2.task/default/by-hand/config.json":               `{"annotations":{}}`,
		"home/alice/.local/share/containers/storage/overlay-containers/volatile-containers.json": `[]`,
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root, cgroups
}

func TestFind(t *testing.T) {
	root, cgroups := machine(t)
	all, err := List(root, cgroups)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"web":             {"system.slice/docker-" + idWeb + ".scope"},
		"db":              {"machine.slice/libpod-" + idDB + ".scope"},
		"shop-0":          {"kubepods.slice/kubepods-burstable.slice/cri-containerd-" + idPod + ".scope", "kubepods.slice/kubepods-burstable.slice/cri-containerd-" + idPause + ".scope"},
		"shop-0/app":      {"kubepods.slice/kubepods-burstable.slice/cri-containerd-" + idPod + ".scope"},
		"prod/cart-0/app": {"kubepods.slice/crio-" + idCRIO + ".scope"},
		"app":             {"kubepods.slice/crio-" + idCRIO + ".scope", "kubepods.slice/kubepods-burstable.slice/cri-containerd-" + idPod + ".scope"},
		"cache":           {"default/" + idNerd},
		"by-hand":         {"default/by-hand"},
		idOrphan[:12]:     {"docker/" + idOrphan},
		"old-debian":      {`machine.slice/machine-old\x2ddebian.scope`},
		"alpine":          {"lxc.payload.alpine"},
	} {
		found, err := Find(all, name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, c := range found {
			rel, err := filepath.Rel(cgroups, c.Cgroup)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rel)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestFindRefuses(t *testing.T) {
	root, cgroups := machine(t)
	all, err := List(root, cgroups)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"nothing": "no running container has this name; there are ",
		"a":       "the IDs of 3 containers start with it", // two in hexadecimal, and alpine
		"":        "no running container has this name",
	} {
		if _, err := Find(all, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", name, err, want)
		}
	}
	if _, err := Find(nil, "web"); err == nil || !strings.Contains(err.Error(), "no running container has a visible control group of version 2") {
		t.Errorf("without containers: error %v", err)
	}
}
