// Package e2e tests the commands as programs. Tests record a target whose behaviour is
// known exactly and read the capture with report and convert. The same tests run on the
// kernel of this machine and, in virtual machines, on other kernels.
//
// It is one package because its tests must not run at the same time: many record the
// whole machine. File names begin with the topic; harness_*_test.go has what all tests
// use.
package e2e
