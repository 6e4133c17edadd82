package stepfunctions

import (
	"context"
	"slices"
	"sync"
	"testing"
)

// ends notes what Config.Ended is told.
type ends struct {
	mu   sync.Mutex
	told []string
}

func (e *ends) note(_ context.Context, execution, status string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = append(e.told, execution+" "+status)
}

func TestExecutionsThatEndBadlyAreAnnouncedOnce(t *testing.T) {
	const arn = "arn:aws:states:us-east-1:000000000000:execution:machine:run-1 "
	for name, test := range map[string]struct {
		definition string
		stop       bool
		want       []string
	}{
		"succeeded":         {oneState(`"Type":"Succeed"`), false, nil},
		"failed":            {oneState(`"Type":"Fail","Error":"Oops"`), false, []string{arn + "FAILED"}},
		"timed out":         {`{"TimeoutSeconds":1,"StartAt":"S","States":{"S":{"Type":"Wait","Seconds":60,"End":true}}}`, false, []string{arn + "TIMED_OUT"}},
		"stopped":           {oneState(`"Type":"Wait","Seconds":60,"End":true`), true, []string{arn + "ABORTED"}},
		"a child of a Map":  {mapOf(`"ToleratedFailurePercentage":100,`), false, nil},
		"a Map that failed": {mapOf(``), false, []string{arn + "FAILED"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := &ends{}
			broken := functions{"f": func(context.Context, map[string]any) (any, error) { return nil, &functionError{"Oops", "x"} }}
			s, m := machineOf(t, Config{Lambda: broken, Ended: e.note}, test.definition)
			begun := begin(t, s, m, `["a"]`)
			for range 2 {
				if test.stop {
					if _, err := s.stopExecution(struct {
						executionRequest
						Error string `json:"error"`
						Cause string `json:"cause"`
					}{executionRequest: executionRequest{ExecutionARN: begun.arn()}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			s.working.Wait()
			if !slices.Equal(e.told, test.want) {
				t.Errorf("told %q, want %q", e.told, test.want)
			}
		})
	}
}

func TestTheEndOfTheServiceIsNotAnnounced(t *testing.T) {
	e := &ends{}
	s, m := machineOf(t, Config{Ended: e.note}, oneState(`"Type":"Wait","Seconds":60,"End":true`))
	begun := begin(t, s, m, `{}`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if status := begun.currentStatus(); status != stopped || len(e.told) != 0 {
		t.Errorf("the execution is %s, and told was %q", status, e.told)
	}
}
