package local

import (
	"fanmail/local/faults"
)

// startFaults makes the service of the faults, without any: they begin when all is up.
func (r *Runtime) startFaults() {
	r.faults = faults.New(faults.Config{
		Lambda: r.lambda,
		Sender: functionName + senderKey,
		// As lambdas/send names its sessions.
		SenderSession: "fanmail-" + senderKey,
		Connect:       r.connect,
		Role:          r.role.name,
		Logger:        r.options.Logger,
	})
}

// Faults are the faults now.
func (r *Runtime) Faults() faults.Settings { return r.faults.Settings() }

// FaultCounts are what the faults have done so far.
func (r *Runtime) FaultCounts() faults.Counts { return r.faults.Counts() }

// SetFaults replaces the faults; the zero value ends all.
func (r *Runtime) SetFaults(s faults.Settings) error { return r.faults.Set(s) }
