package ledger_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"fanmail/shared/ledger"
)

func claiming(limit int) ledger.Claiming {
	return ledger.Claiming{Campaign: "spring-sale", Execution: execution, Wave: 1, First: 1, Last: 100, Limit: limit, Claim: uuid.New(), Lease: time.Minute}
}

func TestAClaimedRecipientIsClaimedOnce(t *testing.T) {
	db, ctx := open(t), context.Background()
	start(t, db, "a@example.com", "b@example.com", "c@example.com")
	first, err := ledger.Claim(ctx, db, claiming(2))
	if err != nil {
		t.Fatal(err)
	}
	second, err := ledger.Claim(ctx, db, claiming(2))
	if err != nil {
		t.Fatal(err)
	}
	third, err := ledger.Claim(ctx, db, claiming(2))
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Recipients) != 2 || len(second.Recipients) != 1 || len(third.Recipients) != 0 {
		t.Fatalf("claims took %d, %d, %d recipients; want 2, 1, 0", len(first.Recipients), len(second.Recipients), len(third.Recipients))
	}
	if got := first.Recipients[0]; got.Seq != 1 || got.Address != "a@example.com" || got.Fields["name"] != "a\tb\\c\nd'e" {
		t.Errorf("first recipient is %+v", got)
	}
}

func TestAnOutcomeIsRecordedOnlyForTheClaimThatHoldsIt(t *testing.T) {
	db, ctx := open(t), context.Background()
	start(t, db, "a@example.com")
	claim := claiming(1)
	if _, err := ledger.Claim(ctx, db, claim); err != nil {
		t.Fatal(err)
	}
	sent := []ledger.Outcome{{Seq: 1, State: ledger.Sent, MessageID: "m1"}}
	// The same again is what happens when the answer of the first record was lost.
	for _, step := range []struct {
		name  string
		claim uuid.UUID
		want  int64
	}{
		{"a stranger's claim", uuid.New(), 0},
		{"the claim that holds it", claim.Claim, 1},
		{"the same again", claim.Claim, 1},
	} {
		n, err := ledger.Record(ctx, db, "spring-sale", step.claim, sent)
		if err != nil {
			t.Fatal(err)
		}
		if n != step.want {
			t.Errorf("%s recorded %d outcomes, want %d", step.name, n, step.want)
		}
	}
}

// statements notes the texts of all statements.
type statements []string

func (s *statements) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	*s = append(*s, event.Query)
	return ctx
}

func (*statements) AfterQuery(context.Context, *bun.QueryEvent) {}

func TestNoStatementThatRecordsIsLargeEnoughToPinAnRDSProxy(t *testing.T) {
	const n = 50
	addresses := make([]string, n)
	for i := range addresses {
		addresses[i] = fmt.Sprintf("r%d@example.com", i+1)
	}
	for name, test := range map[string]struct {
		outcome    ledger.Outcome
		statements int
	}{
		"sent":              {ledger.Outcome{State: ledger.Sent, MessageID: "0100018f3a5b7c9d-01234567-89ab-cdef-0123-456789abcdef-000000"}, 1},
		"usual reasons":     {ledger.Outcome{State: ledger.RecipientFailed, Reason: strings.Repeat("reason ", 25)}, 1},
		"long reasons":      {ledger.Outcome{State: ledger.RecipientFailed, Reason: strings.Repeat("reason ", 80)}, 3},
		"escaped twice":     {ledger.Outcome{State: ledger.Pending, Reason: strings.Repeat("<'\x01'>", 1000)}, 17},
		"cut between runes": {ledger.Outcome{State: ledger.RecipientFailed, Reason: "a" + strings.Repeat("é", 1000)}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			db, ctx := open(t), context.Background()
			start(t, db, addresses...)
			claim := claiming(n)
			if _, err := ledger.Claim(ctx, db, claim); err != nil {
				t.Fatal(err)
			}
			outcomes := make([]ledger.Outcome, n)
			for i := range outcomes {
				outcomes[i] = test.outcome
				outcomes[i].Seq = int64(i + 1)
			}
			made := new(statements)
			recorded, err := ledger.Record(ctx, db.WithQueryHook(made), "spring-sale", claim.Claim, outcomes)
			if err != nil || recorded != n {
				t.Fatalf("recorded %d of %d: %v", recorded, n, err)
			}
			largest := 0
			for _, statement := range *made {
				largest = max(largest, len(statement))
			}
			if largest > 16<<10 || len(*made) != test.statements {
				t.Errorf("%d statements, the largest of %d bytes; want %d of 16 KiB at most", len(*made), largest, test.statements)
			}
			var reason string
			if err := db.NewRaw("select coalesce(min(reason), '') from fanmail.recipient").Scan(ctx, &reason); err != nil {
				t.Fatal(err)
			}
			if kept := strings.TrimSuffix(reason, "…"); !strings.HasPrefix(test.outcome.Reason, kept) || len(kept) < min(len(test.outcome.Reason), 999) {
				t.Errorf("%d bytes of the reason are left", len(kept))
			}
		})
	}
}

