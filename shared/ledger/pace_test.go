package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

// TestTheSlotsOfAllSendersTogetherKeepTheRate lets 20 senders of two campaigns claim at once, as fast as they can, and looks at the
// time slots that they get, by the one clock that books them: the database's.
func TestTheSlotsOfAllSendersTogetherKeepTheRate(t *testing.T) {
	const (
		rate      = 2000
		senders   = 20
		campaigns = 2
		list      = 3000
	)
	for _, own := range []float64{0, 500} {
		t.Run(fmt.Sprintf("first campaign's rate %v", own), func(t *testing.T) {
			dsn, ctx := postgrestest.New(t), context.Background()
			db := session(t, dsn)
			if _, err := ledger.Migrate(ctx, db); err != nil {
				t.Fatal(err)
			}
			for i := range campaigns {
				exec(t, db, `
					insert into fanmail.campaign (name, state, execution, settings, recipients_tag) values (?, 'running', ?, '{}', 'tag')`, name(i), execution)
				exec(t, db, `
					insert into fanmail.recipient (campaign_id, seq, line, address, fields)
					select c.id, n, n + 1, 'r' || n || '@example.com', '{}' from generate_series(1, ?) n, fanmail.campaign c where c.name = ?`, list, name(i))
				c, err := ledger.Known(ctx, db, name(i))
				if err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					exec(t, db, "update fanmail.campaign set settings = jsonb_build_object('rate', ?::float8) where id = ?", own, c.ID)
				}
				if err := ledger.StartWave(ctx, db, ledger.Wave{Campaign: c, AccountRate: rate, Length: time.Hour}); err != nil {
					t.Fatal(err)
				}
			}
			var group sync.WaitGroup
			var mu sync.Mutex
			var slots []time.Time
			for s := range senders {
				own := session(t, dsn)
				group.Go(func() {
					for range 8 {
						chunk, err := ledger.Claim(ctx, own, ledger.Claiming{
							Campaign: name(s % campaigns), Execution: execution, Wave: 1, First: 1, Last: list, Limit: 50, Claim: uuid.New(), Lease: time.Minute,
						})
						if err != nil {
							t.Error(err)
							return
						}
						if len(chunk.Recipients) == 0 {
							continue
						}
						// claimed_until is the slot after the last one, and the lease: the database's own arithmetic.
						var until time.Time
						err = own.NewRaw(`select max(claimed_until) from fanmail.recipient r join fanmail.campaign c on c.id = r.campaign_id
							where c.name = ? and seq = ?`, name(s%campaigns), chunk.Recipients[0].Seq).Scan(ctx, &until)
						if err != nil {
							t.Error(err)
							return
						}
						end := until.Add(-time.Minute)
						mu.Lock()
						for i := range chunk.Recipients {
							slots = append(slots, end.Add(-time.Duration(len(chunk.Recipients)-i)*chunk.Spacing))
						}
						mu.Unlock()
					}
				})
			}
			group.Wait()
			slices.SortFunc(slots, time.Time.Compare)
			if len(slots) < rate/2 {
				t.Fatalf("only %d slots were booked", len(slots))
			}
			if n := most(slots, time.Second); n > rate {
				t.Errorf("%d slots in one second of %d booked, want %d at most", n, len(slots), rate)
			}
			length := slots[len(slots)-1].Sub(slots[0]).Seconds()
			// How near to the rate they come depends on the machine: `make bench-rate` prints that.
			t.Logf("%d slots in %.3f s: %.1f/s", len(slots), length, float64(len(slots)-1)/length)
		})
	}
}

func name(i int) string { return fmt.Sprintf("campaign-%d", i) }

// most is the largest number of times in any window of the length; the slots are sorted. A slot that begins a microsecond early, by
// the rounding of the database's clock, is in the next window.
func most(slots []time.Time, window time.Duration) int {
	largest, first := 0, 0
	for i := range slots {
		for slots[i].Sub(slots[first]) >= window-2*time.Microsecond {
			first++
		}
		largest = max(largest, i-first+1)
	}
	return largest
}

func TestTheRateOfACampaignChangesWhileItRuns(t *testing.T) {
	db, ctx := open(t), context.Background()
	var addresses []string
	for i := range 60 {
		addresses = append(addresses, fmt.Sprintf("r%d@example.com", i))
	}
	c := start(t, db, addresses...)
	if err := ledger.StartWave(ctx, db, ledger.Wave{Campaign: c, AccountRate: 1000, Length: time.Hour}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		rate float64
		want int
	}{{20, 2}, {100, 10}, {0, 20}} {
		if err := ledger.SetRate(ctx, db, "spring-sale", step.rate); err != nil {
			t.Fatal(err)
		}
		exec(t, db, "update fanmail.pace set next_at = 'epoch'")
		chunk, err := ledger.Claim(ctx, db, claiming(20))
		if err != nil {
			t.Fatal(err)
		}
		if len(chunk.Recipients) != step.want {
			t.Errorf("at %v/s a claim took %d recipients, want a tenth of a second's, %d", step.rate, len(chunk.Recipients), step.want)
		}
	}
	var rate float64
	if err := db.NewRaw("select settings ->> 'rate' from fanmail.campaign").Scan(ctx, &rate); err != nil || rate != 0 {
		t.Errorf("the settings have the rate %v, %v; want 0, so that the next wave keeps it", rate, err)
	}
	exec(t, db, "update fanmail.campaign set state = 'finished'")
	var refused *workflow.InvalidRequest
	if err := ledger.SetRate(ctx, db, "spring-sale", 20); !errors.As(err, &refused) || !strings.Contains(err.Error(), "spring-sale is finished: its next start takes the rate of campaign.yaml") {
		t.Errorf("the rate of a finished campaign: %v", err)
	}
	if err := db.NewRaw("select settings ->> 'rate' from fanmail.campaign").Scan(ctx, &rate); err != nil || rate != 0 {
		t.Errorf("the rate was changed to %v, %v", rate, err)
	}
}

func TestTheRateFollowsWhatSESAnswers(t *testing.T) {
	for _, test := range []struct {
		name                string
		rate                float64
		accepted, throttled int
		least, most         float64
	}{
		{"all accepted", 1000, 50, 0, 1000, 1000},
		{"one throttled", 1000, 0, 1, 980, 980},
		{"half throttled", 1000, 25, 25, 600, 680},
		{"all throttled again and again", 60, 0, 50, 50, 50},
		{"accepted again", 500, 50, 0, 600, 620},
	} {
		t.Run(test.name, func(t *testing.T) {
			db, ctx := open(t), context.Background()
			c := start(t, db, "a@example.com")
			if err := ledger.StartWave(ctx, db, ledger.Wave{Campaign: c, AccountRate: 1000, Length: time.Hour}); err != nil {
				t.Fatal(err)
			}
			exec(t, db, "update fanmail.pace set rate = ?", test.rate)
			claim := claiming(1)
			claim.Accepted, claim.Throttled = test.accepted, test.throttled
			if _, err := ledger.Claim(ctx, db, claim); err != nil {
				t.Fatal(err)
			}
			var rate float64
			if err := db.NewRaw("select rate from fanmail.pace").Scan(ctx, &rate); err != nil {
				t.Fatal(err)
			}
			if rate < test.least-0.001 || rate > test.most+0.001 {
				t.Errorf("the rate is %v, want %v to %v", rate, test.least, test.most)
			}
		})
	}
}
