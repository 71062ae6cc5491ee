// Package program reads what probing needs of an ELF file: its functions by the names
// that people give them, the compiler's variants of them, what IFUNCs choose from, where
// Go functions return, USDT probes, symbols and debug information.
package program
