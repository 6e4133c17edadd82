package workflow

import "errors"

// The named errors. Step Functions matches the Go type name of the outermost error that a handler returns, so handlers
// return these as pointers, never wrapped. Each carries one line that says what is wrong and how to mend it.
type (
	// InvalidCampaign says what is wrong with the execution's input or the campaign's folder: every problem at once.
	InvalidCampaign struct{ Message string }
	// CampaignBusy refuses a second live execution of a campaign.
	CampaignBusy struct{ Message string }
	// AlreadyStarted says why an execution that a schedule started has nothing to do: somebody started the campaign before, with the
	// same list, or the schedule was delivered twice. It is no failure: the execution succeeds.
	AlreadyStarted struct{ Message string }
	// CampaignStuck ends a campaign whose waves make no progress.
	CampaignStuck struct{ Message string }
	// DatabaseBusy is PostgreSQL's 53300, too many connections: the state machine tries again until a slot is free.
	DatabaseBusy struct{ Message string }
	// DatabaseFailed says why PostgreSQL can't be used: not reachable, wrong password, out of disk, missing tables.
	DatabaseFailed struct{ Message string }
	// Interrupted is a failure that passes by itself, of PostgreSQL or an AWS API: the state machine tries again.
	Interrupted struct{ Message string }
	// CampaignUnknown and InvalidRequest are answers of lambdas/control to the CLI; no state meets them.
	CampaignUnknown struct{ Message string }
	InvalidRequest  struct{ Message string }
)

// InvalidConfiguration is the name of the error of a function whose environment variables keep it from starting. It is retried nowhere.
const InvalidConfiguration = "InvalidConfiguration"

func (e *InvalidCampaign) Error() string { return e.Message }
func (e *CampaignBusy) Error() string    { return e.Message }
func (e *AlreadyStarted) Error() string  { return e.Message }
func (e *CampaignStuck) Error() string   { return e.Message }
func (e *DatabaseBusy) Error() string    { return e.Message }
func (e *DatabaseFailed) Error() string  { return e.Message }
func (e *Interrupted) Error() string     { return e.Message }
func (e *CampaignUnknown) Error() string { return e.Message }
func (e *InvalidRequest) Error() string  { return e.Message }

func (*InvalidCampaign) named() {}
func (*CampaignBusy) named()    {}
func (*AlreadyStarted) named()  {}
func (*CampaignStuck) named()   {}
func (*DatabaseBusy) named()    {}
func (*DatabaseFailed) named()  {}
func (*Interrupted) named()     {}
func (*CampaignUnknown) named() {}
func (*InvalidRequest) named()  {}

// Named returns the named error in err's chain, unwrapped, or nil when there is none.
func Named(err error) error {
	var named interface {
		error
		named()
	}
	if errors.As(err, &named) {
		return named
	}
	return nil
}
