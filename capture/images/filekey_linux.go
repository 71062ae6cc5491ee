package images

import (
	"golang.org/x/sys/unix"

	"trapline/bpf"
)

// Mix is mix() in bpf/hash.h.
func Mix(h, v uint64) uint64 {
	h = (h ^ v) * 0x9FB21C651E98DF25
	return h ^ h>>29
}

// contentKey is image_key() in bpf/stacks/image.h, computed for a file in user space.
func contentKey(st *unix.Stat_t) uint64 {
	h := Mix(uint64(deviceOf(st)), st.Ino)
	h = Mix(h, uint64(st.Size))
	h = Mix(h, uint64(st.Mtim.Sec)<<32^uint64(st.Mtim.Nsec))
	return h &^ bpf.ImageAnonymous
}

// deviceOf returns a file's device number as the kernel encodes it.
func deviceOf(st *unix.Stat_t) uint32 { return unix.Major(st.Dev)<<20 | unix.Minor(st.Dev) }

// A fileKey identifies a mapped file until the machine reboots.
type fileKey struct {
	device uint32
	inode  uint64
}
