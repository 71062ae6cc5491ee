// Package program reads from an ELF file what probes need: functions by the names that
// people use, compiler variants, implementations of IFUNCs, returns of Go functions, USDT
// probes, symbols and debug information.
package program