func TestNobodyClaimsForACampaignThatIsNotTheirs(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*ledger.Claiming)
		before string
	}{
		{"another execution", func(c *ledger.Claiming) { c.Execution = "other" }, ""},
		{"paused", nil, "update fanmail.campaign set state = 'paused'"},
		{"wave ended early", nil, "update fanmail.campaign set ended_wave = 1"},
		{"wave over", nil, "update fanmail.campaign set wave_until = now()"},
		{"another range", func(c *ledger.Claiming) { c.First, c.Last = 2, 9 }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			db, ctx := open(t), context.Background()
			start(t, db, "a@example.com")
			if test.before != "" {
				if _, err := db.ExecContext(ctx, test.before); err != nil {
					t.Fatal(err)
				}
			}
			c := claiming(5)
			if test.change != nil {
				test.change(&c)
			}
			chunk, err := ledger.Claim(ctx, db, c)
			if err != nil {
				t.Fatal(err)
			}
			if len(chunk.Recipients) != 0 {
				t.Errorf("claimed %d recipients, want none", len(chunk.Recipients))
			}
		})
	}
}

func TestAnAddressSuppressedAfterTheImportIsNotMailed(t *testing.T) {
	db, ctx := open(t), context.Background()
	c := start(t, db, "a@example.com", "b@example.com")
	if _, err := db.ExecContext(ctx, "insert into fanmail.suppression values ('a@example.com', 'complaint')"); err != nil {
		t.Fatal(err)
	}
	chunk, err := ledger.Claim(ctx, db, claiming(5))
	if err != nil {
		t.Fatal(err)
	}
	if len(chunk.Recipients) != 1 || chunk.Recipients[0].Address != "b@example.com" {
		t.Errorf("claimed %+v, want b@example.com only", chunk.Recipients)
	}
	counts, err := ledger.Count(ctx, db, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if counts.Suppressed != 1 || counts.Claimed != 1 {
		t.Errorf("counts are %+v", counts)
	}
}

func TestTimeSlotsFollowTheSlowerOfAccountAndCampaign(t *testing.T) {
	for _, test := range []struct {
		name              string
		account, campaign float64
		n                 int
		spacing           time.Duration
	}{
		{"account alone", 10, 0, 2, stretched(100 * time.Millisecond)},
		{"campaign faster than the account", 10, 50, 2, stretched(100 * time.Millisecond)},
		// One recipient at a time, so that the claims keep the campaign's rate and the slots the account's.
		{"campaign slower than the account", 100, 10, 1, stretched(10 * time.Millisecond)},
	} {
		t.Run(test.name, func(t *testing.T) {
			db, ctx := open(t), context.Background()
			c := start(t, db, "a@example.com", "b@example.com", "c@example.com", "d@example.com")
			exec(t, db, "update fanmail.campaign set settings = jsonb_build_object('rate', ?::float8)", test.campaign)
			if err := ledger.StartWave(ctx, db, ledger.Wave{Length: time.Hour, Campaign: c, AccountRate: test.account}); err != nil {
				t.Fatal(err)
			}
			first, err := ledger.Claim(ctx, db, claiming(2))
			if err != nil {
				t.Fatal(err)
			}
			second, err := ledger.Claim(ctx, db, claiming(2))
			if err != nil {
				t.Fatal(err)
			}
			// PostgreSQL's numbers are binary fractions.
			if off := first.Spacing - test.spacing; len(first.Recipients) != test.n || off.Abs() > time.Microsecond {
				t.Errorf("%d slots are %v apart, want %d and %v", len(first.Recipients), first.Spacing, test.n, test.spacing)
			}
			// The account's rate or the campaign's, the first chunk takes 100 or 200 ms of it.
			if longest := time.Duration(test.n) * stretched(100*time.Millisecond); wait(second) > longest || wait(second) == 0 {
				t.Errorf("the second chunk waits %v, want up to %v", wait(second), longest)
			}
			if second.Lease < time.Minute+wait(second) {
				t.Errorf("lease %v does not cover the wait %v", second.Lease, wait(second))
			}
		})
	}
}

// wait is how long the first slot is away when the claim is asked for.
func wait(c ledger.Chunk) time.Duration { return c.Start.Sub(c.Asked) }

// stretched is how far apart slots of the account are whose rate asks for spacing.
func stretched(spacing time.Duration) time.Duration {
	return spacing + time.Duration(spacing.Seconds()*float64(ledger.Jitter))
}

func TestNoClaimIsMadeWhoseTimeSlotsAreFarAway(t *testing.T) {
	db, ctx := open(t), context.Background()
	c := start(t, db, "a@example.com", "b@example.com")
	if err := ledger.StartWave(ctx, db, ledger.Wave{Length: time.Hour, Campaign: c, AccountRate: 0.1}); err != nil {
		t.Fatal(err)
	}
	first, err := ledger.Claim(ctx, db, claiming(1))
	if err != nil {
		t.Fatal(err)
	}
	second, err := ledger.Claim(ctx, db, claiming(1))
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Recipients) != 1 || len(second.Recipients) != 0 || second.Empty() {
		t.Fatalf("claims took %d and %d recipients, the second is empty: %v", len(first.Recipients), len(second.Recipients), second.Empty())
	}
	if second.Wait < 7*time.Second || second.Wait > stretched(10*time.Second)-2*time.Second {
		t.Errorf("the second claim is to wait %v, want the 10 s between slots less the 2 s that a claim may hold", second.Wait)
	}
}

