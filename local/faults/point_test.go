package faults

import "testing"

func TestAtClaimNothingOfTheClaimReachesSES(t *testing.T) {
	w := newWorld(2)
	s := serviceOf(t, w, Settings{Send: Send{KillAt: AtClaim, KillAtShare: 1}})
	if f := s.SES(request("S0", 0, "")); f.Drop {
		t.Error("a message without a claim is concerned")
	}
	for _, seq := range []int{1, 2} {
		if f := s.SES(request("S0", seq, "first")); !f.Drop {
			t.Errorf("recipient %d of the claim reaches SES", seq)
		}
	}
	// Recipient 1 had its turn, so a claim that begins with it goes through, with all that follows.
	for _, seq := range []int{1, 2, 3} {
		if f := s.SES(request("S1", seq, "second")); f.Drop {
			t.Errorf("recipient %d is not mailed the second time", seq)
		}
	}
	if f := s.SES(request("S1", 3, "third")); !f.Drop {
		t.Error("recipient 3 had its turn without being the first of a claim")
	}
	if w.story() != "kill S0, kill S1" || s.Counts().KillsAtPoint != 2 || s.Counts().Kills != 2 {
		t.Errorf("%s, counts %+v", w.story(), s.Counts())
	}
}

func TestAtAnswerTheSenderStandsStillBeforeTheAnswerAndDiesAfterIt(t *testing.T) {
	w := newWorld(1)
	s := serviceOf(t, w, Settings{Send: Send{KillAt: AtAnswer, KillAtShare: 1}})
	f := s.SES(request("S0", 1, "c"))
	if f.Drop || f.Error != nil || f.BeforeAnswer == nil || w.story() != "" {
		t.Fatalf("%+v, %s", f, w.story())
	}
	f.BeforeAnswer()
	if w.story() != "pause S0" {
		t.Fatal(w.story())
	}
	f.AfterAnswer()
	if w.story() != "pause S0, kill S0" || s.Counts().KillsAtPoint != 1 {
		t.Errorf("%s, counts %+v", w.story(), s.Counts())
	}
	if f := s.SES(request("S0", 1, "d")); f.BeforeAnswer != nil {
		t.Error("it happens twice to one recipient")
	}
	// Refused after all, by the account's rate: nobody is paused, so nobody must be killed.
	w = newWorld(1)
	s = serviceOf(t, w, Settings{Send: Send{KillAt: AtAnswer, KillAtShare: 1}})
	if s.SES(request("S0", 1, "c")).AfterAnswer(); w.story() != "" {
		t.Error(w.story())
	}
}

func TestTheShareOfAPointIsThatOfRecipients(t *testing.T) {
	s := serviceOf(t, newWorld(0), Settings{Seed: 4, Send: Send{KillAt: AtAnswer, KillAtShare: 0.1}})
	hit := 0
	for seq := range 2000 {
		if s.SES(request("S0", seq+1, "c")).BeforeAnswer != nil {
			hit++
		}
	}
	if hit < 150 || hit > 250 {
		t.Errorf("%d of 2000", hit)
	}
}

func TestAtRecordWithoutADatabaseNothingHappens(t *testing.T) {
	w := newWorld(1)
	s := serviceOf(t, w, Settings{Send: Send{KillAt: AtRecord, KillAtShare: 1}})
	f := s.SES(request("S0", 1, "c"))
	f.BeforeAnswer()
	if err := s.Close(); err != nil || w.story() != "" {
		t.Error(err, w.story())
	}
}
