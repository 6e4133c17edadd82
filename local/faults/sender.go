package faults

import (
	"math/rand/v2"

	"fanmail/local/lambda"
)

// killAny kills a sender that runs or starts, if there is one.
func (r *round) killAny(random *rand.Rand) {
	if sender, ok := r.busySender(random); ok {
		r.kill(sender.AccessKey)
	}
}

func (r *round) timeOutAny(random *rand.Rand) {
	if sender, ok := r.busySender(random); ok && r.service.config.Lambda.TimeOut(sender.AccessKey) {
		r.service.counts.timeOuts.Add(1)
	}
}

// kill kills an environment and tells whether it lived.
func (r *round) kill(accessKey string) bool {
	if !r.service.config.Lambda.Kill(accessKey) {
		return false
	}
	r.service.counts.kills.Add(1)
	return true
}

func (r *round) busySender(random *rand.Rand) (lambda.Environment, bool) {
	var busy []lambda.Environment
	for _, e := range r.service.config.Lambda.Environments() {
		if e.Busy && e.Function == r.service.config.Sender {
			busy = append(busy, e)
		}
	}
	if len(busy) == 0 {
		return lambda.Environment{}, false
	}
	return busy[random.IntN(len(busy))], true
}
