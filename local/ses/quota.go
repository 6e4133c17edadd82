package ses

import "time"

// rate is SES's limit on recipients per second as a token bucket that holds one second's worth: AWS allows short bursts
// above the rate, not sustained ones. A call passes as a whole if one whole credit is left, and may leave a debt that
// later calls wait for: so SES treats messages to several recipients.
type rate struct {
	perSecond float64
	credit    float64
	at        time.Time
}

func newRate(perSecond float64, now time.Time) rate {
	r := rate{at: now}
	r.set(perSecond, now)
	r.credit = r.capacity()
	return r
}

func (r *rate) capacity() float64 { return max(1, r.perSecond) }

// set changes the limit; what was saved up beyond the new capacity is lost, a debt stays.
func (r *rate) set(perSecond float64, now time.Time) {
	r.refill(now)
	r.perSecond = perSecond
	r.credit = min(r.credit, r.capacity())
}

func (r *rate) refill(now time.Time) {
	if elapsed := now.Sub(r.at); elapsed > 0 {
		r.credit = min(r.capacity(), r.credit+elapsed.Seconds()*r.perSecond)
		r.at = now
	}
}

// tolerance forgives the rounding of floating-point sums: a caller who keeps the rate exactly is never refused for it.
const tolerance = 1e-6

// allows says whether a call may pass at now.
func (r *rate) allows(now time.Time) bool {
	r.refill(now)
	return r.credit >= 1-tolerance
}

// take charges n recipients.
func (r *rate) take(n int) { r.credit -= float64(n) }

// day counts recipients over the last 24 hours, in minutes.
type day struct {
	minutes [24*60 + 1]minute
	total   int64
	swept   int64
}

type minute struct {
	number int64
	count  int64
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// add counts n recipients at t.
func (d *day) add(t time.Time, n int) {
	number := minuteOf(t)
	slot := &d.minutes[int(number%int64(len(d.minutes)))]
	if slot.number != number {
		d.total -= slot.count
		*slot = minute{number: number}
	}
	slot.count += int64(n)
	d.total += int64(n)
}

// sum is the number of recipients in the 24 hours before now: a recipient leaves it up to a minute late, never early.
func (d *day) sum(now time.Time) int64 {
	number := minuteOf(now)
	if number == d.swept {
		return d.total
	}
	d.swept = number
	for i := range d.minutes {
		if slot := &d.minutes[i]; slot.count != 0 && slot.number < number-24*60 {
			d.total -= slot.count
			*slot = minute{}
		}
	}
	return d.total
}
