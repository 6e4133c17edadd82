package stepfunctions

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fanmail/local/clock"
)

func TestWaitStatesFollowTheClockAndRetriesFollowRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, began := new(clock.Clock), time.Now()
		calls := failing(&functionError{"Busy", "b"})
		s, m := machineOf(t, Config{Lambda: calls, Clock: c}, fmt.Sprintf(`{"StartAt":"Day","States":{
			"Day":{"Type":"Wait","Seconds":86400,"Next":"Until"},
			"Until":{"Type":"Wait","Timestamp":"%s","Next":"S"},
			"S":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},"OutputPath":"$.Payload",
				"Retry":[{"ErrorEquals":["Busy"],"IntervalSeconds":60}],"End":true}}}`, began.AddDate(0, 0, 3).UTC().Format(time.RFC3339)))
		e := begin(t, s, m, `{}`)
		for range 3 {
			synctest.Wait()
			if err := c.Advance(24*time.Hour, nil); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if err := c.Advance(time.Hour, nil); err != nil { // in the middle of the retry's delay
			t.Fatal(err)
		}
		s.working.Wait()
		ended(t, e, `2`)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %s", took)
		}
		if took := e.snapshot().stop.Sub(e.start); took != 73*time.Hour+time.Minute {
			t.Errorf("by its timestamps it took %s", took)
		}
	})
}

func TestTheTimeOfEnteringAStateIsInTheContextObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(clock.Clock)
		if err := c.Advance(48*time.Hour, nil); err != nil {
			t.Fatal(err)
		}
		want := c.Now().UTC().Add(5 * time.Second).Format("2006-01-02T15:04:05.000Z")
		attempts := 0
		calls := functions{"f": func(_ context.Context, in map[string]any) (any, error) {
			// A retry is within the same stay in the state, so its time is the first's.
			if in["entered"] != want {
				t.Errorf("entered at %v, want %s", in["entered"], want)
			}
			if attempts++; attempts == 1 {
				return nil, &functionError{"Busy", "b"}
			}
			return in["entered"], nil
		}}
		e := run(t, Config{Lambda: calls, Clock: c}, `{"StartAt":"First","States":{"First":{"Type":"Wait","Seconds":5,"Next":"S"},
			"S":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","OutputPath":"$.Payload","End":true,
			"Parameters":{"FunctionName":"f","Payload":{"entered.$":"$$.State.EnteredTime"}},"Retry":[{"ErrorEquals":["Busy"]}]}}}`, `{}`)
		ended(t, e, `"`+want+`"`)
	})
}
