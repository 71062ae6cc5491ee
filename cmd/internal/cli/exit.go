package cli

// Exit codes of the commands. record passes on the status of the command that it
// ran, or 128 plus the number of the signal that ended it, like a shell.
const (
	ExitOK         = 0
	ExitUsage      = 1 // the command line is wrong, or an input cannot be read
	ExitProbe      = 2 // no probe matched, or one could not be attached
	ExitPermission = 3 // a privilege is missing
	ExitOutput     = 4 // the output cannot be written

	ExitSignal = 128 // + the signal's number
)
