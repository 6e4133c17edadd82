package cloud

import (
	"context"
	"errors"

	"fanmail/shared/planner"
	"fanmail/shared/workflow"
)

// SESAccount is what a forecast needs to know of the SES account.
type SESAccount struct {
	Quota planner.Quota
	// Sandbox: only verified addresses can be mailed.
	Sandbox bool
	// PricingPlan is NONE (each feature has its price), ESSENTIALS, PRO or ENTERPRISE; "" when SES does not say.
	PricingPlan string
}

// SESAccount asks SES for the account. SES allows one such call a second.
func (c *Cloud) SESAccount(ctx context.Context) (SESAccount, error) {
	out, err := c.Account(ctx)
	if err != nil {
		return SESAccount{}, err
	}
	account := SESAccount{Quota: planner.QuotaOf(out), Sandbox: !out.ProductionAccessEnabled}
	if p := out.PricingAttributes; p != nil {
		account.PricingPlan = string(p.CurrentPlan)
	}
	return account, nil
}

// Suppressed asks the control function which of the addresses, at most workflow.MaxAddresses, are on the suppression
// list. It returns their positions.
func (c *Cloud) Suppressed(ctx context.Context, addresses []string) ([]int, error) {
	out, err := c.Control(ctx, workflow.ControlInput{Action: workflow.ActionSuppressed, Addresses: addresses})
	if err != nil {
		return nil, err
	}
	if out.SuppressedAmong == nil {
		return nil, errors.New("asking who is suppressed: the function control does not say: deploy again")
	}
	return out.SuppressedAmong.Positions, nil
}
