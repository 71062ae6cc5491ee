// Package images finds the image and offset of a code address. For user space, it
// follows what processes map by perf events and /proc; for the kernel, it uses
// /proc/kallsyms.
package images
