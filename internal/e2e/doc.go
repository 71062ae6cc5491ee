// Package e2e tests the commands together, as programs: what record captures of
// programs whose behaviour is known exactly, read back through report and convert.
// The same tests run on the machine's own kernel and, in virtual machines, on others.
package e2e
