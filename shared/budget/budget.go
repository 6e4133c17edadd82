// Package budget is the arithmetic of connections: how many Fanmail can hold, how many a server has to give, and how many
// senders a rate needs. Pure functions; Plan and `fanmail budget` feed them.
package budget

import (
	"fmt"
	"math"
	"time"
)

// Function is one Lambda function that opens the database: one connection per execution environment.
type Function struct {
	Name string `json:"name"`
	// Concurrency is its reserved concurrency: the largest number of environments that work at once.
	Concurrency int `json:"connections"`
}

// Bound is the largest number of connections that the functions can hold.
func Bound(functions []Function) int {
	bound := 0
	for _, f := range functions {
		bound += f.Concurrency
	}
	return bound
}

// Server is what PostgreSQL says about its connections.
type Server struct {
	// MaxConnections is max_connections.
	MaxConnections int
	// Reserved is superuser_reserved_connections + reserved_connections + rds.rds_reserved_connections: slots that no
	// ordinary role gets.
	Reserved int
	// Others is how many sessions belong to roles other than Fanmail's now.
	Others int
	// RoleLimit is the CONNECTION LIMIT of Fanmail's role, -1 for none.
	RoleLimit int
}

const (
	// spareShare of the ordinary slots, spareMin at least, are left to others beyond what they hold now.
	spareShare = 0.1
	spareMin   = 5
)

// Spare is how many slots are left to others beyond what they hold now, so that they can grow while a campaign runs.
func (s Server) Spare() int {
	return max(spareMin, int(math.Ceil(float64(s.MaxConnections-s.Reserved)*spareShare)))
}

// Allowed is how many connections Fanmail may hold on the server: the ordinary slots, less what others hold, less a
// spare for them, and no more than its role is allowed. It can be negative.
func (s Server) Allowed() int {
	allowed := s.MaxConnections - s.Reserved - s.Others - s.Spare()
	if s.RoleLimit >= 0 {
		allowed = min(allowed, s.RoleLimit)
	}
	return allowed
}

// Need is what a campaign's rate asks for.
type Need struct {
	// Rate is recipients per second.
	Rate float64
	// Latency is the time of one SendEmail call; Parallel how many of them a sender has in flight.
	Latency  time.Duration
	Parallel int
}

// Senders is rate x latency / parallel calls, rounded up.
func (n Need) Senders() int {
	senders := math.Ceil(n.Rate * n.Latency.Seconds() / float64(max(1, n.Parallel)))
	if !(senders > 1) {
		return 1
	}
	return int(min(senders, math.MaxInt32))
}

// Answer is how many senders work at once, and why.
type Answer struct {
	// Senders is 0 when the server has no connection to give at the moment.
	Senders int    `json:"senders"`
	Reason  string `json:"reason"`
}

// Senders weighs what the rate needs, what the deployment reserves for the sender function, and what the server allows
// beside the connections of the other functions (reserved is the deployment's concurrency of send, bound the sum of all).
func Senders(need Need, reserved, bound int, server Server) Answer {
	needed := need.Senders()
	allowed := server.Allowed() - (bound - reserved)
	answer := Answer{Senders: max(0, min(needed, reserved, allowed))}
	switch {
	case allowed < 1:
		answer.Reason = fmt.Sprintf("no sender: of %d connections %d are reserved by the server, %d are held by others, %d are left to them as a spare, and %d belong to the other functions of Fanmail%s",
			server.MaxConnections, server.Reserved, server.Others, server.Spare(), bound-reserved, server.roleLimit())
	case needed <= reserved && needed <= allowed:
		answer.Reason = fmt.Sprintf("%s: the rate needs %d, the deployment allows %d, the server %d", senders(answer.Senders), needed, reserved, allowed)
	case reserved <= allowed:
		answer.Reason = fmt.Sprintf("%s: the deployment allows no more, the rate needs %d, the server allows %d", senders(answer.Senders), needed, allowed)
	default:
		answer.Reason = fmt.Sprintf("%s: the server allows no more, the rate needs %d, the deployment allows %d%s", senders(answer.Senders), needed, reserved, server.roleLimit())
	}
	return answer
}

func (s Server) roleLimit() string {
	if s.RoleLimit < 0 {
		return ""
	}
	return fmt.Sprintf(" (the role's limit is %d)", s.RoleLimit)
}

func senders(n int) string {
	if n == 1 {
		return "1 sender"
	}
	return fmt.Sprintf("%d senders", n)
}

// Account is the Lambda concurrency of an AWS account in a Region.
type Account struct {
	// Limit is the account's concurrent executions; 1,000 by default, less on new accounts.
	Limit int
	// Unreserved must be left unreserved: 100.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
	Unreserved int
	// Others is what functions other than these have reserved.
	Others int
}

// Reservable is how much these functions can reserve.
func (a Account) Reservable() int { return max(0, a.Limit-a.Unreserved-a.Others) }

// ConcurrencyQuota is the code by which Service Quotas knows "Concurrent executions" of Lambda.
const ConcurrencyQuota = "L-B99A9384"

// DefaultAccount is what AWS gives an account by default.
var DefaultAccount = Account{Limit: 1000, Unreserved: 100}

// Fit tells why the functions don't fit the account or the server; nil when they do. server is nil when it is not known.
func Fit(functions []Function, account Account, server *Server) error {
	bound := Bound(functions)
	if most := account.Reservable(); bound > most {
		held := ""
		if account.Others > 0 {
			held = fmt.Sprintf(", %d are reserved by other functions", account.Others)
		}
		return fmt.Errorf("the functions reserve %d of the account's Lambda concurrency, but only %d of its %d can be reserved (%d must stay unreserved%s): lower reservedConcurrency in functions.yml, deploy with --param reservedConcurrency=account, or ask AWS for a higher quota \"Concurrent executions\" of Lambda (%s)",
			bound, most, account.Limit, account.Unreserved, held, ConcurrencyQuota)
	}
	if server != nil && bound > server.Allowed() {
		return fmt.Errorf("the functions can hold %d connections, but the server has only %d for them (max_connections %d, %d reserved, %d held by others, %d spare for them%s): lower reservedConcurrency in functions.yml, or raise max_connections",
			bound, max(0, server.Allowed()), server.MaxConnections, server.Reserved, server.Others, server.Spare(), server.roleLimit())
	}
	return nil
}
