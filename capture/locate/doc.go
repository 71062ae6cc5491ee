// Package locate finds the file of a program or library by its path, soname or short
// name: in the mappings of a process, the dynamic linker's cache, the default directories
// and $PATH.
package locate
