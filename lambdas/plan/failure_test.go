package main

import (
	"strings"
	"testing"

	"fanmail/shared/campaign"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

func TestWavesThatMailNobodyEndTheCampaignAsStuck(t *testing.T) {
	f := newFixture(t, 1, campaign.Campaign{})
	for range 2 {
		out, err := f.plan(t)
		if err != nil || out.Next != workflow.NextSend {
			t.Fatalf("answer %+v, %v; want two waves first", out, err)
		}
	}
	f.exec(t, "update fanmail.recipient set reason = 'Maximum sending rate exceeded.'")
	// What SES answers may be over in a while, so that is waited for first.
	if out, err := f.plan(t); err != nil || out.Next != workflow.NextWait || f.campaign(t).EndedBy != ledger.ByTrouble {
		t.Fatalf("answer %+v, %v; want to wait", out, err)
	}
	f.exec(t, "update fanmail.campaign set wave_ended_at = wave_ended_at - interval '15 minutes'")
	_, err := f.plan(t)
	if stuck, ok := err.(*workflow.CampaignStuck); !ok || !strings.Contains(stuck.Message, "(Maximum sending rate exceeded.)") {
		t.Errorf("got %T %v, want CampaignStuck with the reason that the recipients carry", err, err)
	}
}

func TestAStuckCampaignTellsWhyItsSendersFailed(t *testing.T) {
	f := newFixture(t, 1, campaign.Campaign{})
	var out workflow.PlanOutput
	for range 2 {
		var err error
		out, err = f.plan(t)
		check(t, err)
	}
	// What the Map's ResultWriter leaves there, with a folder of its own between.
	run := out.Results.Key + "/5a7a0a40-0000-4000-8000-000000000000/"
	check(t, f.handler.store.PutJSON(t.Context(), run+"manifest.json", map[string]string{}))
	check(t, f.handler.store.PutJSON(t.Context(), run+"FAILED_0.json", []map[string]string{
		{"ExecutionArn": "arn", "Status": "FAILED", "Error": "DatabaseFailed", "Cause": `{"errorMessage":"no space left","errorType":"DatabaseFailed"}`},
		{"ExecutionArn": "arn", "Status": "FAILED", "Error": "States.Timeout", "Cause": ""},
	}))
	_, err := f.plan(t)
	if stuck, ok := err.(*workflow.CampaignStuck); !ok || !strings.HasSuffix(stuck.Message, "; the senders fail with DatabaseFailed: no space left") {
		t.Errorf("got %T %v, want CampaignStuck with the failure of the first sender", err, err)
	}
}

func TestAPlanWhoseAnswerWasLostIsNoFruitlessWave(t *testing.T) {
	f := newFixture(t, 1, campaign.Campaign{})
	for range 4 {
		f.lastWave = 0
		if out, err := f.plan(t); err != nil || out.Next != workflow.NextSend {
			t.Fatalf("answer %+v, %v; want a wave", out, err)
		}
	}
}