func TestACampaignThatMaySendFasterDoesNotWaitForTheSlotsThatItHasBooked(t *testing.T) {
	db, ctx := open(t), context.Background()
	c := start(t, db, "a@example.com", "b@example.com")
	exec(t, db, "update fanmail.campaign set settings = jsonb_build_object('rate', 0.1)")
	if err := ledger.StartWave(ctx, db, ledger.Wave{Length: time.Hour, Campaign: c, AccountRate: 100}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		rate       float64
		recipients int
	}{{0.1, 1}, {0.1, 0}, {20, 1}} {
		if err := ledger.SetRate(ctx, db, "spring-sale", step.rate); err != nil {
			t.Fatal(err)
		}
		chunk, err := ledger.Claim(ctx, db, claiming(1))
		if err != nil {
			t.Fatal(err)
		}
		if len(chunk.Recipients) != step.recipients || wait(chunk) > time.Second {
			t.Errorf("at %v per second a claim took %d recipients, %v away; want %d", step.rate, len(chunk.Recipients), wait(chunk), step.recipients)
		}
	}
}

func TestAReleasedClaimIsPendingAgain(t *testing.T) {
	db, ctx := open(t), context.Background()
	c := start(t, db, "a@example.com", "b@example.com")
	claim := claiming(2)
	if _, err := ledger.Claim(ctx, db, claim); err != nil {
		t.Fatal(err)
	}
	other := claim
	other.Claim = uuid.New()
	for _, step := range []struct {
		release ledger.Claiming
		pending int64
	}{{other, 0}, {claim, 2}} {
		if err := ledger.Release(ctx, db, step.release); err != nil {
			t.Fatal(err)
		}
		counts, err := ledger.Count(ctx, db, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if counts.Pending != step.pending {
			t.Errorf("%d recipients are pending, want %d", counts.Pending, step.pending)
		}
	}
}

func TestAtALowRateAClaimCoversFewSeconds(t *testing.T) {
	var addresses []string
	for i := range 20 {
		addresses = append(addresses, string(rune('a'+i))+"@example.com")
	}
	for _, test := range []struct {
		rate float64
		want int
	}{{0.1, 1}, {3, 6}, {1000, 10}} {
		db, ctx := open(t), context.Background()
		c := start(t, db, addresses...)
		if err := ledger.StartWave(ctx, db, ledger.Wave{Length: time.Hour, Campaign: c, AccountRate: test.rate}); err != nil {
			t.Fatal(err)
		}
		chunk, err := ledger.Claim(ctx, db, claiming(10))
		if err != nil {
			t.Fatal(err)
		}
		if len(chunk.Recipients) != test.want {
			t.Errorf("at %v/s a claim took %d recipients, want %d", test.rate, len(chunk.Recipients), test.want)
		}
	}
}
