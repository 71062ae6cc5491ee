// Package locate finds the file that the name of a program or library stands for: among
// what a process has mapped, in the dynamic linker's cache, in the default directories
// and in $PATH.
package locate
