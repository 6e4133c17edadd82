package planner

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
)

// Quota is the SES account as GetAccount reports it.
type Quota struct {
	// Max24HourSend is recipients per rolling 24 hours, negative for no limit; SentLast24Hours of it are used.
	Max24HourSend   float64
	SentLast24Hours float64
	// MaxSendRate is recipients per second.
	MaxSendRate    float64
	SendingEnabled bool
	// Enforcement is HEALTHY, PROBATION or SHUTDOWN.
	Enforcement string
}

// QuotaOf reads GetAccount's answer.
func QuotaOf(account *sesv2.GetAccountOutput) Quota {
	q := Quota{SendingEnabled: account.SendingEnabled, Enforcement: aws.ToString(account.EnforcementStatus)}
	if sent := account.SendQuota; sent != nil {
		q.Max24HourSend, q.SentLast24Hours, q.MaxSendRate = sent.Max24HourSend, sent.SentLast24Hours, sent.MaxSendRate
	}
	return q
}
