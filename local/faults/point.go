package faults

import (
	"strconv"

	"fanmail/local/ses"
)

// takes tells whether the named point is to happen at this message, which is decided by about, and takes it: it happens once for
// each recipient, or a recipient could never be mailed.
func (r *round) takes(m message, about string) bool {
	if m.seq == 0 || roll(r.settings.Seed, "killAt", m.campaign, about) >= r.settings.Send.KillAtShare {
		return false
	}
	taken := r.hit[m.recipientHash]
	r.hit[m.recipientHash] = true
	return !taken
}

// atClaim tells whether the call is of a claim whose sender is dead or dies now: SES must get nothing of it, also not by
// calls that were under way.
func (r *round) atClaim(m message) bool {
	if r.settings.Send.KillAt != AtClaim || m.claim == "" {
		return false
	}
	r.mu.Lock()
	doomed, seen := r.claims[m.claimHash]
	if !seen {
		// Which message of a claim is the first is up to the scheduling; how many claims there were is not.
		doomed = r.takes(m, strconv.Itoa(len(r.claims)))
		r.claims[m.claimHash] = doomed
	}
	r.mu.Unlock()
	if !seen && doomed && r.kill(m.caller) {
		r.service.counts.killsAtPoint.Add(1)
	}
	return doomed
}

// atAnswer stops the sender, lets SES answer, and kills it before it can have read that.
func (r *round) atAnswer(m message, fault *ses.Fault) {
	r.mu.Lock()
	takes := r.takes(m, m.recipient)
	r.mu.Unlock()
	if !takes {
		return
	}
	paused := false
	fault.BeforeAnswer = func() { paused = r.service.config.Lambda.Pause(m.caller) }
	fault.AfterAnswer = func() {
		if paused && r.kill(m.caller) {
			r.service.counts.killsAtPoint.Add(1)
		}
	}
}

// atRecord holds the recipient's row before the sender has SES's answer, and kills the sender once its record waits for that.
func (r *round) atRecord(m message, fault *ses.Fault) {
	r.mu.Lock()
	// One per claim: it has one record.
	takes := !r.claims[m.claimHash] && r.takes(m, m.recipient)
	if takes {
		r.claims[m.claimHash] = true
	}
	r.mu.Unlock()
	if !takes {
		return
	}
	fault.BeforeAnswer = func() {
		lock := r.lockRecipient(m)
		if lock == nil {
			return
		}
		whole := r.spawn(func() {
			defer lock.release()
			if lock.blocks(r.ctx) && r.kill(m.caller) {
				r.service.counts.killsAtPoint.Add(1)
			}
		})
		if !whole {
			lock.release()
		}
	}
}
