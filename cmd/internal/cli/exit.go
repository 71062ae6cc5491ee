package cli

// Exit codes of the commands. A command that record ran passes its own status
// through; one that a signal ended gives 128 and the signal's number, as in a shell.
const (
	ExitOK         = 0
	ExitUsage      = 1 // the command line is wrong, or an input cannot be read
	ExitProbe      = 2 // no probe matched, or one could not be attached
	ExitPermission = 3 // a privilege is missing
	ExitOutput     = 4 // the output cannot be written

	ExitSignal = 128 // + the signal's number
)
